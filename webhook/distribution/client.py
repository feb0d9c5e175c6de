"""One repository of one registry: its manifests, blobs and tags, each checked against what it was asked for by."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from typing import Any
from urllib.parse import urljoin, urlsplit

from webhook.distribution import challenge as challenges
from webhook.distribution import tokens
from webhook.distribution.challenge import Challenge
from webhook.distribution.credentials import Credential
from webhook.distribution.failures import (
    ContentMismatch,
    CredentialsMissing,
    Denied,
    DistributionError,
    ManifestUnknown,
    RepositoryUnknown,
    UnexpectedAnswer,
    Unreachable,
    WrongPassword,
)
from webhook.distribution.transport import Answer, Transport
from webhook.image import digest as digests
from webhook.image import manifest as manifests
from webhook.image.configuration import BadContent

MAX_MANIFEST = 4 * 1024 * 1024
MAX_CONFIG = 8 * 1024 * 1024
_MAX_SMALL = 1024 * 1024
_MAX_TAGS = 20_000
_PING_TIMEOUT = 15.0
_TRIES = 3
_LONGEST_PAUSE = 5.0

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?')
_ERROR_CODE = re.compile(r"[A-Z_]{1,40}")


class RegistryClient:
    """Reads one repository. Threads may share it: they share its connections, its ping and its token.

    `host` is where the registry serves its API (`registry-1.docker.io`), `repository` the path there. `insecure`
    means: certificates are not checked, and plain HTTP is used where HTTPS gets no connection (image-api 5.10).
    """

    def __init__(
        self,
        transport: Transport,
        cache: tokens.TokenCache,
        host: str,
        repository: str,
        *,
        credential: Credential | None = None,
        insecure: bool = False,
    ) -> None:
        self._transport, self._cache = transport, cache
        self._host, self._repository = host, repository
        self._credential, self._insecure = credential, insecure
        self._lock = threading.Lock()
        self._session: _Session | DistributionError | None = None
        self._refusal: DistributionError | None = None

    def manifest(self, reference: str) -> tuple[bytes, str, str]:
        """Bytes, media type and digest of the manifest of a tag or digest; raises DistributionError."""
        accept = {"Accept": ", ".join(manifests.MEDIA_TYPES)}
        answer = self._get(f"manifests/{reference}", accept, MAX_MANIFEST)
        media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        if media_type == "text/html":
            raise UnexpectedAnswer("the registry answered with a web page (text/html) instead of a manifest")
        return answer.body, media_type, _checked(answer, reference)

    def blob(self, digest: str) -> bytes:
        """The bytes of a small blob such as an image configuration; raises DistributionError."""
        body = self._get(f"blobs/{digest}", {}, MAX_CONFIG).body
        if not manifests.check_content(body, digest):
            raise ContentMismatch(f"content integrity error: the blob is not {digest}")
        return body

    def tags(self) -> list[str]:
        """All tags of the repository, in the registry's order; raises DistributionError."""
        found: list[str] = []
        path = "tags/list"
        while path and len(found) < _MAX_TAGS:
            answer = self._get(path, {}, MAX_MANIFEST, listing=True)
            found += _tags_of(answer.body)
            path = self._next_page(answer)
        return found[:_MAX_TAGS]

    def _next_page(self, answer: Answer) -> str:
        following = _NEXT.search(answer.headers.get("Link", ""))
        if not following:
            return ""
        base = f"{self._established().base}/v2/{self._repository}/"
        target = urljoin(answer.url, following[1])
        # Only the query of another page matters; registries behind proxies name hosts that are not theirs.
        query = urlsplit(target).query
        if not query or f"{base}tags/list?{query}" == answer.url:
            raise UnexpectedAnswer("the registry's list of tags does not end")
        return f"tags/list?{query}"

    def _get(self, path: str, headers: dict[str, str], limit: int, *, listing: bool = False) -> Answer:
        session = self._established()
        if listing and session.scheme == "basic" and self._credential is None:
            # A list of tags without a password is InternalError, an image without one Unauthorized (section 12, 3).
            raise CredentialsMissing(f'Get "{session.base}/v2/{self._repository}/tags/list": no basic auth credentials')
        url = f"{session.base}/v2/{self._repository}/{path}"
        fresh = False
        for attempt in range(_TRIES):
            authorization = self._authorization(session, fresh=fresh)
            answer = self._transport.get(url, {**headers, **authorization}, limit=limit, insecure=self._insecure)
            if answer.status == 200:
                return answer
            if answer.status == 401 and session.scheme == "bearer" and not fresh:
                # A kept token may have been revoked; one new token is worth a try.
                fresh = True
            elif answer.status == 429 and not _codes(answer.body) and attempt < _TRIES - 1:
                time.sleep(_pause(answer))
            else:
                break
        raise _failure(answer, self._credential)

    def _established(self) -> _Session:
        """The scheme and challenge of the registry, asked for once; a registry that fails is not asked again."""
        with self._lock:
            if self._session is None:
                try:
                    self._session = self._ping()
                except DistributionError as error:
                    self._session = error
        if isinstance(self._session, DistributionError):
            raise self._session
        return self._session

    def _ping(self) -> _Session:
        try:
            return self._ping_at(f"https://{self._host}")
        except Unreachable:
            if not self._insecure:
                raise
        return self._ping_at(f"http://{self._host}")

    def _ping_at(self, base: str) -> _Session:
        answer = self._transport.get(f"{base}/v2/", limit=_MAX_SMALL, insecure=self._insecure, timeout=_PING_TIMEOUT)
        speaks = "Docker-Distribution-API-Version" in answer.headers or answer.status in (401, 403)
        if not speaks and not 200 <= answer.status < 300:
            status = f"{answer.status} {answer.reason}".strip()
            raise UnexpectedAnswer(f'endpoint "{base}" does not support v2 API (got {status})')
        known = challenges.parse(answer.challenges) if answer.status == 401 else []
        for scheme in ("bearer", "basic"):
            for one in known:
                if one.scheme == scheme:
                    return _Session(base, one)
        return _Session(base, None)

    def _authorization(self, session: _Session, *, fresh: bool) -> dict[str, str]:
        if session.scheme == "basic":
            if self._credential is None:
                raise Denied("the registry asks for a password, and no pull secret has one for it")
            return {"Authorization": _basic(self._credential)}
        if session.challenge is None:
            return {}
        return {"Authorization": f"Bearer {self._token(session.challenge, fresh=fresh)}"}

    def _token(self, challenge: Challenge, *, fresh: bool) -> str:
        key = tokens.key_for(challenge, self._repository, self._credential)
        if fresh:
            self._cache.forget(key)
        # One token serves all threads: the others wait for the first, and share its failure.
        with self._lock:
            if self._refusal is not None:
                raise self._refusal
            kept = self._cache.get(key)
            if kept is None:
                kept = self._new_token(key)
        return kept

    def _new_token(self, key: tokens.TokenKey) -> str:
        try:
            token = self._fetch_token(key)
        except DistributionError as error:
            self._refusal = error
            raise
        self._cache.put(key, token)
        return token.value

    def _fetch_token(self, key: tokens.TokenKey) -> tokens.Token:
        url = tokens.request_url(key)
        if not self._insecure and not url.startswith("https:"):
            raise UnexpectedAnswer("the registry sends to a token service without TLS")
        headers = {"Authorization": _basic(key.credential)} if key.credential else {}
        answer = self._transport.get(url, headers, limit=_MAX_SMALL, insecure=self._insecure, timeout=_PING_TIMEOUT)
        if answer.status == 200:
            return tokens.parse(answer.body)
        if answer.status == 401 and b"incorrect username or password" in answer.body[:4096]:
            raise WrongPassword("incorrect username or password")
        if answer.status in (401, 403) or "UNAUTHORIZED" in _codes(answer.body):
            raise Denied("the token service refuses access")
        raise UnexpectedAnswer(f"the token service answered {answer.status} {answer.reason}".strip())


