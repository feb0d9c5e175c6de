"""POST /admission/mutate, in front of the application: bytes in, a JSON patch out, nothing awaited in between.

It never answers 5xx. What it cannot do anything about is admitted as it is, with a warning.
"""

from __future__ import annotations

import base64
import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from webhook.admission import locations, mutate, patch, reasons, review
from webhook.admission.decide import Policy, Rewrite, Write, examine, is_platform
from webhook.errors import Forbidden, Json
from webhook.view.index import Streams

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

PATH: Final = "/admission/mutate"
MAX_BODY: Final = 7 << 20
"""Over twice what an API server accepts: a review of an update carries the object twice."""

Observe = Callable[[str, Sequence[Rewrite], float], None]
"""(outcome, examined images, seconds) → nothing; outcomes are the constants below."""

ALLOWED: Final = "allowed"
REWRITTEN: Final = "rewritten"
REFUSED: Final = "refused"
FAULT: Final = "fault"
MALFORMED: Final = "malformed"
OVERLOADED: Final = "overloaded"
OUTCOMES: Final = (ALLOWED, REWRITTEN, REFUSED, FAULT, MALFORMED, OVERLOADED)


class AdmissionEndpoint:
    """WSGI middleware: answers reviews itself and hands every other path on.

    Installed as `app.wsgi_app = AdmissionEndpoint(app.wsgi_app, ...)`, since Flask's routing would cost more than the
    decision (python.md B.3). With more than `most` reviews at a time, as when threads wait for something, further ones
    are admitted unchanged at once: too late is as good as not at all, and costs the API server its time.
    """

    def __init__(
        self,
        inner: WSGIApplication,
        view: Streams,
        settings: Policy,
        *,
        namespaces: mutate.Namespaces = lambda _: None,
        observe: Observe = lambda _outcome, _images, _seconds: None,
        most: int = sys.maxsize,
    ) -> None:
        self._inner = inner
        self.view = view
        self._settings = settings
        self._labels = mutate.labels_with(namespaces)
        self._observe = observe
        self._most = most
        # Appending and popping are atomic, a counter is not, and a lock costs more than the decision.
        self._running: deque[None] = deque()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers 200, 400, 405 or 413."""
        if environ.get("PATH_INFO") != PATH:
            return self._inner(environ, start_response)
        if environ.get("REQUEST_METHOD") != "POST":
            return _text(start_response, "405 Method Not Allowed", "Reviews are sent by POST.", ("Allow", "POST"))
        body = _read(environ)
        if body is None:
            return _text(start_response, "413 Content Too Large", f"The body is over {MAX_BODY} bytes.", _CLOSE)
        begun = time.perf_counter()
        self._running.append(None)
        try:
            answer, outcome, images = self.answer(body) if len(self._running) <= self._most else _unexamined(body)
        except review.Malformed as error:
            self._tell(MALFORMED, [], begun)
            return _text(start_response, "400 Bad Request", str(error))
        finally:
            self._running.pop()
        self._tell(outcome, images, begun)
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
        return [answer]

    def answer(self, body: bytes) -> tuple[bytes, str, list[Rewrite]]:
        """The answered review, its outcome and the images that were looked at; raises Malformed."""
        asked, readable = review.decode(body)
        request = asked.request
        assert request is not None, "decode refuses reviews without a request"
        images: list[Rewrite] = []
        try:
            images = self._examine(request) if readable else []
            response, outcome = _allowed(request, images) if readable else _unread(request)
        except Forbidden as error:
            response, outcome = _refused(error), REFUSED
        except Exception:
            log.exception("review %s is admitted unchanged", request.uid)
            response, outcome = {"allowed": True, "warnings": [mutate.FAULT]}, FAULT
        return _answered(request, response), outcome, images

    def _examine(self, request: review.Request) -> list[Rewrite]:
        if request.object is None:
            return []
        group, resource, namespace = request.resource.group, request.resource.resource, request.namespace or ""
        write = Write(
            group=group,
            resource=resource,
            operation=request.operation,
            namespace=namespace,
            item=request.object,
            old=request.old_object,
            name=request.name or "",
            subresource=request.sub_resource or "",
            platform=is_platform(group, resource, namespace, self._labels),
        )
        return list(examine(write, self.view, self._settings))

    def _tell(self, outcome: str, images: Sequence[Rewrite], begun: float) -> None:
        try:
            self._observe(outcome, images, time.perf_counter() - begun)
        except Exception:
            log.exception("a review could not be counted")


_CLOSE = ("Connection", "close")
OVERLOAD: Final = "image lookup has too much to do: images stay as written"


def _answered(request: review.Request, response: Json) -> bytes:
    answer = {"apiVersion": review.API_VERSION, "kind": review.KIND, "response": {"uid": request.uid, **response}}
    return msgspec.json.encode(answer)


def _unexamined(body: bytes) -> tuple[bytes, str, list[Rewrite]]:
    """As `answer`, for a worker that has more to do than it can do in time; raises Malformed."""
    asked, _ = review.decode(body)
    assert asked.request is not None, "decode refuses reviews without a request"
    return _answered(asked.request, {"allowed": True, "warnings": [OVERLOAD]}), OVERLOADED, []


def _allowed(request: review.Request, images: Sequence[Rewrite]) -> tuple[Json, str]:
    response: Json = {"allowed": True}
    if any(one.decision.reason == reasons.NOT_READY for one in images):
        response["warnings"] = [mutate.NOT_READY]
    changes = [one for one in images if one.new != one.old]
    if not changes:
        return response, ALLOWED
    response["patchType"] = "JSONPatch"
    response["patch"] = base64.b64encode(msgspec.json.encode(patch.operations(changes))).decode("ascii")
    _log(request, changes)
    return response, REWRITTEN


def _unread(request: review.Request) -> tuple[Json, str]:
    if (request.resource.group, request.resource.resource) not in locations.COVERED:
        return {"allowed": True}, ALLOWED
    log.warning("review %s: the object could not be read", request.uid)
    return {"allowed": True, "warnings": [mutate.UNREADABLE]}, FAULT


def _refused(error: Forbidden) -> Json:
    status = {"code": error.code, "reason": error.reason, "message": error.message, "details": error.details}
    return {"allowed": False, "status": status}


def _log(request: review.Request, changes: Sequence[Rewrite]) -> None:
    first, more = changes[0], len(changes) - 1
    log.info(
        "%s %s/%s: %s -> %s%s",
        request.resource.resource,
        request.namespace or "",
        request.name or "",
        first.old,
        first.new,
        f" and {more} more" if more else "",
    )


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
        [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))), *headers],
    )
    return [body]
