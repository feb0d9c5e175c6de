"""Layers and pull secrets of a stream."""

import base64

import pytest

from tests.unit.apiserver.api import CONFIG, GZIPPED, LAYER, PHP_82, PHP_83, SCHEMA2, Api, path

LAYERS = path("imagestreams", "php/layers")
AUTHS = base64.b64encode(b'{"auths": {"quay.io": {"auth": "dTpw"}}}').decode()


def secret(name, kind="kubernetes.io/dockerconfigjson", **annotations):
    return {
        "kind": "Secret",
        "apiVersion": "v1",
        "metadata": {"name": name, "annotations": annotations},
        "type": kind,
        "data": {".dockercfg" if kind.endswith("dockercfg") else ".dockerconfigjson": AUTHS},
    }


def test_every_image_of_the_history_counts(api: Api):
    api.create("php")
    api.push("8.2", PHP_82)
    api.push("8.2", PHP_83)

    found = api.get(LAYERS)

    shown = {"imageMissing": False, "layers": [LAYER], "config": CONFIG}
    assert found["kind"] == "ImageStreamLayers"
    assert found["images"] == {PHP_82: shown, PHP_83: shown}
    assert found["blobs"] == {
        LAYER: {"size": 1234, "mediaType": GZIPPED},
        CONFIG: {"size": None, "mediaType": "application/vnd.docker.container.image.v1+json"},
        PHP_82: {"size": None, "mediaType": SCHEMA2},
        PHP_83: {"size": None, "mediaType": SCHEMA2},
    }


def test_its_metadata_is_the_stream_s(api: Api):
    made = api.create("php", annotations={"contact": "ann"})

    assert api.get(LAYERS)["metadata"] == made["metadata"]


def test_an_image_that_was_deleted_is_missing(api: Api):
    api.create("php")
    api.push("8.2")
    api.delete(path("images", PHP_82, namespace=""))

    assert api.get(LAYERS)["images"] == {PHP_82: {"imageMissing": True, "layers": None, "config": None}}


def test_a_stream_without_images_has_no_layers(api: Api):
    api.create("php")

    found = api.get(LAYERS)

    assert (found["blobs"], found["images"]) == ({}, {})


def test_a_stream_that_there_is_not_has_none(api: Api):
    assert api.get(LAYERS, code=404)["details"]["kind"] == "imagestreams"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("view", ["layers", "secrets"])
def test_views_are_read_only(api: Api, method, view):
    api.send(method, path("imagestreams", f"php/{view}"), code=405)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        pytest.param(secret("pull"), True, id="a docker config"),
        pytest.param(secret("pull", "kubernetes.io/dockercfg"), True, id="one of the old kind"),
        pytest.param(secret("pull", "Opaque"), False, id="some other secret"),
        pytest.param(secret("pull", **{"openshift.io/image.excludeSecret": "true"}), False, id="one that is excluded"),
        pytest.param(secret("pull", **{"openshift.io/image.excludeSecret": "false"}), True, id="one that is not"),
    ],
)
def test_pull_secrets_of_the_namespace_are_shown(api: Api, given, shown):
    api.post("/api/v1/namespaces/shop/secrets", given)

    found = api.get(path("imagestreams", "php/secrets"))["items"]

    assert [one["metadata"]["name"] for one in found] == (["pull"] if shown else [])


def test_the_list_of_secrets_has_their_data_and_needs_no_stream(api: Api):
    api.post("/api/v1/namespaces/shop/secrets", secret("pull"))
    api.post("/api/v1/namespaces/office/secrets", secret("other"))

    found = api.get(path("imagestreams", "nothing/secrets"))

    assert (found["kind"], found["apiVersion"]) == ("SecretList", "image.openshift.io/v1")
    (item,) = found["items"]
    assert item["data"] == {".dockerconfigjson": AUTHS}
    assert {"kind", "apiVersion"}.isdisjoint(item)
