"""What one process of a server does now and then for all of them: compaction, and certificates before they expire."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from webhook.serving.companion import Stopping
from webhook.storage.lock import InUse, take
from webhook.storage.store import StoreUnavailable

_log = logging.getLogger(__name__)

_TICK: Final = 0.5
_ELECTION: Final = 10.0
"""Seconds after which a process without the lock asks for it again."""


class Chores:
    """Work in one process at a time, the one that holds `lock`; every process may run this."""

    def __init__(self, lock: Path, interval: float, work: Callable[[], object]) -> None:
        self._lock = lock
        self._interval = interval
        self._work = work

    def start(self, stopping: Stopping) -> None:
        """Run in a thread of its own, until `stopping`."""
        threading.Thread(target=self.run, args=(stopping,), name="chores", daemon=True).start()

    def run(self, stopping: Stopping) -> None:
        """Wait to be elected, then work every `interval` seconds; a failure is logged and tried again."""
        while not stopping():
            try:
                held = take(self._lock)
            except StoreUnavailable as error:
                if not isinstance(error, InUse):
                    _log.error("A chore waits: %s.", error)
                pause(_ELECTION, stopping)
                continue
            with held:
                while not stopping():
                    pause(self._interval, stopping)
                    if not stopping():
                        self._attempt()

    def _attempt(self) -> None:
        try:
            self._work()
        except Exception:
            _log.exception("A chore failed and is tried again in %g s.", self._interval)


def pause(seconds: float, stopping: Stopping) -> None:
    """Sleep, but not longer than the server lives."""
    until = time.monotonic() + seconds
    while not stopping() and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _TICK))
