"""What a review costs beyond the floor: the admission endpoint against /livez of the same server, over the same TLS.

`python -m bench.admission [REQUESTS]` starts a server with one worker, so that its CPU time divides by the requests.
"""

from __future__ import annotations

import http.client
import json
import os
import platform
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.api import STREAMS, Api, give, stream
from tests.integration.servers import Server, until

Json = dict[str, Any]

DIGEST = "sha256:" + "ab" * 32
STREAM_COUNT = 200
WARM_UP = 200


def pod_spec(image: str, containers: int) -> Json:
    """A PodSpec as large as they are in practice: about 2 KB a container."""
    env = [{"name": f"SETTING_{number}", "value": "a value of some length"} for number in range(30)]
    return {"containers": [{"name": f"c{number}", "image": image, "env": env} for number in range(containers)]}


def review(kind: str, group: str, resource: str, spec: Json) -> bytes:
    """An AdmissionReview of a creation."""
    version = {"group": group, "version": "v1"}
    obj = {"kind": kind, "apiVersion": f"{group}/v1".lstrip("/"), "metadata": {"name": "web"}, "spec": spec}
    request = {
        "uid": "0b1c2d3e-0000-4000-8000-000000000000",
        "kind": {**version, "kind": kind},
        "resource": {**version, "resource": resource},
        "namespace": "bench",
        "operation": "CREATE",
        "object": obj,
        "oldObject": None,
        "dryRun": False,
    }
    return json.dumps({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}).encode()


def deployment(image: str, containers: int) -> bytes:
    """A Deployment's creation."""
    return review("Deployment", "apps", "deployments", {"template": {"spec": pod_spec(image, containers)}})


CASES: dict[str, tuple[str, str, bytes]] = {
    "floor: GET /livez": ("GET", "/livez", b""),
    "Pod, 1 container, not ours": (
        "POST",
        "/admission/mutate",
        review("Pod", "", "pods", pod_spec("nginx:1.27", 1)),
    ),
    "Pod, 1 container, rewritten": (
        "POST",
        "/admission/mutate",
        review("Pod", "", "pods", pod_spec("s7:8.2", 1)),
    ),
    "Deployment, 5 containers, rewritten": ("POST", "/admission/mutate", deployment("s7:8.2", 5)),
    "Deployment, 100 containers, rewritten": ("POST", "/admission/mutate", deployment("s7:8.2", 100)),
}


@contextmanager
def loaded_server() -> Iterator[Server]:
    """A server whose view has streams with an image each."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "data", "--no-controllers", "--workers", "1").start()
        try:
            api = Api(server)
            for number in range(STREAM_COUNT):
                assert api.post(STREAMS.format("bench"), stream(f"s{number}", lookup=True)).code == 201
                give(api, "bench", f"s{number}", "8.2", f"quay.io/bench/s{number}", DIGEST)
            body = CASES["Pod, 1 container, rewritten"][2]
            until(lambda: "patch" in api.post("/admission/mutate", body).json["response"], "the view")
            api.close()
            yield server
        finally:
            server.stop()


def cpu_seconds(group: int) -> float:
    """CPU time of all processes of a process group since their start (Linux)."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(server: Server, method: str, path: str, body: bytes, requests: int) -> tuple[list[float], float]:
    """Seconds of each request on one kept connection, and CPU seconds of the server for all of them."""
    context = ssl.create_default_context(cadata=server.authority())
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context)

    def once() -> float:
        begun = time.perf_counter()
        connection.request(method, path, body or None, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        return time.perf_counter() - begun

    for _ in range(WARM_UP):
        once()
    before = cpu_seconds(server.process_group)
    times = [once() for _ in range(requests)]
    spent = cpu_seconds(server.process_group) - before
    connection.close()
    return times, spent


def main(requests: int) -> None:
    """Measure all cases and print them as a table."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {requests} requests each on one connection\n")
    print(f"{'':40}{'bytes':>8}{'p50 µs':>9}{'p99 µs':>9}{'CPU µs':>9}{'× floor':>9}")
    floor = 0.0
    with loaded_server() as server:
        for name, (method, path, body) in CASES.items():
            times, spent = measure(server, method, path, body, requests)
            each = spent / requests * 1e6
            floor = floor or each
            p50, p99 = statistics.median(times) * 1e6, statistics.quantiles(times, n=100)[98] * 1e6
            print(f"{name:40}{len(body):>8}{p50:>9.0f}{p99:>9.0f}{each:>9.0f}{each / floor:>9.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3000)
