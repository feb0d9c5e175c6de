"""How objects are written, over the wire (api-server contract 3, checks 33 to 56)."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.api import IMPORTS, STREAMS, TAGS, Answer, Api, stream
from tests.integration.workers import connection

IMAGES = "/apis/image.openshift.io/v1/images"
JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
OCTETS = 3 * 1024 * 1024
DIGEST = "sha256:{:064x}"


def status(answer: Answer) -> tuple[int, str]:
    return answer.code, answer.json["reason"]


def tagged(*names: str) -> dict:
    """The stream php with tags that no controller imports."""
    return stream("php", tags=[{"name": name} for name in names])


def tag_names(obj: dict) -> list[str]:
    return [tag["name"] for tag in obj["spec"].get("tags", [])]


@pytest.fixture
def streams(namespace: str) -> str:
    return STREAMS.format(namespace)


@pytest.fixture
def php(api: Api, streams: str) -> dict:
    """The stream php with the tag 8.2 in a namespace of its own."""
    made = api.post(streams, tagged("8.2"))
    assert made.code == 201, made.body
    return made.json


def test_a_new_object_has_a_uid_a_time_and_a_version(php):
    meta = php["metadata"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", meta["uid"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", meta["creationTimestamp"])
    assert meta["resourceVersion"].isdecimal()


def test_a_name_that_is_taken_already_exists(api, streams, php):
    again = api.post(streams, tagged("8.2"))
    assert status(again) == (409, "AlreadyExists")
    assert again.json["message"] == 'imagestreams.image.openshift.io "php" already exists'


def test_a_generated_name_has_five_characters_more(api, streams, namespace):
    body = {**stream("php"), "metadata": {"generateName": "x"}}
    secret = {"kind": "Secret", "apiVersion": "v1", "metadata": {"generateName": "x-"}}
    made, kept = api.post(streams, body), api.post(f"/api/v1/namespaces/{namespace}/secrets", secret)
    assert re.fullmatch(r"x[bcdfghjklmnpqrstvwxz2456789]{5}", made.json["metadata"]["name"])
    assert re.fullmatch(r"x-[bcdfghjklmnpqrstvwxz2456789]{5}", kept.json["metadata"]["name"])


def test_a_new_object_must_not_name_a_version(api, streams):
    body = stream("php")
    body["metadata"]["resourceVersion"] = "1"
    refused = api.post(streams, body)
    assert (refused.code, refused.json["message"]) == (
        500,
        "resourceVersion should not be set on objects to be created",
    )


def test_the_namespace_of_a_body_must_be_that_of_its_path(api, streams):
    body = stream("php")
    body["metadata"]["namespace"] = "elsewhere"
    assert status(api.post(streams, body)) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("content_type", "code"),
    [
        ("application/json", 201),
        ("application/json; charset=utf-8", 201),
        ("application/yaml", 201),
        ("", 201),
        ("text/plain", 415),
        (PROTOBUF, 415),
        ("application/cbor", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
    ],
)
def test_a_body_is_json_or_yaml(api, streams, content_type, code):
    answer = api.call("POST", streams, json.dumps(stream("php")), content_type)
    assert answer.code == code, answer.body
    if code == 415:
        assert answer.json["message"] == (
            "the body of the request was in an unknown format - accepted media types include: application/json,"
            " application/yaml"
        )


@pytest.mark.parametrize(
    ("accept", "code"),
    [
        (PROTOBUF, 406),
        ("text/html", 406),
        ("application/json;as=Table;g=meta.k8s.io;v=v9", 406),
        (f"{PROTOBUF},application/json", 200),
        ("text/html,application/xhtml+xml,*/*;q=0.8", 200),
        ("application/*", 200),
    ],
)
def test_an_answer_is_in_a_format_that_the_client_reads(api, streams, accept, code):
    assert api.get(streams, Accept=accept).code == code


def test_a_failure_is_a_status_for_a_client_that_reads_nothing_we_write(api, streams):
    refused = api.get(streams, Accept=PROTOBUF)
    assert status(refused) == (406, "NotAcceptable")
    assert refused.headers["Content-Type"] == "application/json"


def test_a_body_of_one_byte_too_many_is_refused_by_its_length_before_it_is_sent(server, streams):
    link = connection(server)
    link.putrequest("POST", streams)
    link.putheader("Authorization", f"Bearer {server.token()}")
    link.putheader("Content-Length", str(OCTETS + 1))
    link.endheaders()
    answer = link.getresponse()
    assert (answer.status, json.load(answer)["reason"]) == (413, "RequestEntityTooLarge")
    link.close()


def test_a_body_of_one_byte_too_many_is_refused_where_its_length_is_not_told(api, streams):
    padding = json.dumps(stream("php")).encode()
    body = padding + b" " * (OCTETS + 1 - len(padding))
    chunked = (body[start : start + 65536] for start in range(0, len(body), 65536))
    headers = {"Authorization": f"Bearer {api.server.token()}", "Content-Type": "application/json"}
    streamed = api.pool.request("POST", api.server.url + streams, body=chunked, headers=headers, chunked=True)
    assert (streamed.status, streamed.json()["reason"]) == (413, "RequestEntityTooLarge")
    assert api.post(streams, body[:-1]).code == 201


def test_a_replacement_must_be_of_the_newest_version(api, streams, php):
    api.patch(f"{streams}/php", {"metadata": {"labels": {"lang": "php"}}})
    refused = api.call("PUT", f"{streams}/php", php)
    assert status(refused) == (409, "Conflict")
    assert "the object has been modified" in refused.json["message"]


def test_a_replacement_without_a_version_is_invalid(api, streams, php):
    del php["metadata"]["resourceVersion"]
    refused = api.call("PUT", f"{streams}/php", php)
    assert status(refused) == (422, "Invalid")
    assert "must be specified for an update" in refused.json["message"]


@pytest.mark.parametrize(("name", "code"), [("ruby", 404), ("other", 400)])
def test_a_replacement_is_of_the_object_on_its_path(api, streams, php, name, code):
    php["metadata"]["name"] = "ruby"
    assert api.call("PUT", f"{streams}/{name}", php).code == code


def test_a_replacement_by_the_same_changes_nothing_and_is_not_an_event(api, streams, php):
    same = api.call("PUT", f"{streams}/php", php)
    with api.watch(f"{streams}?watch=1&resourceVersion={php['metadata']['resourceVersion']}") as events:
        changed = api.patch(f"{streams}/php", {"metadata": {"labels": {"lang": "php"}}}).json
        first = next(events)

    assert (same.code, same.json) == (200, php)
    assert first == {"type": "MODIFIED", "object": changed}


def test_a_failing_test_operation_says_nothing_more(api, streams, php):
    patch = [{"op": "test", "path": "/metadata/name", "value": "ruby"}]
    refused = api.call("PATCH", f"{streams}/php", patch, JSON_PATCH)
    assert status(refused) == (422, "Invalid")
    assert refused.json["details"] == {}
    assert refused.json["message"] == "the server rejected our request due to an error in our request"


def test_a_json_patch_that_is_no_list_is_a_bad_request(api, streams, php):
    assert status(api.call("PATCH", f"{streams}/php", {}, JSON_PATCH)) == (400, "BadRequest")


@pytest.mark.parametrize("content_type", ["application/json", "", "text/plain", PROTOBUF])
def test_a_patch_names_its_type(api, streams, php, content_type):
    refused = api.call("PATCH", f"{streams}/php", {"metadata": {}}, content_type)
    assert status(refused) == (415, "UnsupportedMediaType")
    assert refused.json["message"].endswith(f"include: {JSON_PATCH}, {MERGE}, {STRATEGIC}, {APPLY}")


def test_a_merged_null_removes_a_key(api, streams, php):
    api.patch(f"{streams}/php", {"metadata": {"annotations": {"k": "v", "l": "w"}}})
    patched = api.patch(f"{streams}/php", {"metadata": {"annotations": {"k": None}}})
    assert patched.json["metadata"]["annotations"] == {"l": "w"}


def test_a_patch_that_names_an_old_version_is_a_conflict(api, streams, php):
    version = php["metadata"]["resourceVersion"]
    api.patch(f"{streams}/php", {"metadata": {"labels": {"lang": "php"}}})
    stale = {"metadata": {"resourceVersion": version, "labels": {"lang": "ruby"}}}
    assert status(api.patch(f"{streams}/php", stale)) == (409, "Conflict")


def test_patches_at_the_same_time_are_all_kept(api, streams, php):
    def annotate(number: int) -> int:
        return api.patch(f"{streams}/php", {"metadata": {"annotations": {f"k{number}": "v"}}}).code

    with ThreadPoolExecutor(10) as pool:
        codes = set(pool.map(annotate, range(10)))

    assert codes == {200}
    assert len(api.get(f"{streams}/php").json["metadata"]["annotations"]) == 10


def test_a_strategic_patch_keeps_and_deletes_tags_by_name(api, streams, php):
    def patch(tags: list[dict], **more: object) -> list[str]:
        body = {"spec": {"tags": tags, **more}}
        answer = api.call("PATCH", f"{streams}/php", body, STRATEGIC)
        assert answer.code == 200, answer.body
        assert "$" not in answer.body.decode()
        return tag_names(answer.json)

    order = {"$setElementOrder/tags": [{"name": "8.3"}, {"name": "8.2"}]}

    assert patch([{"name": "8.3"}]) == ["8.2", "8.3"]
    # Accepted and not kept: the tags of a stream are a map, and shown by name (image-api 0.4).
    assert patch([{"name": "8.3", "annotations": {"a": "b"}}], **order) == ["8.2", "8.3"]
    assert patch([{"name": "8.3", "$patch": "delete"}]) == ["8.2"]


def test_a_deletion_says_what_is_gone_and_the_next_one_finds_nothing(api, streams, php):
    gone = api.call("DELETE", f"{streams}/php")
    assert gone.json == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {
            "name": "php",
            "group": "image.openshift.io",
            "kind": "imagestreams",
            "uid": php["metadata"]["uid"],
        },
    }
    assert status(api.call("DELETE", f"{streams}/php")) == (404, "NotFound")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"uid": "another"}, 409), ({"resourceVersion": "1"}, 409), ({}, 200)],
    ids=["another uid", "another version", "the right ones"],
)
def test_a_deletion_may_name_the_object_that_it_means(api, streams, php, wrong, code):
    meant = {key: php["metadata"][key] for key in ("uid", "resourceVersion")}
    answer = api.call("DELETE", f"{streams}/php", {"preconditions": {**meant, **wrong}})
    assert answer.code == code, answer.body
    assert api.get(f"{streams}/php").code == (404 if code == 200 else 200)


def test_a_finalizer_holds_an_object_until_it_is_taken_away(api, streams):
    body = tagged("8.2")
    body["metadata"]["finalizers"] = ["example.com/audit"]
    api.post(streams, body)
    path = f"{streams}/php"

    held = api.call("DELETE", path)
    again = api.call("DELETE", path)
    more = api.patch(path, {"metadata": {"finalizers": ["example.com/audit", "example.com/more"]}})
    same_name = api.post(streams, tagged("8.2"))
    released = api.patch(path, {"metadata": {"finalizers": None}})

    assert (held.code, "deletionTimestamp" in held.json["metadata"]) == (200, True)
    assert (again.code, again.json) == (200, held.json)
    assert status(more) == (422, "Invalid")
    assert same_name.json["message"] == (
        'object is being deleted: imagestreams.image.openshift.io "php" already exists'
    )
    assert released.code == 200
    assert api.get(path).code == 404


def test_a_collection_is_deleted_as_far_as_it_is_selected(api, streams):
    for name, label in (("php", "z"), ("ruby", "z"), ("node", "y")):
        body = stream(name)
        body["metadata"]["labels"] = {"app": label}
        assert api.post(streams, body).code == 201

    deleted = api.call("DELETE", f"{streams}?labelSelector=app%3Dz")

    assert (deleted.code, deleted.json["kind"]) == (200, "ImageStreamList")
    assert [one["metadata"]["name"] for one in deleted.json["items"]] == ["php", "ruby"]
    assert [one["metadata"]["name"] for one in api.get(streams).json["items"]] == ["node"]


def test_deleting_everything_where_there_is_nothing_deletes_nothing(api):
    answer = api.call("DELETE", STREAMS.format("nowhere"))
    assert (answer.code, answer.json["items"]) == (200, [])


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("propagationPolicy=Bogus", 422),
        ("propagationPolicy=Orphan&orphanDependents=true", 422),
        ("dryRun=Some", 422),
        ("gracePeriodSeconds=30", 200),
    ],
)
def test_options_of_a_deletion_are_checked(api, streams, php, query, code):
    assert api.call("DELETE", f"{streams}/php?{query}").code == code


@pytest.mark.parametrize(
    ("policy", "finalizer"), [("Orphan", "orphan"), ("Foreground", "foregroundDeletion"), ("Background", "")]
)
def test_a_policy_holds_a_stream_for_the_garbage_collector(api, streams, php, policy, finalizer):
    answer = api.call("DELETE", f"{streams}/php", {"kind": "DeleteOptions", "propagationPolicy": policy})
    assert answer.code == 200
    assert answer.json["metadata"].get("finalizers", []) == ([finalizer] if finalizer else [])
    if finalizer:
        api.patch(f"{streams}/php", {"metadata": {"finalizers": []}})
    assert api.get(f"{streams}/php").code == 404


@pytest.mark.parametrize(("number", "policy"), [(1, "Orphan"), (2, "Foreground"), (3, "Background")])
def test_no_policy_holds_an_image(api, number, policy):
    name = DIGEST.format(0xC0 + number)
    reference = f"quay.io/library/php@{name}"
    body = {"kind": "Image", "metadata": {"name": name}, "dockerImageReference": reference}
    assert api.post(IMAGES, body).code == 201
    assert api.call("DELETE", f"{IMAGES}/{name}", {"propagationPolicy": policy}).json["status"] == "Success"
    assert api.get(f"{IMAGES}/{name}").code == 404


def test_spec_and_status_are_written_apart(api, streams, php):
    php["spec"]["tags"] = []
    php["status"]["tags"] = [{"tag": "8.1", "items": None}]

    through_status = api.call("PUT", f"{streams}/php/status", php)
    assert through_status.code == 200, through_status.body
    assert tag_names(through_status.json) == ["8.2"]
    assert [one["tag"] for one in through_status.json["status"]["tags"]] == ["8.1"]
    assert int(through_status.json["metadata"]["resourceVersion"]) > int(php["metadata"]["resourceVersion"])
    through_spec = api.call("PUT", f"{streams}/php", {**through_status.json, "status": {}})
    assert through_spec.json["status"] == through_status.json["status"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", IMPORTS),
        ("DELETE", TAGS),
        ("PATCH", STREAMS),
        ("PUT", STREAMS),
        ("POST", STREAMS + "/php"),
        ("DELETE", STREAMS + "/php/status"),
        ("POST", STREAMS + "/php/layers"),
        ("POST", "/apis/image.openshift.io/v1/imagestreams"),
        ("DELETE", "/apis/image.openshift.io/v1/imagestreams"),
        ("OPTIONS", STREAMS),
        ("GET", TAGS + "?watch=true"),
    ],
)
def test_a_method_that_a_resource_lacks_is_not_allowed(api, namespace, method, path):
    answer = api.call(method, path.format(namespace), {} if method in ("PUT", "POST", "PATCH") else None)
    assert status(answer) == (405, "MethodNotAllowed")


@pytest.mark.parametrize("path", [IMPORTS + "/x", STREAMS + "/php/scale", STREAMS + "/php/status/more"])
def test_a_path_below_a_resource_that_there_is_not_is_not_found(api, namespace, path):
    answer = api.call("PUT", path.format(namespace), {})
    assert answer.code == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("dryRun=Some", "dryRun"),
        ("fieldValidation=Lenient", "fieldValidation"),
        (f"fieldManager={'m' * 129}", "fieldManager"),
        ("force=true", "force"),
    ],
)
def test_options_of_a_write_are_checked(api, streams, php, query, field):
    refused = api.call("PATCH", f"{streams}/php?{query}", {"metadata": {}}, MERGE)
    assert status(refused) == (422, "Invalid")
    assert [cause["field"] for cause in refused.json["details"]["causes"]] == [field]


def test_what_a_query_means_to_others_is_ignored(api, streams):
    assert (
        api.post(f"{streams}?pretty=true&timeout=10s&timeoutSeconds=5&exact=true&unknown=1", stream("php")).code == 201
    )


def applied(api: Api, path: str, manager: str, *tags: str, query: str = "", **metadata: object) -> Answer:
    body = tagged(*tags)
    body["metadata"] |= metadata
    return api.call("PATCH", f"{path}/php?fieldManager={manager}{query}", body, APPLY)


def test_a_manager_removes_what_it_no_longer_applies_and_nothing_of_others(api, streams):
    first = applied(api, streams, "a", "8.1", "8.2")
    applied(api, streams, "b", "8.3")
    last = applied(api, streams, "a", "8.1")
    assert (first.code, last.code) == (201, 200)
    assert sorted(tag_names(last.json)) == ["8.1", "8.3"]


def test_an_apply_needs_a_manager_and_must_not_bring_managed_fields(api, streams):
    nobody = api.call("PATCH", f"{streams}/php", tagged("8.1"), APPLY)
    managed = applied(api, streams, "a", "8.1", managedFields=[{"manager": "b"}])
    assert status(nobody) == (422, "Invalid")
    assert nobody.json["details"]["causes"][0]["field"] == "fieldManager"
    assert status(managed) == (400, "BadRequest")


def test_a_head_is_answered_like_a_read_without_its_body(api, streams, php):
    read, head = api.get(f"{streams}/php"), api.call("HEAD", f"{streams}/php")
    assert (head.code, head.body) == (200, b"")
    assert head.headers["Content-Length"] == read.headers["Content-Length"]
    assert api.call("HEAD", f"{streams}/ruby").code == 404
    # No watch, which would never end.
    assert api.call("HEAD", f"{streams}?watch=1").code == 200


def test_a_long_answer_is_compressed_for_clients_that_say_so(api, streams):
    body = stream("php")
    body["metadata"]["annotations"] = {"long": "x" * 200_000}
    assert api.post(streams, body).code == 201
    plain, packed = api.get(f"{streams}/php"), api.get(f"{streams}/php", Accept_Encoding="gzip")
    assert "Content-Encoding" not in plain.headers
    assert (packed.headers["Content-Encoding"], packed.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert packed.json == plain.json
    assert int(packed.headers["Content-Length"]) < 10_000
