"""When a registry may be asked: its budget, its own wish to be left alone, and the rest it gets after failures."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

from cachetools import LRUCache

from webhook.distribution.failures import RateLimited
from webhook.distribution.ledger import Ledger
from webhook.distribution.limits import DEFAULT, Limits

#: Longer than this no registry is left alone, whatever it asks for, nor after a restart of the machine's clock.
LONGEST_CLOSING: Final = 3600.0
#: Longer than this the schedule does not leave a registry alone that gives no answer.
LONGEST_REST: Final = 300.0
_FIRST_REST: Final = 1.0
_KNOWN: Final = 4096

_CLOSED: Final = "toomanyrequests: the registry asks to be left alone for longer than this import may take"
_SPENT: Final = "the budget of requests to the registry is used up for longer than this import may take"
_BUSY: Final = "as many requests to the registry as may be open at once did not end in time"

LimitsOf = Callable[[str], Limits]


def _default_limits(_host: str) -> Limits:
    return DEFAULT


class Pace:
    """The turns of one registry host. Threads share it; processes share its times through the ledger.

    The budget is a generic cell rate algorithm: it holds in any second, and needs one time to remember. What a
    registry says about too many requests holds for the account that asked.
    """

    def __init__(
        self,
        host: str,
        limits: Limits,
        ledger: Ledger,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self.host, self.limits = host, limits
        self._ledger, self._clock, self._sleep = ledger, clock, sleep
        self._rng = rng or random.Random()
        self._places = threading.BoundedSemaphore(limits.concurrency)

    @contextmanager
    def turn(self, account: str, deadline: float) -> Iterator[float]:
        """Wait for the turn of one request, and hold one of the concurrent places during it.

        Gives the seconds that were waited. Raises RateLimited at once where the turn would come after `deadline`.
        """
        begun = self._clock()
        self._enter(account, deadline)
        try:
            yield self._clock() - begun
        finally:
            self._places.release()

    def answered(self, account: str, status: int, headers: Mapping[str, str]) -> None:
        """Take note of an answer: 429, and 503 with a time, close the registry to this account for a while."""
        asked = retry_after(headers) if status in (429, 503) else None
        closes = status == 429 or asked is not None
        if not closes and not self._ledger.read(self._name(account)).failures:
            return
        now = self._clock()
        with self._ledger.entry(self._name(account)) as times:
            if closes:
                # Several at once are one refusal.
                times.failures += times.closed <= now
                wait = self._rest(times.failures) if asked is None else min(asked, LONGEST_CLOSING)
                times.closed = max(times.closed, now + wait)
            else:
                times.failures = times.resting = 0.0

    def failed(self, account: str) -> None:
        """Take note that there was no answer: the schedule leaves the registry alone for longer and longer."""
        now = self._clock()
        with self._ledger.entry(self._name(account)) as times:
            times.failures += times.resting <= now
            times.resting = now + self._rest(times.failures)

    def opens(self, account: str) -> float:
        """When the registry may be asked again by this account; a time in the past where it may now."""
        return self._closed(account)

    def resting(self, account: str) -> bool:
        """Is the registry left alone by schedule, since it did not answer lately?"""
        return self._clock() < self._sane(self._ledger.read(self._name(account)).resting)

    def _enter(self, account: str, deadline: float) -> None:
        while True:
            self._sleep_until(self._closed(account), deadline, _CLOSED)
            # A place first, then the budget: requests that are held up by slow ones must not pile up and go at once.
            if not self._places.acquire(timeout=min(max(0.0, deadline - self._clock()), threading.TIMEOUT_MAX)):
                raise RateLimited(_BUSY)
            try:
                self._sleep_until(self._reserve(deadline), deadline, _SPENT)
                if self._closed(account) <= self._clock():
                    return
            except BaseException:
                self._places.release()
                raise
            self._places.release()

    def _sleep_until(self, moment: float, deadline: float, reason: str) -> None:
        if moment > deadline:
            raise RateLimited(reason)
        if (wait := moment - self._clock()) > 0:
            self._sleep(wait)

    def _reserve(self, deadline: float) -> float:
        """When the budget has its next free place, which is taken unless that is too late."""
        pause, burst = self.limits.pause, self.limits.burst
        with self._ledger.entry(self.host) as times:
            now = self._clock()
            free = self._sane(times.free)
            start = max(now, free - (burst - 1) * pause)
            if start <= deadline:
                times.free = max(start, free) + pause
        return start

    def _closed(self, account: str) -> float:
        return self._sane(self._ledger.read(self._name(account)).closed)

    def _sane(self, moment: float) -> float:
        """A time of the ledger; one too far ahead is of a clock that has been set back."""
        return moment if moment <= self._clock() + LONGEST_CLOSING + 1 else 0.0

    def _rest(self, failures: float) -> float:
        longest = min(LONGEST_REST, _FIRST_REST * math.pow(2, min(failures - 1, 30)))
        return longest * self._rng.uniform(0.75, 1.0)

    def _name(self, account: str) -> str:
        return f"{self.host} {account}"


class Pacing:
    """The paces of all registries, for all threads of a process and, with `file`, all processes of a server."""

    def __init__(self, limits: LimitsOf = _default_limits, file: Path | None = None) -> None:
        self._limits, self._ledger = limits, Ledger(file)
        self._paces: LRUCache[str, Pace] = LRUCache(_KNOWN)
        self._lock = threading.Lock()

    def of(self, host: str) -> Pace:
        """The pace of one registry."""
        with self._lock:
            pace = self._paces.get(host)
            limits = self._limits(host)
            # What was reserved under other limits stays reserved: the ledger has it.
            if pace is None or pace.limits != limits:
                pace = self._paces[host] = Pace(host, limits, self._ledger)
            return pace


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of `Retry-After`, a number or a date (RFC 9110, section 10.2.3); None without a usable one."""
    text = str(headers.get("Retry-After", "")).strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (aware - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None


def remaining(headers: Mapping[str, str]) -> float | None:
    """What `RateLimit-Remaining: 76;w=21600` leaves; None where the registry does not say."""
    text = headers.get("RateLimit-Remaining", "").partition(";")[0].strip()
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None
