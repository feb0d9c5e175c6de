"""POST /admission/mutate, in front of the application: bytes in, a JSON patch out, nothing awaited in between.

It never answers 5xx. What it cannot do anything about is admitted as it is, with a warning.
"""

from __future__ import annotations

import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from webhook.admission import review
from webhook.admission.decide import Rewrite
from webhook.admission.reviewer import ALLOWED, FAULT, REFUSED, REWRITTEN, Reviewer, unexamined

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

PATH: Final = "/admission/mutate"
VALIDATE_PATH: Final = "/admission/validate"
MAX_BODY: Final = 7 << 20
"""Over twice what an API server accepts: a review of an update carries the object twice."""

Observe = Callable[[str, Sequence[Rewrite], float], None]
"""(outcome, examined images, seconds) → nothing; outcomes are those of a Reviewer, and the one below."""

MALFORMED: Final = "malformed"
OVERLOADED: Final = "overloaded"
OUTCOMES: Final = (ALLOWED, REWRITTEN, REFUSED, FAULT, MALFORMED, OVERLOADED)


class Reply(NamedTuple):
    """An HTTP answer."""

    status: str
    content_type: str
    body: bytes


class AdmissionEndpoint:
    """WSGI middleware: answers reviews itself and hands every other path on.

    It stands before everything else, since Flask's routing alone would cost more than the decision. With more than
    `most` reviews at a time, as when threads wait for something, further ones are admitted unchanged at once: too late
    is as good as not at all, and costs the API server its time.
    """

    def __init__(
        self,
        inner: WSGIApplication,
        reviewer: Reviewer,
        *,
        observe: Observe = lambda _outcome, _images, _seconds: None,
        most: int = sys.maxsize,
    ) -> None:
        self.inner = inner
        self.reviewer = reviewer
        self._observe = observe
        self._most = most
        # Appending and popping are atomic, a counter is not, and a lock costs more than the decision.
        self._running: deque[None] = deque()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers 200, 400, 405 or 413."""
        path = environ.get("PATH_INFO")
        if path != PATH and path != VALIDATE_PATH:
            return self.inner(environ, start_response)
        if environ.get("REQUEST_METHOD") != "POST":
            return _text(start_response, "405 Method Not Allowed", "Reviews are sent by POST.", ("Allow", "POST"))
        body = _read(environ)
        if body is None:
            return _text(start_response, "413 Content Too Large", f"The body is over {MAX_BODY} bytes.", _CLOSE)
        reply = self.reply(body, validating=path == VALIDATE_PATH)
        headers = [("Content-Type", reply.content_type), ("Content-Length", str(len(reply.body)))]
        start_response(reply.status, headers)
        return [reply.body]

    def reply(self, body: bytes, *, validating: bool) -> Reply:
        """What a review is answered, whatever way it came; counted."""
        begun = time.perf_counter()
        self._running.append(None)
        try:
            if len(self._running) <= self._most or self.reviewer.enforces:
                answer, outcome, images = self.reviewer.answer(body, validating=validating)
            else:
                answer, outcome, images = unexamined(body), OVERLOADED, []
        except review.Malformed as error:
            self._tell(MALFORMED, [], begun)
            return Reply("400 Bad Request", _TEXT, f"{error}\n".encode("utf-8", "replace"))
        finally:
            self._running.pop()
        self._tell(outcome, images, begun)
        return Reply("200 OK", "application/json", answer)

    def _tell(self, outcome: str, images: Sequence[Rewrite], begun: float) -> None:
        try:
            self._observe(outcome, images, time.perf_counter() - begun)
        except Exception:
            log.exception("a review could not be counted")


_TEXT: Final = "text/plain; charset=utf-8"
_CLOSE = ("Connection", "close")


def _read(environ: WSGIEnvironment) -> bytes | None:
    """The body; None if it is over the limit. A body that breaks off is an incomplete one, refused by the decoder."""
    announced = str(environ.get("CONTENT_LENGTH") or "")
    length = int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 20 else None
    if length is not None and length > MAX_BODY:
        return None
    if length is None and "chunked" not in str(environ.get("HTTP_TRANSFER_ENCODING", "")).lower():
        return b""
    try:
        body: bytes = environ["wsgi.input"].read(MAX_BODY + 1 if length is None else length)
    except Exception:
        # The client's socket, through the server's own error types.
        log.info("a review broke off", exc_info=True)
        return b""
    return body if len(body) <= MAX_BODY else None


def _text(start_response: StartResponse, status: str, sentence: str, *headers: tuple[str, str]) -> Iterable[bytes]:
    body = f"{sentence}\n".encode("utf-8", "replace")
    start_response(
        status,
        [("Content-Type", _TEXT), ("Content-Length", str(len(body))), *headers],
    )
    return [body]
