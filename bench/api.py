"""What reads, writes and watches of the image API cost beyond the floor, which is fixed bytes of the same size.

`python -m bench.api [REQUESTS]` starts both servers with one worker each, so that CPU time divides by the requests.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.measuring import HEADINGS, Measured, Watchers, Wire, measure, row
from tests.integration.servers import Server

Json = dict[str, Any]

STREAMS = "/apis/image.openshift.io/v1/namespaces/{}/imagestreams"
TAGS = 10
EVENTS = 5
LISTED = 1000
WATCHERS = 50
# So many that the limit on open watches is above what is opened.
THREADS = 96
DEMANDED = 0.5


class FloorServer(Server):
    """`bench.floor` instead of the server."""

    program = ("bench.floor", "serve")


def stream(name: str, tags: int, events: int) -> Json:
    """A stream with a history in each of its tags."""
    return {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": name, "labels": {"app": "bench"}},
        "spec": {"tags": [_spec_tag(name, f"v{number}") for number in range(tags)]},
        "status": {"tags": [_history(name, f"v{number}", events) for number in range(tags)]},
    }


def _spec_tag(name: str, tag: str) -> Json:
    source = {"kind": "DockerImage", "name": f"quay.io/bench/{name}:{tag}"}
    return {"name": tag, "from": source, "importPolicy": {"scheduled": True}}


def _history(name: str, tag: str, events: int) -> Json:
    digests = [f"sha256:{number:064x}" for number in range(events)]
    items = [
        {
            "created": "2026-01-02T03:04:05Z",
            "dockerImageReference": f"quay.io/bench/{name}@{digest}",
            "image": digest,
            "generation": 1,
        }
        for digest in digests
    ]
    return {"tag": tag, "items": items}


def give(wire: Wire, namespace: str, obj: Json) -> None:
    """Create a stream with its status."""
    path = STREAMS.format(namespace)
    wire.ask(wire.request("POST", path, json.dumps(obj).encode()))
    status = json.dumps({"status": obj["status"]}).encode()
    name = obj["metadata"]["name"]
    wire.ask(wire.request("PATCH", f"{path}/{name}/status", status, "application/merge-patch+json"))


@contextmanager
def servers() -> Iterator[tuple[Server, Server]]:
    """The server, with the streams in it, and the floor."""
    with tempfile.TemporaryDirectory() as folder:
        sizes = ("--workers", "1", "--threads", str(THREADS))
        server = Server(Path(folder) / "data", "--no-controllers", *sizes)
        floor = FloorServer(Path(folder) / "floor", *sizes)
        try:
            wire = Wire(server.start())
            give(wire, "one", stream("php", TAGS, EVENTS))
            for number in range(LISTED):
                give(wire, "many", stream(f"s{number}", 1, 1))
            wire.close()
            yield server, floor.start()
        finally:
            server.stop()
            floor.stop()


def asking(server: Server, method: str, path: str, bodies: Callable[[], bytes] = lambda: b"") -> Callable[[], int]:
    """One request on a kept connection, again and again."""
    wire = Wire(server)
    return lambda: wire.ask(wire.request(method, path, bodies(), "application/merge-patch+json"))


def annotations() -> Callable[[], bytes]:
    """Merge patches, no two of them equal."""
    numbers = iter(range(1 << 62))
    return lambda: json.dumps({"metadata": {"annotations": {"bench": str(next(numbers))}}}).encode()


def fanned_out(server: Server, stream_path: str, change: Callable[[], int], changes: int) -> Measured:
    """One change at a time, each until all watchers have it."""
    watchers = Watchers(server, stream_path, WATCHERS)
    seen = 0

    def once() -> int:
        nonlocal seen
        seen += 1
        size = change()
        watchers.wait(seen)
        return size

    try:
        return measure(server, once, changes)
    finally:
        watchers.close()


def main(requests: int) -> None:
    """Measure all cases, each beside its floor, and print them as a table."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {requests} GETs on one connection\n")
    print(HEADINGS)
    rates: dict[str, float] = {}

    def compare(name: str, found: Measured, floor: Measured) -> None:
        print(row(f"{name}: floor", floor), row(name, found, floor), sep="\n", flush=True)
        rates[name] = found.rate / floor.rate

    with servers() as (server, floor):
        one, many = f"{STREAMS.format('one')}/php", STREAMS.format("many")

        def case(name: str, method: str, path: str, count: int, bodies: Callable[[], bytes] = lambda: b"") -> int:
            found = measure(server, asking(server, method, path, bodies), count)
            below = measure(floor, asking(floor, method, f"/bytes/{found.size}", bodies), count)
            compare(name, found, below)
            return found.size

        case("GET one stream", "GET", one, requests)
        case(f"LIST {LISTED} streams", "GET", many, requests // 10)
        size = case("PATCH one stream", "PATCH", one, requests // 4, annotations())
        changes = requests // 25
        patch = asking(server, "PATCH", one, annotations())
        tick = asking(floor, "POST", "/tick", lambda: b"{}")
        name = f"PATCH to {WATCHERS} watchers"
        watch = f"{STREAMS.format('one')}?watch=1&resourceVersion={newest(server, one)}"
        compare(name, fanned_out(server, watch, patch, changes), fanned_out(floor, f"/stream/{size}", tick, changes))
    print("\nrequests/s as a part of the floor's: " + ", ".join(f"{name} {rate:.2f}" for name, rate in rates.items()))
    print(f"demanded: {DEMANDED} or more for GET and LIST")


def newest(server: Server, path: str) -> str:
    """The version of an object."""
    wire = Wire(server)
    wire.socket.sendall(wire.request("GET", path))
    received = b""
    while b'"resourceVersion":"' not in received:
        received += wire.socket.recv(1 << 16)
    wire.close()
    return received.partition(b'"resourceVersion":"')[2].partition(b'"')[0].decode()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
