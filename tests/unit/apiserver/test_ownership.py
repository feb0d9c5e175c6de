"""managedFields around every kind of write, as clients see and send them (contract 6.2)."""

import json

import pytest

from tests.unit.apiserver.api import MERGE, PHP_82, STRATEGIC, Api, path, spec_tag, stream
from webhook.apiserver.ownership import Ownership
from webhook.apiserver.rest import Call
from webhook.image.schema import for_kind
from webhook.meta import managedfields
from webhook.meta.identity import ADMINISTRATOR
from webhook.meta.managedfields import Actor

APPLY = "application/apply-patch+yaml"
PHP = path("imagestreams", "php")
STATUS = f"{PHP}/status"
UBI = "registry.access.redhat.com/ubi9/php-82:latest"
EVENT = {"created": "2026-01-02T03:04:05Z", "dockerImageReference": f"{UBI}@{PHP_82}", "image": PHP_82, "generation": 1}
LABEL_A = {"f:metadata": {"f:labels": {"f:a": {}}}}


def config(*tags, status=None, **labels):
    meta = {"name": "php", **({"labels": labels} if labels else {})}
    body = {"apiVersion": "image.openshift.io/v1", "kind": "ImageStream", "metadata": meta}
    body |= {"spec": {"tags": list(tags)}} if tags else {}
    return body if status is None else {**body, "status": status}


def apply(api: Api, body, manager="one", *, url=PHP, query="", code=200):
    return api.patch(f"{url}?fieldManager={manager}{query}", body, code=code, kind=APPLY)


def owners(shown):
    found = {}
    for entry in shown["metadata"].get("managedFields", []):
        found[entry["manager"], entry["operation"], entry.get("subresource", "")] = entry["fieldsV1"]
    return found


def entry(manager, fields, operation="Update", **more):
    known = {"manager": manager, "operation": operation, "apiVersion": "image.openshift.io/v1"}
    return {**known, "time": "2026-01-02T03:04:05Z", "fieldsType": "FieldsV1", "fieldsV1": fields, **more}


def test_an_entry_has_the_manager_the_version_the_time_and_the_fields(api: Api):
    (found,) = api.post(f"{path('imagestreams')}?fieldManager=kubectl-create", stream("php", labels={"a": "1"}))[
        "metadata"
    ]["managedFields"]

    assert {**found, "time": "now"} == {
        "manager": "kubectl-create",
        "operation": "Update",
        "apiVersion": "image.openshift.io/v1",
        "time": "now",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}},
    }


@pytest.mark.parametrize("emptied", [[], [{}]], ids=["an empty list", "a list of one empty entry"])
def test_a_put_can_empty_the_managed_fields_and_the_stream_is_untracked_from_then_on(api: Api, emptied):
    made = apply(api, config(a="1"), code=201)

    made["metadata"]["managedFields"] = emptied
    cleared = api.put(f"{PHP}?fieldManager=two", made)
    assert "managedFields" not in cleared["metadata"]
    cleared["metadata"]["labels"] = {"a": "2"}
    assert "managedFields" not in api.put(f"{PHP}?fieldManager=two", cleared)["metadata"]
    refused = apply(api, config(a="3"), code=409)
    assert refused["details"]["causes"][0]["message"].startswith('conflict with "before-first-apply"')


@pytest.mark.parametrize("kind", [MERGE, STRATEGIC])
def test_a_patch_can_empty_the_managed_fields(api: Api, kind):
    apply(api, config(a="1"), code=201)

    cleared = api.patch(PHP, {"metadata": {"managedFields": [{}]}}, kind=kind)
    assert "managedFields" not in cleared["metadata"]


def test_a_put_can_replace_the_managed_fields(api: Api):
    made = apply(api, config(a="1"), code=201)

    made["metadata"]["managedFields"] = [entry("other", LABEL_A, "Apply")]
    made["metadata"]["labels"]["b"] = "1"
    shown = api.put(f"{PHP}?fieldManager=two", made)
    assert owners(shown) == {
        ("other", "Apply", ""): LABEL_A,
        ("two", "Update", ""): {"f:metadata": {"f:labels": {"f:b": {}}}},
    }


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(None, id="null"),
        pytest.param([entry("x", LABEL_A, "Create")], id="an operation that there is not"),
        pytest.param([entry("x", LABEL_A, fieldsType="FieldsV2")], id="another format"),
        pytest.param([entry("x", {"labels": {}})], id="fields that are none"),
    ],
)
def test_managed_fields_that_cannot_be_understood_are_as_good_as_none(api: Api, sent):
    made = apply(api, config(a="1"), code=201)

    body = {**made, "metadata": {**made["metadata"], "managedFields": sent}}
    assert api.put(PHP, body)["metadata"] == made["metadata"]


