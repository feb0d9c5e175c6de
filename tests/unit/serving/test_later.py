"""Work that waits a moment, and is done once for all who asked."""

import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable

from webhook.serving.later import Later


def test_what_was_asked_for_is_done_soon():
    done = threading.Event()
    Later(done.set).ask()
    assert done.wait(10)


def test_it_is_done_again_when_it_is_asked_for_again():
    turns = threading.Semaphore(0)
    later = Later(turns.release)
    for _ in range(2):
        later.ask()
        assert turns.acquire(timeout=10)


def test_many_who_ask_at_once_are_served_together():
    calls, done = [], threading.Event()

    def work():
        calls.append(None)
        done.set()

    later = Later(work)
    for _ in range(1000):
        later.ask()
    assert done.wait(10)
    assert len(calls) < 10


def test_without_a_thread_to_be_had_it_is_done_at_once_and_the_next_who_asks_tries_again(monkeypatch):
    def none_left(_thread):
        raise RuntimeError("can't start new thread")

    turns = threading.Semaphore(0)
    later = Later(turns.release)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none_left)
        later.ask()
        assert turns.acquire(blocking=False)
    later.ask()
    assert turns.acquire(timeout=10)


def test_it_is_done_before_a_fork_and_not_again_in_the_child():
    waiting, written = ["of the parent"], []

    def work():
        written.extend(waiting)
        waiting.clear()

    later = Later(work)
    later.ask()
    assert in_child(lambda: not waiting)
    assert written == ["of the parent"]


def test_a_child_has_a_thread_of_its_own_although_its_parent_was_asked_a_moment_ago():
    done = threading.Event()
    later = Later(done.set)
    later.ask()

    def child():
        done.clear()
        later.ask()
        return done.wait(10)

    assert in_child(child)


def test_it_is_done_at_the_end_of_the_process_for_all_that_are_still_there():
    program = """
from webhook.serving.later import Later

for name in ("one", "other"):
    Later(lambda name=name: print(name)).ask()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert set(ended.stdout.split()) == {"one", "other"}


def test_what_nobody_uses_any_more_is_forgotten():
    class Owner:
        def __init__(self):
            self.later = Later(self.work)

        def work(self):
            """Nothing."""

    gone = weakref.ref(Owner())
    gc.collect()
    assert gone() is None


def in_child(true: Callable[[], bool]) -> bool:
    """Whether it is true in a child of this process."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if true() else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
