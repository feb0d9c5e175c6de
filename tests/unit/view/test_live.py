"""Asking the API about a name that could be new: how often, how long, and what comes of failures."""

import threading

import msgspec
import pytest

from tests.unit.admission.streams import SHOP, V1, event, stream
from webhook.errors import Forbidden, NotFound
from webhook.image.lookup import ImageStream
from webhook.kube.failure import Unreachable
from webhook.view.index import View
from webhook.view.live import DEADLINE, LiveView

NEW = msgspec.convert(stream("shop", "new", local=True, v1=event("quay.io/team/new:v1", V1)), ImageStream)


class Api:
    """Answers every question with `answer`, and remembers what was asked."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    def read(self, path, decoding, *, deadline):
        assert deadline == DEADLINE
        self.asked.append(path)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def live(answer, view=None):
    api, clock, outcomes = Api(answer), Clock(), []
    asking = LiveView(View.from_objects(SHOP) if view is None else view, api, observe=outcomes.append, clock=clock)
    return asking, api, clock, outcomes


def test_a_stream_that_was_made_a_moment_ago_is_found():
    asking, api, _, outcomes = live(NEW)
    assert asking.stream("shop", "new").tags == {"v1": f"quay.io/team/new@{V1}"}
    assert api.asked == ["/apis/image.openshift.io/v1/namespaces/shop/imagestreams/new"]
    assert outcomes == ["found"]


def test_names_that_the_view_knows_are_never_asked_for():
    asking, api, _, _ = live(NEW)
    assert asking.stream("shop", "app") is not None
    assert api.asked == []


def test_a_view_that_is_not_ready_asks_nothing():
    asking, api, _, _ = live(NEW, View())
    assert asking.stream("shop", "new") is None
    assert (asking.ready, api.asked) == (False, [])


@pytest.mark.parametrize("answer", [NEW, NotFound("no")], ids=["one that exists", "one that does not"])
def test_a_name_is_asked_for_once_in_five_seconds(answer):
    asking, api, clock, _ = live(answer)
    first = asking.stream("shop", "new")
    for _ in range(10):
        clock.now += 0.49
        assert asking.stream("shop", "new") == first
    assert len(api.asked) == 1
    clock.now += 0.2
    asking.stream("shop", "new")
    assert len(api.asked) == 2


def test_an_answer_may_grow_too_old_between_two_looks_at_the_clock():
    class Running(Clock):
        def __call__(self):
            self.now += 2.6
            return self.now

    asking = LiveView(View.from_objects(SHOP), Api(NEW), clock=Running())
    assert {asking.stream("shop", "new") is not None for _ in range(10)} == {True}


def test_a_namespace_has_three_questions_a_second():
    asking, api, clock, outcomes = live(NotFound("no"))
    for number in range(10):
        assert asking.stream("shop", f"nginx-{number}") is None
    assert len(api.asked) == 3
    assert outcomes == ["absent"] * 3 + ["limited"] * 7
    asking.stream("other", "nginx")
    assert len(api.asked) == 4
    clock.now += 1
    asking.stream("shop", "nginx-9")
    assert len(api.asked) == 5


@pytest.mark.parametrize(
    "failure", [Unreachable("timed out"), Forbidden("may not"), ValueError("odd"), KeyError("token")], ids=str
)
def test_an_api_that_does_not_answer_is_left_alone_for_ten_seconds(failure):
    asking, api, clock, outcomes = live(failure)
    assert asking.stream("shop", "new") is None
    clock.now += 9.9
    assert asking.stream("shop", "newer") is None
    assert len(api.asked) == 1
    clock.now += 0.2
    asking.stream("shop", "newer")
    assert len(api.asked) == 2
    assert outcomes == ["failed", "limited", "failed"]


def test_what_the_watch_brings_meanwhile_counts():
    view = View.from_objects(SHOP)

    class Late(Api):
        def read(self, path, decoding, *, deadline):
            view.apply_stream("ADDED", NEW)
            raise Unreachable("timed out")

    asking = LiveView(view, Late(None))
    assert asking.stream("shop", "new") is not None


def test_nobody_waits_for_the_question_of_another():
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Api):
        def read(self, path, decoding, *, deadline):
            begun.set()
            assert go_on.wait(10)
            return self.answer

    asking, found = LiveView(View.from_objects(SHOP), Slow(NEW)), []
    thread = threading.Thread(target=lambda: found.append(asking.stream("shop", "new")))
    thread.start()
    assert begun.wait(10)
    assert asking.stream("shop", "new") is None
    go_on.set()
    thread.join(10)
    assert found[0] is not None
