"""The verbs over HTTP: decoding, patches, lists, deletions."""

import pytest

from tests.unit.apiserver.api import JSON_PATCH, MERGE, STRATEGIC, Api, causes, path, spec_tag, stream

STREAMS = path("imagestreams")
PHP = path("imagestreams", "php")
UBI = "registry.access.redhat.com/ubi9/php-82:latest"


def names(listed):
    return [one["metadata"]["name"] for one in listed["items"]]


def tag_names(obj):
    return [one["name"] for one in obj["spec"]["tags"]]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"", "json parse error: unexpected end of JSON input (<empty>)", id="nothing"),
        pytest.param(b"[]", "couldn't get version/kind; json parse error", id="a list"),
        pytest.param(b'{"kind": "ImageStream"', "couldn't get version/kind; json parse error", id="half an object"),
        pytest.param(
            b'{"kind": "ImageStream", "apiVersion": "image.openshift.io/v1", "metadata": "php"}',
            "cannot be handled as a ImageStream",
            id="metadata that is text",
        ),
        pytest.param(
            b'{"kind": "ImageStream", "apiVersion": "image.openshift.io/v2"}',
            "the API version in the data (image.openshift.io/v2) does not match the expected API version",
            id="another version",
        ),
        pytest.param(
            b'{"kind": "ImageStreamTag", "apiVersion": "image.openshift.io/v1"}',
            'ImageStreamTag in version "v1" cannot be handled as a ImageStream',
            id="another kind",
        ),
        pytest.param(
            b'{"kind": "ImageStream", "apiVersion": "image.openshift.io/v1", "metadata": {"name": "php"},'
            b' "spec": {"tags": "8.2"}}',
            "cannot be handled as a ImageStream: json: cannot unmarshal string into",
            id="text where a list belongs",
        ),
    ],
)
def test_a_body_that_is_no_stream_is_a_bad_request(api: Api, body, expected):
    refused = api.post(STREAMS, body, code=400)

    assert refused["reason"] == "BadRequest"
    assert expected in refused["message"]


def test_a_body_may_leave_out_its_kind_and_version(api: Api):
    made = api.post(STREAMS, {"metadata": {"name": "php"}})

    assert (made["kind"], made["apiVersion"]) == ("ImageStream", "image.openshift.io/v1")


def test_yaml_is_read_too(api: Api):
    text = b"kind: ImageStream\napiVersion: image.openshift.io/v1\nmetadata:\n  name: php\n"

    answer = api.send("POST", STREAMS, text, code=201, Content_Type="application/yaml")

    assert answer.json["metadata"]["name"] == "php"


BOGUS = stream("php", spec_tag("8.2", UBI, form="x"), spec={"color": "red"})


def test_unknown_fields_are_warned_of_and_dropped(api: Api):
    answer = api.send("POST", STREAMS, BOGUS, code=201)

    assert sorted(answer.headers.getlist("Warning")) == [
        '299 - "unknown field \\"spec.color\\""',
        '299 - "unknown field \\"spec.tags[0].form\\""',
    ]
    assert "color" not in answer.json["spec"]
    assert "form" not in answer.json["spec"]["tags"][0]


@pytest.mark.parametrize(
    ("mode", "code"),
    [pytest.param("Strict", 400, id="strict refuses"), pytest.param("Ignore", 201, id="ignore is silent")],
)
def test_the_client_chooses_what_unknown_fields_mean(api: Api, mode, code):
    answer = api.send("POST", f"{STREAMS}?fieldValidation={mode}", BOGUS, code=code)

    assert "Warning" not in answer.headers
    if mode == "Strict":
        assert 'strict decoding error: unknown field "spec.' in answer.json["message"]


def test_a_key_that_comes_twice_is_an_error_where_validation_is_strict(api: Api):
    body = (
        b'{"kind": "ImageStream", "apiVersion": "image.openshift.io/v1", "metadata": {"name": "php"},'
        b' "spec": {"dockerImageRepository": "a", "dockerImageRepository": "b"}}'
    )

    refused = api.post(f"{STREAMS}?fieldValidation=Strict", body, code=400)

    assert 'duplicate field "spec.dockerImageRepository"' in refused["message"]


@pytest.mark.parametrize(
    ("kind", "patch", "expected"),
    [
        pytest.param(
            STRATEGIC,
            {"spec": {"tags": [{"name": "8.3", "from": {"kind": "DockerImage", "name": UBI}}]}},
            ["8.1", "8.2", "8.3"],
            id="strategic merges the tags by name",
        ),
        pytest.param(
            STRATEGIC,
            {"spec": {"tags": [{"name": "8.1", "$patch": "delete"}]}},
            ["8.2"],
            id="strategic takes one tag out",
        ),
        pytest.param(
            STRATEGIC,
            {"spec": {"$setElementOrder/tags": [{"name": "8.2"}, {"name": "8.1"}]}},
            ["8.1", "8.2"],
            id="the order that kubectl apply sends is read and not stored",
        ),
        pytest.param(MERGE, {"spec": {"tags": [{"name": "8.4"}]}}, ["8.4"], id="merge replaces the list"),
        pytest.param(JSON_PATCH, [{"op": "remove", "path": "/spec/tags/0"}], ["8.2"], id="json patch goes by position"),
    ],
)
def test_each_patch_type_has_its_own_way_with_lists(api: Api, kind, patch, expected):
    api.create("php", spec_tag("8.1", UBI), spec_tag("8.2", UBI))

    patched = api.patch(PHP, patch, kind=kind)

    assert tag_names(patched) == expected
    assert "$setElementOrder" not in str(patched)


