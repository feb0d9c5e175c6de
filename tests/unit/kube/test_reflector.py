"""List, watch, resume, list again: the reflector against a scripted client."""

import json
import random
import threading

import pytest

from webhook.errors import Expired, Forbidden, InternalError, Invalid, TooManyRequests
from webhook.kube.decoding import Change, ListMeta, Page
from webhook.kube.failure import Unreachable
from webhook.kube.reflector import Reflector

PATH = "/apis/image.openshift.io/v1/imagestreams"


class Sink:
    def __init__(self, fail_on=None):
        self.calls = []
        self.fail_on = fail_on

    def replace(self, objects, position):
        self.calls.append(("replace", [one["n"] for one in objects], position))

    def apply(self, kind, item):
        if item["n"] == self.fail_on:
            raise KeyError("n")
        self.calls.append((kind, item["n"]))

    def advance(self, position):
        self.calls.append(("advance", position))


class Script:
    """Stands for a client: `lists` and `watches` are what it answers, in turn; an exception is raised."""

    def __init__(self, lists=(), watches=()):
        self.lists, self.watches = list(lists), list(watches)
        self.asked = []

    def pages(self, path, decoding, *, limit, metadata_only, **query):
        self.asked.append(("list", limit, query))
        for page in self._next(self.lists):
            if isinstance(page, Exception):
                raise page
            yield page

    def watch(self, path, decoding, *, resource_version, timeout_seconds, metadata_only, **query):
        self.asked.append(
            ("watch", resource_version, query) if "sendInitialEvents" in query else ("watch", resource_version)
        )
        assert 300 <= timeout_seconds <= 600
        return ScriptedWatch(self._next(self.watches))

    @staticmethod
    def _next(answers):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class ScriptedWatch:
    def __init__(self, events):
        self.events = events

    def __iter__(self):
        for one in self.events:
            if isinstance(one, Exception):
                raise one
            yield one

    def interrupt(self):
        pass

    def close(self):
        pass


def page(version, *numbers):
    return Page(ListMeta(version), [{"n": number} for number in numbers])


def change(kind, version, number=None):
    return Change(kind, None if kind == "BOOKMARK" else {"n": number}, version)


def run(script, rounds, sink=None, **more):
    sink = sink or Sink()
    pauses = []
    reflector = Reflector(script, PATH, sink, pause=pauses.append, rng=random.Random(1), **more)
    reflector.run(rounds)
    return reflector, sink, pauses


def test_a_list_of_pages_then_a_watch_from_its_version():
    script = Script(
        lists=[[page("7", 1, 2), page("7", 3)]],
        watches=[[change("ADDED", "8", 4), change("BOOKMARK", "11"), change("DELETED", "12", 1)]],
    )
    reflector, sink, pauses = run(script, 2, page=2, query={"labelSelector": "a"})
    assert script.asked == [("list", 2, {"labelSelector": "a"}), ("watch", "7")]
    assert sink.calls == [
        ("replace", [1, 2, 3], "7"),
        ("advance", "7"),
        ("ADDED", 4),
        ("advance", "8"),
        ("advance", "11"),
        ("DELETED", 1),
        ("advance", "12"),
    ]
    assert reflector.synced.is_set()
    assert (reflector.position, pauses) == ("12", [])


def test_a_watch_that_ends_is_resumed_where_it_was():
    script = Script(lists=[[page("7")]], watches=[[change("ADDED", "9", 1)], [change("BOOKMARK", "20")], []])
    run(script, 4)
    assert script.asked[1:] == [("watch", "7"), ("watch", "9"), ("watch", "20")]


def test_a_connection_that_breaks_is_resumed_after_a_pause():
    script = Script(lists=[[page("7")]], watches=[[change("ADDED", "9", 1), Unreachable("reset")], []])
    _, _, pauses = run(script, 3)
    assert script.asked[1:] == [("watch", "7"), ("watch", "9")]
    assert pauses


@pytest.mark.parametrize(
    "watch",
    [Expired("too old resource version"), [Expired("too old resource version")], Forbidden("no longer")],
)
def test_an_expired_position_or_a_refusal_means_to_list_again(watch):
    script = Script(lists=[[page("7", 1)], [page("30", 2)]], watches=[watch])
    _, sink, _ = run(script, 3)
    assert [asked[0] for asked in script.asked] == ["list", "watch", "list"]
    assert sink.calls[-2:] == [("replace", [2], "30"), ("advance", "30")]


