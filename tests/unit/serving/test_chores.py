"""Chores: done by one, and by another when that one is gone."""

from __future__ import annotations

import threading
from pathlib import Path

from webhook.serving.chores import Chores
from webhook.storage.lock import take


def test_the_elected_one_works_until_the_server_stops(tmp_path: Path):
    done = threading.Semaphore(0)
    stop = threading.Event()
    Chores(tmp_path / "lock", 0.01, done.release).start(stop.is_set)
    assert done.acquire(timeout=5)
    assert done.acquire(timeout=5)
    stop.set()


def test_a_chore_that_fails_is_tried_again(tmp_path: Path, caplog):
    stop = threading.Event()
    tries = []

    def fail() -> None:
        tries.append(1)
        if len(tries) == 2:
            stop.set()
        raise OSError("the disk is full")

    Chores(tmp_path / "lock", 0.01, fail).run(stop.is_set)
    assert len(tries) == 2
    assert "tried again" in caplog.text


def test_a_lock_in_a_folder_that_cannot_be_written_is_waited_for(tmp_path: Path, caplog):
    looks = iter([False, True, True])
    (tmp_path / "file").touch()
    Chores(tmp_path / "file" / "lock", 0.0, lambda: 1 / 0).run(lambda: next(looks))
    assert f"A chore waits: cannot write to the folder {tmp_path}/file" in caplog.text


def test_without_the_lock_nothing_is_done(tmp_path: Path):
    looks = iter([False, False, True, True, True])
    with take(tmp_path / "lock"):
        Chores(tmp_path / "lock", 0.0, lambda: 1 / 0).run(lambda: next(looks))
