"""What imports cost: a whole repository against a bare loop of the same requests, and many streams at a busy registry.

`python -m bench.imports` imports 500 tags from a docker-registry. `python -m bench.imports --settle` has 1,000 streams
follow a tag each at a registry that is 100 ms away, fails once in a hundred times and refuses everything for a while.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import urllib3

from bench.measuring import members
from demo.registry_images import Catalogue, build
from tests.integration import settling
from tests.integration.api import IMPORTS, Api, import_request
from tests.integration.busy_registry import BusyRegistry, busiest_second, looks, running
from tests.integration.servers import DockerRegistry, Server, until
from webhook.image import manifest as manifests

REPOSITORY = "bench/app"
#: As many as one import has at once (webhook.importer.engine).
CONCURRENCY = 8
UNLIMITED = ("--registry-rate", "1000000", "--registry-concurrency", "64", "--max-bulk-import", "-1")
MIB = 1024 * 1024

STREAMS = 1000
BUDGET = 100
SETTLE = ("--registry-rate", str(BUDGET), "--import-rate", "100", "--import-interval", "60s", "--import-retry", "2s")
REFUSED_SECONDS = 5.0


def catalogue(tags: int) -> Catalogue:
    """A repository whose tags have one layer in common and configurations of their own."""
    return {REPOSITORY: {f"v1.{number}": build("bench", labels={"number": str(number)}) for number in range(tags)}}


def bare_loop(address: str, tags: list[str]) -> float:
    """Seconds for the requests of an import without anything done with the answers, over as many connections."""
    pool = urllib3.PoolManager(maxsize=CONCURRENCY)
    base, accept = f"http://{address}/v2", {"Accept": ", ".join(manifests.MEDIA_TYPES)}

    def get(path: str) -> bytes:
        answer = pool.request("GET", f"{base}/{path}", headers=accept)
        assert answer.status == 200, (path, answer.status)
        return bytes(answer.data)

    def one(tag: str) -> None:
        config = json.loads(get(f"{REPOSITORY}/manifests/{tag}"))["config"]["digest"]
        get(f"{REPOSITORY}/blobs/{config}")

    begun = time.perf_counter()
    get("")
    get(f"{REPOSITORY}/tags/list")
    with ThreadPoolExecutor(CONCURRENCY) as threads:
        list(threads.map(one, tags))
    return time.perf_counter() - begun


def whole_import(address: str, tags: int) -> tuple[float, float]:
    """Seconds for the import of the whole repository into a new stream, and the bytes above those of an idle server."""
    request = import_request("app")
    source = {"kind": "DockerImage", "name": f"{address}/{REPOSITORY}"}
    request["spec"] = {"import": True, "repository": {"from": source, "importPolicy": {"insecure": True}}}
    with fresh_server("--no-controllers", "--workers", "1", *UNLIMITED) as server, Api(server) as api:
        api.get(IMPORTS.format("bench"))
        processes = members(server.process_group)
        idle = resident(processes)
        with peak(processes) as seen:
            begun = time.perf_counter()
            answer = api.post(IMPORTS.format("bench"), request)
            seconds = time.perf_counter() - begun
        images = answer.json["status"]["repository"]["images"]
        assert sum(one["status"]["status"] == "Success" for one in images) == tags
        return seconds, max(seen) - idle


@contextmanager
def fresh_server(*flags: str) -> Iterator[Server]:
    """A server with nothing in it."""
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "data", *flags) as server:
        yield server


def resident(processes: list[int]) -> int:
    """Bytes of memory that processes have, what they share counted in each; nothing of one that has ended (Linux)."""
    pages = 0
    for process in processes:
        with contextlib.suppress(OSError):
            pages += int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def peak(processes: list[int]) -> Iterator[list[int]]:
    """Samples of `resident` while the block runs; few and cheap ones, as they run beside what is measured."""
    seen, over = [resident(processes)], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            seen.append(resident(processes))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def measure_repository(tags: int, rounds: int) -> None:
    """The whole repository, next to the bare loop; each round with a new server."""
    images = catalogue(tags)
    names = list(images[REPOSITORY])
    with tempfile.TemporaryDirectory() as folder:
        registry = DockerRegistry(Path(folder), images)
        try:
            bare_loop(registry.address, names)
            loops, imports, memory = [], [], []
            for _ in range(rounds):
                loops.append(bare_loop(registry.address, names))
                seconds, above = whole_import(registry.address, tags)
                imports.append(seconds)
                memory.append(above)
        finally:
            registry.stop()
    loop, whole = statistics.median(loops), statistics.median(imports)
    print(f"a repository of {tags} tags, {2 * tags + 2} requests, {CONCURRENCY} at once; median of {rounds}\n")
    print(f"{'bare loop of GETs':34}{loop:>8.2f} s{(2 * tags + 2) / loop:>10.0f} requests/s")
    print(f"{'import, images and stream stored':34}{whole:>8.2f} s{(2 * tags + 2) / whole:>10.0f} requests/s")
    print(f"{'rate of the import, of the loop':34}{loop / whole:>8.2f}")
    print(f"{'memory above idle, at most':34}{max(memory) / MIB:>8.1f} MiB\n")


def measure_settling(count: int) -> None:
    """The first round, with a refusal in the middle of it, and the second, which finds nothing new."""
    with (
        running(BusyRegistry(latency=0.1, error_rate=0.01)) as registry,
        fresh_server(*SETTLE) as server,
        Api(server) as api,
    ):
        begun = time.monotonic()
        settling.create(api, registry, 0, count)
        until(lambda: len(registry.asked()) > count // 2, "the first requests", 60)
        registry.closed.set()
        time.sleep(REFUSED_SECONDS)
        registry.closed.clear()
        until(lambda: settling.settled(api), "all streams settled", 300, pause=0.5)
        settled, first = time.monotonic() - begun, registry.asked()
        reached = {one.path: one.at - begun for one in reversed(first) if "/manifests/" in one.path}
        lost = [name for name, images in settling.histories(settling.streams(api)).items() if len(images) != 1]

        registry.error_rate, before = 0.0, settling.versions(api)
        registry.forget()
        begun = time.monotonic()
        until(lambda: len(looks(registry.asked())) == count, "a look at every tag", 180)
        looked, second = time.monotonic() - begun, registry.asked()
        after = settling.versions(api)
        written = sum(after[name] != version for name, version in before.items())
    others = sum(one.method != "HEAD" for one in second)
    repeated = sum(times - 1 for times in looks(second).values())
    refused, failed = (sum(one.status == status for one in first) for status in (429, 503))
    print(f"{count} streams, one tag each, 100 ms away, budget {BUDGET} requests/s\n")
    print(f"settled after {settled:.1f} s: {len(first)} requests, {refused} refused (429), {failed} failed (503)")
    soonest, latest = min(reached.values()), max(reached.values())
    print(f"the first stream was reached after {soonest:.1f} s, the last after {latest:.1f} s")
    print(f"busiest second: {busiest_second(first)} requests; streams without exactly one image: {len(lost)}")
    print(f"second round: {len(second) - others} HEAD for {count} tags in {looked:.1f} s, {repeated} more than once,")
    print(f"  {others} other requests, {written} streams written, busiest second {busiest_second(second)} requests\n")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser("python -m bench.imports", description=__doc__.partition("\n")[0])
    parser.add_argument("--settle", action="store_true", help="many streams at a busy registry; takes two minutes")
    parser.add_argument("--tags", type=int, default=500)
    parser.add_argument("--streams", type=int, default=STREAMS)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs\n")
    if options.settle:
        measure_settling(options.streams)
    else:
        measure_repository(options.tags, options.rounds)


if __name__ == "__main__":
    main()
