import random
from datetime import datetime, timedelta

import pytest

from tests.unit.controllers.streams import SINCE, seen, stream, tag
from webhook.controllers.agenda import INTERVAL_ANNOTATION, Agenda, Turn, due


@pytest.fixture
def agenda():
    def make(**more):
        now = lambda: datetime.fromisoformat(SINCE) + timedelta(seconds=more.pop("age", 0))  # noqa: E731
        return Agenda(interval=900, clock=lambda: 5000.0, rng=random.Random(0), now=now, **more)

    return make


def follow(interval=None, **more):
    annotations = {INTERVAL_ANNOTATION: interval} if interval else {}
    return tag(scheduled=True, annotations=annotations, **more)


@pytest.mark.parametrize(
    ("one", "seconds"),
    [
        pytest.param(follow(), 900, id="the interval of all tags"),
        pytest.param(follow("5m"), 300, id="its own"),
        pytest.param(follow("2h"), 7200, id="its own, longer"),
        pytest.param(follow("1s"), 60, id="not below what its registry allows"),
        pytest.param(follow("often"), 900, id="one that cannot be read counts for nothing"),
    ],
)
def test_a_tag_has_an_interval(agenda, one, seconds):
    assert agenda(floor=lambda host: {"quay.io": 60.0}[host]).interval_of(one) == seconds


def test_as_openshift_does_it_all_tags_have_the_same_interval(agenda):
    assert agenda(retrying=False).interval_of(follow("5m")) == 900


def test_the_first_turns_of_many_tags_are_spread_over_the_interval(agenda):
    one = agenda()
    times = [turn.at - 5000 for _ in range(200) for turn in one.turns(stream(follow()), {}).values()]
    assert 180 <= min(times) < 200
    assert 880 < max(times) <= 900


def test_after_a_look_the_next_is_an_interval_and_a_little_away(agenda):
    one = agenda()
    known = one.turns(stream(follow()), {})
    [turn] = one.turns(stream(follow()), known, {"latest"}).values()
    assert 900 <= turn.at - 5000 <= 945


def test_a_turn_stays_while_nothing_about_it_changes(agenda):
    one = agenda()
    known = one.turns(stream(follow()), {})
    assert one.turns(stream(follow(), version="8", labels="new"), known) == known


@pytest.mark.parametrize(
    "changed", [follow("5m"), follow(source="quay.io/acme/app:v2")], ids=["another interval", "another source"]
)
def test_a_turn_is_made_anew_where_its_tag_changed(agenda, changed):
    one = agenda()
    known = {("latest", "schedule"): Turn(9999.0, ("schedule", (900, "quay.io/acme/app:v1")))}
    assert one.turns(stream(changed), known) != known


def test_a_failed_tag_has_a_turn_of_its_own_beside_the_schedule(agenda):
    one = stream(follow(), status=[seen(failed=1, retried=SINCE)])
    turns = agenda().turns(one, {})
    assert turns.keys() == {("latest", "schedule"), ("latest", "retry")}
    assert 60 <= turns["latest", "retry"].at - 5000 <= 72


def test_as_openshift_does_it_failed_tags_are_not_tried_again(agenda):
    one = stream(tag(), status=[seen(failed=1, retried=SINCE)])
    assert agenda(retrying=False).turns(one, {}) == {}


def test_a_tag_that_is_followed_no_longer_has_no_turn(agenda):
    known = {("latest", "schedule"): Turn(9999.0, ("schedule", (900, "quay.io/acme/app:v1")))}
    assert agenda().turns(stream(tag()), known) == {}


def test_tags_are_due_when_one_of_their_turns_has_come():
    turns = {
        ("a", "schedule"): Turn(10, ("schedule", 1)),
        ("a", "retry"): Turn(5, ("retry", 1)),
        ("b", "retry"): Turn(6, ("retry", 1)),
    }
    assert due(turns, 5) == {"a"}
    assert due(turns, 4) == set()
