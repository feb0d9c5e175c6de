"""What was written a moment ago counts for the next review, and what was reviewed a moment ago is told."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.integration.api import STREAMS, Api, Json, give, stream
from tests.integration.servers import Server, until
from tests.integration.workers import workers

DIGEST = "sha256:" + "ab" * 32


def rewritten(api: Api, namespace: str) -> bool:
    """Whether the creation of a Pod with the image php:8.2 is changed."""
    pod = {"kind": "Pod", "apiVersion": "v1", "spec": {"containers": [{"name": "web", "image": "php:8.2"}]}}
    request = {
        "uid": "0b1c2d3e-0000-4000-8000-000000000000",
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "namespace": namespace,
        "operation": "CREATE",
        "object": pod,
    }
    review = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}
    response = api.post("/admission/mutate", review).json["response"]
    return "patch" in response


def test_every_change_of_a_stream_is_seen_by_the_next_review(api: Api, namespace: str):
    path = f"{STREAMS.format(namespace)}/php"
    assert api.post(STREAMS.format(namespace), stream("php")).code == 201
    give(api, namespace, "php", "8.2", "quay.io/team/php", DIGEST)
    seen = []
    for local in [True, False] * 15:
        assert api.patch(path, {"spec": {"lookupPolicy": {"local": local}}}).code == 200
        seen.append(rewritten(api, namespace))
    assert seen == [True, False] * 15
    assert api.call("DELETE", path).code == 200
    assert not rewritten(api, namespace)


def test_a_run_level_is_seen_by_the_next_review(api: Api, namespace: str):
    assert api.post(STREAMS.format(namespace), stream("php", lookup=True)).code == 201
    give(api, namespace, "php", "8.2", "quay.io/team/php", DIGEST)
    assert rewritten(api, namespace)
    space: Json = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": namespace}}
    space["metadata"]["labels"] = {"openshift.io/run-level": "1"}
    assert api.post("/api/v1/namespaces", space).code == 201
    assert not rewritten(api, namespace)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGQUIT])
def test_what_a_worker_reviewed_in_its_last_moment_is_logged_and_counted(tmp_path: Path, sign: signal.Signals):
    with Server(tmp_path / "data", "--no-controllers", "--workers", "1") as server, Api(server) as api:
        assert api.post(STREAMS.format("shop"), stream("php", lookup=True)).code == 201
        give(api, "shop", "php", "8.2", "quay.io/team/php", DIGEST)
        (worker,) = workers(server)
        assert all(rewritten(api, "shop") for _ in range(20))
        os.kill(worker, sign)
        until(lambda: [worker] != workers(server) != [], "another worker")
        counts = api.get("/metrics").body.decode()
        assert 'imagestreams_admission_reviews_total{outcome="rewritten"} 20.0\n' in counts
        assert 'imagestreams_admission_images_total{reason="Resolved"} 20.0\n' in counts
        assert server.output().count(f"php:8.2 -> quay.io/team/php@{DIGEST}") == 20
