"""A bound on what is under way for each registry, so that a slow one does not hold up the others."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Lanes(Generic[K]):
    """Lanes by name, `width` keys in each; those that find no room wait in their order."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._lock = threading.Lock()
        self._inside: dict[K, str] = {}
        self._count: dict[str, int] = {}
        self._waits: dict[K, str] = {}
        # May hold keys that have gone elsewhere since: `_waits` knows.
        self._order: dict[str, deque[K]] = {}

    def enter(self, key: K, lane: str) -> bool:
        """Let `key` in, or have it wait until `leave` hands it a place, with which it enters at once."""
        with self._lock:
            if key in self._inside:
                return True
            if self._count.get(lane, 0) < self._width:
                self._count[lane] = self._count.get(lane, 0) + 1
                self._inside[key] = lane
                self._waits.pop(key, None)
                return True
            if self._waits.get(key) != lane:
                self._waits[key] = lane
                self._order.setdefault(lane, deque()).append(key)
            return False

    def leave(self, key: K) -> K | None:
        """Give up the place of `key`, if it has one; the key that got it comes back, to be worked on next."""
        with self._lock:
            lane = self._inside.pop(key, None)
            if lane is None:
                return None
            heir = self._next(lane)
            if heir is not None:
                self._inside[heir] = lane
                return heir
            self._count[lane] -= 1
            if not self._count[lane]:
                del self._count[lane]
            return None

    def _next(self, lane: str) -> K | None:
        order = self._order.get(lane)
        while order:
            key = order.popleft()
            if self._waits.get(key) == lane:
                del self._waits[key]
                return key
        self._order.pop(lane, None)
        return None
