"""What is imported after a push, and when that is tried again."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from tests.unit.controllers.pushed import HOST, ON_PUSH, PUSH, stream, tag
from tests.unit.kube.conftest import api, client
from webhook.controllers.followers import Followers
from webhook.controllers.push_imports import Overloaded, PushImports, request
from webhook.controllers.workqueue import WorkQueue
from webhook.distribution.ledger import Ledger
from webhook.distribution.limits import Limits
from webhook.distribution.pacing import Pace

__all__ = ["api", "client"]

BASE = "/apis/image.openshift.io/v1/namespaces/shop"


def targets(asked):
    return {image["to"]["name"]: image["from"]["name"] for image in asked["spec"]["images"]} if asked else {}


@pytest.mark.parametrize(
    ("one", "pushed", "expected"),
    [
        pytest.param(
            stream(tag(), tag("other", f"{HOST}/team/app:2")),
            {PUSH},
            {"live": f"{HOST}/team/app:1.2"},
            id="just the tag",
        ),
        pytest.param(stream(tag()), {PUSH._replace(tag="2")}, {}, id="another tag of the repository"),
        pytest.param(
            stream(repository=f"{HOST}/team/app", **ON_PUSH),
            {PUSH},
            {"1.2": f"{HOST}/team/app:1.2"},
            id="a new tag of a repository that is taken up as a whole",
        ),
        pytest.param(stream(repository=f"{HOST}/team/app"), {PUSH}, {}, id="a repository that was imported once"),
        pytest.param(
            stream(tag("1.2", "quay.io/x:1"), repository=f"{HOST}/team/app", **ON_PUSH),
            {PUSH},
            {},
            id="a tag of that name which comes from elsewhere",
        ),
    ],
)
def test_a_push_imports_just_the_tags_concerned(one, pushed, expected):
    assert targets(request(one, pushed)) == expected


def test_an_import_repeats_the_policies_and_names_the_version():
    one = stream(tag(importPolicy={"scheduled": True, "insecure": True}, referencePolicy={"type": "Local"}))
    asked = request(one, {PUSH})
    assert asked["metadata"] == {"name": "app", "namespace": "shop", "resourceVersion": "7"}
    assert asked["spec"]["images"][0]["importPolicy"] == {"scheduled": True, "insecure": True}
    assert asked["spec"]["images"][0]["referencePolicy"] == {"type": "Local"}


@pytest.fixture
def followers():
    found = Followers()
    found.replace([stream(tag())], "1")
    return found


DONE = (201, {"status": {"images": [{"status": {"status": "Success"}}]}})
CONFLICT = (409, {"kind": "Status", "code": 409, "reason": "Conflict", "message": "changed"})
GONE = (404, {"kind": "Status", "code": 404, "reason": "NotFound", "message": "gone"})


class Ending(WorkQueue):
    """A queue without pauses that ends its worker when nothing is left."""

    def __init__(self):
        super().__init__(first=0.0)

    def done(self, key):
        super().done(key)
        if not self._when:
            self.close()


@pytest.fixture
def imports(client, followers):
    return PushImports(client, followers, queue=Ending())


def posted(api):
    return [json.loads(one["body"]) for one in api.requests if one["method"] == "POST"]


def test_a_push_is_imported_with_the_stream_as_it_is_now(api, imports):
    api.expect("GET", f"{BASE}/imagestreams/app", (200, stream(tag())))
    api.expect("POST", f"{BASE}/imagestreamimports", DONE)
    assert imports.push([PUSH, PUSH]) == 1
    imports.work()
    assert [targets(one) for one in posted(api)] == [{"live": f"{HOST}/team/app:1.2"}]


def test_pushes_that_wait_are_one_import(api, imports, followers):
    two = stream(tag(), tag("b", f"{HOST}/team/app:2"))
    followers.apply("MODIFIED", two)
    assert [imports.push([PUSH]), imports.push([PUSH]), imports.push([PUSH._replace(tag="2")])] == [1, 1, 1]
    api.expect("GET", f"{BASE}/imagestreams/app", (200, two))
    api.expect("POST", f"{BASE}/imagestreamimports", DONE)
    imports.work()
    assert [list(targets(one)) for one in posted(api)] == [["live", "b"]]


def test_a_stream_that_changed_meanwhile_is_imported_as_it_is_then(api, imports):
    api.expect("GET", f"{BASE}/imagestreams/app", (200, stream(tag())), (200, stream(tag("new"))))
    api.expect("POST", f"{BASE}/imagestreamimports", CONFLICT, DONE)
    imports.push([PUSH])
    imports.work()
    assert [list(targets(one)) for one in posted(api)] == [["live"], ["new"]]


def test_a_stream_that_follows_no_more_is_left_alone(api, imports):
    api.expect("GET", f"{BASE}/imagestreams/app", (200, stream(tag(scheduled=False))))
    imports.push([PUSH])
    imports.work()
    assert posted(api) == []


def test_a_stream_that_is_gone_is_forgotten(api, imports):
    api.expect("GET", f"{BASE}/imagestreams/app", GONE)
    imports.push([PUSH])
    imports.work()
    assert len(api.requests) == 1


def test_an_import_that_goes_on_failing_is_given_up(api, imports, caplog):
    api.expect("GET", f"{BASE}/imagestreams/app", *[(500, b"")] * 20)
    imports.push([PUSH])
    imports.work()
    assert len(api.requests) == 8
    assert "is given up" in caplog.text


def test_a_server_that_is_busy_is_asked_until_it_is_not(api, imports):
    busy = (429, {"kind": "Status", "code": 429, "reason": "TooManyRequests", "message": "try again later"})
    api.expect("GET", f"{BASE}/imagestreams/app", *[(200, stream(tag()))] * 21)
    api.expect("POST", f"{BASE}/imagestreamimports", *[busy] * 20, DONE)
    imports.push([PUSH])
    imports.work()
    assert len(posted(api)) == 21


def test_a_full_queue_takes_nothing_more(client):
    followers = Followers()
    followers.replace([stream(tag(), name=f"app{number}") for number in range(3)], "1")
    imports = PushImports(client, followers, most=2)
    with pytest.raises(Overloaded):
        imports.push([PUSH])


def test_what_waits_already_takes_no_more_room(client, followers):
    imports = PushImports(client, followers, most=1)
    assert [imports.push([PUSH]) for _ in range(5)] == [1] * 5


def test_imports_begin_within_the_budget(api, client, followers):
    begun = []

    class Budget(Pace):
        @contextmanager
        def turn(self, account, deadline):
            begun.append(len(posted(api)))
            yield 0.0
            begun.append(len(posted(api)))

    api.expect("GET", f"{BASE}/imagestreams/app", (200, stream(tag())))
    api.expect("POST", f"{BASE}/imagestreamimports", DONE)
    imports = PushImports(client, followers, budget=Budget("", Limits(), Ledger()), queue=Ending())
    imports.push([PUSH])
    imports.work()
    assert begun == [0, 1]
