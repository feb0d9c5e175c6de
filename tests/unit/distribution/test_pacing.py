import multiprocessing
import random
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.distribution.failures import RateLimited
from webhook.distribution.ledger import Ledger
from webhook.distribution.limits import Limits
from webhook.distribution.pacing import LONGEST_CLOSING, Pace, Pacing, remaining, retry_after

INF = float("inf")


class Time:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now = 1000.0

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def pace(time):
    return paced(time)


def paced(time, *, ledger=None, host="quay.io", **limits):
    limits = Limits(**{"requests_per_second": 10, "concurrency": 2, **limits})
    return Pace(host, limits, ledger or Ledger(), clock=time.clock, sleep=time.sleep, rng=random.Random(0))


def asked(pace, time, count, account=""):
    """The times of so many requests, each as soon as it may."""
    times = []
    for _ in range(count):
        with pace.turn(account, INF):
            times.append(time.now)
    return times


def busiest(times):
    return max(sum(begin <= one < begin + 1 for one in times) for begin in times)


@given(rate=st.sampled_from([0.5, 1, 2, 3, 4, 7, 10, 50, 333]), idle=st.lists(st.floats(0, 3), max_size=20))
def test_in_no_second_more_is_asked_than_the_budget_allows(rate, idle):
    time = Time()
    one, times = paced(time, requests_per_second=rate), []
    for seconds in idle:
        time.now += seconds
        times += asked(one, time, 7)
    assert not times or busiest(times) <= max(1, rate)


def test_a_busy_registry_gets_four_fifths_of_its_budget_and_the_rest_at_once(pace, time):
    times = asked(pace, time, 82)
    assert times[1] == times[0]
    assert times[-1] - times[0] == pytest.approx(10.0)


def test_processes_share_one_budget(tmp_path, time):
    paces = [paced(time, ledger=Ledger(tmp_path / "pace")) for _ in range(3)]
    times = [moment for _ in range(20) for one in paces for moment in asked(one, time, 1)]
    assert busiest(times) <= 10


def _hold(file, held):
    with Ledger(file).entry("quay.io"):
        held.put(True)
        threading.Event().wait()


def test_a_process_that_is_killed_in_the_ledger_does_not_lock_it_for_good(tmp_path, time):
    context = multiprocessing.get_context("spawn")
    held = context.Queue()
    process = context.Process(target=_hold, args=(tmp_path / "pace", held), daemon=True)
    process.start()
    assert held.get(timeout=30)
    process.kill()
    process.join()
    assert asked(paced(time, ledger=Ledger(tmp_path / "pace")), time, 1)


def test_registries_have_budgets_of_their_own(time):
    ledger = Ledger()
    asked(paced(time, ledger=ledger), time, 2)
    assert asked(paced(time, ledger=ledger, host="ghcr.io"), time, 2) == [1000.0, 1000.0]


def test_a_turn_beyond_the_deadline_is_refused_at_once_and_takes_nothing_from_the_budget(pace, time):
    asked(pace, time, 2)
    for _ in range(5):
        with pytest.raises(RateLimited, match="budget"), pace.turn("", time.now + 0.1):
            pass
    assert asked(pace, time, 1) == [1000.125]


def test_only_so_many_requests_are_open_at_once(pace, time):
    with pace.turn("", INF), pace.turn("", INF), pytest.raises(RateLimited, match="open at once"):
        pace._enter("", time.now)
    with pace.turn("", time.now + 1):
        pass


def test_a_place_that_was_refused_is_given_back(pace, time):
    pace.answered("", 429, {"Retry-After": "60"})
    for _ in range(5):
        with pytest.raises(RateLimited), pace.turn("", time.now + 1):
            pass
    time.now += 60
    assert len(asked(pace, time, 5)) == 5


