"""How each registry wants to be asked: found out with one ping, and kept for a while (image-api 5.10)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from cachetools import TTLCache

from webhook.distribution import challenge as challenges
from webhook.distribution.challenge import Challenge
from webhook.distribution.failures import DistributionError, RateLimited, UnexpectedAnswer, Unreachable
from webhook.distribution.transport import Answer

_KEPT_SECONDS: Final = 300.0
_KNOWN: Final = 1024


@dataclass(frozen=True)
class Session:
    """Where a registry answers, and how it wants to be asked; `lasting` if it will want that tomorrow too."""

    base: str
    challenge: Challenge | None
    lasting: bool = True

    @property
    def scheme(self) -> str:
        """`bearer`, `basic`, or nothing."""
        return self.challenge.scheme if self.challenge else ""


class SessionKey(NamedTuple):
    """An insecure session may be over plain HTTP, and a secure one must not become one."""

    host: str
    insecure: bool


class SessionCache:
    """Sessions of all imports of a process; only good news is kept."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._sessions: TTLCache[SessionKey, Session] = TTLCache(_KNOWN, _KEPT_SECONDS, timer)
        self._lock = threading.Lock()

    def get(self, key: SessionKey) -> Session | None:
        """The session kept for this key."""
        with self._lock:
            return self._sessions.get(key)

    def put(self, key: SessionKey, session: Session) -> None:
        """Keep a session."""
        with self._lock:
            self._sessions[key] = session

    def forget(self, key: SessionKey) -> None:
        """Drop a session that the registry no longer understands."""
        with self._lock:
            self._sessions.pop(key, None)


class Sessions:
    """The sessions of one import: each registry is pinged once at most, and one that fails is not asked again."""

    def __init__(self, kept: SessionCache | None = None) -> None:
        self._kept = kept or SessionCache()
        self._found: dict[SessionKey, Session | DistributionError] = {}
        self._reused: set[SessionKey] = set()
        self._locks: dict[SessionKey, threading.Lock] = {}
        self._lock = threading.Lock()

    def established(self, key: SessionKey, get: Callable[[str], Answer]) -> Session:
        """The session of a registry; `get` fetches an address. Raises DistributionError."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            found = self._found.get(key)
            if found is None and (found := self._kept.get(key)) is not None:
                self._reused.add(key)
            if found is None:
                found = self._pinged(key, get)
            self._found[key] = found
        if isinstance(found, DistributionError):
            raise found
        return found

    def renew(self, key: SessionKey) -> bool:
        """Is it worth asking again? Once for a session of an earlier import, which is then forgotten."""
        with self._lock:
            if key not in self._reused:
                return False
            self._reused.discard(key)
            self._kept.forget(key)
            self._found.pop(key, None)
            return True

    def _pinged(self, key: SessionKey, get: Callable[[str], Answer]) -> Session | DistributionError:
        try:
            session = _ping(key, get)
        except DistributionError as error:
            return error
        if session.lasting:
            self._kept.put(key, session)
        return session


def _ping(key: SessionKey, get: Callable[[str], Answer]) -> Session:
    try:
        return _session(f"https://{key.host}", get)
    except Unreachable:
        if not key.insecure:
            raise
    return _session(f"http://{key.host}", get)


def _session(base: str, get: Callable[[str], Answer]) -> Session:
    answer = get(f"{base}/v2/")
    if answer.status == 429:
        raise RateLimited(f'endpoint "{base}" has had too many requests')
    speaks = "Docker-Distribution-API-Version" in answer.headers or answer.status in (401, 403)
    if not speaks and not 200 <= answer.status < 300:
        status = f"{answer.status} {answer.reason}".strip()
        raise UnexpectedAnswer(f'endpoint "{base}" does not support v2 API (got {status})')
    known = challenges.parse(answer.challenges) if answer.status == 401 else []
    for scheme in ("bearer", "basic"):
        for one in known:
            if one.scheme == scheme:
                return Session(base, one)
    return Session(base, None, lasting=answer.status < 500)
