"""One request to a WSGI application, without a server."""

from __future__ import annotations

from typing import Any, NamedTuple


class Answer(NamedTuple):
    code: int
    headers: dict[str, str]
    text: str


def ask(app: Any, path: str, query: str = "", method: str = "GET", **environ: Any) -> Answer:
    seen: list[Any] = []
    request = {"PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": method, **environ}
    body = b"".join(app(request, lambda status, headers, *_: seen.append((status, headers))))
    status, headers = seen[-1]
    return Answer(int(status.split()[0]), dict(headers), body.decode())


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answers 200 with the path."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode()]
