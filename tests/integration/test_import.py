"""Imports from a real docker-registry: what is found, under which digest, and with whose password."""

from __future__ import annotations

import base64
import json

import pytest

from demo.registry_images import catalogue
from tests.integration.api import IMPORTS, STREAMS, TAGS, Api, import_request, stream
from tests.integration.servers import DockerRegistry, until

IMAGES = catalogue()


def imported(api: Api, namespace: str, *sources: tuple[str, str], **more) -> dict:
    """The answer to an import of (source, tag) pairs into the stream `app`."""
    answer = api.post(IMPORTS.format(namespace), import_request("app", *sources, **more))
    assert answer.code == 201, answer.body
    return answer.json


def pull_secret(name: str, host: str, login: str) -> dict:
    """A Secret as `kubectl create secret docker-registry` makes it."""
    entry = {"auth": base64.b64encode(login.encode()).decode()}
    config = json.dumps({"auths": {host: entry}}).encode()
    return {
        "kind": "Secret",
        "apiVersion": "v1",
        "metadata": {"name": name},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": base64.b64encode(config).decode()},
    }


@pytest.mark.parametrize(
    ("repository", "tag"),
    [("library/php", "8.2"), ("team/oci", "latest")],
    ids=["a schema 2 image", "an OCI image"],
)
def test_an_image_is_named_by_the_digest_of_its_manifest(api, namespace, registry, repository, tag):
    image = IMAGES[repository][tag]
    answer = imported(api, namespace, (f"{registry.address}/{repository}:{tag}", "v1"))
    found = answer["status"]["images"][0]
    assert found["status"]["status"] == "Success"
    assert found["image"]["metadata"]["name"] == image.digest
    assert found["image"]["dockerImageReference"] == f"{registry.address}/{repository}@{image.digest}"
    assert found["image"]["dockerImageManifestMediaType"] == image.media_type


def test_the_stream_remembers_what_was_imported(api, namespace, registry):
    image = IMAGES["library/php"]["8.2"]
    imported(api, namespace, (f"{registry.address}/library/php:8.2", "v1"))
    got = api.get(f"{STREAMS.format(namespace)}/app").json
    assert [(tag["name"], tag["generation"]) for tag in got["spec"]["tags"]] == [("v1", 1)]
    [item] = got["status"]["tags"][0]["items"]
    assert (item["image"], item["generation"]) == (image.digest, 1)


def test_the_stream_tag_shows_metadata_and_layers(api, namespace, registry):
    imported(api, namespace, (f"{registry.address}/library/php:8.2", "v1"))
    image = api.get(f"{TAGS.format(namespace)}/app:v1").json["image"]
    assert image["dockerImageMetadata"]["Config"]["Labels"] == {"version": "8.2"}
    assert image["dockerImageMetadata"]["Architecture"] == "amd64"
    assert len(image["dockerImageLayers"]) == 2


@pytest.mark.parametrize("tag", ["latest", "oci"], ids=["a manifest list", "an OCI index"])
def test_of_a_list_the_legacy_mode_takes_the_image_for_linux_amd64(api, namespace, registry, tag):
    whole = IMAGES["team/multi"][tag]
    answer = imported(api, namespace, (f"{registry.address}/team/multi:{tag}", "v1"))
    assert answer["status"]["images"][0]["image"]["metadata"]["name"] == whole.children[0].digest


@pytest.mark.parametrize("tag", ["latest", "oci"], ids=["a manifest list", "an OCI index"])
def test_of_a_list_the_preserving_mode_keeps_the_list_and_its_children(api, namespace, registry, tag):
    whole = IMAGES["team/multi"][tag]
    source = f"{registry.address}/team/multi:{tag}"
    answer = imported(api, namespace, (source, "v1"), mode="PreserveOriginal")
    found = answer["status"]["images"][0]
    assert found["image"]["metadata"]["name"] == whole.digest
    children = {one["digest"] for one in found["image"]["dockerImageManifests"]}
    assert children == {child.digest for child in whole.children}


def test_importing_the_same_again_writes_nothing(api, namespace, registry):
    source = f"{registry.address}/library/php:8.2"
    first = imported(api, namespace, (source, "v1"))["status"]["import"]
    again = imported(api, namespace, (source, "v1"))["status"]["import"]
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_a_preview_stores_nothing(api, namespace, registry):
    answer = imported(api, namespace, (f"{registry.address}/library/php:8.2", "v1"), store=False)
    assert answer["status"]["images"][0]["status"]["status"] == "Success"
    assert api.get(f"{STREAMS.format(namespace)}/app").code == 404


