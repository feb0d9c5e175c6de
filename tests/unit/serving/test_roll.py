"""The roll call of workers."""

from __future__ import annotations

import os

from webhook.serving.roll import Roll


def test_nobody_is_not_everybody():
    assert not Roll().complete()


def test_all_must_be_ready():
    roll = Roll(expected=2)
    roll.ready(roll.enter())
    assert not roll.complete()
    second = roll.enter()
    assert not roll.complete()
    roll.ready(second)
    assert roll.complete()


def test_a_worker_that_is_started_again_is_waited_for():
    roll = Roll()
    roll.ready(roll.enter())
    roll.leave(0)
    assert not roll.complete()
    assert roll.enter() == 0


def test_what_a_worker_says_is_heard_in_every_process():
    roll = Roll()
    slot = roll.enter()
    child = os.fork()
    if child == 0:
        roll.ready(slot)
        os._exit(0)
    os.waitpid(child, 0)
    assert roll.complete()
