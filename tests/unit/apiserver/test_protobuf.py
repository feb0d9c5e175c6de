"""Protobuf at the API: read of Kubernetes' own kinds, refused of all others, and answered in JSON."""

from __future__ import annotations

import pytest

from tests.unit.apiserver.api import Api, path, stream
from tests.unit.apiserver.test_sandbox import DEPLOYMENTS, PINNED, SHOP, Mutate, deployment, web
from tests.unit.meta.protobuf_bodies import body

PROTOBUF = "application/vnd.kubernetes.protobuf"
EITHER = f"{PROTOBUF},application/json"
SECRETS = f"{SHOP}/secrets"
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "pull"},
    "type": "kubernetes.io/dockerconfigjson",
    "data": {".dockerconfigjson": "e30="},
}


def send(api: Api, method: str, url: str, obj: dict, *, code: int, accept: str = EITHER) -> dict:
    answer = api.send(method, url, body(obj), code=code, Content_Type=PROTOBUF, Accept=accept)
    assert answer.content_type == "application/json"
    return answer.json


def test_a_secret_is_stored_as_if_it_were_json(api: Api):
    assert send(api, "POST", SECRETS, SECRET, code=201)["data"] == SECRET["data"]

    stored = api.get(f"{SECRETS}/pull")

    assert {key: stored[key] for key in ("type", "data")} == {"type": SECRET["type"], "data": SECRET["data"]}


def test_a_workload_passes_through_admission(serve):
    made = send(serve(mutate=Mutate()), "POST", DEPLOYMENTS, deployment("php:8.2"), code=201)

    assert web(made)["image"] == PINNED


def test_an_object_is_replaced(api: Api):
    send(api, "POST", DEPLOYMENTS, deployment("php:8.1"), code=201)

    assert web(send(api, "PUT", f"{DEPLOYMENTS}/web", deployment("php:8.2"), code=200))["image"] == "php:8.2"


def test_a_scale_is_replaced(api: Api):
    api.post(DEPLOYMENTS, deployment())
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 3}}

    assert send(api, "PUT", f"{DEPLOYMENTS}/web/scale", scale, code=200)["spec"] == {"replicas": 3}


@pytest.mark.parametrize("version", ["v1", "apps/v1", "meta.k8s.io/v1"])
def test_the_options_of_a_deletion_are_read(api: Api, version):
    api.post(DEPLOYMENTS, deployment())
    options = {"apiVersion": version, "kind": "DeleteOptions", "dryRun": ["All"]}

    send(api, "DELETE", f"{DEPLOYMENTS}/web", options, code=200)

    assert api.get(f"{DEPLOYMENTS}/web")["metadata"]["name"] == "web"


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        pytest.param(SECRET, 'Secret in version "v1" cannot be handled as a Deployment', id="another kind"),
        pytest.param(
            {"apiVersion": "apps/v1", "kind": "DeleteOptions"}, "cannot be handled as a Deployment", id="no object"
        ),
    ],
)
def test_a_body_must_be_of_the_kind_of_its_path(api: Api, obj, message):
    refused = send(api, "POST", DEPLOYMENTS, obj, code=400)

    assert refused["reason"] == "BadRequest"
    assert message in refused["message"]


def test_a_client_that_reads_nothing_but_protobuf_is_not_served(api: Api):
    send(api, "POST", SECRETS, SECRET, code=406, accept=PROTOBUF)

    api.get(f"{SECRETS}/pull", code=404)


@pytest.mark.parametrize(
    ("method", "url"),
    [
        pytest.param("POST", path("imagestreams"), id="a stream"),
        pytest.param("PUT", path("imagestreams", "php"), id="a stream that is there"),
        pytest.param("DELETE", path("imagestreams", "php"), id="its deletion"),
        pytest.param("POST", "/apis/apps.openshift.io/v1/namespaces/shop/deploymentconfigs", id="a DeploymentConfig"),
        pytest.param("POST", "/apis/build.openshift.io/v1/namespaces/shop/builds", id="a Build"),
        pytest.param("PATCH", f"{SECRETS}/pull", id="a patch"),
    ],
)
def test_all_else_is_not_read_in_protobuf(api: Api, method, url):
    api.post(path("imagestreams"), stream())

    refused = send(api, method, url, SECRET, code=415)

    assert refused["reason"] == "UnsupportedMediaType"
    assert "protobuf" not in refused["message"]


def test_a_kind_that_is_read_in_protobuf_says_so(api: Api):
    refused = api.send("POST", SECRETS, b"x", code=415, Content_Type="text/plain").json

    assert refused["message"].endswith(f"application/json, application/yaml, {PROTOBUF}")


def test_a_body_over_the_limit_is_refused(api: Api):
    api.send("POST", SECRETS, b"k8s\0" + bytes(3 * 1024 * 1024), code=413, Content_Type=PROTOBUF)
