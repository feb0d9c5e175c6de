"""Watches as a client reads them."""

import json
import socket

import pytest

from tests.unit.apiserver.api import Api, path, stream
from webhook.apiserver.watching import INITIAL_EVENTS_END, ClientGone, Lines
from webhook.storage.store import Overflow

STREAMS = path("imagestreams")
PHP = path("imagestreams", "php")
# An event that does not come would be waited for.
pytestmark = pytest.mark.timeout(20)
WATCH = f"{STREAMS}?watch=true"
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
INITIAL = "&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"


def label(api, value, name="php"):
    return api.patch(path("imagestreams", name), {"metadata": {"labels": {"lang": value}}})


def versions(events):
    return [int(obj["metadata"]["resourceVersion"]) for _, obj in events]


def test_headers_leave_before_there_is_an_event(api: Api):
    with api.watch(WATCH) as watch:
        assert watch.chunk() == b""
        assert watch.answer.content_type == "application/json"
        assert "Content-Length" not in watch.answer.headers


def test_what_is_written_once_the_headers_are_there_is_an_event(api: Api):
    with api.watch(f"{WATCH}&sendInitialEvents=false&resourceVersionMatch=NotOlderThan") as watch:
        watch.chunk()
        api.create("php")

        assert watch.names(1) == ["ADDED php"]


def test_a_watch_without_a_version_begins_with_what_is_there(api: Api):
    api.create("ruby")
    api.create("php")

    with api.watch(WATCH) as watch:
        present = watch.names(2)
        label(api, "php")

        assert present == ["ADDED php", "ADDED ruby"]
        assert watch.names(1) == ["MODIFIED php"]


def test_a_watch_from_a_list_gets_every_change_after_it_once_and_in_order(api: Api):
    api.create("php")
    start = api.get(STREAMS)["metadata"]["resourceVersion"]
    api.create("ruby")
    label(api, "php")

    with api.watch(f"{WATCH}&resourceVersion={start}") as watch:
        api.delete(path("imagestreams", "ruby"))
        api.create("node")
        events = watch.take(4)

    assert [(kind, obj["metadata"]["name"]) for kind, obj in events] == [
        ("ADDED", "ruby"),
        ("MODIFIED", "php"),
        ("DELETED", "ruby"),
        ("ADDED", "node"),
    ]
    assert versions(events) == sorted(set(versions(events)))
    assert versions(events)[0] > int(start)


def test_every_event_has_a_whole_object(api: Api):
    made = api.create("php")

    with api.watch(WATCH) as watch:
        assert watch.take(1) == [("ADDED", made)]


def test_other_namespaces_and_kinds_are_not_heard_of(api: Api):
    with api.watch(WATCH) as watch:
        watch.chunk()
        api.post(path("imagestreams", namespace="office"), stream("php"))
        api.post(
            "/api/v1/namespaces/shop/secrets", {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "pull"}}
        )
        api.create("ruby")

        assert watch.names(1) == ["ADDED ruby"]


def test_a_watch_of_all_namespaces_hears_of_each(api: Api):
    with api.watch(f"{path('imagestreams', namespace='')}?watch=1") as watch:
        watch.chunk()
        api.post(path("imagestreams", namespace="office"), stream("php"))
        api.create("ruby")

        assert watch.names(2) == ["ADDED php", "ADDED ruby"]


def test_a_watch_of_one_object_is_one_of_its_name(api: Api):
    api.create("php")
    api.create("ruby")

    with api.watch(f"{PHP}?watch=true") as watch:
        present = watch.names(1)
        label(api, "ruby", "ruby")
        label(api, "php")

        assert [*present, *watch.names(1)] == ["ADDED php", "MODIFIED php"]


def test_objects_enter_and_leave_a_selection(api: Api):
    api.create("php")
    start = api.get(STREAMS)["metadata"]["resourceVersion"]

    with api.watch(f"{WATCH}&labelSelector=lang%3Dphp&resourceVersion={start}") as watch:
        watch.chunk()
        api.patch(PHP, {"metadata": {"annotations": {"unseen": "yes"}}})
        label(api, "php")
        api.patch(PHP, {"metadata": {"annotations": {"seen": "yes"}}})
        left = label(api, "ruby")
        api.patch(PHP, {"metadata": {"annotations": {"unseen": "again"}}})
        label(api, "php")
        events = watch.take(4)

    assert [kind for kind, _ in events] == ["ADDED", "MODIFIED", "DELETED", "ADDED"]
    gone = events[2][1]["metadata"]
    assert gone["labels"] == {"lang": "php"}
    assert gone["resourceVersion"] == left["metadata"]["resourceVersion"]


