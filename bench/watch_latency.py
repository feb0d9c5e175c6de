"""How soon a watch on one worker has a write that was made through another, while the log is compacted.

`python -m bench.watch_latency [WRITES] [PER_SECOND]` starts a server with two workers, writes through one and watches
on the other, and says whether every write came, once and in order. Each is timed from its sending and from its answer.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import NamedTuple, TypeVar

from tests.integration.api import STREAMS, Api, stream
from tests.integration.servers import Server
from tests.integration.workers import compacting, connection_to, workers

T = TypeVar("T")
_forks = multiprocessing.get_context("fork")
PATH = STREAMS.format("bench")
WRITERS = 2
# Between one compaction and the next, in seconds.
PAUSE = 0.1
KEPT_ROWS = 1000
LIMIT = 0.1


class Written(NamedTuple):
    """One write: its version, when it was sent and when it was answered (seconds of the machine's monotonic clock)."""

    version: int
    sent: float
    answered: float


class Heard(NamedTuple):
    """One event: its version and when it was read."""

    version: int
    at: float


def write(server: Server, worker: int, name: str, count: int, per_second: float) -> list[Written]:
    """Changes of one stream through one worker, evenly in time where the server can keep up."""
    link, done = connection_to(server, worker), []
    headers = {"Authorization": f"Bearer {server.token()}", "Content-Type": "application/merge-patch+json"}
    begun = time.monotonic()
    for number in range(count):
        time.sleep(max(begun + number / per_second - time.monotonic(), 0))
        body = json.dumps({"metadata": {"labels": {"step": str(number)}}})
        sent = time.monotonic()
        link.request("PATCH", f"{PATH}/{name}", body, headers)
        answer = link.getresponse().read()
        answered = time.monotonic()
        done.append(Written(int(json.loads(answer)["metadata"]["resourceVersion"]), sent, answered))
    return done


def listen(server: Server, worker: int, since: str, count: int, ready: Event) -> list[Heard]:
    """The first events of a watch on one worker."""
    link, lines = connection_to(server, worker), []
    headers = {"Authorization": f"Bearer {server.token()}"}
    link.request("GET", f"{PATH}?watch=1&resourceVersion={since}", headers=headers)
    events = link.getresponse()
    ready.set()
    for _ in range(count):
        line = events.readline()
        lines.append((line, time.monotonic()))
    # Read only now: to read JSON takes as long as some of what is measured.
    return [Heard(int(json.loads(line)["object"]["metadata"]["resourceVersion"]), at) for line, at in lines]


def run(server: Server, writes: int, per_second: float) -> tuple[list[Written], list[Heard], int]:
    """All that was written, all that was heard, and how many changes were forgotten meanwhile."""
    one, other = workers(server)
    names = [f"s{number}" for number in range(WRITERS)]
    with Api(server) as api:
        for name in names:
            assert api.post(PATH, stream(name)).code == 201
        since = api.get(PATH).json["metadata"]["resourceVersion"]
    share = writes // WRITERS
    ready = _forks.Event()
    heard = elsewhere(listen, server, one, since, share * WRITERS, ready)
    assert ready.wait(30)
    with compacting(server.data / "state.db", pause=PAUSE, keep_rows=KEPT_ROWS) as forgotten:
        results = [elsewhere(write, server, other, name, share, per_second / WRITERS) for name in names]
        written = [entry for result in results for entry in result()]
        return sorted(written), heard(), sum(forgotten)


def elsewhere(call: Callable[..., list[T]], *arguments: object) -> Callable[[], list[T]]:
    """Call in a process of its own, for what reads must not wait for what writes; the result is waited for."""
    here, there = _forks.Pipe(duplex=False)
    _forks.Process(target=lambda: there.send(call(*arguments)), daemon=True).start()
    return here.recv


def verdict(written: list[Written], heard: list[Heard]) -> str:
    """What is wrong with the events, in words."""
    wanted, versions = [one.version for one in written], [one.version for one in heard]
    missing, twice = len(set(wanted) - set(versions)), len(versions) - len(set(versions))
    order = "in order" if versions == sorted(versions) else "NOT IN ORDER"
    return f"{order}, {missing} missing, {twice} twice"


def row(name: str, seconds: list[float]) -> str:
    """One line of the table, in milliseconds."""
    p50, p99 = statistics.median(seconds) * 1e3, statistics.quantiles(seconds, n=1000)[989] * 1e3
    kept = "yes" if p99 <= LIMIT * 1e3 else "NO"
    return f"{name:24}{p50:>9.1f}{p99:>9.1f}{max(seconds) * 1e3:>9.1f}   {kept}"


def main(writes: int, per_second: float) -> None:
    """Measure, and print the figures and the verdict."""
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder) / "data", "--no-controllers", "--workers", "2") as server,
    ):
        written, heard, forgotten = run(server, writes, per_second)
    took = max(one.answered for one in written) - min(one.sent for one in written)
    at = {one.version: one.at for one in heard}
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {len(written)} writes through one worker at")
    print(f"{len(written) / took:.0f}/s, watched on another; {forgotten} changes compacted meanwhile\n")
    print(f"{'from a write to its event':24}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}   p99 within {LIMIT * 1e3:.0f} ms")
    print(row("since it was sent", [at[one.version] - one.sent for one in written if one.version in at]))
    print(
        row("since it was answered", [max(at[one.version] - one.answered, 0) for one in written if one.version in at])
    )
    print(f"\nevents: {verdict(written, heard)}; {time.monotonic() - begun:.0f} s in all")


if __name__ == "__main__":
    numbers = [float(one) for one in sys.argv[1:]]
    main(int(numbers[0]) if numbers else 20_000, numbers[1] if len(numbers) > 1 else 400.0)
