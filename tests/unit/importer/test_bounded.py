import threading
import time

from webhook.importer import bounded


def soon(seconds=10.0):
    return time.monotonic() + seconds


def test_results_come_in_the_order_of_the_tasks():
    assert bounded.run([lambda n=n: n * n for n in range(50)], workers=8, deadline=soon()) == [n * n for n in range(50)]


def test_a_task_that_does_not_end_is_not_waited_for():
    let_go = threading.Event()
    try:
        found = bounded.run([lambda: let_go.wait(30), lambda: True], workers=2, deadline=soon(0.2))
    finally:
        let_go.set()
    assert found == [None, True]


def test_tasks_run_at_the_same_time():
    meeting = threading.Barrier(4)
    assert bounded.run([lambda: meeting.wait(5) >= 0] * 4, workers=4, deadline=soon()) == [True] * 4


def test_nothing_is_started_after_the_deadline():
    started = []
    assert bounded.run([lambda: started.append(1)], workers=1, deadline=soon(-1)) == [None]
    assert started == []


def test_no_tasks_need_no_threads():
    assert bounded.run([], workers=8, deadline=soon()) == []
