"""Admission alone, as a process over another API: what it knows, what it asks, how it starts and stops."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from tests.integration.api import STREAMS, Api, give, stream
from tests.integration.gate import Gate, gate_to
from tests.integration.servers import Server, Webhook, free_port, until

DIGEST = "sha256:" + "ab" * 32


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An API that serves image streams."""
    with Server(tmp_path_factory.mktemp("cluster") / "data", "--no-controllers", "--workers", "1") as server:
        yield server


@pytest.fixture
def api(cluster: Server) -> Iterator[Api]:
    with Api(cluster) as api:
        yield api


@pytest.fixture(scope="module")
def webhook(cluster: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webhook]:
    metrics = free_port()
    flags = ["--workers", "1", "--metrics-listen", f"127.0.0.1:{metrics}"]
    webhook = Webhook(tmp_path_factory.mktemp("webhook") / "data", cluster.kubeconfig, *flags)
    webhook.metrics_port = metrics
    with webhook:
        yield webhook


@pytest.fixture
def gate(cluster: Server) -> Iterator[Gate]:
    """The only way to the cluster for whoever has the kubeconfig `behind` makes."""
    with gate_to(cluster.port) as gate:
        yield gate


@pytest.fixture
def behind(cluster: Server, gate: Gate, tmp_path: Path) -> Path:
    """A kubeconfig that goes through the gate."""
    path = tmp_path / "kubeconfig"
    path.write_text(cluster.kubeconfig.read_text().replace(f":{cluster.port}", f":{gate.port}"))
    return path


def pod(namespace: str, image: str) -> bytes:
    """A review of the creation of a Pod."""
    item = {"kind": "Pod", "apiVersion": "v1", "spec": {"containers": [{"name": "web", "image": image}]}}
    request = {
        "uid": "0b1c2d3e-0000-4000-8000-000000000000",
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "namespace": namespace,
        "operation": "CREATE",
        "object": item,
    }
    return json.dumps({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}).encode()


def image_in(response: dict) -> str | None:
    """The image that a response puts in, if any."""
    assert response["allowed"]
    operations = json.loads(base64.b64decode(response.get("patch", "W10=")))
    return next((one["value"] for one in operations if one["path"] == "/spec/containers/0/image"), None)


def publish(api: Api, namespace: str, name: str) -> None:
    """A stream whose tag v1 has an image."""
    assert api.post(STREAMS.format(namespace), stream(name, lookup=True)).code == 201
    give(api, namespace, name, "v1", f"quay.io/team/{name}", DIGEST)


def test_a_short_name_is_resolved_over_another_api(webhook, api, namespace):
    publish(api, namespace, "app")
    review = pod(namespace, "app:v1")
    until(lambda: image_in(webhook.review(review)) == f"quay.io/team/app@{DIGEST}", "the stream in the view")


def test_a_stream_that_was_made_a_moment_ago_is_asked_for(gate, behind, api, namespace, tmp_path):
    with Webhook(tmp_path / "data", behind, "--workers", "1") as webhook:
        # Its watch tells nothing from now on: only a question can find the stream.
        gate.mute()
        publish(api, namespace, "fresh")
        assert image_in(webhook.review(pod(namespace, "fresh:v1"))) == f"quay.io/team/fresh@{DIGEST}"


def test_other_paths_are_not_found_and_health_is_answered(webhook):
    assert webhook.get("/apis")[0] == 404
    assert webhook.get("/livez") == (200, "ok")
    code, text = webhook.get("/readyz?verbose")
    assert code == 200
    assert [f"[+]{name} ok" in text for name in ("view", "certificate", "shutdown")] == [True] * 3


