"""kill -9 in the middle of 1,000 writes: whatever was acknowledged is there after the restart."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from tests.integration.api import STREAMS, Api, stream
from tests.integration.servers import Server

WRITERS = 3
WRITES = 1000
BEFORE_THE_KILL = 400
PATH = STREAMS.format("durable")


class Acknowledged:
    """The names that the server has said it stored, and a way to wait for their number."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._changed = threading.Condition()

    def add(self, name: str) -> None:
        with self._changed:
            self.names.add(name)
            self._changed.notify_all()

    def wait_for(self, number: int, seconds: float = 60) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.names) >= number, seconds)


def write(server: Server, names: Iterator[str], done: Acknowledged, lost: list[str]) -> None:
    """Create streams one after the other until the server is gone."""
    with Api(server) as api:
        for name in names:
            try:
                answer = api.post(PATH, stream(name))
            except urllib3.exceptions.HTTPError:
                break
            if answer.code == 201:
                done.add(name)
            else:
                lost.append(f"{name}: {answer.code} {answer.body!r}")


def run_writers(server: Server, names: list[list[str]], done: Acknowledged) -> tuple[list[threading.Thread], list[str]]:
    problems: list[str] = []
    threads = [threading.Thread(target=write, args=(server, iter(one), done, problems)) for one in names]
    for thread in threads:
        thread.start()
    return threads, problems


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", "--no-controllers") as server:
        yield server


def test_no_acknowledged_write_is_lost(server):
    every = [f"s{number}" for number in range(WRITES)]
    shares = [every[writer::WRITERS] for writer in range(WRITERS)]
    done = Acknowledged()
    threads, problems = run_writers(server, shares, done)
    done.wait_for(BEFORE_THE_KILL)
    server.kill()
    for thread in threads:
        thread.join(30)
    acknowledged = set(done.names)
    assert BEFORE_THE_KILL <= len(acknowledged) < WRITES, "the kill was not in the middle"

    server.start()
    with Api(server) as api:
        listed = api.get(PATH).json
        kept = {item["metadata"]["name"]: int(item["metadata"]["resourceVersion"]) for item in listed["items"]}
        assert acknowledged <= set(kept)
        # At most the one write per writer that was under way may be there without an acknowledgement.
        assert len(set(kept) - acknowledged) <= WRITERS
        assert problems == []

        # The rest goes on where it stopped, with resource versions that only grow.
        remaining = [[name for name in share if name not in kept] for share in shares]
        threads, problems = run_writers(server, remaining, done)
        for thread in threads:
            thread.join(60)
        assert problems == []
        after = {
            item["metadata"]["name"]: int(item["metadata"]["resourceVersion"]) for item in api.get(PATH).json["items"]
        }
        assert set(after) == set(every)
        assert min(after[name] for share in remaining for name in share) > max(kept.values())
