"""Which keys are to be worked on and when: each once at a time, failures again after a growing pause."""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class WorkQueue(Generic[K]):
    """A queue of keys for several workers.

    A key that is added while it waits keeps the earlier of the two times. One that is added while it is worked on is
    handed out again after `done`. `retry` doubles the pause with each failure, from `first` to `longest` seconds, less
    a random part of up to `jitter`.
    """

    def __init__(
        self,
        *,
        first: float = 0.1,
        longest: float = 1000.0,
        jitter: float = 0.1,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self._first, self._longest, self._clock = first, longest, clock
        self._jitter, self._rng = jitter, rng or random.Random()
        self._condition = threading.Condition()
        self._heap: list[tuple[float, int, K]] = []
        self._count = itertools.count()
        self._when: dict[K, float] = {}
        self._busy: set[K] = set()
        self._failures: dict[K, int] = {}
        self._closed = False

    def add(self, key: K, delay: float = 0.0) -> None:
        """Hand out `key` in `delay` seconds, or sooner if it waits for an earlier time already."""
        with self._condition:
            when = self._clock() + delay
            if when >= self._when.get(key, float("inf")):
                return
            self._when[key] = when
            heapq.heappush(self._heap, (when, next(self._count), key))
            self._condition.notify()

    def retry(self, key: K) -> float:
        """Hand out `key` after its next pause; answers the seconds."""
        with self._condition:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
        pause = min(self._longest, self._first * 2.0 ** min(failures, 60)) * (1 - self._jitter * self._rng.random())
        self.add(key, pause)
        return pause

    def forget(self, key: K) -> None:
        """The next failure of `key` is its first again."""
        with self._condition:
            self._failures.pop(key, None)

    def take(self) -> K | None:
        """Wait for a key that is due and is not worked on; None once the queue is closed. Call `done` after it."""
        with self._condition:
            while not self._closed:
                key, pause = self._due()
                if key is not None:
                    # Somebody else is to wait for the next one now.
                    self._condition.notify()
                    return key
                self._condition.wait(pause)
            return None

    def done(self, key: K) -> None:
        """The work on `key` has ended."""
        with self._condition:
            self._busy.discard(key)
            if key in self._when:
                # Its turn may have come while it was worked on, and was then passed over.
                heapq.heappush(self._heap, (self._when[key], next(self._count), key))
            self._condition.notify()

    def close(self) -> None:
        """Let all who wait go."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def _due(self) -> tuple[K | None, float | None]:
        """The key whose turn it is, else the seconds until the next one (None: there is none)."""
        while self._heap:
            when, _, key = self._heap[0]
            if when > self._clock():
                return None, when - self._clock()
            heapq.heappop(self._heap)
            if self._when.get(key) == when and key not in self._busy:
                del self._when[key]
                self._busy.add(key)
                return key, None
        return None, None