# What registries say.


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        pytest.param(429, {"Retry-After": "7"}, 7, id="too many requests, with a time"),
        pytest.param(503, {"Retry-After": "7"}, 7, id="unavailable, with a time"),
        pytest.param(429, {"Retry-After": "999999"}, LONGEST_CLOSING, id="never longer than an hour"),
        pytest.param(503, {}, 0, id="unavailable, without a time"),
        pytest.param(404, {"Retry-After": "7"}, 0, id="an ordinary answer"),
    ],
)
def test_a_registry_is_left_alone_for_as_long_as_it_asks(pace, time, status, headers, wait):
    pace.answered("", status, headers)
    assert asked(pace, time, 1) == [1000 + wait]


def test_without_a_time_the_pause_doubles_with_each_refusal(pace, time):
    pauses = []
    for _ in range(12):
        before = time.now
        pace.answered("", 429, {})
        pauses.append(asked(pace, time, 1)[0] - before)
    assert all(0.75 * 2**number <= pause <= 2**number for number, pause in enumerate(pauses[:8]))
    assert max(pauses) <= 300


def test_several_refusals_of_one_moment_are_one(pace, time):
    for _ in range(10):
        pace.answered("", 429, {})
    assert asked(pace, time, 1)[0] <= 1001


def test_an_answer_ends_the_row_of_refusals(pace, time):
    for _ in range(5):
        pace.answered("", 429, {})
        asked(pace, time, 1)
    pace.answered("", 200, {})
    before = time.now
    pace.answered("", 429, {})
    assert asked(pace, time, 1)[0] - before <= 1


def test_a_refusal_concerns_the_account_that_asked(pace, time):
    pace.answered("", 429, {"Retry-After": "60"})
    assert asked(pace, time, 1, account="reader") == [1000.0]


def test_a_registry_that_gives_no_answer_rests_for_longer_and_longer(pace, time):
    rests = []
    for _ in range(4):
        pace.failed("")
        before = time.now
        while pace.resting(""):
            time.now += 0.05
        rests.append(time.now - before)
    assert rests == sorted(rests)
    assert rests[3] > 5
    pace.answered("", 200, {})
    assert not pace.resting("")


def test_resting_keeps_nobody_from_asking(pace, time):
    pace.failed("")
    assert asked(pace, time, 1) == [1000.0]


def test_times_of_a_clock_that_was_set_back_count_for_nothing(tmp_path):
    late, early = Time(), Time()
    late.now = 1_000_000.0
    ledger = Ledger(tmp_path / "pace")
    before = paced(late, ledger=ledger)
    asked(before, late, 5)
    before.answered("", 429, {"Retry-After": "60"})
    assert asked(paced(early, ledger=ledger), early, 1) == [1000.0]


def test_one_pace_serves_all_threads():
    pacing = Pacing(lambda host: Limits(concurrency=3 if host == "quay.io" else 5))
    assert pacing.of("quay.io") is pacing.of("quay.io")
    assert [pacing.of(host).limits.concurrency for host in ("quay.io", "ghcr.io")] == [3, 5]


def test_threads_wait_for_a_place():
    pace, entered, leave = Pacing(lambda _: Limits(concurrency=1)).of("quay.io"), threading.Event(), threading.Event()

    def hold():
        with pace.turn("", INF):
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert entered.wait(10)
    threading.Timer(0.05, leave.set).start()
    with pace.turn("", INF):
        assert leave.is_set()
    thread.join()


# Headers.


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("120", 120.0), ("0", 0.0), ("", None), ("soon", None), ("-5", None), ("1" * 400, 111111111.0), ("²", None)],
)
def test_a_time_to_retry_is_a_number_of_seconds(text, wanted):
    assert retry_after({"Retry-After": text}) == wanted


def test_a_time_to_retry_may_be_a_date():
    moment = datetime.now(UTC) + timedelta(seconds=90)
    assert 80 < retry_after({"Retry-After": format_datetime(moment, usegmt=True)}) <= 90
    assert retry_after({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0


@pytest.mark.parametrize(
    ("text", "wanted"), [("76;w=21600", 76.0), ("0", 0.0), ("", None), ("many", None), ("nan", None), ("inf", None)]
)
def test_what_is_left_of_a_rate_limit_is_read(text, wanted):
    assert remaining({"RateLimit-Remaining": text}) == wanted
