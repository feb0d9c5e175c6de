from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.importer.retries import announced, pause

SINCE = "2026-03-01T12:00:00Z"
FAILURE = {"type": "ImportSuccess", "status": "False", "lastTransitionTime": "2026-03-01T14:00:00Z", "generation": 4}


def after(minutes):
    return datetime.fromisoformat(SINCE) + timedelta(minutes=minutes)


def tries(minutes, name="u-1:latest", **more):
    """When a tag that keeps failing is tried again, in minutes since its first failure."""
    found, now = [], 0.0
    while (now := now + pause(SINCE, after(now), name, **more) / 60) < minutes:
        found.append(now)
    return found


def test_the_times_are_those_that_are_announced():
    stretch = tries(2)[0]
    assert [round(moment / stretch) for moment in tries(200 * stretch)] == [1, 3, 7, 15, 31, 63, 123, 183]


def test_tags_are_spread_over_a_fifth_of_the_pause():
    firsts = [pause(SINCE, after(0), f"u-{number}:latest") / 60 for number in range(200)]
    assert 1.0 <= min(firsts) < 1.02
    assert 1.18 < max(firsts) <= 1.2


@given(age=st.floats(0, 10_000_000), name=st.text(max_size=5))
def test_there_is_always_a_next_try_within_the_longest_pause_and_never_at_once(age, name):
    assert 30 < pause(SINCE, after(age / 60), name) <= (3600 + 30) * 1.2 + 0.001


def test_the_first_pause_can_be_another():
    assert [round(later / earlier, 1) for earlier, later in pairwise(tries(0.2, first=1.0))][:2] == [3.0, 2.3]


@pytest.mark.parametrize("since", ["", "yesterday", "2027-01-01T00:00:00Z"], ids=["none", "no time", "in the future"])
def test_an_impossible_time_counts_as_now(since):
    assert 60 <= pause(since, after(0), "u-1:latest") <= 72


@pytest.mark.parametrize(
    ("entry", "asked_again", "since"),
    [
        pytest.param({}, False, "2026-03-01T14:00:00Z", id="a first failure"),
        pytest.param(
            {"conditions": [{"type": "ImportRetry", "lastTransitionTime": SINCE}]}, False, SINCE, id="another"
        ),
        pytest.param(
            {"conditions": [{"type": "ImportRetry", "lastTransitionTime": SINCE}]},
            True,
            "2026-03-01T14:00:00Z",
            id="a failure that was asked for again",
        ),
    ],
)
def test_pauses_are_counted_from_the_first_failure_that_nobody_asked_for(entry, asked_again, since):
    condition = announced(FAILURE, entry, asked_again=asked_again)
    assert (condition["type"], condition["status"], condition["generation"]) == ("ImportRetry", "True", 4)
    assert condition["lastTransitionTime"] == since
