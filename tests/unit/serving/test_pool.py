"""Threads that come and go with the work."""

import threading
from concurrent.futures import wait

import pytest

from webhook.serving.pool import Pool

pytestmark = pytest.mark.timeout(30)
BRIEF = 0.01


def threads():
    return {one for one in threading.enumerate() if one.name == "pool"}


@pytest.fixture
def pool():
    before = threads()
    pool = Pool(4, BRIEF)
    yield pool
    pool.shutdown()
    for one in threads() - before:
        one.join(10)


def test_a_call_answers_through_its_future(pool):
    assert pool.submit(pow, 2, 10).result(10) == 1024


def test_a_call_that_fails_fails_through_its_future_and_the_thread_goes_on(pool):
    with pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 1, 0).result(10)
    assert pool.submit(divmod, 7, 2).result(10) == (3, 1)


def test_all_calls_up_to_the_bound_run_at_the_same_time_and_the_next_ones_after_them(pool):
    together = threading.Barrier(5)
    four = [pool.submit(together.wait, 10) for _ in range(4)]
    fifth = pool.submit(lambda: "fifth")
    assert not fifth.running()
    together.wait(10)
    assert len(wait(four, 10).done) == 4
    assert fifth.result(10) == "fifth"


def test_threads_that_have_nothing_to_do_end_all_of_them():
    before = threads()
    pool = Pool(4, BRIEF)
    together = threading.Barrier(4)
    wait([pool.submit(together.wait, 10) for _ in range(4)], 10)
    for one in threads() - before:
        one.join(10)
    assert threads() - before == set()
    assert pool.submit(lambda: "again").result(10) == "again"


def test_work_for_one_keeps_one_thread_and_lets_the_others_end():
    before = threads()
    pool = Pool(4, 0.2)
    together = threading.Barrier(4)
    wait([pool.submit(together.wait, 10) for _ in range(4)], 10)
    while len(threads() - before) > 1:
        pool.submit(threading.get_ident).result(10)
    assert len({pool.submit(threading.get_ident).result(10)} | {one.ident for one in threads() - before}) == 1
    pool.shutdown()


def test_nothing_is_lost_while_threads_come_and_go():
    pool = Pool(8, 0.0005)
    futures = []
    for number in range(2000):
        futures.append(pool.submit(lambda number=number: number))
        if number % 50 == 0:
            futures[-1].result(10)
    assert [one.result(10) for one in futures] == list(range(2000))
    pool.shutdown()


def test_a_closed_pool_takes_no_more_and_finishes_what_it_has(pool):
    go = threading.Event()
    running = [pool.submit(go.wait, 10) for _ in range(4)]
    waiting = pool.submit(lambda: "done")
    pool.shutdown()
    go.set()
    assert waiting.result(10) == "done"
    assert all(one.result(10) for one in running)
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(print)


def test_what_has_not_begun_can_be_cancelled_with_the_pool(pool):
    go = threading.Event()
    running = [pool.submit(go.wait, 10) for _ in range(4)]
    waiting = pool.submit(print)
    pool.shutdown(cancel_futures=True)
    go.set()
    wait(running, 10)
    assert waiting.cancelled()
