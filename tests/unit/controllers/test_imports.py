import json
import random
import threading
import time

import pytest

from tests.unit.kube.conftest import api
from webhook.controllers.imports import CHECK_ANNOTATION, ImportController, due, needed, run, scheduled
from webhook.controllers.workqueue import WorkQueue
from webhook.errors import Conflict, InternalError, NotFound
from webhook.kube.client import KubeClient

__all__ = ["api"]

DIGEST = "sha256:" + "aa" * 32
IMPORTS = "/apis/image.openshift.io/v1/namespaces/shop/imagestreamimports"
STREAMS = "/apis/image.openshift.io/v1/imagestreams"


def tag(name="latest", source="quay.io/acme/app:v1", generation=1, *, kind="DockerImage", scheduled=False, **more):
    policy = {"importMode": "Legacy"} | ({"scheduled": True} if scheduled else {})
    one = {"name": name, "generation": generation, "importPolicy": policy, "referencePolicy": {"type": "Source"}}
    return one | ({"from": {"kind": kind, "name": source}} if source else {}) | more


def seen(name="latest", *, imported=0, failed=0):
    """What status says of a tag: the generations at which it was imported and at which it failed."""
    items = (
        [{"created": "x", "dockerImageReference": "x", "image": DIGEST, "generation": imported}] if imported else None
    )
    conditions = [{"type": "ImportSuccess", "status": "False", "generation": failed}] if failed else []
    return {"tag": name, "items": items} | ({"conditions": conditions} if conditions else {})


def stream(*tags, status=(), repository="", checked=False, name="app", version="7", **annotations):
    annotations |= {CHECK_ANNOTATION: "2026-01-02T03:04:05Z"} if checked else {}
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": "u-1",
            "resourceVersion": version,
            "annotations": annotations,
        },
        "spec": {"tags": list(tags)} | ({"dockerImageRepository": repository} if repository else {}),
        "status": {"tags": list(status)},
    }


def targets(request):
    return [image["to"]["name"] for image in request["spec"].get("images", [])] if request else None


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        pytest.param(stream(tag()), ["latest"], id="a new tag"),
        pytest.param(stream(tag("a"), tag("b")), ["a", "b"], id="all new tags at once"),
        pytest.param(stream(tag(), checked=True), ["latest"], id="a client's check annotation does not stop a new tag"),
        pytest.param(stream(tag(), status=[seen(imported=1)]), None, id="an imported tag"),
        pytest.param(stream(tag(generation=3), status=[seen(imported=2)]), ["latest"], id="a tag that asks again"),
        pytest.param(stream(tag(generation=3), status=[seen(failed=3)]), None, id="a failed tag is not tried again"),
        pytest.param(
            stream(tag(generation=4), status=[seen(imported=2, failed=3)]),
            ["latest"],
            id="a failed tag that asks again",
        ),
        pytest.param(
            stream(
                tag("a", generation=3), tag("b", generation=2), status=[seen("a", imported=2), seen("b", imported=2)]
            ),
            ["a"],
            id="only the tags that ask",
        ),
        pytest.param(stream(tag(generation=None)), None, id="a tag without a generation asks for nothing"),
        pytest.param(stream(tag("a"), tag("b", generation=None)), ["a", "b"], id="and comes along"),
        pytest.param(stream(tag(reference=True)), None, id="a reference is not imported"),
        pytest.param(stream(tag(source="other:latest", kind="ImageStreamTag")), None, id="an alias is not imported"),
        pytest.param(stream(tag(source="")), None, id="a tag with only annotations is not imported"),
        pytest.param(stream(), None, id="an empty stream"),
    ],
)
def test_a_stream_needs_an_import_of_the_tags_that_are_newer_than_their_status(one, wanted):
    assert targets(needed(one)) == wanted


def test_the_request_is_tied_to_the_stream_that_was_looked_at():
    policy = {"importMode": "PreserveOriginal", "insecure": True}
    one = stream(tag(importPolicy=policy, referencePolicy={"type": "Local"}))
    assert needed(one) == {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStreamImport",
        "metadata": {"name": "app", "namespace": "shop", "resourceVersion": "7", "uid": "u-1"},
        "spec": {
            "import": True,
            "images": [
                {
                    "from": {"kind": "DockerImage", "name": "quay.io/acme/app:v1"},
                    "to": {"name": "latest"},
                    "importPolicy": policy,
                    "referencePolicy": {"type": "Local"},
                }
            ],
        },
    }


@pytest.mark.parametrize(
    ("annotations", "policy"), [({}, {}), ({"openshift.io/image.insecureRepository": "true"}, {"insecure": True})]
)
def test_a_repository_is_imported_whole_and_with_all_tags_until_it_was_checked(annotations, policy):
    one = stream(tag(), status=[seen(imported=1)], repository="quay.io/acme/app", **annotations)
    request = needed(one)
    source = {"kind": "DockerImage", "name": "quay.io/acme/app"}
    assert request["spec"]["repository"] == {"from": source, "importPolicy": policy}
    assert targets(request) == ["latest"]


