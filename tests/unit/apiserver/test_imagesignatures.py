"""Signatures inside of their Images."""

import pytest

from tests.unit.apiserver.api import PHP_82, PHP_83, Api, causes, image, path

SIGNATURES = path("imagesignatures", namespace="")
IMAGE = path("images", PHP_82, namespace="")
ONE = f"{PHP_82}@one"


def signature(name=ONE, content="c2lnbmVk", **more):
    return {
        "kind": "ImageSignature",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": name},
        "type": "atomic",
        "content": content,
        **more,
    }


def path_of(name):
    return path("imagesignatures", name, namespace="")


@pytest.fixture(autouse=True)
def signed_image(api):
    return api.post(path("images", namespace=""), image())


def test_a_signature_is_kept_in_its_image(api: Api):
    made = api.post(SIGNATURES, signature())

    (kept,) = api.get(IMAGE)["signatures"]
    assert (kept["metadata"]["name"], kept["type"], kept["content"]) == (ONE, "atomic", "c2lnbmVk")
    assert (made["kind"], made["metadata"]["name"]) == ("ImageSignature", ONE)
    assert made["metadata"]["uid"]


def test_signatures_are_appended(api: Api):
    api.post(SIGNATURES, signature())
    api.post(SIGNATURES, signature(f"{PHP_82}@two", "b3RoZXI="))

    assert [one["metadata"]["name"] for one in api.get(IMAGE)["signatures"]] == [ONE, f"{PHP_82}@two"]


def test_a_client_cannot_claim_to_have_verified_it(api: Api):
    claims = {
        "conditions": [{"type": "Trusted", "status": "True"}],
        "imageIdentity": "quay.io/acme/php:8.2",
        "signedClaims": {"a": "b"},
        "created": "2026-01-02T03:04:05Z",
        "issuedBy": {"commonName": "Acme"},
        "issuedTo": {"publicKeyID": "1"},
    }

    made = api.post(SIGNATURES, signature(**claims))

    assert claims.keys().isdisjoint(made)
    assert claims.keys().isdisjoint(api.get(IMAGE)["signatures"][0])


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(signature(content="b3RoZXI="), id="the name"),
        pytest.param(signature(f"{PHP_82}@two"), id="type and content"),
    ],
)
def test_a_signature_is_there_once(api: Api, again):
    api.post(SIGNATURES, signature())

    refused = api.post(SIGNATURES, again, code=409)

    assert (refused["reason"], refused["details"]["kind"]) == ("AlreadyExists", "imageSignatures")
    assert len(api.get(IMAGE)["signatures"]) == 1


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        pytest.param(signature(PHP_82), ["metadata.name"], id="a name without a signature"),
        pytest.param(signature("a@b@c"), ["metadata.name"], id="a name with two"),
        pytest.param(signature(type="", content=""), ["type", "content"], id="nothing in it"),
        pytest.param(
            signature(metadata={"name": ONE, "labels": {"a": "b"}, "annotations": {"a": "b"}}),
            ["metadata.labels", "metadata.annotations"],
            id="labels and annotations",
        ),
    ],
)
def test_a_signature_against_the_rules_is_invalid(api: Api, body, fields):
    assert [field for field, _ in causes(api.post(SIGNATURES, body, code=422))] == fields


def test_an_image_that_there_is_not_cannot_be_signed(api: Api):
    refused = api.post(SIGNATURES, signature(f"{PHP_83}@one"), code=404)

    assert refused["details"] == {"name": PHP_83, "group": "image.openshift.io", "kind": "images"}


def test_a_signature_is_taken_off_its_image(api: Api, signed_image):
    api.post(SIGNATURES, signature())

    gone = api.delete(path_of(ONE))

    assert gone == {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    left = api.get(IMAGE)
    assert "signatures" not in left
    assert left["dockerImageMetadata"] == signed_image["dockerImageMetadata"]


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        pytest.param(ONE, 404, "NotFound", id="a signature that there is not"),
        pytest.param(PHP_82, 400, "BadRequest", id="a name without a signature"),
        pytest.param("a@b@c", 400, "BadRequest", id="a name with two"),
    ],
)
def test_only_a_signature_can_be_taken_off(api: Api, name, code, reason):
    assert api.delete(path_of(name), code=code)["reason"] == reason


@pytest.mark.parametrize("verb", ["POST", "DELETE"])
def test_a_dry_run_leaves_the_image_alone(api: Api, store, verb):
    if verb == "DELETE":
        api.post(SIGNATURES, signature())
    before = store.revision()

    url, body, code = (SIGNATURES, signature(), 201) if verb == "POST" else (path_of(ONE), None, 200)
    api.send(verb, f"{url}?dryRun=All", body, code=code)

    assert store.revision() == before
