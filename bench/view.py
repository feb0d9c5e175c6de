"""What the view costs at scale: memory per tag, CPU per look-up and per stream of the first sync, garbage collections.

`python -m bench.view [STREAMS [TAGS]]`, by default 100,000 streams of 10 tags, 8 KB of JSON each, as a reflector reads
them: in pages of bytes. The making of the pages is not counted.
"""

from __future__ import annotations

import gc
import hashlib
import json
import platform
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from webhook.view import feed
from webhook.view.index import View
from webhook.view.namespaces import RunLevels
from webhook.view.snapshot import Snapshot

LOOKUPS = 300_000
EVENTS = 20_000
STREAMS_PER_NAMESPACE = 20


def place(number: int) -> tuple[str, str]:
    """Namespace and name of a stream."""
    return f"project-{number // STREAMS_PER_NAMESPACE}", f"application-{number % STREAMS_PER_NAMESPACE}"


def _tag(number: int, tag: int, generation: int) -> dict[str, Any]:
    name = f"v{tag}"
    items = []
    for event in range(2):
        image = "sha256:" + hashlib.sha256(f"{number}/{tag}/{generation - event}".encode()).hexdigest()
        reference = f"quay.io/team-{number % 100}/application@{image}"
        items.append(
            {"created": "2026-11-20T10:00:00Z", "dockerImageReference": reference, "image": image, "generation": 2}
        )
    return {"tag": name, "items": items}


def stream(number: int, tags: int, generation: int = 1) -> bytes:
    """A stream with its history and managed fields, as an API server sends it."""
    namespace, name = place(number)
    spec_tags = [
        {
            "name": f"v{tag}",
            "annotations": {"description": "a sentence about this tag of the application", "tags": "builder,php"},
            "from": {"kind": "DockerImage", "name": f"quay.io/team-{number % 100}/application:v{tag}"},
            "generation": 2,
            "importPolicy": {"importMode": "Legacy", "scheduled": True},
            "referencePolicy": {"type": "Source"},
        }
        for tag in range(tags)
    ]
    managed = {"manager": "kubectl", "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}}
    item = {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": "0b1c2d3e-0000-4000-8000-000000000000",
            "resourceVersion": str(generation * 1_000_000 + number),
            "generation": 2,
            "managedFields": [managed] * 3,
        },
        "spec": {"lookupPolicy": {"local": True}, "tags": spec_tags},
        "status": {
            "dockerImageRepository": f"image-registry.openshift-image-registry.svc:5000/{namespace}/{name}",
            "tags": [_tag(number, tag, generation) for tag in range(tags)],
        },
    }
    return json.dumps(item).encode()


class Source:
    """Stands for a client; `spent` is the CPU time that making its answers took."""

    def __init__(self, streams: int, tags: int) -> None:
        self._streams, self._tags = streams, tags
        self.spent = 0.0
        self.bytes = 0

    def pages(self, _path: str, decoding: Any, *, limit: int, **_query: Any) -> Iterator[Any]:
        """The list, page by page."""
        for first in range(0, self._streams, limit):
            begun = time.process_time()
            items = b",".join(stream(number, self._tags) for number in range(first, min(first + limit, self._streams)))
            body = b'{"metadata":{"resourceVersion":"1000000"},"items":[%s]}' % items
            self.bytes += len(body)
            self.spent += time.process_time() - begun
            yield decoding.page(body)


def pss() -> int:
    """This process's share of memory in bytes (Linux)."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) << 10
    raise OSError("no Pss in smaps_rollup")


def synced(streams: int, tags: int) -> tuple[View, float, float, int]:
    """A view after its first sync; CPU µs per stream, bytes of JSON per stream, and the memory that it took."""
    view, source = View(), Source(streams, tags)
    reflector = feed.reflectors(source, view, RunLevels())[0]  # type: ignore[arg-type]
    gc.collect()
    before, begun = pss(), time.process_time()
    reflector.run(1)
    spent = time.process_time() - begun - source.spent
    gc.collect()
    assert len(view) == streams
    return view, spent / streams * 1e6, source.bytes / streams, pss() - before


def looked_up(view: View, streams: int, tags: int) -> float:
    """CPU µs of one look-up of a tag by names that are not the index's own strings."""
    rng = random.Random(7)
    names = [(*place(rng.randrange(streams)), f"v{rng.randrange(tags)}") for _ in range(LOOKUPS)]
    times = []
    for _ in range(3):
        begun = time.process_time()
        for namespace, name, tag in names:
            found = view.stream(namespace, name)
            if found is None or tag not in found.tags:
                raise LookupError(name)
        times.append(time.process_time() - begun)
    return min(times) / LOOKUPS * 1e6


def changed(view: View, streams: int, tags: int) -> float:
    """CPU µs of one watch event."""
    rng = random.Random(11)
    reflector = feed.reflectors(Source(0, 0), view, RunLevels())[0]  # type: ignore[arg-type]
    decoding, sink = reflector.decoding, reflector.sink
    lines = [
        b'{"type":"MODIFIED","object":%s}' % stream(rng.randrange(streams), tags, generation=2)
        for _ in range(min(EVENTS, streams))
    ]
    begun = time.process_time()
    for line in lines:
        change = decoding.event(line)
        sink.apply(change.kind, change.item)
        sink.advance(change.version)
    return (time.process_time() - begun) / len(lines) * 1e6


def collected() -> float:
    """Milliseconds of a full garbage collection, the best of five, as all threads wait for it."""
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        gc.collect()
        times.append(time.perf_counter() - begun)
    return min(times) * 1e3


def restored(view: View) -> tuple[float, float, float]:
    """Seconds to write a snapshot and to read it, and its MiB."""
    with tempfile.TemporaryDirectory() as folder:
        snapshot = Snapshot(Path(folder) / "view", "bench")
        begun = time.perf_counter()
        snapshot.save(view)
        written = time.perf_counter() - begun
        begun = time.perf_counter()
        assert snapshot.load() is not None
        return written, time.perf_counter() - begun, snapshot.path.stat().st_size / (1 << 20)


def main(streams: int, tags: int) -> None:
    """Measure and print figures next to their targets."""
    view, sync, size, memory = synced(streams, tags)
    print(f"Python {platform.python_version()}: {streams} streams of {tags} tags, {size:.0f} bytes of JSON each\n")
    written, read, mebibytes = restored(view)
    rows = [
        ("memory, bytes a tag", memory / streams / tags, "260"),
        ("look-up, CPU µs", looked_up(view, streams, tags), "1.5"),
        ("first sync, CPU µs a stream", sync, "60"),
        ("full garbage collection, ms", collected(), "20"),
        ("watch event, CPU µs", changed(view, streams, tags), ""),
        ("snapshot written, s", written, ""),
        ("snapshot read, s", read, ""),
        ("snapshot, MiB", mebibytes, ""),
    ]
    print(f"{'':32}{'measured':>10}{'at most':>10}")
    for name, value, target in rows:
        print(f"{name:32}{value:>10.2f}{target:>10}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, int(sys.argv[2]) if len(sys.argv) > 2 else 10)
