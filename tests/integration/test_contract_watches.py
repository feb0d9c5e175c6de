"""What a watch sends, over the wire (api-server contract 4, checks 62 to 68)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import pytest

from tests.integration.api import STREAMS, Api, Json, stream

GV = "/apis/image.openshift.io/v1"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
INITIAL = "sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"
# A watch that does not end by itself would wait for an event that does not come.
pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def streams(namespace: str) -> str:
    return STREAMS.format(namespace)


def label(api: Api, path: str, value: str | None) -> Json:
    answer = api.patch(path, {"metadata": {"labels": {"lang": value}}})
    assert answer.code == 200, answer.body
    return answer.json


def version(obj: Json) -> str:
    return obj["metadata"]["resourceVersion"]


def take(events: Iterator[Json], count: int) -> list[tuple[str, str]]:
    """Type and name of the next events."""
    return [(one["type"], one["object"]["metadata"].get("name", "")) for one in itertools.islice(events, count)]


def until_now(api: Api, streams: str, events: Iterator[Json], **labels: str) -> list[Json]:
    """The events up to one of a new stream with these labels: what a watch has to say by now, without waiting."""
    last = stream("the-end")
    last["metadata"]["labels"] = labels
    assert api.post(streams, last).code == 201
    return list(itertools.takewhile(lambda one: one["object"]["metadata"].get("name") != "the-end", events))


def test_the_answer_begins_before_there_is_anything_to_tell(api, streams):
    # `watch` returns with the head of the answer; no event has been sent.
    with api.watch(f"{streams}?watch=1") as events:
        api.post(streams, stream("php"))
        assert take(events, 1) == [("ADDED", "php")]


def test_a_watch_from_a_list_has_exactly_the_writes_since_in_order(api, streams):
    api.post(streams, stream("php"))
    since = version(api.get(streams).json)
    written = [version(label(api, f"{streams}/php", f"v{number}")) for number in range(5)]

    with api.watch(f"{streams}?watch=1&resourceVersion={since}") as events:
        heard = until_now(api, streams, events)

    assert [version(one["object"]) for one in heard] == written
    assert {one["type"] for one in heard} == {"MODIFIED"}


def test_objects_enter_and_leave_a_selection(api, streams):
    path = f"{streams}/php"
    api.post(streams, stream("php"))
    since = version(api.get(streams).json)
    entered = label(api, path, "php")
    changed = api.patch(path, {"metadata": {"annotations": {"seen": "yes"}}}).json
    left = label(api, path, None)
    api.patch(path, {"metadata": {"annotations": {"seen": "no"}}})
    api.post(streams, stream("ruby"))

    with api.watch(f"{streams}?watch=1&labelSelector=lang%3Dphp&resourceVersion={since}") as events:
        heard = until_now(api, streams, events, lang="php")

    assert [one["type"] for one in heard] == ["ADDED", "MODIFIED", "DELETED"]
    assert [one["object"] for one in heard[:2]] == [entered, changed]
    assert heard[2]["object"]["metadata"]["labels"] == {"lang": "php"}
    assert version(heard[2]["object"]) == version(left)


def test_a_version_of_the_future_is_waited_for_in_silence(api, streams):
    with api.watch(f"{streams}?watch=1&resourceVersion=999999999&timeoutSeconds=1") as events:
        api.post(streams, stream("php"))
        assert list(events) == []


def test_a_watch_with_a_time_ends_cleanly(api, streams):
    # The iteration ends without an error only where the last chunk of the answer has come.
    with api.watch(f"{streams}?watch=1&timeoutSeconds=1") as events:
        assert list(events) == []


def test_a_bookmark_before_the_end_has_nothing_but_a_version(api, streams):
    made = api.post(streams, stream("php")).json
    with api.watch(f"{streams}?watch=1&allowWatchBookmarks=true&timeoutSeconds=1") as events:
        heard = list(events)
    assert [one["type"] for one in heard] == ["ADDED", "BOOKMARK"]
    bookmark = heard[1]["object"]
    assert bookmark == {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"resourceVersion": version(bookmark)},
    }
    assert int(version(bookmark)) >= int(version(made))


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("", ["ADDED", "ADDED"]),
        ("resourceVersion=0", ["ADDED", "ADDED"]),
        ("resourceVersion={now}", []),
        (INITIAL, ["ADDED", "ADDED", "BOOKMARK"]),
        (f"{INITIAL}&resourceVersion=", ["ADDED", "ADDED", "BOOKMARK"]),
        (f"{INITIAL}&resourceVersion=0", ["ADDED", "ADDED", "BOOKMARK"]),
        (f"{INITIAL}&resourceVersion={{now}}", ["ADDED", "ADDED", "BOOKMARK"]),
        ("sendInitialEvents=true&resourceVersionMatch=NotOlderThan", ["ADDED", "ADDED"]),
        ("sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion={now}", []),
        ("sendInitialEvents=false&resourceVersionMatch=NotOlderThan", []),
    ],
)
def test_a_watch_begins_where_it_is_told_to(api, streams, query, types):
    api.post(streams, stream("ruby"))
    api.post(streams, stream("php"))
    now = version(api.get(streams).json)

    with api.watch(f"{streams}?watch=1&{query.format(now=now)}") as events:
        heard = until_now(api, streams, events)

    assert [one["type"] for one in heard] == types
    names = [one["object"]["metadata"].get("name") for one in heard]
    assert names[:2] == ["php", "ruby"][: len(names)]
    marked = [one["object"]["metadata"].get("annotations") for one in heard if one["type"] == "BOOKMARK"]
    assert marked == ([{"k8s.io/initial-events-end": "true"}] if "BOOKMARK" in types else [])


@pytest.mark.parametrize("accept", ["application/json", PARTIAL, TABLE])
def test_the_end_of_the_initial_events_is_marked_in_every_shape(api, streams, accept):
    made = api.post(streams, stream("php")).json
    with api.watch(f"{streams}?watch=1&{INITIAL}", Accept=accept) as events:
        added, end = itertools.islice(events, 2)
        label(api, f"{streams}/php", "php")
        live = next(events)

    assert [added["type"], end["type"], live["type"]] == ["ADDED", "BOOKMARK", "MODIFIED"]
    obj = end["object"]["rows"][0]["object"] if accept == TABLE else end["object"]
    assert obj["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(version(obj)) >= int(version(made))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("sendInitialEvents=true", 422),
        ("sendInitialEvents=false", 422),
        ("sendInitialEvents=true&resourceVersionMatch=Exact", 422),
        ("resourceVersionMatch=NotOlderThan&resourceVersion=1", 422),
        ("resourceVersion=abc", 400),
        ("resourceVersion=1.5", 400),
        ("timeoutSeconds=soon", 400),
        ("labelSelector=a%20in%20(", 400),
        ("fieldSelector=spec.foo%3D1", 400),
    ],
)
def test_a_watch_that_makes_no_sense_never_begins(api, streams, query, code):
    answer = api.get(f"{streams}?watch=1&{query}")
    assert (answer.code, answer.json["kind"]) == (code, "Status")


def test_a_watch_is_never_yaml_and_never_kept_by_a_proxy(api, streams):
    assert api.get(f"{streams}?watch=1&timeoutSeconds=1", Accept="application/yaml").code == 406
    watched = api.get(f"{streams}?watch=1&timeoutSeconds=1")
    assert watched.headers["Cache-Control"] == "no-cache, private"


def test_a_table_tells_its_columns_once(api, streams):
    with api.watch(f"{streams}?watch=1", Accept=TABLE) as events:
        made = api.post(streams, stream("php")).json
        first = next(events)["object"]
        changed = label(api, f"{streams}/php", "php")
        second = next(events)["object"]

    assert first["columnDefinitions"][0]["name"] == "Name"
    assert second["columnDefinitions"] is None
    assert [version(one) for one in (first, second)] == [version(made), version(changed)]
    assert [one["rows"][0]["cells"][0] for one in (first, second)] == ["php", "php"]


def test_metadata_alone_is_watched_through_all_namespaces(api, streams, namespace):
    since = version(api.get(streams).json)
    path = f"{GV}/imagestreams?watch=1&resourceVersion={since}&fieldSelector=metadata.namespace%3D{namespace}"
    with api.watch(path, Accept=PARTIAL) as events:
        made = api.post(streams, stream("php")).json
        api.call("DELETE", f"{streams}/php")
        heard = list(itertools.islice(events, 2))
    assert [one["type"] for one in heard] == ["ADDED", "DELETED"]
    assert heard[0]["object"] == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": made["metadata"],
    }


def test_an_object_is_watched_by_its_name(api, streams):
    api.post(streams, stream("php"))
    api.post(streams, stream("ruby"))
    with api.watch(f"{streams}/php?watch=true") as events:
        label(api, f"{streams}/ruby", "ruby")
        label(api, f"{streams}/php", "php")
        assert take(events, 2) == [("ADDED", "php"), ("MODIFIED", "php")]


@pytest.mark.parametrize("path", ["imagestreamtags", "imagetags"])
def test_what_is_a_view_of_streams_is_not_watched(api, namespace, path):
    answer = api.get(f"{GV}/namespaces/{namespace}/{path}?watch=1")
    assert (answer.code, answer.json["reason"]) == (405, "MethodNotAllowed")


def test_a_line_is_one_event_in_compact_json_and_nothing_is_packed(api, streams):
    api.post(streams, stream("php"))
    answer = api.get(f"{streams}?watch=1&timeoutSeconds=1&pretty=true", Accept_Encoding="gzip", User_Agent="curl/8")
    assert "Content-Encoding" not in answer.headers
    assert "Content-Length" not in answer.headers
    assert answer.headers["Content-Type"] == "application/json"
    (line, rest) = answer.body.split(b"\n")
    assert (json.loads(line)["type"], rest) == ("ADDED", b"")
