"""Which workers of this server are ready: one byte each in memory that master and workers share.

A connection may reach any worker, so the server is ready only when all of them are.
"""

from __future__ import annotations

import mmap
from typing import Final

_FREE: Final = 0
_STARTING: Final = 1
_READY: Final = 2
_AWAITED: Final = 3
_SLOTS: Final = 256


class Roll:
    """The roll call of at most 256 workers; made before the fork, written by one process per slot."""

    def __init__(self, expected: int = 1) -> None:
        self._states = mmap.mmap(-1, _SLOTS)
        self._states[:expected] = bytes([_AWAITED]) * expected

    def enter(self) -> int:
        """A slot for a worker that starts now (called in the master)."""
        slot = next((one for one in range(_SLOTS) if self._states[one] in (_FREE, _AWAITED)), _SLOTS - 1)
        self._states[slot] = _STARTING
        return slot

    def ready(self, slot: int) -> None:
        """The worker can answer."""
        self._states[slot] = _READY

    def leave(self, slot: int) -> None:
        """The worker is gone."""
        self._states[slot] = _FREE

    def complete(self) -> bool:
        """At least one worker, and every one of them ready, those included that are still to be started."""
        states = set(self._states[:])
        return _READY in states and not states & {_STARTING, _AWAITED}
