"""What a review costs beyond the floor: the admission endpoint against /livez of the same server, over the same TLS.

`python -m bench.admission [REQUESTS]` starts a server with one worker, so that its CPU time divides by the requests.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.measuring import HEADINGS, Subject, Wire, measure, row
from tests.integration.api import STREAMS, Api, give, stream
from tests.integration.servers import Server, until

Json = dict[str, Any]

DIGEST = "sha256:" + "ab" * 32
STREAM_COUNT = 200


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


def asking(server: Server, method: str, path: str, body: bytes) -> Subject:
    """One request on a kept connection, again and again."""
    wire = Wire(server)
    request = wire.request(method, path, body)
    return Subject(server, lambda: wire.ask(request))


def main(requests: int) -> None:
    """Measure all cases and print them as a table."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {requests} requests each on one connection\n")
    print(HEADINGS)
    with loaded_server() as server:
        results = measure([asking(server, *case) for case in CASES.values()], requests)
        for name, found in zip(CASES, results, strict=True):
            print(row(name, found, results[0]))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3000)
