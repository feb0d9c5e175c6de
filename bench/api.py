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

from bench.measuring import HEADINGS, Subject, Watchers, Wire, measure, row
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
    sizes = ("--workers", "1", "--threads", str(THREADS))
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder) / "data", "--no-controllers", *sizes) as server,
        FloorServer(Path(folder) / "floor", *sizes) as floor,
    ):
        wire = Wire(server)
        give(wire, "one", stream("php", TAGS, EVENTS))
        for namespace, tags, events in (("many", 1, 1), ("large", TAGS, EVENTS)):
            for number in range(LISTED):
                give(wire, namespace, stream(f"s{number}", tags, events))
        wire.close()
        yield server, floor


def asking(server: Server, method: str, path: str, bodies: Callable[[], bytes] = lambda: b"") -> Subject:
    """One request on a kept connection, again and again."""
    wire = Wire(server)
    return Subject(server, lambda: wire.ask(wire.request(method, path, bodies(), "application/merge-patch+json")))


def annotations() -> Callable[[], bytes]:
    """Merge patches, no two of them equal."""
    numbers = iter(range(1 << 62))
    return lambda: json.dumps({"metadata": {"annotations": {"bench": str(next(numbers))}}}).encode()


@contextmanager
def fanned_out(path: str, change: Subject) -> Iterator[Subject]:
    """One change at a time, each until all watchers of the path have it; the bytes are those of all of them."""
    watchers = Watchers(change.server, path, WATCHERS)
    seen = 0

    def once() -> int:
        nonlocal seen
        seen += 1
        change.once()
        before = watchers.bytes
        watchers.wait(seen)
        return watchers.bytes - before

    try:
        yield Subject(change.server, once)
    finally:
        watchers.close()


class Comparison:
    """Cases beside their floors, printed as they are measured."""

    def __init__(self, server: Server, floor: Server) -> None:
        self.server, self.floor = server, floor
        self.rates: dict[str, float] = {}

    def case(self, name: str, method: str, path: str, count: int, bodies: Callable[[], bytes] = lambda: b"") -> int:
        """A request beside one that answers as many bytes; the bytes."""
        asked = asking(self.server, method, path, bodies)
        size = asked.once()
        self._compare(name, asked, asking(self.floor, method, f"/bytes/{size}", bodies), count)
        return size

    def fan_out(self, path: str, size: int, count: int) -> None:
        """A change of the stream, until all of its watchers have it, beside a tick that sends as many bytes."""
        patch = asking(self.server, "PATCH", path, annotations())
        tick = asking(self.floor, "POST", "/tick", lambda: b"{}")
        collection, _, name = path.rpartition("/")
        watch = f"{collection}?watch=1&fieldSelector=metadata.name%3D{name}&resourceVersion={newest(self.server, path)}"
        with fanned_out(watch, patch) as ours, fanned_out(f"/stream/{size}", tick) as below:
            self._compare(f"PATCH to {WATCHERS} watchers", ours, below, count)

    def _compare(self, name: str, ours: Subject, below: Subject, count: int) -> None:
        floor, found = measure([below, ours], count)
        print(row(f"{name}: floor", floor), row(name, found, floor), sep="\n", flush=True)
        self.rates[name] = found.rate / floor.rate


def main(requests: int) -> None:
    """Measure all cases, each beside its floor, and print them as a table."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {requests} GETs on one connection\n")
    print(HEADINGS)
    with servers() as (server, floor):
        one, compared = f"{STREAMS.format('one')}/php", Comparison(server, floor)
        compared.case("GET one stream", "GET", one, requests)
        compared.case(f"LIST {LISTED} streams of a tag", "GET", STREAMS.format("many"), requests // 10)
        compared.case(f"LIST {LISTED} streams of {TAGS} tags", "GET", STREAMS.format("large"), requests // 100)
        size = compared.case("PATCH one stream", "PATCH", one, requests // 4, annotations())
        compared.fan_out(one, size, requests // 25)
    rates = ", ".join(f"{name} {rate:.2f}" for name, rate in compared.rates.items())
    print(f"\nrequests/s as a part of the floor's: {rates}\ndemanded: {DEMANDED} or more for GET and LIST")


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