def test_of_entries_that_are_alike_the_last_counts(api: Api):
    made = apply(api, config(a="1"), code=201)

    made["metadata"]["managedFields"] = [entry("x", {"f:spec": {}}), entry("x", LABEL_A)]
    assert owners(api.put(PHP, made)) == {("x", "Update", ""): LABEL_A}


def test_a_write_of_the_status_ignores_the_managed_fields_that_it_sends(api: Api):
    made = apply(api, config(a="1"), code=201)

    made["metadata"]["managedFields"] = []
    made["status"]["tags"] = [{"tag": "8.2", "items": [EVENT]}]
    shown = api.put(f"{STATUS}?fieldManager=controller", made)
    assert set(owners(shown)) == {("one", "Apply", ""), ("controller", "Update", "status")}
    assert list(owners(shown)["controller", "Update", "status"]) == ["f:status"]


def test_an_apply_of_the_status_owns_status_only_and_has_its_own_conflicts(api: Api):
    apply(api, config(spec_tag("8.2", UBI)), code=201)
    status = {"tags": [{"tag": "8.2", "items": [EVENT]}]}

    shown = apply(api, config(spec_tag("8.3", UBI), status=status), "one", url=STATUS)
    assert [one["name"] for one in shown["spec"]["tags"]] == ["8.2"]
    assert shown["status"]["tags"] == [{"tag": "8.2", "items": [EVENT]}]
    assert set(owners(shown)) == {("one", "Apply", ""), ("one", "Apply", "status")}
    assert list(owners(shown)["one", "Apply", "status"]) == ["f:status"]
    other = {"tags": [{"tag": "8.2", "items": [{**EVENT, "generation": 7}]}]}
    refused = apply(api, config(status=other), "two", url=STATUS, code=409)
    assert refused["details"]["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "one" with subresource "status"',
            "field": '.status.tags[tag="8.2"].items',
        }
    ]
    again = apply(api, config(status=status), "one", url=STATUS)
    assert again["metadata"]["resourceVersion"] == shown["metadata"]["resourceVersion"]


def test_an_apply_of_the_status_that_leaves_a_tag_out_takes_its_history_away(api: Api):
    api.create("php", spec_tag("8.2", UBI))
    apply(api, config(status={"tags": [{"tag": "8.2", "items": [EVENT]}]}), url=STATUS)

    shown = apply(api, config(status={}), url=STATUS)
    assert "tags" not in shown["status"]


def test_an_apply_of_the_status_of_nothing_is_not_found(api: Api):
    assert apply(api, config(status={}), url=STATUS, code=404)["details"]["name"] == "php"


def test_an_apply_that_creates_passes_over_a_version(api: Api):
    body = config(a="1")
    body["metadata"]["resourceVersion"] = "77"

    apply(api, body, code=201)
    assert apply(api, body, code=409)["reason"] == "Conflict"


@pytest.mark.parametrize("exists", [False, True], ids=["a new stream", "a stream"])
def test_an_apply_cannot_choose_a_uid(api: Api, exists):
    if exists:
        api.create("php")
    body = config(a="1")
    body["metadata"]["uid"] = "11111111-2222-3333-4444-555555555555"

    assert apply(api, body, code=422)["details"]["causes"][0]["field"] == "metadata.uid"


def test_an_update_of_a_field_of_ones_own_is_a_new_time_and_a_removal_is_none():
    schema, actor = for_kind("ImageStream"), Actor("u1", "image.openshift.io/v1")
    first, later, last = (f"2026-01-02T03:04:0{second}Z" for second in "567")
    made = managedfields.update({"metadata": {}}, config(a="1", b="1"), [], actor, schema, first)

    changed = managedfields.update(config(a="1", b="1"), config(a="2", b="1"), made, actor, schema, later)
    removed = managedfields.update(config(a="2", b="1"), config(b="1"), changed, actor, schema, last)
    assert [one.time for one in (*made, *changed, *removed)] == [first, later, later]


def test_the_main_resource_passes_over_the_status_of_a_config(api: Api):
    shown = apply(api, config(a="1", status={"dockerImageRepository": "quay.io/a/b"}), code=201)

    assert owners(shown) == {("one", "Apply", ""): LABEL_A}