def test_metrics_have_a_port_of_their_own(webhook):
    webhook.review(pod("shop", "nginx:1.27"))
    assert webhook.get("/metrics")[0] == 404
    with urllib.request.urlopen(f"http://127.0.0.1:{webhook.metrics_port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    assert 'imagestreams_admission_reviews_total{outcome="allowed"}' in text
    heard = re.search(
        r'^imagestreams_view_heard_timestamp_seconds\{resource="imagestreams"\} (\S+)$', text, re.MULTILINE
    )
    assert heard is not None
    assert float(heard[1]) > 0
    assert "imagestreams_view_from_snapshot 0.0" in text


def test_a_cut_connection_is_resumed_without_a_list(gate, behind, api, namespace, tmp_path):
    with Webhook(tmp_path / "data", behind, "--workers", "1", "--no-live-questions") as webhook:
        lists = _lists(api)
        gate.cut()
        publish(api, namespace, "later")
        review = pod(namespace, "later:v1")
        until(lambda: image_in(webhook.review(review)) is not None, "the stream that came after the cut")
        assert _lists(api) == lists
        assert webhook.get("/readyz")[0] == 200


def test_a_list_can_be_the_beginning_of_the_watch(behind, api, namespace, tmp_path):
    publish(api, namespace, "listed")
    lists = _lists(api)
    with Webhook(tmp_path / "data", behind, "--workers", "1", "--no-live-questions", "--watch-list") as webhook:
        assert image_in(webhook.review(pod(namespace, "listed:v1"))) is not None
        publish(api, namespace, "followed")
        until(lambda: image_in(webhook.review(pod(namespace, "followed:v1"))) is not None, "the stream after the list")
        assert _lists(api) == lists


def _lists(api: Api) -> float:
    """How often streams have been listed."""
    pattern = r'^imagestreams_requests_total{code="200",resource="imagestreams",verb="list"} (\S+)$'
    found = re.search(pattern, api.get("/metrics").body.decode(), re.MULTILINE)
    return float(found[1]) if found else 0


@pytest.fixture
def snapshotted(behind: Path, api: Api, namespace: str, tmp_path: Path) -> tuple[Webhook, bytes]:
    """A webhook that has written a snapshot and is stopped, and a review that it can answer."""
    publish(api, namespace, "kept")
    flags = ["--workers", "1", "--snapshot", str(tmp_path / "view"), "--snapshot-interval", "0.1"]
    webhook = Webhook(tmp_path / "data", behind, *flags).start()
    review = pod(namespace, "kept:v1")
    until(lambda: image_in(webhook.review(review)) is not None, "the stream")
    until(lambda: (tmp_path / "view").exists() and b"quay.io/team/kept" in (tmp_path / "view").read_bytes(), "snapshot")
    assert webhook.stop() == 0
    return webhook, review


def test_a_restart_with_the_api_away_serves_the_snapshot_and_says_so(snapshotted, gate):
    webhook, review = snapshotted
    gate.close()
    webhook.start()
    try:
        assert image_in(webhook.review(review)) is not None
        code, text = webhook.get("/readyz?verbose")
        assert code == 200
        assert "[+]view ok: the snapshot of 2" in text
        until(lambda: "imagestreams_view_from_snapshot 1.0" in webhook.get("/metrics")[1], "the metric")
    finally:
        assert webhook.stop() == 0


def test_a_restart_with_the_api_there_goes_on_where_the_snapshot_ended(snapshotted, api, namespace):
    webhook, review = snapshotted
    lists = _lists(api)
    publish(api, namespace, "newer")
    webhook.start()
    try:
        assert image_in(webhook.review(review)) is not None
        until(lambda: image_in(webhook.review(pod(namespace, "newer:v1"))) is not None, "the stream after the snapshot")
        until(lambda: "snapshot" not in webhook.get("/readyz?verbose")[1], "the end of the snapshot")
        assert _lists(api) == lists
    finally:
        webhook.stop()


def test_without_api_and_snapshot_it_lives_unready_and_admits_with_a_warning(gate, behind, tmp_path):
    gate.close()
    webhook = Webhook(tmp_path / "data", behind, "--workers", "1")
    webhook.awaited = "/livez"
    with webhook:
        assert webhook.get("/readyz")[0] == 500
        response = webhook.review(pod("shop", "app:v1"))
        assert image_in(response) is None
        assert "not loaded yet" in response["warnings"][0]


def test_sigterm_drains(cluster, tmp_path):
    webhook = Webhook(tmp_path / "data", cluster.kubeconfig, "--workers", "1", "--drain", "30").start()
    context = ssl.create_default_context(cadata=webhook.authority())
    with urllib3.HTTPSConnectionPool("127.0.0.1", webhook.port, ssl_context=context, retries=False) as pool:
        assert (
            pool.request("POST", "/admission/mutate", body=pod("shop", "nginx")).headers["Connection"] == "keep-alive"
        )
        os.kill(webhook.process_group, signal.SIGTERM)
        until(lambda: webhook.get("/readyz")[0] == 500, "unready")
        answer = pool.request("POST", "/admission/mutate", body=pod("shop", "nginx"))
        assert (answer.status, answer.headers["Connection"]) == (200, "close")
    assert webhook.get("/livez")[0] == 200
    # A second signal says that it is enough.
    assert webhook.stop() == 0
