"""What can wait a moment, so that no request does it: done once for all who asked, by a thread of its own."""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Final

SECONDS: Final = 0.1


class Later:
    """Calls `work` a tenth of a second after it was first asked to; `work` may be called at any time, and never raises.

    Before a fork and at the end of the process it is called at once: what waits belongs to this process, and each of
    its children would see to it too.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._begin()
        _all.add(self)

    def ask(self) -> None:
        """Have it done soon; what it is to see to must be there already."""
        if not self._asked.is_set():
            self._asked.set()
            if not self._started:
                self._start()

    def _begin(self) -> None:
        self._asked = threading.Event()
        self._starting = threading.Lock()
        self._started = False

    def _start(self) -> None:
        with self._starting:
            if self._started:
                return
            try:
                threading.Thread(target=self._run, name="later", daemon=True).start()
                self._started = True
            except RuntimeError:
                # The process has all threads that it may have: the next who asks tries again.
                self._asked.clear()
        if not self._started:
            self._work()

    def _run(self) -> None:
        asked = self._asked
        while asked.wait():
            time.sleep(SECONDS)
            asked.clear()
            self._work()


_all: weakref.WeakSet[Later] = weakref.WeakSet()


def _now() -> None:
    for later in list(_all):
        later._work()


def _in_child() -> None:
    # The parent's thread does not live here, and what it was asked for has been done there.
    for later in list(_all):
        later._begin()


os.register_at_fork(before=_now, after_in_child=_in_child)
atexit.register(_now)