def test_a_put_without_the_status_is_a_write_and_one_of_what_was_read_is_none(api: Api):
    """image-api 12.27: the repository of the status is always sent, so leaving it out empties it for a moment."""
    made = api.post(f"{path('imagestreams')}?fieldManager=one", stream("php", labels={"a": "1"}))
    assert api.put(f"{PHP}?fieldManager=one", made)["metadata"] == made["metadata"]

    bare = {key: value for key, value in made.items() if key != "status"}
    shown = api.put(f"{PHP}?fieldManager=one", bare)
    assert int(shown["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    assert owners(shown)["one", "Update", ""]["f:status"] == {"f:dockerImageRepository": {}}
    assert (shown["status"], shown["metadata"]["generation"]) == (made["status"], 1)
    bare["metadata"]["resourceVersion"] = shown["metadata"]["resourceVersion"]
    assert api.put(f"{PHP}?fieldManager=one", bare)["metadata"] == shown["metadata"]


YAML = b"""\
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {name: php}
spec:
  lookupPolicy: {local: true}
  lookupPolicy: {local: false}
  tags: [{name: "8.2", form: {kind: DockerImage}}]
colour: red
"""
FOUND = ['unknown field "spec.tags[0].form"', 'unknown field "colour"', 'duplicate field "spec.lookupPolicy"']


def send(api: Api, method, url, code, kind, body=YAML):
    return api.send(method, url, body, code=code, Content_Type=kind)


@pytest.mark.parametrize(("method", "url"), [("POST", path("imagestreams")), ("PUT", PHP)])
def test_yaml_is_read_as_strictly_as_json(api: Api, method, url):
    if method == "PUT":
        api.create("php")
    refused = send(api, method, f"{url}?fieldValidation=Strict", 400, "application/yaml")

    assert refused.json["message"] == (
        'ImageStream in version "v1" cannot be handled as a ImageStream: strict decoding error: ' + ", ".join(FOUND)
    )


@pytest.mark.parametrize(
    ("validation", "expected"),
    [
        pytest.param("?fieldValidation=Warn", FOUND, id="a warning for each"),
        pytest.param("", FOUND, id="warnings are what happens by default"),
        pytest.param("?fieldValidation=Ignore", [], id="silence"),
    ],
)
def test_yaml_warns_of_what_was_dropped(api: Api, validation, expected):
    made = send(api, "POST", path("imagestreams") + validation, 201, "application/yaml")

    warnings = [one.removeprefix("299 - ") for one in made.headers.getlist("Warning")]
    assert [json.loads(one) for one in warnings] == expected
    assert made.json["spec"]["tags"][0].keys() == {
        *("name", "annotations", "generation", "importPolicy", "referencePolicy"),
    }
    assert made.json["spec"]["lookupPolicy"] == {"local": False}


def test_an_apply_with_a_field_twice_is_refused_where_strictness_is_asked_for(api: Api):
    twice = b"{apiVersion: image.openshift.io/v1, kind: ImageStream, metadata: {name: php, labels: {a: x, a: y}}}"
    url = f"{PHP}?fieldManager=one"

    refused = send(api, "PATCH", f"{url}&fieldValidation=Strict", 400, APPLY, twice)
    assert 'duplicate field "metadata.labels.a"' in refused.json["message"]
    made = send(api, "PATCH", url, 201, APPLY, twice)
    assert made.headers["Warning"] == '299 - "duplicate field \\"metadata.labels.a\\""'
    assert made.json["metadata"]["labels"] == {"a": "y"}


def test_an_apply_with_an_unknown_field_fails_whatever_the_strictness(api: Api):
    body = {**config(), "spec": {"colour": "red"}}

    refused = apply(api, body, query="&fieldValidation=Ignore", code=500)
    assert refused["message"].endswith(".spec.colour: field not declared in schema")


def test_what_nobody_owned_before_the_first_apply_is_recorded_with_its_containers():
    """As a real kube-apiserver does."""
    ownership = Ownership(for_kind("ImageStream"), "image.openshift.io/v1", has_status=True)
    live = config({"name": "8.2", "reference": True}, app="shop")

    call = Call(ADMINISTRATOR, "shop", field_manager="ci")
    _, managed = ownership.applied(call, live, live, {**config(), "spec": {}}, False)
    assert owners({"metadata": {"managedFields": managed}})["before-first-apply", "Update", ""] == {
        "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
        "f:spec": {"f:tags": {".": {}, 'k:{"name":"8.2"}': {".": {}, "f:name": {}, "f:reference": {}}}},
    }
