"""Requests that clients make by mistake, answered as a real kube-apiserver was seen to answer them."""

import pytest

from tests.unit.apiserver.api import MERGE, STRATEGIC, Api, causes, path, stream

STREAMS = path("imagestreams")
PHP = path("imagestreams", "php")
APPLY = "application/apply-patch+yaml"
OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "base", "uid": "11111111-2222-3333-4444-555555555555"}
TWICE = b'{"metadata": {"labels": {"a": "1"}, "labels": {"a": "2"}}}'


def test_a_body_of_null_is_an_object_without_a_name(api: Api):
    refused = api.post(STREAMS, b"null", code=422)

    assert [field for field, _ in causes(refused)] == ["metadata.name"]


def test_a_request_that_fails_is_warned_too(api: Api):
    answer = api.send("POST", STREAMS, {"metadata": {"name": "PHP"}, "none": 1}, code=422)

    assert answer.headers.getlist("Warning") == ['299 - "unknown field \\"none\\""']


@pytest.mark.parametrize("kind", [MERGE, STRATEGIC])
def test_a_key_that_is_twice_in_a_patch_is_warned_of_or_refused(api: Api, kind: str):
    api.create("php")

    answer = api.send("PATCH", PHP, TWICE, Content_Type=kind)
    refused = api.patch(f"{PHP}?fieldValidation=Strict", TWICE, kind=kind, code=422)

    assert answer.headers.getlist("Warning") == ['299 - "duplicate field \\"metadata.labels\\""']
    assert [field for field, _ in causes(refused)] == ["patch"]


def test_the_kind_in_a_strategic_patch_means_nothing(api: Api):
    api.create("php")

    patched = api.patch(PHP, {"kind": "PartialObjectMetadata", "metadata": {"labels": {"a": "b"}}}, kind=STRATEGIC)

    assert (patched["kind"], patched["metadata"]["labels"]) == ("ImageStream", {"a": "b"})


def test_an_owner_that_is_there_twice_is_kept_once_with_a_warning(api: Api):
    answer = api.send("POST", STREAMS, stream("php", ownerReferences=[OWNER, OWNER]), code=201)

    assert answer.json["metadata"]["ownerReferences"] == [OWNER]
    (warning,) = answer.headers.getlist("Warning")
    assert f"duplicate UID(s) observed: {OWNER['uid']}" in warning


def test_managed_fields_that_a_new_object_brings_along_are_kept(api: Api):
    entry = {
        "manager": "deployer",
        "operation": "Update",
        "apiVersion": "image.openshift.io/v1",
        "time": "2026-01-02T03:04:05Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:metadata": {"f:labels": {"f:later": {}}}},
    }

    made = api.post(STREAMS, stream("php", labels={"now": "x"}, managedFields=[entry]))

    assert entry in made["metadata"]["managedFields"]


@pytest.mark.parametrize("metadata", [[], "php", None])
def test_an_apply_without_metadata_takes_nothing_away(api: Api, metadata):
    config = {"apiVersion": "image.openshift.io/v1", "kind": "ImageStream", "metadata": {"labels": {"a": "b"}}}
    before = api.patch(f"{PHP}?fieldManager=m", config, kind=APPLY, code=201)

    api.patch(f"{PHP}?fieldManager=m", {**config, "metadata": metadata}, kind=APPLY, code=400)

    assert api.stream() == before


def test_a_deletion_of_a_collection_stops_at_its_limit(api: Api):
    for name in ("node", "php", "ruby"):
        api.create(name)

    deleted = api.delete(f"{STREAMS}?limit=2")

    assert [one["metadata"]["name"] for one in deleted["items"]] == ["node", "php"]
    assert deleted["metadata"]["remainingItemCount"] == 1
    assert [one["metadata"]["name"] for one in api.get(STREAMS)["items"]] == ["ruby"]


@pytest.mark.parametrize("query", ["fieldValidation=Bad", "dryRun=Bad", f"fieldManager={'x' * 200}"])
def test_a_read_has_no_options_of_a_write(api: Api, query: str):
    assert api.get(f"{STREAMS}?{query}")["items"] == []


def test_a_precondition_may_stand_in_the_query(api: Api):
    version = api.create("php")["metadata"]["resourceVersion"]

    api.delete(f"{PHP}?resourceVersion=1", code=409)
    api.delete(f"{PHP}?resourceVersion={version}")
