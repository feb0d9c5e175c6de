"""What a watch sends because time has passed, by a clock that the test moves."""

import json

import pytest

from tests.unit.apiserver.api import NAMESPACE, path, stream
from webhook.apiserver.catalog import build
from webhook.apiserver.rest import Call
from webhook.apiserver.watching import ClientGone, Watch, options_for
from webhook.meta.identity import ADMINISTRATOR
from webhook.meta.negotiation import negotiate
from webhook.meta.options import list_options
from webhook.settings import Settings
from webhook.storage.store import Event, Record

# An event that does not come would be waited for.
pytestmark = pytest.mark.timeout(20)


class Clock:
    """Seconds that pass only when the test says so."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def watch(store, clock):
    """The events since the store was empty, as (type, object); the empty first chunk is left out."""

    def start(**query):
        rest = build(store, Settings(), None).find("image.openshift.io", "v1", "imagestreams", "")
        asked = {"watch": ["1"], "resourceVersion": ["1"], **{key: [value] for key, value in query.items()}}
        options = list_options(asked)
        chosen = options_for(rest, options, "", NAMESPACE)
        gone = ClientGone(None, lambda: False)
        call = Call(ADMINISTRATOR, NAMESPACE)
        lines = Watch(rest, call, chosen, options, negotiate(None), asked, gone, clock=clock).lines()
        assert next(lines) == b""
        return ((event["type"], event["object"]) for chunk in lines for event in map(json.loads, chunk.splitlines()))

    return start


def label(api, value):
    return api.patch(path("imagestreams", "php"), {"metadata": {"labels": {"lang": value}}})


def test_a_bookmark_comes_every_minute(api, watch, clock):
    api.create("php")
    events = watch(allowWatchBookmarks="true")
    seen = [next(events)[0]]
    for _ in range(3):
        clock.now += 60
        seen.append(next(events)[0])

    assert seen == ["ADDED", "BOOKMARK", "BOOKMARK", "BOOKMARK"]


def test_a_bookmark_has_nothing_but_kind_and_version(api, watch, clock, store):
    api.create("php")
    events = watch(allowWatchBookmarks="true")
    next(events)
    clock.now += 60

    assert next(events) == (
        "BOOKMARK",
        {
            "kind": "ImageStream",
            "apiVersion": "image.openshift.io/v1",
            "metadata": {"resourceVersion": str(store.revision())},
        },
    )


def test_a_watch_that_is_kept_busy_by_what_it_does_not_select_gets_its_bookmark(watch, clock, store, monkeypatch):
    record = Record("image.openshift.io/imagestreams", NAMESPACE, "php", 7, "", json.dumps(stream("php")).encode())

    class Busy:
        position = 7

        def next(self, timeout):
            clock.now += 1
            return Event("MODIFIED", record, record.value)

        def close(self):
            pass

    monkeypatch.setattr(store, "watch", lambda *_: Busy())

    kind, bookmark = next(watch(allowWatchBookmarks="true", labelSelector="lang=php", timeoutSeconds="300"))

    assert (kind, bookmark["metadata"]) == ("BOOKMARK", {"resourceVersion": "7"})


def test_without_the_flag_there_are_no_bookmarks(api, watch, clock):
    api.create("php")
    events = watch()
    next(events)
    clock.now += 60
    label(api, "php")

    assert next(events)[0] == "MODIFIED"


def test_the_last_bookmark_comes_two_seconds_before_the_end(api, watch, clock):
    api.create("php")
    events = watch(allowWatchBookmarks="true", timeoutSeconds="30")
    next(events)
    clock.now += 28
    before_the_end = next(events)[0]
    clock.now += 2

    assert (before_the_end, next(events, None)) == ("BOOKMARK", None)


def test_a_watch_ends_after_the_seconds_that_were_asked_for(api, watch, clock):
    api.create("php")
    events = watch(timeoutSeconds="300")
    next(events)
    clock.now += 299
    label(api, "php")
    just_before = next(events)[0]
    clock.now += 1
    label(api, "ruby")

    assert (just_before, next(events, None)) == ("MODIFIED", None)


def test_a_watch_without_a_time_ends_after_half_an_hour_to_an_hour(api, watch, clock):
    api.create("php")
    events = watch()
    next(events)
    clock.now += 1799
    label(api, "php")
    early = next(events)[0]
    clock.now += 1802

    assert (early, next(events, None)) == ("MODIFIED", None)


def test_a_watch_that_compaction_has_overtaken_ends_with_an_expired_event(api, watch, store):
    api.create("php")
    events = watch()
    next(events)
    label(api, "php")
    label(api, "ruby")
    store.compact(keep_seconds=0, keep_rows=0)

    kind, status = next(events)

    assert (kind, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
    assert next(events, None) is None
