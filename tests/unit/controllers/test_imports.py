import json
import random
import threading
import time
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tests.unit.controllers.streams import DIGEST, SINCE, seen, stream, tag, targets
from tests.unit.kube.conftest import api
from webhook.controllers.agenda import INTERVAL_ANNOTATION, Agenda
from webhook.controllers.imports import ImportController, run
from webhook.controllers.workqueue import WorkQueue
from webhook.errors import Conflict, InternalError, NotFound
from webhook.importer.checking import Verdict
from webhook.importer.engine import Importer
from webhook.kube.client import KubeClient
from webhook.settings import Settings

__all__ = ["api"]

IMPORTS = "/apis/image.openshift.io/v1/namespaces/shop/imagestreamimports"
SECRETS = "/apis/image.openshift.io/v1/namespaces/shop/imagestreams/app/secrets"
STREAMS = "/apis/image.openshift.io/v1/imagestreams"
IMAGE = f"/apis/image.openshift.io/v1/images/{DIGEST}"


class Api:
    """Takes imports; `answers` are raised or given in turn, then all succeed."""

    def __init__(self, *answers):
        self.posted, self.answers = [], list(answers)
        self.read, self.missing = [], set()

    def create(self, path, body, *, read_timeout=None):
        assert path == IMPORTS
        self.posted.append((body["metadata"]["resourceVersion"], targets(body)))
        answer = self.answers.pop(0) if self.answers else {"status": {"images": [{"status": {"status": "Success"}}]}}
        if isinstance(answer, Exception):
            raise answer
        return answer

    def get(self, path):
        self.read.append(path)
        if path in self.missing:
            raise NotFound("gone")
        return {"items": [{"kind": "Secret"}]} if path == SECRETS else {"kind": "Image"}


class Eye:
    """Looks at tags and sees `verdict`, for some tags that of `verdicts`; `looks` keeps what it was asked."""

    def __init__(self):
        self.verdict, self.verdicts, self.looks = Verdict.CHANGED, {}, []

    def check(self, isi, stream, secrets):
        assert secrets == [{"kind": "Secret"}]
        names = targets(isi)
        self.looks.append(names)
        return {name: self.verdicts.get(name, self.verdict) for name in names}


class Run:
    """A controller without threads and with a clock of its own."""

    def __init__(self, api, width):
        self.now, self.api, self.eye = 0.0, api, Eye()
        clock = lambda: self.now  # noqa: E731
        self.queue = WorkQueue(first=1.0, jitter=0.0, clock=clock)
        agenda = Agenda(
            interval=900,
            rng=random.Random(0),
            clock=clock,
            now=lambda: datetime.fromisoformat(SINCE) + timedelta(seconds=self.now),
        )
        self.controller = ImportController(api, self.eye, agenda=agenda, width=width, queue=self.queue)

    def work(self, until=None):
        self.now = until if until is not None else self.now
        while (key := self.queue._due()[0]) is not None:
            self.controller.work_on(key)
        posted, self.api.posted = self.api.posted, []
        return posted

    def looks(self, until):
        self.work(until)
        looks, self.eye.looks = self.eye.looks, []
        return looks


@pytest.fixture
def start():
    return lambda *answers, width=8: Run(Api(*answers), width)


def test_a_new_stream_is_imported_once(start):
    one = start()
    one.controller.replace([stream(tag())], "7")
    assert one.work() == [("7", ["latest"])]
    one.controller.apply("MODIFIED", stream(tag(generation=2), status=[seen(imported=2)], checked=True, version="8"))
    assert one.work(10_000) == []


def test_a_conflict_is_tried_again_with_the_fresh_stream(start):
    one = start(Conflict("stale"))
    one.controller.apply("ADDED", stream(tag()))
    assert one.work() == [("7", ["latest"])]
    one.controller.apply("MODIFIED", stream(tag(), version="8"))
    assert one.work(1) == [("8", ["latest"])]


def test_errors_are_tried_again_after_growing_pauses(start):
    one = start(*[InternalError("down")] * 3)
    one.controller.apply("ADDED", stream(tag()))
    assert [len(one.work(moment)) for moment in (0, 0.9, 1, 2.9, 3, 6.9, 7)] == [1, 0, 1, 0, 1, 0, 1]


