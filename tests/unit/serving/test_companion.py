"""The process beside the workers."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from webhook.serving import companion as companions
from webhook.serving.companion import Companion


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def test_it_runs_until_it_is_asked_to_stop(pipe):
    reader, writer = pipe

    def work(stopping):
        os.write(writer, b"1")
        while not stopping():
            time.sleep(0.01)
        os.write(writer, b"2")

    companion = Companion("a test", work)
    companion.ensure()
    assert os.read(reader, 1) == b"1"
    companion.ensure()
    companion.ask_to_stop()
    assert os.read(reader, 1) == b"2"
    companion.finish(5)


def test_it_is_started_again_when_it_dies(pipe, monkeypatch):
    reader, writer = pipe
    monkeypatch.setattr(companions, "_PAUSE", 0.0)
    ended = []

    def work(_stopping):
        os.write(writer, f"{os.getpid():08d}".encode())
        signal.pause()

    companion = Companion("a test", work, ended.append)
    companion.ensure()
    first = int(os.read(reader, 8))
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    companion.ensure()
    assert int(os.read(reader, 8)) != first
    assert ended == [first]
    companion.finish(0)


def test_one_that_does_not_listen_is_forced(pipe):
    reader, writer = pipe

    def work(_stopping):
        os.write(writer, b"1")
        while True:
            time.sleep(1)

    companion = Companion("a test", work)
    companion.ensure()
    os.read(reader, 1)
    companion.ask_to_stop()
    began = time.monotonic()
    companion.finish(0.1)
    assert time.monotonic() - began < 5


def test_its_failure_stays_its_own(tmp_path: Path):
    def work(_stopping):
        raise RuntimeError("no registry")

    companion = Companion("a test", work)
    companion.ensure()
    companion.finish(5)
