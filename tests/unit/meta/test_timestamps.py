"""Times and ages."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.meta import timestamps

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("elapsed", "shown"),
    [
        (timedelta(seconds=-5), "<invalid>"),
        (timedelta(seconds=-1), "0s"),
        (timedelta(0), "0s"),
        (timedelta(seconds=119), "119s"),
        (timedelta(minutes=2), "2m"),
        (timedelta(minutes=9, seconds=59), "9m59s"),
        (timedelta(minutes=10, seconds=30), "10m"),
        (timedelta(minutes=179), "179m"),
        (timedelta(hours=3), "3h"),
        (timedelta(hours=7, minutes=20), "7h20m"),
        (timedelta(hours=47, minutes=59), "47h"),
        (timedelta(days=2), "2d"),
        (timedelta(days=7, hours=5), "7d5h"),
        (timedelta(days=8, hours=5), "8d"),
        (timedelta(days=729), "729d"),
        (timedelta(days=730), "2y"),
        (timedelta(days=800), "2y70d"),
        (timedelta(days=365 * 8 + 3), "8y"),
    ],
)
def test_an_age_has_two_or_three_figures_like_kubectl(elapsed, shown):
    assert timestamps.human_duration(elapsed) == shown


def test_an_age_is_counted_from_a_timestamp():
    assert timestamps.age("2026-03-04T05:00:00Z", NOW) == "6m7s"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-03-04", "2026-03-04T05:00:00"])
def test_an_unreadable_time_has_an_unknown_age(text):
    assert timestamps.age(text, NOW) == "<unknown>"


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 999999, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T01:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05Z"),
    ],
)
def test_times_are_written_in_utc_with_whole_seconds(moment, text):
    assert timestamps.format(moment) == text


@given(st.datetimes(min_value=datetime(1000, 1, 1), max_value=datetime(9000, 1, 1), timezones=st.just(UTC)))
def test_what_is_written_is_read_back(moment):
    assert timestamps.parse(timestamps.format(moment)) == moment.replace(microsecond=0)


def test_the_present_is_a_time_that_can_be_read():
    assert abs(timestamps.parse(timestamps.now()) - datetime.now(UTC)) < timedelta(seconds=5)
