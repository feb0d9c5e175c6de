"""The floor: the same gunicorn, TLS and threads as the server, answering fixed bytes and doing nothing else.

    GET|PATCH|POST /bytes/N     N bytes of JSON
    GET /stream/N               N bytes to every stream that is open, at each POST /tick

`python -m bench.floor serve --data DIR --listen HOST:PORT --workers N --threads N`
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from webhook.serving import listening, workspace
from webhook.serving.companion import Work
from webhook.serving.health import Environ, StartResponse, WsgiApp
from webhook.serving.server import Life
from webhook.serving.start import start
from webhook.settings import Settings

_HEADERS = [("Content-Type", "application/json"), ("Cache-Control", "no-cache, private")]


class Floor:
    """A program for `webhook.serving.server.Server`."""

    background: Work | None = None

    def application(self, life: Life) -> WsgiApp:
        """The application of one worker."""
        return FloorApp(life)


class FloorApp:
    """Fixed bytes; what is made once is kept."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._bodies: dict[int, bytes] = {}
        self._ticked = threading.Condition()
        self._ticks = 0

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        _, kind, size, *_ = f"{environ['PATH_INFO']}//".split("/")
        length = int(size or 2)
        body = self._bodies.setdefault(length, b"x" * (length - 1) + b"\n")
        if kind == "stream":
            start_response("200 OK", _HEADERS)
            return self._stream(body, self._ticks)
        if environ["REQUEST_METHOD"] != "GET":
            environ["wsgi.input"].read()
        if kind == "tick":
            with self._ticked:
                self._ticks += 1
                self._ticked.notify_all()
        start_response("200 OK", [*_HEADERS, ("Content-Length", str(len(body)))])
        return [body]

    def _stream(self, body: bytes, seen: int) -> Iterator[bytes]:
        yield b""
        while not self._life.stopping():
            with self._ticked:
                self._ticked.wait_for(lambda seen=seen: self._ticks > seen, 0.25)
                new, seen = self._ticks - seen, self._ticks
            if new:
                yield body * new


def main(arguments: list[str]) -> None:
    """Serve, with those flags of `imagestreams serve` that matter here."""
    flags = dict(zip(arguments[::2], arguments[1::2], strict=True))
    host, port = listening.parse(flags["--listen"])
    sizes = {name: int(flags[f"--{name}"]) for name in ("workers", "threads")}
    settings = Settings(data=Path(flags["--data"]), host=host, port=port, **sizes)
    start(settings, lambda _: None, _floor)


def _floor(settings: Settings) -> Floor:
    # Clients look for a token here as they do at the server.
    workspace.administrator(settings)
    return Floor()


if __name__ == "__main__":
    main(sys.argv[2:])