def test_a_repository_that_cannot_be_listed_is_tried_again_after_growing_pauses(start):
    failure = {"status": {"repository": {"status": {"status": "Failure", "reason": "NotFound"}}}}
    one = start(*[failure] * 4)
    one.controller.apply("ADDED", stream(repository="quay.io/acme/app"))
    assert [len(one.work(moment)) for moment in (0, 0.9, 1, 2.9, 3, 6.9, 7)] == [1, 0, 1, 0, 1, 0, 1]


def test_a_stream_that_is_gone_is_forgotten_when_the_watch_says_so(start):
    one = start(NotFound("gone"), NotFound("gone"))
    one.controller.apply("ADDED", stream(tag()))
    assert [len(one.work(moment)) for moment in (0, 1)] == [1, 1]
    one.controller.apply("DELETED", stream(tag()))
    assert one.work(10_000) == []


def test_a_stream_that_is_deleted_before_its_turn_is_not_imported(start):
    one = start()
    one.controller.apply("ADDED", stream(tag()))
    one.controller.apply("DELETED", stream(tag()))
    assert one.work() == []


def test_a_stream_that_a_list_no_longer_has_is_not_imported(start):
    one = start()
    one.controller.apply("ADDED", stream(tag(scheduled=True), status=[seen(imported=1)]))
    one.controller.replace([], "9")
    assert one.work(10_000) == []


def test_a_scheduled_tag_is_looked_at_once_in_every_interval(start):
    one = start()
    one.controller.replace(
        [stream(tag(scheduled=True), tag("old"), status=[seen(imported=1), seen("old", imported=1)])], "7"
    )
    assert one.looks(0) == []
    assert one.looks(900) == [["latest"]]
    assert one.looks(1799) == []
    assert one.looks(1846) == [["latest"]]


@pytest.mark.parametrize("verdict", [Verdict.UNCHANGED, Verdict.FAILING])
def test_nothing_is_imported_where_a_look_says_that_nothing_would_be_written(start, verdict):
    one = start()
    one.eye.verdict = verdict
    one.controller.apply("ADDED", stream(tag(scheduled=True), status=[seen(imported=1)]))
    assert one.work(900) == []
    assert one.eye.looks == [["latest"]]


def test_an_unchanged_tag_whose_image_was_deleted_is_imported_again(start):
    one = start()
    one.eye.verdict = Verdict.UNCHANGED
    one.api.missing = {IMAGE}
    one.controller.apply("ADDED", stream(tag(scheduled=True), status=[seen(imported=1)]))
    assert one.work(900) == [("7", ["latest"])]


def test_an_image_that_is_there_is_not_read_at_every_look(start):
    one = start()
    one.eye.verdict = Verdict.UNCHANGED
    one.controller.apply("ADDED", stream(tag(scheduled=True), status=[seen(imported=1)]))
    for moment in (900, 1850, 2800):
        one.work(moment)
    assert len(one.eye.looks) == 3
    assert one.api.read.count(IMAGE) == 1


def test_only_the_tags_that_have_moved_are_imported(start):
    one = start()
    one.eye.verdicts = {"a": Verdict.UNCHANGED}
    follows = [tag("a", scheduled=True), tag("b", scheduled=True)]
    one.controller.apply("ADDED", stream(*follows, status=[seen("a", imported=1), seen("b", imported=1)]))
    assert [names for _, names in one.work(900)] == [["b"]]


def test_a_tag_that_asks_for_its_import_is_not_looked_at_first(start):
    one = start()
    one.controller.apply("ADDED", stream(tag(scheduled=True)))
    assert one.work(0) == [("7", ["latest"])]
    assert one.eye.looks == []


def test_a_registry_that_wants_to_be_left_alone_puts_the_look_off_and_loses_no_turn(start):
    one = start()
    one.eye.verdict = Verdict.DEFERRED
    one.controller.apply("ADDED", stream(tag(scheduled=True), status=[seen(imported=1)]))
    assert [len(one.looks(moment)) for moment in (900, 900.9, 901, 902.9, 903)] == [1, 0, 1, 0, 1]
    one.eye.verdict = Verdict.CHANGED
    assert one.work(907) == [("7", ["latest"])]
    assert one.looks(1800) == [["latest"]]