class _Session:
    """Where a registry answers, and how it wants to be asked."""

    def __init__(self, base: str, challenge: Challenge | None) -> None:
        self.base, self.challenge = base, challenge
        self.scheme = challenge.scheme if challenge else ""


def _checked(answer: Answer, reference: str) -> str:
    """The digest of a manifest; raises ContentMismatch when it is not the one asked for or claimed."""
    claimed = answer.headers.get("Docker-Content-Digest", "")
    expected = reference if digests.is_digest(reference) else claimed
    payload = answer.body
    if expected and digests.is_digest(expected) and not manifests.check_content(payload, expected):
        payload = _payload(answer.body)
        if not manifests.check_content(payload, expected):
            raise ContentMismatch(f"content integrity error: the manifest is not {expected}")
    return reference if digests.is_digest(reference) else manifests.content_digest(payload)


def _payload(body: bytes) -> bytes:
    try:
        return manifests.signed_payload(body)
    except BadContent:
        return body


def _tags_of(body: bytes) -> list[str]:
    try:
        tags = json.loads(body).get("tags") or []
    except (ValueError, AttributeError, RecursionError):
        raise UnexpectedAnswer("the registry did not answer with a list of tags") from None
    if not isinstance(tags, list):
        raise UnexpectedAnswer("the registry did not answer with a list of tags")
    return [tag for tag in tags if isinstance(tag, str) and (not tag or _TAG.fullmatch(tag))]


def _failure(answer: Answer, credential: Credential | None) -> DistributionError:
    errors = _errors(answer.body)
    codes = [code for code, _ in errors]
    status = f"{answer.status} {answer.reason}".strip()
    if "UNAUTHORIZED" in codes or (answer.status == 401 and not errors):
        return Denied("the registry refuses access")
    if "MANIFEST_UNKNOWN" in codes:
        return ManifestUnknown("manifest unknown")
    if "NAME_UNKNOWN" in codes:
        return RepositoryUnknown("name unknown: the registry has no such repository")
    if not errors:
        return UnexpectedAnswer(f"received unexpected HTTP status: {status}")
    texts = [f"{code.lower().replace('_', ' ')}: {_harmless(text, credential)}" for code, text in errors]
    return UnexpectedAnswer("; ".join(text.removesuffix(": ") for text in texts[:3]))


def _errors(body: bytes) -> list[tuple[str, str]]:
    """Code and message of a registry's error list; empty when the body is none."""
    try:
        listed = json.loads(body[:_MAX_SMALL]).get("errors")
    except (ValueError, AttributeError, RecursionError):
        return []
    found = []
    for one in listed if isinstance(listed, list) else ():
        code, message = (one.get("code"), one.get("message")) if isinstance(one, dict) else (None, None)
        if isinstance(code, str) and _ERROR_CODE.fullmatch(code):
            found.append((code, message if isinstance(message, str) else ""))
    return found


def _codes(body: bytes) -> list[str]:
    return [code for code, _ in _errors(body)]


def _harmless(text: str, credential: Credential | None) -> str:
    """A registry's own words, short, printable, and without the password should it send that back."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[:200])
    if credential and credential.password:
        shown = shown.replace(credential.password, "***")
    return shown


def _basic(credential: Credential) -> str:
    pair = f"{credential.username}:{credential.password}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def _pause(answer: Answer) -> float:
    wanted: Any = answer.headers.get("Retry-After", "")
    seconds = float(wanted) if wanted.isascii() and wanted.isdigit() else 2.0
    return min(seconds, _LONGEST_PAUSE)
