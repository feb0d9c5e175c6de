"""`/healthz`, `/livez` and `/readyz`: answered before anything else, for whoever asks (contract 2.7)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

_log = logging.getLogger(__name__)


class Note(str):
    """What a check that passes has to say: shown by `?verbose`."""

    __slots__ = ()


Check = Callable[[], str | None]
"""None or a `Note` when all is well, else why not: for the log, as the answer does not say."""

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]

PATHS: Final = ("/healthz", "/livez", "/readyz")


class HealthEndpoint:
    """WSGI middleware that knows the checks of each path, by name and in their order."""

    def __init__(self, inner: WsgiApp, checks: Mapping[str, Mapping[str, Check]]) -> None:
        self._inner = inner
        self._checks = checks

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a health path; anything else goes on to the inner application."""
        path = str(environ.get("PATH_INFO", ""))
        root, _, check = path[1:].partition("/")
        checks = self._checks.get(f"/{root}")
        if checks is None:
            return self._inner(environ, start_response)
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return _answer(start_response, HTTPStatus.METHOD_NOT_ALLOWED, "405 method not allowed\n")
        if check:
            return _answer(start_response, *_single(checks, check))
        query = parse_qs(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
        return _answer(start_response, *_all(root, checks, "verbose" in query, query.get("exclude", ())))


def _single(checks: Mapping[str, Check], name: str) -> tuple[HTTPStatus, str]:
    if name not in checks:
        return HTTPStatus.NOT_FOUND, "404 page not found\n"
    if _result(name, checks[name]) is not None:
        return HTTPStatus.OK, "ok"
    return HTTPStatus.INTERNAL_SERVER_ERROR, "internal server error: reason withheld\n"


def _all(root: str, checks: Mapping[str, Check], verbose: bool, excluded: Sequence[str]) -> tuple[HTTPStatus, str]:
    lines: list[str] = []
    failed = False
    for name, check in checks.items():
        if name in excluded:
            lines.append(f"[+]{name} excluded: ok\n")
        elif (note := _result(name, check)) is not None:
            lines.append(f"[+]{name} ok{note and ': '}{note}\n")
        else:
            failed = True
            lines.append(f"[-]{name} failed: reason withheld\n")
    unknown = [f'"{name}"' for name in excluded if name not in checks]
    if unknown:
        lines.append(f"warn: some health checks cannot be excluded: no matches for {','.join(unknown)}\n")
    if failed:
        return HTTPStatus.INTERNAL_SERVER_ERROR, f"{''.join(lines)}{root} check failed\n"
    return HTTPStatus.OK, f"{''.join(lines)}{root} check passed\n" if verbose else "ok"


def _result(name: str, check: Check) -> str | None:
    """What a passing check notes, mostly nothing; None for one that fails."""
    try:
        why = check()
    except Exception as error:  # a check that breaks is a check that fails
        why = f"{type(error).__name__}: {error}"
    if why is None or isinstance(why, Note):
        return why or ""
    _log.info("The health check %s fails: %s.", name, why)
    return None


def _answer(start_response: StartResponse, status: HTTPStatus, text: str) -> Iterable[bytes]:
    body = text.encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-cache, private"),
        ("Content-Length", str(len(body))),
    ]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]
