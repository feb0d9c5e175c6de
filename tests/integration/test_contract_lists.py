"""How objects are listed and shown, over the wire and over SQLite (api-server contract 3.5, 5; checks 59 to 70)."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.integration.api import STREAMS, Api, stream

GV = "/apis/image.openshift.io/v1"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
PARTIALS = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
# As the garbage collector of a cluster asks.
COLLECTOR = (
    f"application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{PARTIALS},application/json"
)


def names(answer: object) -> list[str]:
    return [one["metadata"]["name"] for one in answer.json["items"]]


@pytest.fixture
def streams(namespace: str) -> str:
    return STREAMS.format(namespace)


@pytest.fixture
def many(api: Api, streams: str) -> str:
    """The path of 25 streams, s00 to s24."""
    for number in range(25):
        assert api.post(streams, stream(f"s{number:02}")).code == 201
    return streams


def test_pages_show_one_state_while_others_write(api, many):
    first = api.get(f"{many}?limit=10")
    meta = first.json["metadata"]
    api.post(many, stream("s15a"))
    api.call("DELETE", f"{many}/s12")
    api.patch(f"{many}/s20", {"metadata": {"labels": {"late": "yes"}}})
    pages = [first]
    while token := pages[-1].json["metadata"].get("continue"):
        pages.append(api.get(f"{many}?limit=10&continue={token}"))

    assert [len(names(page)) for page in pages] == [10, 10, 5]
    assert [page.json["metadata"].get("remainingItemCount") for page in pages] == [15, 5, None]
    assert {page.json["metadata"]["resourceVersion"] for page in pages} == {meta["resourceVersion"]}
    assert [name for page in pages for name in names(page)] == [f"s{number:02}" for number in range(25)]
    assert "labels" not in pages[2].json["items"][0]["metadata"]


def test_a_page_of_all_namespaces_goes_on_where_the_last_one_ended(api, namespace):
    for number in range(3):
        for name in ("php", "ruby"):
            api.post(STREAMS.format(f"{namespace}-{number}"), stream(name))
    path, seen, token = f"{GV}/imagestreams?limit=4", [], ""
    while True:
        page = api.get(f"{path}&continue={token}" if token else path).json
        seen += [(one["metadata"]["namespace"], one["metadata"]["name"]) for one in page["items"]]
        token = page["metadata"].get("continue", "")
        if not token:
            break

    assert seen == sorted(set(seen))
    assert [one for one in seen if one[0].startswith(f"{namespace}-")] == [
        (f"{namespace}-{number}", name) for number in range(3) for name in ("php", "ruby")
    ]


def test_with_a_selector_nobody_counts_what_remains(api, many):
    page = api.get(f"{many}?limit=10&labelSelector=!missing").json
    assert "continue" in page["metadata"]
    assert "remainingItemCount" not in page["metadata"]


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ("continue=nonsense", 400, "continue key is not valid"),
        ("continue=e30", 400, "continue key is not valid"),
        ("limit=ten", 400, "invalid syntax"),
        ("resourceVersion=abc", 400, "invalid resource version"),
        ("resourceVersion=-1", 400, "invalid resource version"),
        ("resourceVersion=999999999", 504, "Too large resource version: 999999999, current: "),
        ("resourceVersion=999999999&resourceVersionMatch=Exact", 504, "Too large resource version"),
        ("resourceVersionMatch=Exact", 422, "is forbidden unless resourceVersion is provided"),
        ("resourceVersion=0&resourceVersionMatch=Exact", 422, 'is forbidden for resourceVersion "0"'),
        ("resourceVersion=1&resourceVersionMatch=Newest", 422, "Unsupported value"),
        ("sendInitialEvents=true", 422, "sendInitialEvents is forbidden for list"),
        ("labelSelector=a%20in%20(", 400, "unable to parse requirement"),
        ("labelSelector=a%3E%3Db", 400, "unable to parse requirement"),
        ("fieldSelector=spec.foo%3D1", 400, "field label not supported: spec.foo"),
        ("fieldSelector=metadata.name", 400, "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(api, streams, query, code, said):
    answer = api.get(f"{streams}?{query}")
    assert (answer.code, answer.json["kind"]) == (code, "Status")
    assert said in answer.json["message"]


def test_a_token_and_a_version_are_one_too_many(api, many):
    token = api.get(f"{many}?limit=10").json["metadata"]["continue"]
    answer = api.get(f"{many}?limit=10&continue={token}&resourceVersion=5")
    assert (answer.code, answer.json["message"]) == (
        400,
        "specifying resource version is not allowed when using continue",
    )
    assert api.get(f"{many}?limit=10&continue={token}&resourceVersion=0").code == 200
    assert api.get(f"{many}?continue={token}&resourceVersion=5&resourceVersionMatch=Exact").code == 422


def test_a_version_of_the_future_is_worth_waiting_for(api, streams):
    answer = api.get(f"{streams}?resourceVersion=999999999")
    assert answer.headers["Retry-After"] == "1"
    assert answer.json["reason"] == "Timeout"
    assert answer.json["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["php", "ruby"]),
        ("resourceVersion=0", ["php", "ruby"]),
        ("resourceVersion={old}", ["php", "ruby"]),
        ("resourceVersion=0&resourceVersionMatch=NotOlderThan", ["php", "ruby"]),
        ("resourceVersion={old}&resourceVersionMatch=NotOlderThan", ["php", "ruby"]),
        ("resourceVersion={old}&resourceVersionMatch=Exact", ["php"]),
        ("resourceVersion={old}&limit=5", ["php"]),
        ("resourceVersion={old}&limit=5&resourceVersionMatch=NotOlderThan", ["php", "ruby"]),
        ("resourceVersion={new}&resourceVersionMatch=Exact", ["php", "ruby"]),
    ],
)
def test_a_version_chooses_the_state_that_is_listed(api, streams, query, expected):
    old = api.post(streams, stream("php")).json["metadata"]["resourceVersion"]
    new = api.post(streams, stream("ruby")).json["metadata"]["resourceVersion"]
    answer = api.get(f"{streams}?{query.format(old=old, new=new)}")
    assert names(answer) == expected
    if "Exact" in query:
        assert answer.json["metadata"]["resourceVersion"] == (old if expected == ["php"] else new)


def test_pages_of_a_chosen_version_show_that_version(api, streams):
    api.post(streams, stream("node"))
    old = api.post(streams, stream("php")).json["metadata"]["resourceVersion"]
    api.post(streams, stream("perl"))
    path = f"{streams}?limit=1"
    first = api.get(f"{path}&resourceVersion={old}&resourceVersionMatch=Exact")
    second = api.get(f"{path}&continue={first.json['metadata']['continue']}")
    assert (names(first), names(second), "continue" in second.json["metadata"]) == (["node"], ["php"], False)


@pytest.mark.parametrize(("version", "code"), [("0", 200), ("{now}", 200), ("999999999", 504), ("abc", 400)])
def test_an_object_is_read_at_a_version_that_there_is(api, streams, version, code):
    now = api.post(streams, stream("php")).json["metadata"]["resourceVersion"]
    assert api.get(f"{streams}/php?resourceVersion={version.format(now=now)}").code == code


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("lang", ["ab", "ac", "ad"]),
        ("!lang", ["a"]),
        ("lang=b", ["ab"]),
        ("lang==b", ["ab"]),
        ("lang!=b", ["a", "ac", "ad"]),
        ("lang in (b,c)", ["ab", "ac"]),
        ("lang notin (b, c)", ["a", "ad"]),
        ("lang,lang!=b", ["ac", "ad"]),
        ("lang in (b,c),size>1", ["ac"]),
        ("size<2", ["ab"]),
        ("lang=", []),
        (" lang = b ", ["ab"]),
    ],
)
def test_labels_select_as_kubectl_says(api, streams, selector, expected):
    for number, lang in enumerate(("", "b", "c", "d")):
        body = stream(f"a{lang}")
        body["metadata"]["labels"] = {"lang": lang, "size": str(number)} if lang else {}
        assert api.post(streams, body).code == 201
    assert names(api.get(f"{streams}?labelSelector={quote(selector)}")) == expected


@pytest.mark.parametrize(
    ("resource", "selector", "code"),
    [
        ("imagestreams", "metadata.name=php", 200),
        ("imagestreams", "metadata.namespace!=elsewhere", 200),
        ("imagestreams", "spec.dockerImageRepository=quay.io/library/php", 200),
        ("imagestreams", "status.dockerImageRepository=", 200),
        ("imagestreams", "status.tags=x", 400),
        ("imagestreamtags", "metadata.name=php:8.2", 200),
        ("imagestreamtags", "spec.dockerImageRepository=x", 400),
        ("imagetags", "metadata.namespace=x", 200),
        ("imagetags", "tag.name=x", 400),
    ],
)
def test_each_resource_has_its_fields(api, namespace, resource, selector, code):
    path = f"{GV}/namespaces/{namespace}/{resource}?fieldSelector={quote(selector)}"
    assert api.get(path).code == code


@pytest.mark.parametrize(("selector", "code"), [("metadata.name=php", 200), ("dockerImageReference=x", 400)])
def test_images_have_only_names_to_select_by(api, selector, code):
    assert api.get(f"{GV}/images?fieldSelector={quote(selector)}").code == code


def test_fields_select_objects_of_a_list(api, streams):
    for name in ("php", "ruby"):
        api.post(streams, {**stream(name), "spec": {"dockerImageRepository": f"quay.io/library/{name}"}})
    one = api.get(f"{streams}?fieldSelector={quote('metadata.name=php')}")
    other = api.get(f"{streams}?fieldSelector={quote('spec.dockerImageRepository!=quay.io/library/php')}")
    assert (one.json["kind"], names(one), names(other)) == ("ImageStreamList", ["php"], ["ruby"])


def test_an_empty_list_has_no_items_and_a_version(api):
    body = api.get(STREAMS.format("nowhere")).json
    assert (body["items"], body["metadata"]["resourceVersion"].isdecimal()) == ([], True)


def test_a_selector_may_be_very_long(api, streams):
    values = ",".join(f"value-{number}" for number in range(2000))
    assert api.get(f"{streams}?labelSelector={quote(f'lang in ({values})')}").code == 200


@pytest.mark.parametrize("accept", [PARTIALS, COLLECTOR])
def test_a_list_of_metadata_has_nothing_else(api, streams, accept):
    made = api.post(streams, stream("php")).json
    answer = api.get(streams, Accept=accept).json
    assert (answer["kind"], answer["apiVersion"]) == ("PartialObjectMetadataList", "meta.k8s.io/v1")
    assert answer["items"] == [
        {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": made["metadata"]}
    ]


@pytest.mark.parametrize(("path", "accept"), [("", PARTIAL), ("/php", PARTIALS)])
def test_metadata_of_a_list_and_of_an_object_are_not_mistaken_for_each_other(api, streams, path, accept):
    api.post(streams, stream("php"))
    assert api.get(streams + path, Accept=accept).code == 406


@pytest.mark.parametrize("accept", [PARTIAL, PARTIALS, TABLE])
def test_a_failure_is_a_status_in_every_shape(api, streams, accept):
    answer = api.get(f"{streams}/php", Accept=accept)
    assert (answer.code, answer.json["kind"], answer.json["apiVersion"]) == (404, "Status", "v1")


def test_a_table_of_one_object_starts_the_watch_behind_it(api, streams):
    made = api.post(streams, stream("php")).json
    table = api.get(f"{streams}/php", Accept=TABLE).json
    assert len(table["rows"]) == 1
    assert table["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    assert table["rows"][0]["object"] == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": made["metadata"],
    }


@pytest.mark.parametrize(
    "path", [*(f"{GV}/{name}" for name in ("imagestreams", "images", "imagestreamtags", "imagetags")), "/api/v1/pods"]
)
def test_the_columns_of_a_table_say_all_that_kubectl_wants_to_know(api, path):
    columns = api.get(path, Accept=TABLE).json["columnDefinitions"]
    assert all(set(one) == {"name", "type", "format", "description", "priority"} for one in columns)
    assert [one["format"] for one in columns].count("name") == 1


def test_a_row_cannot_carry_half_an_object(api, streams):
    answer = api.get(f"{streams}?includeObject=Bad", Accept=TABLE)
    assert (answer.code, answer.json["message"]) == (
        400,
        'Unable to convert to Table as requested: includeObject: Invalid value: "Bad": must be'
        " 'Metadata', 'Object', 'None', or empty",
    )
