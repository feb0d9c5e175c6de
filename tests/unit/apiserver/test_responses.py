"""The shapes and bytes of answers."""

import gzip
import json

import pytest
import yaml

from tests.unit.apiserver.api import PHP_82, Api, path
from webhook.apiserver import responses
from webhook.errors import Forbidden, TooManyRequests

STREAMS = path("imagestreams")
PHP = path("imagestreams", "php")
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
KUBECTL = f"{TABLE},application/json;as=Table;g=meta.k8s.io;v=v1beta1,application/json"


def column_names(table):
    return [one["name"] for one in table["columnDefinitions"]]


def test_kubectl_gets_a_table_with_the_columns_of_streams(api: Api):
    api.create("php")
    api.push("8.2")
    made = api.stream()

    table = api.get(PHP, Accept=KUBECTL)

    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert table["metadata"] == {"resourceVersion": made["metadata"]["resourceVersion"]}
    assert column_names(table)[:3] == ["Name", "Image Repository", "Tags"]
    (row,) = table["rows"]
    assert row["cells"][:3] == ["php", made["status"]["dockerImageRepository"], "8.2"]
    assert row["object"]["kind"] == "PartialObjectMetadata"


def test_kinds_without_columns_of_their_own_show_name_and_age(api: Api):
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "php"}, "spec": {}}
    api.post("/api/v1/namespaces/shop/pods", pod)

    table = api.get("/api/v1/namespaces/shop/pods", Accept=TABLE)

    assert column_names(table) == ["Name", "Created At"]
    assert table["rows"][0]["cells"][0] == "php"


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        pytest.param("None", None, id="nothing"),
        pytest.param("Metadata", "PartialObjectMetadata", id="its metadata"),
        pytest.param("Object", "ImageStream", id="all of it"),
    ],
)
def test_a_row_carries_as_much_of_its_object_as_was_asked_for(api: Api, include, expected):
    api.create("php")

    (row,) = api.get(f"{STREAMS}?includeObject={include}", Accept=TABLE)["rows"]

    assert (row.get("object") or {}).get("kind") == expected


def test_a_row_with_half_an_object_cannot_be_asked_for(api: Api):
    assert "includeObject" in api.get(f"{STREAMS}?includeObject=Half", code=400, Accept=TABLE)["message"]


def test_metadata_alone_has_nothing_else(api: Api):
    made = api.create("php")

    partial = api.get(PHP, Accept=PARTIAL)

    assert partial == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": made["metadata"],
    }


def test_a_list_of_metadata_is_paged_like_any_other(api: Api):
    api.create("php")
    api.create("ruby")

    listed = api.get(f"{STREAMS}?limit=1", Accept=PARTIAL_LIST)

    assert listed["kind"] == "PartialObjectMetadataList"
    assert listed["metadata"]["remainingItemCount"] == 1
    (item,) = listed["items"]
    assert (item["metadata"]["name"], "spec" in item) == ("php", False)


@pytest.mark.parametrize(
    ("url", "accept"),
    [
        pytest.param(STREAMS, PARTIAL, id="one object's metadata of a list"),
        pytest.param(PHP, PARTIAL_LIST, id="a list's metadata of one object"),
    ],
)
def test_a_shape_that_does_not_fit_is_not_acceptable(api: Api, url, accept):
    api.create("php")

    assert api.get(url, code=406, Accept=accept)["reason"] == "NotAcceptable"


@pytest.mark.parametrize("accept", [TABLE, PARTIAL])
def test_a_failure_stays_a_status_in_every_shape(api: Api, accept):
    answer = api.send("GET", PHP, code=404, Accept=accept)

    assert (answer.json["kind"], answer.content_type) == ("Status", "application/json")


def test_a_success_without_an_object_stays_a_status(api: Api):
    api.create("php")

    assert api.send("DELETE", PHP, Accept=KUBECTL).json["kind"] == "Status"


def test_yaml_is_written_for_those_who_ask(api: Api):
    made = api.create("php")

    answer = api.send("GET", PHP, Accept="application/yaml")

    assert answer.content_type == "application/yaml"
    assert yaml.safe_load(answer.data) == made


@pytest.mark.parametrize(
    ("query", "agent", "pretty"),
    [
        pytest.param("", "kubectl/v1.32.4", False, id="a program"),
        pytest.param("", "curl/8.5.0", True, id="a person behind curl"),
        pytest.param("?pretty=true", "kubectl/v1.32.4", True, id="somebody who asks for it"),
        pytest.param("?pretty=false", "curl/8.5.0", False, id="somebody who asks for the opposite"),
    ],
)
def test_people_get_indented_answers(api: Api, query, agent, pretty):
    text = api.send("GET", STREAMS + query, User_Agent=agent).get_data(as_text=True)

    assert text.startswith('{\n  "') is pretty
    assert text.endswith("\n")


def test_answers_are_not_to_be_kept_by_caches(api: Api):
    assert api.send("GET", STREAMS).headers["Cache-Control"] == "no-cache, private"


def test_long_answers_are_compressed_for_those_who_can_read_that():
    body = {"text": PHP_82 * 4000}

    packed = responses.respond(200, body, accepts_gzip=True)
    plain = responses.respond(200, body)

    assert packed.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.data)) == json.loads(plain.data) == body
    assert "Content-Encoding" not in plain.headers


def test_short_answers_are_not_compressed():
    assert "Content-Encoding" not in responses.respond(200, {"name": "php"}, accepts_gzip=True).headers


@pytest.mark.parametrize(
    ("code", "line"),
    [(404, "404 Not Found"), (409, "409 Conflict"), (422, "422 Unprocessable Entity"), (201, "201 Created")],
)
def test_the_status_line_has_the_usual_phrase(code, line):
    assert responses.respond(code, {}).status == line


def test_a_failure_brings_its_headers():
    answer = responses.failure(TooManyRequests("too many watches", retry_after=3))

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
    assert json.loads(answer.data)["details"] == {"retryAfterSeconds": 3}


def test_a_refusal_is_not_sniffed_for_another_type():
    assert responses.failure(Forbidden("no")).headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param(
            ['unknown field "spec.bogus"'], ['299 - "unknown field \\"spec.bogus\\""'], id="quotes are escaped"
        ),
        pytest.param(["twice", "twice"], ['299 - "twice"'], id="each text once"),
        pytest.param(["a\r\nSet-Cookie: b", "good"], ['299 - "good"'], id="no control characters"),
        pytest.param(["grün"], ['299 - "grÃ¼n"'], id="utf-8 bytes in a latin-1 header"),
    ],
)
def test_warnings_become_headers(texts, expected):
    assert responses.warning_headers(texts) == expected


def test_many_long_warnings_are_cut_and_end_before_the_limit():
    headers = responses.warning_headers([f"{number:04}" + "x" * 996 for number in range(20)])

    assert len(headers) == 16
    assert {len(one) for one in headers} == {256 + len('299 - ""')}