def test_a_deletion_shows_the_last_content_with_the_version_of_the_deletion(api: Api):
    made = api.create("php", labels={"lang": "php"})

    with api.watch(f"{WATCH}&resourceVersion={made['metadata']['resourceVersion']}") as watch:
        watch.chunk()
        api.delete(PHP)
        ((kind, gone),) = watch.take(1)

    assert (kind, gone["metadata"]["labels"]) == ("DELETED", {"lang": "php"})
    assert int(gone["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])


def test_a_version_that_is_forgotten_is_an_expired_event(api: Api, store):
    api.create("php")
    label(api, "php")
    label(api, "ruby")
    store.compact(keep_seconds=0, keep_rows=0)

    with api.watch(f"{WATCH}&resourceVersion=2") as watch:
        ((kind, status),) = watch.take(1)
        assert watch.chunk() is None

    assert (kind, status["reason"], status["code"]) == ("ERROR", "Expired", 410)


def test_a_watcher_that_fell_behind_is_let_go_without_an_error(api: Api, store, monkeypatch):
    class Behind:
        position = 1

        def next(self, timeout):
            raise Overflow

        def close(self):
            pass

    monkeypatch.setattr(store, "watch", lambda *_: Behind())

    with api.watch(WATCH) as watch:
        assert [watch.chunk(), watch.chunk()] == [b"", None]


def test_initial_events_end_with_a_bookmark(api: Api, store):
    api.create("php")

    with api.watch(WATCH + INITIAL) as watch:
        (added, _), (kind, bookmark) = watch.take(2)
        label(api, "php")
        live = watch.names(1)

    assert (added, kind, live) == ("ADDED", "BOOKMARK", ["MODIFIED php"])
    assert bookmark == {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {
            "resourceVersion": bookmark["metadata"]["resourceVersion"],
            "annotations": {INITIAL_EVENTS_END: "true"},
        },
    }
    assert int(bookmark["metadata"]["resourceVersion"]) == store.revision() - 1


def test_the_end_of_the_initial_events_is_marked_in_metadata_too(api: Api):
    with api.watch(WATCH + INITIAL, Accept=PARTIAL) as watch:
        ((kind, bookmark),) = watch.take(1)

    assert (kind, bookmark["kind"]) == ("BOOKMARK", "PartialObjectMetadata")
    assert bookmark["metadata"]["annotations"] == {INITIAL_EVENTS_END: "true"}


def test_the_end_of_the_initial_events_is_marked_in_a_table_too(api: Api):
    with api.watch(WATCH + INITIAL, Accept=TABLE) as watch:
        ((kind, bookmark),) = watch.take(1)

    assert (kind, bookmark["kind"]) == ("BOOKMARK", "Table")
    assert bookmark["rows"][0]["object"]["metadata"]["annotations"] == {INITIAL_EVENTS_END: "true"}


def test_a_table_tells_its_columns_once(api: Api):
    api.create("php")
    api.create("ruby")

    with api.watch(WATCH, Accept=TABLE) as watch:
        (_, first), (_, second) = watch.take(2)

    assert first["columnDefinitions"][0]["name"] == "Name"
    assert second["columnDefinitions"] is None
    assert [table["rows"][0]["cells"][0] for table in (first, second)] == ["php", "ruby"]


def test_metadata_alone_can_be_watched(api: Api):
    api.create("php")

    with api.watch(WATCH, Accept=PARTIAL) as watch:
        ((_, partial),) = watch.take(1)

    assert (partial["kind"], "spec" in partial) == ("PartialObjectMetadata", False)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        pytest.param("fieldSelector=spec.tags%3Dx", 400, id="a field that there is not"),
        pytest.param("labelSelector=a+in+b", 400, id="a selector that is none"),
        pytest.param("timeoutSeconds=soon", 400, id="a time that is no number"),
        pytest.param("resourceVersion=abc", 400, id="a version that is no number"),
        pytest.param("resourceVersionMatch=NotOlderThan&resourceVersion=1", 422, id="a match without initial events"),
        pytest.param("sendInitialEvents=true", 422, id="initial events without a match"),
    ],
)
def test_a_watch_that_makes_no_sense_never_starts(api: Api, query, code):
    api.get(f"{WATCH}&{query}", code=code)


def test_watching_false_is_a_list(api: Api):
    assert api.get(f"{STREAMS}?watch=false")["kind"] == "ImageStreamList"


