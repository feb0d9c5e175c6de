"""One repository of one registry: its manifests, blobs and tags, each checked against what it was asked for by."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from webhook.distribution import answers, tokens
from webhook.distribution.challenge import Challenge
from webhook.distribution.credentials import Credential
from webhook.distribution.failures import (
    ContentMismatch,
    CredentialsMissing,
    Denied,
    DistributionError,
    ManifestUnknown,
    RateLimited,
    UnexpectedAnswer,
    Unreachable,
    WrongPassword,
)
from webhook.distribution.pacing import Pace, Pacing, remaining, retry_after
from webhook.distribution.sessions import Session, SessionKey, Sessions
from webhook.distribution.transport import Answer, Transport
from webhook.image import manifest as manifests

MAX_MANIFEST = 4 * 1024 * 1024
MAX_CONFIG = 4 * 1024 * 1024
_MAX_SMALL = 1024 * 1024
_MAX_LIST = 16 * 1024 * 1024
_PING_TIMEOUT = 15.0
_TRIES: Final = 3
#: A registry that says how long to wait is believed more often; the time of the import ends it at the latest.
_PATIENT_TRIES: Final = 20
_ACCEPT: Final = {"Accept": ", ".join(manifests.MEDIA_TYPES)}


@dataclass
class Usage:
    """What was asked of one registry for one import; `remaining` is what it says is left for this account."""

    requests: int = 0
    bytes: int = 0
    waited: float = 0.0
    remaining: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, waited: float, answer: Answer | None) -> None:
        """One request, with its answer if there was one."""
        with self._lock:
            self.requests += 1
            self.waited += waited
            if answer is not None:
                self.bytes += len(answer.body)
                left = remaining(answer.headers)
                self.remaining = self.remaining if left is None else left


class RegistryClient:
    """Reads one repository. Threads may share it: they share its connections, its session and its token.

    `host` is where the registry serves its API (`registry-1.docker.io`), `repository` the path there. `insecure`
    means: certificates are not checked, and plain HTTP is used where HTTPS gets no connection (image-api 5.10).
    No request goes on beyond `deadline` (time.monotonic). `pacing` has the budget of the registry, and of the host of
    its token service.
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
        sessions: Sessions | None = None,
        pacing: Pacing | None = None,
        usage: Usage | None = None,
        deadline: float = math.inf,
    ) -> None:
        self._transport, self._cache = transport, cache
        self._key, self._repository = SessionKey(host, insecure), repository
        self._credential, self._insecure = credential, insecure
        self._account = credential.username if credential else ""
        self._sessions, self._pacing = sessions or Sessions(), pacing or Pacing()
        self._pace = self._pacing.of(host)
        self._usage, self._deadline = usage or Usage(), deadline
        self._lock = threading.Lock()
        self._refusal: DistributionError | None = None

    def manifest(self, reference: str) -> tuple[bytes, str, str]:
        """Bytes, media type and digest of the manifest of a tag or digest; raises DistributionError."""
        answer = self._ask(f"manifests/{reference}", _ACCEPT, MAX_MANIFEST)
        media_type = answers.media_type(answer)
        if media_type == "text/html":
            raise UnexpectedAnswer("the registry answered with a web page (text/html) instead of a manifest")
        return answer.body, media_type, answers.checked_digest(answer, reference)

    def descriptor(self, reference: str) -> tuple[str, str]:
        """Digest and media type of a manifest, without fetching it; no digest where the registry tells none.

        Registries do not count this as a pull. Raises DistributionError; an answer to HEAD has no error list, so that
        any 404 is ManifestUnknown.
        """
        answer = self._ask(f"manifests/{reference}", _ACCEPT, MAX_MANIFEST, method="HEAD")
        return answers.claimed_digest(answer), answers.media_type(answer)

    def blob(self, digest: str) -> bytes:
        """The bytes of a small blob such as an image configuration; raises DistributionError."""
        body = self._ask(f"blobs/{digest}", {}, MAX_CONFIG).body
        if not manifests.check_content(body, digest):
            raise ContentMismatch(f"content integrity error: the blob is not {digest}")
        return body

    def blob_size(self, digest: str) -> int:
        """The bytes of a blob that is not fetched; raises DistributionError."""
        length = self._ask(f"blobs/{digest}", {}, 0, method="HEAD").headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and len(length) < 16):
            raise UnexpectedAnswer(f"the registry does not tell the size of the blob {digest}")
        return int(length)

    def tags(self) -> list[str]:
        """All tags of the repository, in the registry's order; raises DistributionError."""
        session = self._established()
        address = f"{session.base}/v2/{self._repository}/tags/list"
        if session.scheme == "basic" and self._credential is None:
            # A list of tags without a password is InternalError, an image without one Unauthorized (section 12, 3).
            raise CredentialsMissing(f'Get "{address}": no basic auth credentials')
        found: list[str] = []
        query, asked = "", set[str]()
        while query not in asked:
            asked.add(query)
            answer = self._ask(f"tags/list?{query}" if query else "tags/list", {}, _MAX_LIST)
            found += answers.tags(answer.body)
            answers.check_count(len(found))
            query = answers.next_page(answer)
            if not query:
                return found
        raise UnexpectedAnswer("the registry's list of tags does not end")

    def _ask(self, path: str, headers: Mapping[str, str], limit: int, *, method: str = "GET") -> Answer:
        refused: Answer | None = None
        fresh = False
        for attempt in range(_PATIENT_TRIES):
            session = self._established()
            sent = {**headers, **self._authorization(session, fresh=fresh)}
            try:
                answer = self._paced(f"{session.base}/v2/{self._repository}/{path}", sent, limit, method=method)
            except DistributionError as error:
                if isinstance(error, RateLimited) and refused is not None:
                    break
                if isinstance(error, Unreachable) and self._sessions.renew(self._key):
                    continue
                raise
            if answer.status == 200:
                return answer
            refused = answer
            if answer.status == 401:
                # A kept token may have been revoked, and a kept session be out of date: once both are made anew.
                if not (self._sessions.renew(self._key) or session.scheme == "bearer") or fresh:
                    break
                fresh = True
            elif not _worth_waiting(answer, attempt):
                break
        assert refused is not None
        if method == "HEAD" and refused.status == 404 and path.startswith("manifests/"):
            raise ManifestUnknown("manifest unknown")
        raise answers.failure(refused, self._credential)

    def _paced(
        self,
        url: str,
        headers: Mapping[str, str],
        limit: int,
        *,
        method: str = "GET",
        timeout: float | None = None,
        pace: Pace | None = None,
    ) -> Answer:
        """One request in its turn, with note taken of how it went; `pace` where it does not go to the registry."""
        answer: Answer | None = None
        pace = pace or self._pace
        with pace.turn(self._account, self._deadline) as waited:
            try:
                answer = self._transport.get(
                    url,
                    headers,
                    limit=limit,
                    insecure=self._insecure,
                    timeout=timeout,
                    deadline=self._deadline,
                    method=method,
                )
            except Unreachable:
                if not (self._insecure and url.startswith("https:")):
                    pace.failed(self._account)
                raise
            finally:
                self._usage.add(waited, answer)
        pace.answered(self._account, answer.status, answer.headers)
        return answer

    def _established(self) -> Session:
        return self._sessions.established(self._key, self._ping)

    def _ping(self, url: str) -> Answer:
        for attempt in range(_PATIENT_TRIES):
            answer = self._paced(url, {}, _MAX_SMALL, timeout=_PING_TIMEOUT)
            if not _worth_waiting(answer, attempt):
                break
        return answer

    def _authorization(self, session: Session, *, fresh: bool) -> dict[str, str]:
        if session.scheme == "basic":
            if self._credential is None:
                raise Denied("the registry asks for a password, and no pull secret has one for it")
            return {"Authorization": f"Basic {self._credential.basic}"}
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
        headers = {"Authorization": f"Basic {key.credential.basic}"} if key.credential else {}
        pace = self._pacing.of(urlsplit(url).netloc.rpartition("@")[2])
        answer = self._paced(url, headers, _MAX_SMALL, timeout=_PING_TIMEOUT, pace=pace)
        if answer.status == 429:
            # Without a token the registry itself cannot be asked either.
            self._pace.answered(self._account, answer.status, answer.headers)
        if answer.status == 200:
            return tokens.parse(answer.body)
        if answer.status == 401 and b"incorrect username or password" in answer.body[:4096]:
            raise WrongPassword("incorrect username or password")
        if answer.status in (401, 403) or "UNAUTHORIZED" in answers.codes(answer.body):
            raise Denied("the token service refuses access")
        raise UnexpectedAnswer(f"the token service answered {answer.status} {answer.reason}".strip())


def _worth_waiting(answer: Answer, attempt: int) -> bool:
    """Ask again after the pause that the pace makes? Standard error lists without a time are final (image-api 5.10)."""
    if answer.status not in (429, 503):
        return False
    if retry_after(answer.headers) is not None:
        return True
    return answer.status == 429 and attempt < _TRIES - 1 and not answers.codes(answer.body)
