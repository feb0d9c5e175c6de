import threading

import pytest

from webhook.controllers.workqueue import WorkQueue


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def queue(clock):
    """A queue whose `ready` never waits: all that is due, in order, none of it done."""
    one = WorkQueue(first=1.0, longest=60.0, jitter=0.0, clock=clock)

    def ready():
        found = []
        while (key := one._due()[0]) is not None:
            found.append(key)
        return found

    one.ready = ready
    return one


def test_keys_come_in_the_order_of_their_times(queue, clock):
    queue.add("later", 5)
    queue.add("now")
    assert queue.ready() == ["now"]
    clock.now = 5
    assert queue.ready() == ["later"]


def test_a_key_waits_once_and_for_its_earliest_time(queue, clock):
    queue.add("a", 5)
    queue.add("a", 1)
    queue.add("a", 9)
    clock.now = 10
    assert queue.ready() == ["a"]


def test_a_key_that_is_worked_on_comes_again_only_when_that_is_done(queue):
    queue.add("a")
    assert queue.ready() == ["a"]
    queue.add("a")
    assert queue.ready() == []
    queue.done("a")
    assert queue.ready() == ["a"]


def test_a_key_that_is_done_and_not_added_again_does_not_come_back(queue):
    queue.add("a")
    queue.ready()
    queue.done("a")
    assert queue.ready() == []


def test_pauses_between_retries_double_up_to_the_longest(queue):
    assert [queue.retry("a") for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_after_forgetting_the_first_pause_is_short_again(queue):
    queue.retry("a")
    queue.forget("a")
    assert queue.retry("a") == 1


def test_a_worker_that_waits_gets_what_is_added():
    queue = WorkQueue()
    found = []
    worker = threading.Thread(target=lambda: found.append(queue.take()))
    worker.start()
    queue.add("a")
    worker.join(5)
    assert found == ["a"]


def test_all_workers_get_something_when_several_keys_are_due_together():
    queue = WorkQueue()
    meeting = threading.Barrier(3)

    def work():
        queue.take()
        meeting.wait(5)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for key in "abc":
        queue.add(key, 0.05)
    for worker in workers:
        worker.join(5)
    assert not meeting.broken


def test_closing_lets_all_who_wait_go():
    queue = WorkQueue()
    found = []
    workers = [threading.Thread(target=lambda: found.append(queue.take())) for _ in range(3)]
    for worker in workers:
        worker.start()
    queue.close()
    for worker in workers:
        worker.join(5)
    assert found == [None] * 3
