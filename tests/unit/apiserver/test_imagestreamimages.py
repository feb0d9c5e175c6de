"""Images of a stream by their digest."""

import pytest

from tests.unit.apiserver.api import ADDRESS, PHP_82, PHP_83, Api, image, path

INDEX = "sha256:8d29fc4213852725cb86cf6aef9be412439dde7383871ff5f08856b27455c00e"


def of(identity, name="php"):
    return path("imagestreamimages", f"{name}@{identity}")


@pytest.fixture(autouse=True)
def two_pushes(api):
    api.create("php", annotations={"description": "PHP"}, labels={"lang": "php"})
    api.push("8.2", PHP_82, dockerImageManifest='{"schemaVersion": 2}')
    api.push("8.2", PHP_83)


@pytest.mark.parametrize(
    ("identity", "digest"),
    [
        pytest.param(PHP_83, PHP_83, id="the newest"),
        pytest.param(PHP_82, PHP_82, id="one that is history"),
        pytest.param(PHP_82[:16], PHP_82, id="the start of a digest"),
        pytest.param(PHP_82.partition(":")[2][:12], PHP_82, id="and without its algorithm"),
    ],
)
def test_an_image_is_found_by_its_digest_or_the_start_of_it(api: Api, identity, digest):
    found = api.get(of(identity))

    assert found["image"]["metadata"]["name"] == digest
    assert found["metadata"]["name"] == f"php@{identity}"


def test_it_has_the_annotations_of_the_stream_and_the_time_of_the_image(api: Api):
    stored = api.get(path("images", PHP_82, namespace=""))

    found = api.get(of(PHP_82))

    assert found["metadata"] == {
        "name": f"php@{PHP_82}",
        "namespace": "shop",
        "creationTimestamp": stored["metadata"]["creationTimestamp"],
        "annotations": {"description": "PHP"},
    }


def test_the_image_keeps_its_address_and_loses_its_raw_manifest(api: Api):
    found = api.get(of(PHP_82))["image"]

    assert found["dockerImageReference"] == f"{ADDRESS}@{PHP_82}"
    assert "dockerImageManifest" not in found


def test_members_of_a_manifest_list_count(api: Api):
    member = {
        "digest": PHP_82,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "manifestSize": 1234,
        "architecture": "amd64",
        "os": "linux",
    }
    api.create("site")
    api.push("8.2", INDEX, name="site", dockerImageManifests=[member], dockerImageLayers=[])

    assert api.get(of(PHP_82, "site"))["image"]["metadata"]["name"] == PHP_82


@pytest.mark.parametrize(
    ("name", "code", "kind", "missing"),
    [
        pytest.param(f"php@{INDEX}", 404, "imagestreamimage", f"php@{INDEX}", id="an image of somebody else"),
        pytest.param(f"nothing@{PHP_82}", 404, "imagestreamimages", "nothing", id="a stream that there is not"),
    ],
)
def test_what_there_is_not_is_named(api: Api, name, code, kind, missing):
    api.post(path("images", namespace=""), image(INDEX))

    refused = api.get(path("imagestreamimages", name), code=code)

    assert refused["details"] == {"name": missing, "group": "image.openshift.io", "kind": kind}


def test_an_image_that_was_deleted_is_named(api: Api):
    api.delete(path("images", PHP_82, namespace=""))

    refused = api.get(of(PHP_82), code=404)

    assert refused["details"] == {"name": PHP_82, "group": "image.openshift.io", "kind": "imagestreamimages"}


@pytest.mark.parametrize("name", ["php", "php@", "a@b@c"])
def test_a_name_that_is_none_is_a_bad_request(api: Api, name):
    refused = api.get(path("imagestreamimages", name), code=400)

    assert refused["message"] == "ImageStreamImages must be retrieved with <name>@<id>"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_nothing_can_be_written(api: Api, method):
    api.send(method, of(PHP_82), code=405)
