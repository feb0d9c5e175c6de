"""POST /notifications: where registries tell of pushes, and the parts of one worker that import what these concern."""

from __future__ import annotations

import hmac
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import parse_qs

import msgspec

from webhook.controllers.followers import Followers
from webhook.controllers.push_imports import Overloaded, PushImports
from webhook.distribution.notifications import Push, UnknownFormat, named, pushes
from webhook.distribution.pacing import Pace
from webhook.kube.client import KubeClient
from webhook.kube.reflector import Reflector
from webhook.serving.companion import Stopping
from webhook.serving.health import Environ, StartResponse, WsgiApp
from webhook.serving.workspace import write_private
from webhook.telemetry import NOTIFICATIONS

PATH: Final = "/notifications"
MAX_BODY: Final = 1 << 20
_STREAMS: Final = "/apis/image.openshift.io/v1/imagestreams"
_WORKERS: Final = 2
_TICK: Final = 0.1
_log = logging.getLogger(__name__)

Accept = Callable[[Iterable[Push]], int]
"""Pushes → the number of tags that they concern; raises Overloaded."""


class TokenFile:
    """The token that registries show, read anew each time: to replace the file is to change the token."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def ensure(self) -> None:
        """Make a token where there is none."""
        if not self._read():
            write_private(self._path, secrets.token_urlsafe(32) + "\n")

    def allows(self, environ: Environ) -> bool:
        """Whether the request shows the token: in its Authorization header, or for Docker Hub in its query."""
        expected = self._read()
        scheme, _, given = str(environ.get("HTTP_AUTHORIZATION", "")).strip().partition(" ")
        if scheme.lower() != "bearer":
            given = _query(environ, "token")[-1]
        matches = hmac.compare_digest(given.strip().encode("utf-8", "replace"), expected.encode())
        return matches and bool(expected)

    def _read(self) -> str:
        try:
            return self._path.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""


class NotificationEndpoint:
    """WSGI middleware that answers POST /notifications at once and lets `accept` do the work."""

    def __init__(self, inner: WsgiApp, token: TokenFile, accept: Accept, ready: Callable[[], bool]) -> None:
        self._inner, self._token, self._accept, self._ready = inner, token, accept, ready

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """202 with the number of tags concerned; a registry tries again what is answered with 503."""
        if environ.get("PATH_INFO") != PATH:
            return self._inner(environ, start_response)
        answer = self._answer(environ)
        NOTIFICATIONS.labels(str(answer.status.value)).inc()
        body = json.dumps(answer.body).encode() + b"\n"
        standard = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{answer.status.value} {answer.status.phrase}", [*standard, *answer.headers])
        return [body]

    def _answer(self, environ: Environ) -> _Answer:
        if environ.get("REQUEST_METHOD") != "POST":
            return _refused(HTTPStatus.METHOD_NOT_ALLOWED, "notifications are sent by POST", ("Allow", "POST"))
        if not self._token.allows(environ):
            sentence = "show the token for notifications, as Authorization: Bearer TOKEN"
            return _refused(HTTPStatus.UNAUTHORIZED, sentence, ("WWW-Authenticate", "Bearer"), _CLOSE)
        length = str(environ.get("CONTENT_LENGTH") or "")
        if not (length.isascii() and length.isdigit()):
            return _refused(HTTPStatus.LENGTH_REQUIRED, "send the length of the body", _CLOSE)
        if len(length) > 9 or int(length) > MAX_BODY:
            return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is over {MAX_BODY} bytes", _CLOSE)
        if not self._ready():
            return _refused(HTTPStatus.SERVICE_UNAVAILABLE, "image streams have not been read yet", _LATER)
        return self._take(environ, int(length))

    def _take(self, environ: Environ, length: int) -> _Answer:
        try:
            pushed = pushes(msgspec.json.decode(environ["wsgi.input"].read(length)))
            others = [named(one, host) for one in pushed for host in _query(environ, "registry") if host]
            return _Answer(HTTPStatus.ACCEPTED, {"tags": self._accept([*pushed, *others])})
        except Overloaded as error:
            return _refused(HTTPStatus.SERVICE_UNAVAILABLE, str(error), _LATER)
        except UnknownFormat as error:
            return _refused(HTTPStatus.BAD_REQUEST, str(error))
        except (ValueError, RecursionError):
            return _refused(HTTPStatus.BAD_REQUEST, "the body is no JSON")


class _Answer(NamedTuple):
    status: HTTPStatus
    body: dict[str, object]
    headers: tuple[tuple[str, str], ...] = ()


_CLOSE = ("Connection", "close")
_LATER = ("Retry-After", "1")


def accepting(
    inner: WsgiApp,
    token: Path | None,
    client: KubeClient,
    stopping: Stopping,
    listening: Callable[[], bool],
    budget: Pace,
) -> WsgiApp:
    """The application with the endpoint in front, and its parts started; unchanged without a token file.

    `listening` waits for the API that `client` asks, and answers False when the server stops before. `budget` says
    when an import may begin.
    """
    if token is None:
        return inner
    followers = Followers()
    imports = PushImports(client, followers, budget=budget)
    reflector = Reflector(client, _STREAMS, followers)

    def follow() -> None:
        if not listening():
            return
        reflector.start()
        while not stopping():
            time.sleep(_TICK)
        reflector.stop()
        imports.close()

    threading.Thread(target=follow, name="notifications", daemon=True).start()
    for number in range(_WORKERS):
        threading.Thread(target=imports.work, name=f"pushes-{number}", daemon=True).start()
    return NotificationEndpoint(inner, TokenFile(token), imports.push, reflector.synced.is_set)


def _query(environ: Environ, name: str) -> list[str]:
    return parse_qs(str(environ.get("QUERY_STRING", ""))).get(name, [""])


def _refused(status: HTTPStatus, sentence: str, *headers: tuple[str, str]) -> _Answer:
    return _Answer(status, {"error": sentence}, headers)