def test_a_server_that_stops_ends_its_watches_and_their_subscriptions(serve, store, monkeypatch):
    closed = []
    watch = store.watch

    def watched(*arguments):
        subscription = watch(*arguments)
        monkeypatch.setattr(subscription, "close", lambda: closed.append(True), raising=False)
        return subscription

    monkeypatch.setattr(store, "watch", watched)

    with serve(stopping=lambda: True).watch(WATCH) as open_watch:
        assert [open_watch.chunk(), open_watch.chunk()] == [b"", None]

    assert closed == [True]


def test_a_client_is_gone_once_it_hangs_up():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        gone = ClientGone(ours, lambda: False)
        before = gone()
        theirs.close()

        assert (before, gone()) == (False, True)
        gone.close()


def test_a_client_is_watched_even_where_the_server_gives_up_its_own_socket():
    ours, theirs = socket.socketpair()
    with theirs:
        gone = ClientGone(ours, lambda: False)
        ours.close()

        assert gone() is False
        gone.close()


def test_without_a_connection_only_the_end_of_the_server_counts():
    stopping = [False]
    gone = ClientGone(None, lambda: stopping[0])

    before, stopping[0] = gone(), True

    assert (before, gone()) == (False, True)


def test_what_has_happened_already_comes_in_one_chunk(api: Api):
    api.create("php")
    start = api.get(STREAMS)["metadata"]["resourceVersion"]
    label(api, "php")
    label(api, "ruby")

    with api.watch(f"{WATCH}&resourceVersion={start}") as watch:
        watch.chunk()
        lines = watch.chunk().splitlines()

    assert [json.loads(line)["object"]["metadata"]["labels"] for line in lines] == [{"lang": "php"}, {"lang": "ruby"}]


def test_a_line_is_made_once_for_all_who_ask_for_it():
    lines, made = Lines(), []

    def make():
        made.append(True)
        return b"line"

    asked = [lines.get(("streams", 7), make) for _ in range(50)]

    assert (set(asked), len(made)) == ({b"line"}, 1)


def test_a_line_that_is_larger_than_all_that_is_kept_is_sent_all_the_same(monkeypatch):
    monkeypatch.setattr("webhook.apiserver.watching._SHARED_BYTES", 3)

    assert Lines().get("streams", lambda: b"line") == b"line"


@pytest.mark.parametrize("accept", ["application/json", TABLE, PARTIAL], ids=["objects", "tables", "metadata"])
def test_watches_that_share_lines_each_get_their_own_shape(api: Api, accept):
    made = api.create("php")
    url = f"{WATCH}&resourceVersion={int(made['metadata']['resourceVersion']) - 1}"
    with api.watch(url, Accept=TABLE) as other:
        other.take(1)

    with api.watch(url, Accept=accept) as watch:
        ((_, shown),) = watch.take(1)

    kinds = {"application/json": "ImageStream", TABLE: "Table", PARTIAL: "PartialObjectMetadata"}
    assert shown["kind"] == kinds[accept]
    assert bool(shown.get("columnDefinitions")) is (accept == TABLE)


def test_one_watch_too_many_is_told_when_to_come_back(serve):
    api = serve(threads=8)
    open_watches = [api.watch(WATCH) for _ in range(4)]

    refused = api.send("GET", WATCH, code=429)

    assert (refused.json["reason"], refused.json["details"]) == ("TooManyRequests", {"retryAfterSeconds": 5})
    assert refused.headers["Retry-After"] == "5"
    assert refused.json["message"] == "this process has 4 open watches, as many as it may: try again later"
    for watch in open_watches:
        watch.answer.close()


def test_a_watch_that_ends_makes_room_for_another(serve):
    api = serve(threads=8)
    for _ in range(9):
        with api.watch(WATCH) as watch:
            watch.chunk()

    assert api.send("GET", f"{WATCH}&timeoutSeconds=1").status_code == 200


def test_a_watch_that_is_closed_before_it_was_read_makes_room_too(serve):
    api = serve(threads=8)
    for _ in range(9):
        api.watch(WATCH).answer.close()

    api.watch(WATCH).answer.close()


def test_the_head_of_a_watch_opens_none(serve):
    api = serve(threads=8)

    codes = {api.send("HEAD", WATCH).status_code for _ in range(9)}

    assert codes == {200}


def test_a_table_with_half_an_object_in_its_rows_cannot_be_watched(api: Api):
    api.get(f"{WATCH}&includeObject=Half", code=400, Accept=TABLE)