@pytest.mark.parametrize(
    ("kind", "patch", "code"),
    [
        pytest.param(JSON_PATCH, {}, 400, id="a json patch that is no list"),
        pytest.param(JSON_PATCH, [{"op": "test", "path": "/metadata/name", "value": "ruby"}], 422, id="a failing test"),
        pytest.param(JSON_PATCH, [{"op": "remove", "path": "/metadata/nothing"}], 422, id="removing what is missing"),
        pytest.param(JSON_PATCH, [{"op": "remove", "path": "/metadata"}], 400, id="a patch that leaves no metadata"),
        pytest.param(MERGE, [], 400, id="a merge patch that is a list"),
        pytest.param(MERGE, {"metadata": {"name": "ruby"}}, 400, id="another name"),
        pytest.param(MERGE, {"metadata": {"uid": "11111111-2222-3333-4444-555555555555"}}, 422, id="another uid"),
        pytest.param(MERGE, {"metadata": {"resourceVersion": "1"}}, 409, id="an old version"),
        pytest.param(MERGE, {"kind": "ImageStreamTag"}, 422, id="another kind"),
        pytest.param(MERGE, {"metadata": {"labels": "app"}}, 422, id="a field of another type"),
        pytest.param(STRATEGIC, {"metadata": {"labels": {"app": 1}}}, 422, id="a label of another type"),
        pytest.param(MERGE, {"metadata": {"resourceVersion": "0"}}, 422, id="no version"),
        pytest.param(MERGE, {"metadata": {"deletionTimestamp": "2026-01-02T03:04:05Z"}}, 422, id="a deletion"),
        pytest.param("application/json", {}, 415, id="no patch type"),
        pytest.param("application/apply-patch+yaml", {}, 422, id="a server-side apply without a manager"),
    ],
)
def test_a_patch_that_cannot_be_applied_changes_nothing(api: Api, kind, patch, code):
    before = api.create("php", spec_tag("8.2", UBI))

    api.patch(PHP, patch, kind=kind, code=code)

    assert api.stream() == before


def test_a_failing_test_operation_is_answered_without_details(api: Api):
    api.create("php")

    refused = api.patch(PHP, [{"op": "test", "path": "/metadata/name", "value": "ruby"}], kind=JSON_PATCH, code=422)

    assert (refused["reason"], refused["details"]) == ("Invalid", {})
    assert refused["message"] == "the server rejected our request due to an error in our request"


def test_an_unknown_field_in_a_strict_patch_is_a_finding_on_the_patch(api: Api):
    api.create("php")

    refused = api.patch(f"{PHP}?fieldValidation=Strict", {"spec": {"bogus": 1}}, code=422)

    ((field, message),) = causes(refused)
    assert field == "patch"
    assert 'strict decoding error: unknown field "spec.bogus"' in message


def test_merging_null_removes_a_key(api: Api):
    api.create("php", annotations={"description": "PHP", "owner": "shop"})

    patched = api.patch(PHP, {"metadata": {"annotations": {"owner": None}}})

    assert patched["metadata"]["annotations"] == {"description": "PHP"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("", ["node", "php", "ruby"], id="all, by name"),
        pytest.param("labelSelector=lang%3Dphp", ["php"], id="a label"),
        pytest.param("labelSelector=lang!%3Dphp", ["node", "ruby"], id="not a label"),
        pytest.param("labelSelector=!lang", ["node"], id="no label"),
        pytest.param("labelSelector=lang+in+(php,ruby)", ["php", "ruby"], id="one of several"),
        pytest.param("fieldSelector=metadata.name%3Dphp", ["php"], id="a name"),
        pytest.param("fieldSelector=metadata.namespace%3Doffice", [], id="another namespace"),
        pytest.param("fieldSelector=spec.dockerImageRepository%3Dquay.io/acme/node", ["node"], id="a repository"),
    ],
)
def test_selectors_choose_the_items_of_a_list(api: Api, query, expected):
    api.create("ruby", labels={"lang": "ruby"})
    api.create("php", labels={"lang": "php"})
    api.create("node", spec={"dockerImageRepository": "quay.io/acme/node"})

    assert names(api.get(f"{STREAMS}?{query}")) == expected