def test_a_whole_repository_is_imported_newest_version_first(api, namespace, registry):
    order = import_request("app")
    source = {"kind": "DockerImage", "name": f"{registry.address}/team/many"}
    order["spec"] = {"import": True, "repository": {"from": source, "importPolicy": {"insecure": True}}}
    answer = api.post(IMPORTS.format(namespace), order)
    assert answer.code == 201, answer.body
    assert {one["tag"] for one in answer.json["status"]["repository"]["images"]} == set(IMAGES["team/many"])


def test_what_the_registry_does_not_have_is_not_found_and_noted_on_the_stream(api, namespace, registry):
    source = f"{registry.address}/library/php:7.4"
    answer = imported(api, namespace, (source, "v1"))
    status = answer["status"]["images"][0]["status"]
    assert (status["code"], status["reason"]) == (404, "NotFound")
    conditions = answer["status"]["import"]["status"]["tags"][0]["conditions"]
    [condition] = [one for one in conditions if one["type"] == "ImportSuccess"]
    assert (condition["status"], condition["reason"]) == ("False", "NotFound")


def test_a_registry_with_a_password_is_closed_without_it(api, namespace, password_registry):
    answer = imported(api, namespace, (f"{password_registry.address}/library/php:8.2", "v1"))
    status = answer["status"]["images"][0]["status"]
    assert (status["code"], status["reason"]) == (401, "Unauthorized")


def test_the_pull_secret_of_the_namespace_opens_it(api, namespace, password_registry):
    secret = pull_secret("pull", password_registry.address, "reader:secret")
    assert api.post(f"/api/v1/namespaces/{namespace}/secrets", secret).code == 201
    answer = imported(api, namespace, (f"{password_registry.address}/library/php:8.2", "v1"))
    assert answer["status"]["images"][0]["status"]["status"] == "Success"


def test_a_wrong_password_does_not(api, namespace, password_registry):
    secret = pull_secret("pull", password_registry.address, "reader:wrong")
    assert api.post(f"/api/v1/namespaces/{namespace}/secrets", secret).code == 201
    answer = imported(api, namespace, (f"{password_registry.address}/library/php:8.2", "v1"))
    assert answer["status"]["images"][0]["status"]["reason"] == "Unauthorized"


def test_a_pull_secret_of_another_namespace_does_not(api, namespace, password_registry):
    secret = pull_secret("pull", password_registry.address, "reader:secret")
    assert api.post(f"/api/v1/namespaces/{namespace}-other/secrets", secret).code == 201
    answer = imported(api, namespace, (f"{password_registry.address}/library/php:8.2", "v1"))
    assert answer["status"]["images"][0]["status"]["reason"] == "Unauthorized"


def test_plain_http_must_be_allowed_by_insecure(api, namespace, registry):
    answer = imported(api, namespace, (f"{registry.address}/library/php:8.2", "v1"), insecure=False)
    status = answer["status"]["images"][0]["status"]
    assert (status["code"], status["reason"]) == (500, "InternalError")


@pytest.mark.parametrize(("insecure", "outcome"), [(True, "Success"), (False, "Failure")])
def test_an_unknown_authority_must_be_allowed_by_insecure(api, namespace, tls_registry, insecure, outcome):
    answer = imported(api, namespace, (f"{tls_registry.address}/library/php:8.2", "v1"), insecure=insecure)
    assert answer["status"]["images"][0]["status"]["status"] == outcome


def test_the_controller_imports_a_stream_by_itself(api, namespace, registry: DockerRegistry):
    source = {"kind": "DockerImage", "name": f"{registry.address}/library/php:8.2"}
    tag = {"name": "v1", "from": source, "importPolicy": {"insecure": True}}
    assert api.post(STREAMS.format(namespace), stream("app", tags=[tag])).code == 201
    path = f"{TAGS.format(namespace)}/app:v1"
    until(lambda: api.get(path).code == 200, "the import by the controller")
    assert api.get(path).json["image"]["metadata"]["name"] == IMAGES["library/php"]["8.2"].digest
