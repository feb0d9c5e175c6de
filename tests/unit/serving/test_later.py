"""Work that waits a moment, and is done once for all who asked."""

import os
import threading

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


def test_it_is_done_before_a_fork_and_asked_for_anew_in_the_child():
    waiting, written, reader, writer = [], [], *os.pipe()

    def work():
        written.extend(waiting)
        waiting.clear()

    later = Later(work)
    waiting.append("of the parent")
    later.ask()
    child = os.fork()
    if child == 0:
        os.write(writer, b"empty" if not waiting else b"twice")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 5) == b"empty"
    assert written == ["of the parent"]
