"""The configuration of admission on a running server: refused at the start, followed while it runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.api import STREAMS, Api, give, stream
from tests.integration.servers import Server, free_port, until

DIGEST = "sha256:" + "ab" * 32
PINNED = f"quay.io/acme/php@{DIGEST}"
PODS = "/api/v1/namespaces/{}/pods?dryRun=All"
MUTATE = "/admission/mutate"


def write(path: Path, text: str) -> None:
    """As a ConfigMap's file changes: a whole new one takes its place."""
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "admission.yaml"
    path.write_text("{}")
    return path


@pytest.fixture(scope="module")
def configured(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(
        tmp_path_factory.mktemp("configured") / "data",
        *("--no-controllers", "--workers", "1", "--admission-config", str(config)),
    ) as server:
        yield server


@pytest.fixture
def api(configured: Server, config: Path) -> Iterator[Api]:
    write(config, "{}")
    with Api(configured) as api:
        yield api


@pytest.fixture
def php(api: Api, namespace: str) -> str:
    """A namespace with a stream php that allows lookup, which admission knows."""
    assert api.post(STREAMS.format(namespace), stream("php", lookup=True)).code == 201
    give(api, namespace, "php", "8.2", "quay.io/acme/php", DIGEST)
    until(lambda: "patch" in reviewed(api, namespace, "php:8.2"), "the stream in the view")
    return namespace


def pod(image: str) -> dict[str, object]:
    spec = {"containers": [{"name": "web", "image": image}]}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web"}, "spec": spec}


def reviewed(api: Api, namespace: str, image: str) -> dict[str, object]:
    version = {"group": "", "version": "v1"}
    request = {
        "uid": "0b1c2d3e-0000-4000-8000-000000000000",
        "kind": {**version, "kind": "Pod"},
        "resource": {**version, "resource": "pods"},
        "namespace": namespace,
        "operation": "CREATE",
        "object": pod(image),
    }
    review = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}
    response: dict[str, object] = api.post(MUTATE, review).json["response"]
    return response


def test_what_is_rewritten_is_recorded_on_the_object(api: Api, php: str):
    made = api.post(PODS.format(php), pod("php:8.2")).json
    assert made["spec"]["containers"][0]["image"] == PINNED
    (record,) = json.loads(made["metadata"]["annotations"]["image.openshift.io/resolved-images"]).values()
    assert (record["written"], record["stream"], record["tag"]) == ("php:8.2", f"{php}/php", "8.2")


def in_use(api: Api) -> str:
    """Whether the newest file is in use, as the least of all processes tells it."""
    text = api.get("/metrics").body.decode()
    found = re.search(r'^imagestreams_admission_config_valid\{file="[^"]+"\} (\S+)$', text, re.MULTILINE)
    return found[1] if found else ""


def test_a_new_file_is_followed_and_a_bad_one_is_noted(api: Api, php: str, config: Path, configured: Server):
    assert in_use(api) == "1.0"
    write(config, "resolveImages: Required")
    until(lambda: reviewed(api, php, "nginx:1.27")["allowed"] is False, "the new configuration")
    refused = api.post(PODS.format(php), pod("nginx:1.27"))
    assert (refused.code, refused.json["reason"]) == (422, "Invalid")
    write(config, "resolveImages: Perhaps")
    until(lambda: b"[+]admission-config ok: " in api.get("/readyz?verbose").body, "the note")
    assert api.get("/readyz").code == 200
    assert in_use(api) == "0.0"
    assert "is not used, the policy before it still holds: resolveImages: " in configured.output()
    assert reviewed(api, php, "nginx:1.27")["allowed"] is False
    write(config, "{}")
    until(lambda: reviewed(api, php, "nginx:1.27")["allowed"] is True, "the configuration after that")


def test_a_file_that_cannot_be_used_stops_the_start(tmp_path: Path):
    path = tmp_path / "admission.yaml"
    path.write_text("executionRules: [{}]")
    options = [
        "--data",
        str(tmp_path / "data"),
        "--listen",
        f"127.0.0.1:{free_port()}",
        "--admission-config",
        str(path),
    ]
    command = [sys.executable, "-m", "webhook", "serve", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "cannot be used as --admission-config: executionRules[0].name must not be empty" in done.stderr