def test_a_repository_is_imported_once():
    assert needed(stream(repository="quay.io/acme/app", checked=True)) is None
    assert needed(stream(repository="quay.io/acme/app", **{CHECK_ANNOTATION: ""})) is not None


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        pytest.param(tag(scheduled=True), ["latest"], id="a scheduled tag"),
        pytest.param(tag(), [], id="another tag"),
        pytest.param(tag(scheduled=True, reference=True), [], id="a reference"),
        pytest.param(tag(scheduled=True, source=f"quay.io/acme/app@{DIGEST}"), [], id="a digest that was imported"),
        pytest.param(
            tag(scheduled=True, source=f"quay.io/acme/app@{DIGEST}", generation=2),
            ["latest"],
            id="a digest that was not",
        ),
        pytest.param(tag(scheduled=True, source="*"), [], id="no reference at all"),
    ],
)
def test_scheduled_tags_are_followed(one, wanted):
    assert scheduled(stream(one, status=[seen(imported=1)])) == wanted


def test_at_its_turn_a_stream_has_its_scheduled_and_its_needy_tags_imported():
    one = stream(
        tag("follow", scheduled=True),
        tag("new"),
        tag("old"),
        status=[seen("follow", imported=1), seen("old", imported=1)],
    )
    assert targets(due(one)) == ["follow", "new"]
    assert due(stream(tag(), status=[seen(imported=1)])) is None


# The controller.


class Api:
    """Takes imports; `answers` are raised or given in turn, then all succeed."""

    def __init__(self, *answers):
        self.posted, self.answers = [], list(answers)

    def create(self, path, body, *, read_timeout=None):
        assert path == IMPORTS
        self.posted.append((body["metadata"]["resourceVersion"], targets(body)))
        answer = self.answers.pop(0) if self.answers else {"status": {"images": [{"status": {"status": "Success"}}]}}
        if isinstance(answer, Exception):
            raise answer
        return answer


class Run:
    """A controller without threads and with a clock of its own."""

    def __init__(self, api):
        self.now, self.api = 0.0, api
        clock = lambda: self.now  # noqa: E731
        self.queue = WorkQueue(first=1.0, clock=clock)
        self.controller = ImportController(api, interval=900, clock=clock, rng=random.Random(0), queue=self.queue)

    def work(self, until=None):
        self.now = until if until is not None else self.now
        while (key := self.queue._due()[0]) is not None:
            self.controller._import(key)
            self.queue.done(key)
        posted, self.api.posted = self.api.posted, []
        return posted


@pytest.fixture
def start():
    return lambda *answers: Run(Api(*answers))


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


def test_a_stream_that_is_gone_is_forgotten(start):
    one = start(NotFound("gone"))
    one.controller.apply("ADDED", stream(tag()))
    assert len(one.work()) == 1
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
    assert one.work(0) == []
    assert one.work(900) == [("7", ["latest"])]
    assert one.work(1799) == []
    assert one.work(1800) == [("7", ["latest"])]


def test_a_scheduled_turn_that_fails_is_tried_again_soon(start):
    one = start(InternalError("down"))
    one.controller.apply("ADDED", stream(tag(scheduled=True), status=[seen(imported=1)]))
    assert [len(one.work(moment)) for moment in (900, 901, 902)] == [1, 1, 0]


def test_an_import_in_between_puts_the_next_turn_off(start):
    one = start()
    one.controller.apply("ADDED", stream(tag(scheduled=True), status=[seen(imported=1)]))
    one.work(500)
    one.controller.apply("MODIFIED", stream(tag(scheduled=True, generation=2), status=[seen(imported=1)], version="8"))
    assert one.work(500) == [("8", ["latest"])]
    one.controller.apply("MODIFIED", stream(tag(scheduled=True, generation=3), status=[seen(imported=3)], version="9"))
    assert one.work(1399) == []
    assert one.work(1400) == [("9", ["latest"])]


def test_switching_the_schedule_off_ends_it(start):
    one = start()
    one.controller.apply("ADDED", stream(tag(scheduled=True), status=[seen(imported=1)]))
    one.controller.apply("MODIFIED", stream(tag(), status=[seen(imported=1)]))
    assert one.work(10_000) == []


def test_run_imports_what_the_api_has_until_it_is_stopped(api):
    posted, over = threading.Event(), threading.Event()
    api.expect("GET", STREAMS, (200, {"metadata": {"resourceVersion": "7"}, "items": [stream(tag())]}), (200, [over]))
    answers = api.answers["POST", IMPORTS]
    answers.append((201, {"status": {}}))
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(KubeClient(api.connection()), stop))
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