@pytest.mark.parametrize(
    "error", [TooManyRequests("slow down"), InternalError("etcd leader changed"), Unreachable("refused")]
)
def test_load_and_silence_do_not_cost_a_list(error):
    script = Script(lists=[[page("7")]], watches=[error, []])
    run(script, 3)
    assert [asked[0] for asked in script.asked] == ["list", "watch", "watch"]


def test_a_list_that_expires_half_way_is_begun_again():
    script = Script(lists=[[page("7", 1), Expired("the continue token is too old")], [page("9", 2)]])
    reflector, sink, _ = run(script, 1)
    assert not reflector.synced.is_set()
    assert sink.calls == []
    reflector.run(1)
    assert sink.calls[0] == ("replace", [2], "9")


def test_a_sink_that_fails_gets_a_new_list():
    script = Script(lists=[[page("7")], [page("9")]], watches=[[change("ADDED", "8", 13)]])
    run(script, 3, Sink(fail_on=13))
    assert [asked[0] for asked in script.asked] == ["list", "watch", "list"]


def test_pauses_grow_with_jitter_and_have_a_limit():
    _, _, pauses = run(Script(lists=[Unreachable("refused")] * 12), 12)
    assert len(set(pauses)) == 12
    assert all(0.8 <= seconds <= 30 for seconds in pauses)
    assert pauses[0] <= 1.6 < max(pauses)


def test_a_list_without_a_version_is_no_busy_loop():
    reflector, _, pauses = run(Script(lists=[[page("")]]), 1)
    assert len(pauses) == 1
    assert not reflector.synced.is_set()


def test_a_watch_that_ends_at_once_is_no_busy_loop():
    _, _, pauses = run(Script(lists=[[page("7")]], watches=[[], []]), 3)
    assert len(pauses) == 2


INITIAL = {"sendInitialEvents": True, "resourceVersionMatch": "NotOlderThan"}
END = Change("BOOKMARK", None, "9", initial_end=True)


def test_a_list_can_be_the_beginning_of_the_watch():
    script = Script(watches=[[change("ADDED", "3", 1), change("ADDED", "8", 2), END, change("DELETED", "12", 1)], []])
    reflector, sink, pauses = run(script, 2, watch_list=True)
    assert script.asked == [("watch", "", INITIAL), ("watch", "12")]
    assert sink.calls == [("replace", [1, 2], ""), ("advance", "9"), ("DELETED", 1), ("advance", "12")]
    assert reflector.synced.is_set()
    assert len(pauses) == 1


@pytest.mark.parametrize(
    "watch",
    [
        pytest.param(Invalid("sendInitialEvents is forbidden"), id="it refuses"),
        pytest.param([change("ADDED", "3", 1), change("BOOKMARK", "4")], id="it sends the bookmarks of any watch"),
        pytest.param([change("ADDED", "3", 1)], id="the watch ends before its time"),
    ],
)
def test_pages_are_read_where_the_server_does_not_begin_a_watch_with_the_list(watch):
    script = Script(lists=[[page("7", 1)]], watches=[watch])
    reflector, sink, _ = run(script, 2, watch_list=True)
    assert [asked[0] for asked in script.asked] == ["watch", "list"]
    assert sink.calls == [("replace", [1], "7"), ("advance", "7")]
    assert reflector.synced.is_set()


def test_a_position_that_is_known_already_spares_the_list():
    script = Script(watches=[[change("ADDED", "9", 1)]])
    reflector = Reflector(script, PATH, Sink(), pause=lambda seconds: None)
    reflector.position = "8"
    reflector.run(1)
    assert script.asked == [("watch", "8")]


def test_an_object_that_cannot_be_read_is_passed_by():
    script = Script(lists=[[page("7")]], watches=[[Change("ADDED", None, "8"), change("ADDED", "9", 1)]])
    reflector, sink, _ = run(script, 2)
    assert sink.calls[2:] == [("advance", "8"), ("ADDED", 1), ("advance", "9")]
    assert reflector.position == "9"


def test_it_stops_while_a_real_watch_is_silent(api, client):
    silence, seen = threading.Event(), threading.Event()
    event = json.dumps({"type": "ADDED", "object": {"n": 1, "metadata": {"resourceVersion": "8"}}}).encode()
    api.expect("GET", PATH, (200, {"metadata": {"resourceVersion": "7"}, "items": []}), (200, [event + b"\n", silence]))

    class Seen(Sink):
        def apply(self, kind, item):
            seen.set()

    reflector = Reflector(client, PATH, Seen())
    thread = reflector.start()
    assert reflector.synced.wait(10)
    assert seen.wait(10)
    reflector.stop()
    thread.join(10)
    assert not thread.is_alive()
    silence.set()