def test_a_tag_with_an_interval_of_its_own_is_looked_at_more_often(start):
    one = start()
    one.eye.verdict = Verdict.UNCHANGED
    often = tag("often", scheduled=True, annotations={INTERVAL_ANNOTATION: "1m"})
    status = [seen("often", imported=1), seen("seldom", imported=1)]
    one.controller.apply("ADDED", stream(often, tag("seldom", scheduled=True), status=status))
    for moment in range(0, 1900, 10):
        one.work(moment)
    assert 27 <= one.eye.looks.count(["often"]) <= 33
    assert sum("seldom" in names for names in one.eye.looks) == 2


def test_a_failed_tag_is_tried_again_after_pauses_that_double(start):
    one = start()
    one.eye.verdict = Verdict.FAILING
    one.controller.apply("ADDED", stream(tag(), status=[seen(failed=1, retried=SINCE)]))
    tries = [moment for moment in range(0, 8000, 10) if one.looks(moment)]
    pauses = [after - before for before, after in pairwise(tries)]
    assert 60 <= tries[0] <= 80
    assert all(1.7 < longer / shorter < 2.3 for shorter, longer in pairwise(pauses[:5]))


def test_writes_of_a_stream_do_not_put_its_turns_off(start):
    one = start()
    one.eye.verdict = Verdict.FAILING
    tries = []
    for moment in range(0, 200, 10):
        one.now = moment
        failed = stream(tag(scheduled=True), status=[seen(failed=1, retried=SINCE)], version=str(moment + 7))
        one.controller.apply("MODIFIED", failed)
        tries += one.looks(moment)
    assert len(tries) == 1


def test_a_slow_registry_does_not_hold_up_another(start):
    one = start(width=1)
    slow = [stream(tag(source="slow.example.com/a/b:1"), name=name) for name in ("a", "b")]
    for item in (*slow, stream(tag(), name="c")):
        one.controller.apply("ADDED", item)
    first = one.queue._due()[0]
    assert one.controller._lanes.enter(first, "slow.example.com")
    others = [one.queue._due()[0] for _ in range(2)]
    for key in others:
        one.controller.work_on(key)
    assert len(one.api.posted) == 1
    one.controller.work_on(first)
    assert len(one.work()) == 3


def test_a_scheduled_turn_that_fails_is_tried_again_soon(start):
    one = start(InternalError("down"))
    one.controller.apply("ADDED", stream(tag(scheduled=True), status=[seen(imported=1)]))
    assert [len(one.work(moment)) for moment in (900, 901, 902)] == [1, 1, 0]


def test_an_import_in_between_puts_the_next_turn_off(start):
    one = start()
    one.eye.verdict = Verdict.UNCHANGED
    one.controller.apply("ADDED", stream(tag(scheduled=True), status=[seen(imported=1)]))
    one.now = 100
    one.controller.apply("MODIFIED", stream(tag(scheduled=True, generation=2), status=[seen(imported=1)], version="8"))
    assert one.work(100) == [("8", ["latest"])]
    one.controller.apply("MODIFIED", stream(tag(scheduled=True, generation=3), status=[seen(imported=3)], version="9"))
    assert one.looks(999) == []
    assert one.looks(1046) == [["latest"]]


def test_switching_the_schedule_off_ends_it(start):
    one = start()
    one.controller.apply("ADDED", stream(tag(scheduled=True), status=[seen(imported=1)]))
    one.controller.apply("MODIFIED", stream(tag(), status=[seen(imported=1)]))
    assert one.work(10_000) == []


def test_run_imports_what_the_api_has_until_it_is_stopped(api, tmp_path: Path):
    posted, over = threading.Event(), threading.Event()
    api.expect("GET", STREAMS, (200, {"metadata": {"resourceVersion": "7"}, "items": [stream(tag())]}), (200, [over]))
    answers = api.answers["POST", IMPORTS]
    answers.append((201, {"status": {}}))
    stop = threading.Event()
    parts = (KubeClient(api.connection()), stop, Settings(data=tmp_path), Importer())
    thread = threading.Thread(target=run, args=parts)
    thread.start()
    deadline = time.monotonic() + 10
    while not any(one["method"] == "POST" for one in api.requests) and time.monotonic() < deadline:
        posted.wait(0.01)
    stop.set()
    thread.join(5)
    over.set()
    assert not thread.is_alive()
    (request,) = [one for one in api.requests if one["method"] == "POST"]
    assert targets(json.loads(request["body"])) == ["latest"]
