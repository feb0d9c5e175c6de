"""Bearer tokens of registries: how one is asked for, what the answer means, and how long it is kept."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit, urlunsplit

from cachetools import TLRUCache

from webhook.distribution.challenge import Challenge
from webhook.distribution.credentials import Credential
from webhook.distribution.failures import UnexpectedAnswer

_DEFAULT_LIFETIME = 60
_LONGEST = 3600
# What servers take in a header, and more than the tokens of large clouds have.
_LONGEST_VALUE = 32 * 1024
# A token is not used in its last seconds: it would expire on the way.
_MARGIN = 10


class TokenKey(NamedTuple):
    """What a token is good for; whose it is belongs to it, or one namespace would use another's."""

    realm: str
    service: str
    scope: str
    credential: Credential | None


@dataclass(frozen=True)
class Token:
    """A bearer token and the seconds that it may be used for; the value is not shown when printed."""

    value: str = field(repr=False)
    lifetime: float


class TokenCache:
    """Tokens until they expire; safe to share between threads."""

    def __init__(self, maxsize: int = 1024, timer: Callable[[], float] = time.monotonic) -> None:
        self._tokens: TLRUCache[TokenKey, Token] = TLRUCache(
            maxsize, lambda _key, token, now: now + token.lifetime, timer
        )
        self._lock = threading.Lock()

    def get(self, key: TokenKey) -> str | None:
        """The token kept for this key."""
        with self._lock:
            token = self._tokens.get(key)
        return token.value if token else None

    def put(self, key: TokenKey, token: Token) -> None:
        """Keep a token; one that is as good as expired is not kept."""
        if token.lifetime > 0:
            with self._lock:
                self._tokens[key] = token

    def forget(self, key: TokenKey) -> None:
        """Drop a token that the registry no longer takes."""
        with self._lock:
            self._tokens.pop(key, None)


def key_for(challenge: Challenge, repository: str, credential: Credential | None) -> TokenKey:
    """What to ask for when a registry answers with this challenge; raises UnexpectedAnswer without a usable realm."""
    realm = challenge.parameters.get("realm", "")
    try:
        parts = urlsplit(realm)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise UnexpectedAnswer("the registry names no usable token service")
    scope = f"repository:{repository}:pull"
    return TokenKey(realm, challenge.parameters.get("service", ""), scope, credential)


def request_url(key: TokenKey) -> str:
    """The address that gives the token."""
    query = [("service", key.service)] if key.service else []
    query.append(("scope", key.scope))
    if key.credential and key.credential.username:
        query.append(("account", key.credential.username))
    parts = urlsplit(key.realm)
    joined = "&".join(part for part in (parts.query, urlencode(query)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, joined, ""))


def parse(body: bytes) -> Token:
    """The token in a token service's answer; raises UnexpectedAnswer when there is none."""
    try:
        document = json.loads(body)
        value = document.get("token") or document.get("access_token")
        lifetime = float(document.get("expires_in") or _DEFAULT_LIFETIME)
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        raise UnexpectedAnswer("the token service did not answer with a token") from None
    if not isinstance(value, str) or not _can_be_sent(value):
        raise UnexpectedAnswer("the token service did not answer with a token")
    return Token(value, min(max(lifetime, _DEFAULT_LIFETIME), _LONGEST) - _MARGIN)


def _can_be_sent(value: str) -> bool:
    return 0 < len(value) <= _LONGEST_VALUE and value.isprintable() and value.isascii()