def test_a_list_has_a_version_and_items_without_types(api: Api, store):
    api.create("php")

    listed = api.get(STREAMS)

    assert (listed["kind"], listed["metadata"]) == ("ImageStreamList", {"resourceVersion": str(store.revision())})
    assert {"kind", "apiVersion"}.isdisjoint(listed["items"][0])


def test_a_list_of_a_namespace_without_objects_is_empty(api: Api):
    assert api.get(path("imagestreams", namespace="nowhere"))["items"] == []


def test_a_list_of_all_namespaces_has_the_objects_of_each(api: Api):
    api.create("php")
    api.post(path("imagestreams", namespace="office"), stream("ruby"))

    assert names(api.get(path("imagestreams", namespace=""))) == ["ruby", "php"]


def test_pages_make_up_the_list_as_it_was_at_the_first(api: Api):
    for number in range(5):
        api.create(f"php-{number}")

    first = api.get(f"{STREAMS}?limit=2")
    api.create("php-00")
    second = api.get(f"{STREAMS}?limit=2&continue={first['metadata']['continue']}")
    third = api.get(f"{STREAMS}?limit=2&continue={second['metadata']['continue']}")

    assert names(first) + names(second) + names(third) == [f"php-{number}" for number in range(5)]
    assert first["metadata"]["remainingItemCount"] == 3
    assert len({page["metadata"]["resourceVersion"] for page in (first, second, third)}) == 1
    assert "continue" not in third["metadata"]


def test_a_page_of_a_list_that_is_forgotten_has_expired_and_tells_how_to_go_on(api: Api, store):
    for name in ("a", "b", "c"):
        api.create(name)
    first = api.get(f"{STREAMS}?limit=1")
    api.create("bb")
    store.compact(keep_seconds=0, keep_rows=0)

    expired = api.get(f"{STREAMS}?limit=1&continue={first['metadata']['continue']}", code=410)

    assert expired["reason"] == "Expired"
    assert names(api.get(f"{STREAMS}?continue={expired['metadata']['continue']}")) == ["b", "bb", "c"]


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        pytest.param("limit=many", 400, 'strconv.ParseInt: parsing "many": invalid syntax', id="limit"),
        pytest.param("labelSelector=a+in+(", 400, "unable to parse requirement", id="label selector"),
        pytest.param("fieldSelector=spec.foo%3D1", 400, "spec.foo", id="field that there is not"),
        pytest.param("continue=x", 400, "continue key is not valid", id="continue token"),
        pytest.param("resourceVersion=abc", 400, "invalid resource version", id="version"),
        pytest.param(
            "resourceVersionMatch=Exact",
            422,
            "forbidden unless resourceVersion is provided",
            id="match without version",
        ),
        pytest.param("resourceVersion=99999", 504, "Too large resource version: 99999", id="version of the future"),
    ],
)
def test_list_options_that_make_no_sense_are_refused(api: Api, query, code, message):
    assert message in api.get(f"{STREAMS}?{query}", code=code)["message"]


def test_a_version_of_the_future_says_when_to_ask_again(api: Api):
    answer = api.send("GET", f"{STREAMS}?resourceVersion=99999", code=504)

    assert answer.headers["Retry-After"] == "1"
    assert answer.json["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


def test_a_deletion_tells_what_is_gone(api: Api):
    uid = api.create("php")["metadata"]["uid"]

    assert api.delete(PHP) == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "php", "group": "image.openshift.io", "kind": "imagestreams", "uid": uid},
    }
    assert api.delete(PHP, code=404)["details"]["kind"] == "imagestreams"


def test_a_deletion_with_the_uid_of_another_incarnation_deletes_nothing(api: Api):
    api.create("php")
    body = {"preconditions": {"uid": "11111111-2222-3333-4444-555555555555"}}

    assert api.delete(PHP, body, code=409)["details"]["kind"] == "ImageStream"
    api.stream()


def test_options_in_a_body_hide_those_in_the_query(api: Api):
    api.create("php")

    api.delete(f"{PHP}?dryRun=All", {"kind": "DeleteOptions", "apiVersion": "v1"})

    api.get(PHP, code=404)


def test_orphaning_dependents_holds_a_stream_back(api: Api):
    api.create("php")

    held = api.delete(PHP, {"propagationPolicy": "Orphan"})

    assert held["metadata"]["finalizers"] == ["orphan"]


def test_deleting_a_collection_answers_what_was_selected_and_keeps_the_rest(api: Api):
    api.create("php", labels={"lang": "php"})
    api.create("ruby", labels={"lang": "ruby"})
    api.post(path("imagestreams", namespace="office"), stream("php", labels={"lang": "php"}))

    gone = api.delete(f"{STREAMS}?labelSelector=lang%3Dphp")

    assert (gone["kind"], names(gone)) == ("ImageStreamList", ["php"])
    assert names(api.get(path("imagestreams", namespace=""))) == ["php", "ruby"]


def test_deleting_an_empty_collection_is_no_failure(api: Api):
    assert api.delete(STREAMS)["items"] == []
