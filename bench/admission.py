"""What a review costs beyond the floor: the webhook against the same server answering fixed bytes without reading.

`python -m bench.admission [SECONDS]`: one server with one worker, TLS with kept connections, reviews of 10 KiB with
three images of which each is rewritten. The CPU time of the server per request is what counts, as it hardly depends on
what else the machine does. Floor and webhook take turns, so that a slow minute hits both.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3

from bench import load
from bench.admission_server import FLOOR
from bench.load import Load
from bench.measuring import cpu_seconds
from bench.upstream import Upstream, upstream
from bench.view import place
from tests.integration.servers import Process, free_port, until

Json = dict[str, Any]

ROUNDS = 8
UPDATES = 1000
RIVALS = {
    "/admission/mutate": "webhook: before Flask, msgspec",
    "/json": "before Flask, json",
    "/flask": "routed by Flask, msgspec",
    "/flask-json": "routed by Flask, its JSON",
}


def pod_spec(images: list[str]) -> Json:
    """A PodSpec as large as they are in practice: about 3 KB a container."""
    env = [{"name": f"SETTING_{number}", "value": "a value of some length that says something"} for number in range(40)]
    return {"containers": [{"name": f"c{number}", "image": image, "env": env} for number, image in enumerate(images)]}


def review(images: list[str], namespace: str) -> bytes:
    """An AdmissionReview of the creation of a Pod."""
    version = {"group": "", "version": "v1"}
    metadata = {"name": "web", "namespace": namespace, "labels": {"app": "web"}}
    item = {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": pod_spec(images)}
    request = {
        "uid": "0b1c2d3e-0000-4000-8000-000000000000",
        "kind": {**version, "kind": "Pod"},
        "resource": {**version, "resource": "pods"},
        "namespace": namespace,
        "operation": "CREATE",
        "userInfo": {"username": "system:serviceaccount:shop:deployer", "groups": ["system:authenticated"]},
        "object": item,
        "oldObject": None,
        "dryRun": False,
    }
    return json.dumps({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}).encode()


BODY = review([f"{place(number)[1]}:v{number}" for number in range(3)], place(0)[0])


class Webhook:
    """The server under measurement."""

    def __init__(self, url: str, process: Process) -> None:
        self.url = url
        self._process = process

    def post(self, path: str, connections: int, seconds: float) -> tuple[Load, float]:
        """A run, and the CPU µs of the server per request."""
        before = cpu_seconds(self._process.group)
        done = load.post(self.url + path, BODY, connections, seconds)
        return done, (cpu_seconds(self._process.group) - before) / done.requests * 1e6

    def answers(self, path: str) -> bool:
        """Whether a review of three images comes back with a patch."""
        urllib3.disable_warnings()
        with urllib3.PoolManager(cert_reqs="CERT_NONE", retries=False) as pool:
            try:
                return b'"patch"' in pool.request("POST", self.url + path, body=BODY).data
            except urllib3.exceptions.HTTPError:
                return False


@contextmanager
def webhook(api: str, *more: str) -> Iterator[Webhook]:
    """A running webhook over the API at a URL."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        command = [sys.executable, "-m", "bench.admission_server", f"{folder}/data", str(port), api, *more]
        process = Process(command, Path(folder) / "log")
        try:
            server = Webhook(f"https://127.0.0.1:{port}", process)
            until(lambda: not process.running or server.answers("/admission/mutate"), "the view")
            assert process.running, process.output()
            yield server
        finally:
            process.stop()


def table(server: Webhook, connections: int, seconds: float, paths: dict[str, str]) -> None:
    """Each path in turns with the others; the least CPU time and the medians of the rest, of all rounds."""
    runs: dict[str, list[tuple[Load, float]]] = {path: [] for path in paths}
    for _ in range(ROUNDS):
        for path in paths:
            runs[path].append(server.post(path, connections, seconds))
    floor = min(spent for _, spent in runs[FLOOR])
    columns = f"{'CPU µs':>9}{'of floor':>10}{'req/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'errors':>8}"
    print(f"\n{f'{connections} connections':34}{columns}")
    for path, name in paths.items():
        spent = min(cpu for _, cpu in runs[path])
        rate = statistics.median(done.rate for done, _ in runs[path])
        p50 = statistics.median(done.p50 for done, _ in runs[path]) * 1e3
        p99 = statistics.median(done.p99 for done, _ in runs[path]) * 1e3
        errors = sum(done.errors for done, _ in runs[path])
        print(f"{name:34}{spent:>9.0f}{floor / spent:>10.2f}{rate:>8.0f}{p50:>8.2f}{p99:>8.2f}{errors:>8}")


def under_updates(server: Webhook, api: Upstream, seconds: float) -> None:
    """Throughput while streams change, against the quiet in between."""
    quiet, busy = [], []
    for _ in range(ROUNDS):
        api.rate = 0
        time.sleep(0.5)
        quiet.append(server.post("/admission/mutate", 10, seconds)[0].rate)
        api.rate = UPDATES
        time.sleep(0.5)
        before, begun = api.sent, time.monotonic()
        busy.append(server.post("/admission/mutate", 10, seconds)[0].rate)
        rate = (api.sent - before) / (time.monotonic() - begun)
        print(f"\n{rate:.0f} updates a second: {busy[-1]:.0f} req/s, quiet {quiet[-1]:.0f} req/s", end="")
    api.rate = 0
    print(f"\nthroughput under updates, of the quiet one: {statistics.median(busy) / statistics.median(quiet):.2f}")


def main(seconds: float) -> None:
    """Measure all and print tables."""
    generator = "wrk" if shutil.which("wrk") else "a client in Python, which may be the bottleneck"
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs, reviews of {len(BODY)} bytes; load by {generator}"
    )
    with upstream() as api, webhook(api.url) as server:
        server.post("/admission/mutate", 10, 1)
        few = {FLOOR: "floor: fixed answer, nothing read", "/admission/mutate": RIVALS["/admission/mutate"]}
        table(server, 1, seconds, few)
        table(server, 10, seconds, {FLOOR: few[FLOOR], **RIVALS})
        table(server, 50, seconds, few)
        under_updates(server, api, seconds)
    with upstream() as api, webhook(api.url, "staying") as server:
        print("\nWith --staying:", end="")
        server.post("/admission/mutate", 10, 1)
        for connections in (1, 10):
            table(server, connections, seconds, few)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1)
