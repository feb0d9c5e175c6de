"""Registries that misbehave, each in one way, on a port of the loopback interface."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from demo.registry_images import build

_IMAGE = build("an image that was not asked for")


class _Registry(BaseHTTPRequestHandler):
    """Answers the version check, and then as its subclass says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.rstrip("/") == "/v2":
            self.answer(200, "application/json", b"{}")
        else:
            self.misbehave()

    def do_HEAD(self) -> None:
        self.do_GET()

    def misbehave(self) -> None:
        raise NotImplementedError

    def answer(self, code: int, content_type: str, body: bytes, **headers: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged: pytest shows what matters."""


class Liar(_Registry):
    """Answers every question for a digest with another image, and claims that it is the one."""

    def misbehave(self) -> None:
        asked = self.path.rpartition("/")[2]
        claimed = asked if asked.startswith("sha256:") else "sha256:" + "0" * 64
        self.answer(200, _IMAGE.media_type, _IMAGE.manifest, Docker_Content_Digest=claimed)


class Html(_Registry):
    """A login page of some proxy where a manifest should be."""

    def misbehave(self) -> None:
        self.answer(200, "text/html", b"<!DOCTYPE html><html><body>Please sign in</body></html>")


class Garbage(_Registry):
    """JSON that is not a manifest, under a manifest's media type."""

    def misbehave(self) -> None:
        self.answer(200, _IMAGE.media_type, json.dumps(["no", "manifest"]).encode())


class Hang(_Registry):
    """Takes the question and never answers; `released` lets its threads go."""

    released: ClassVar[threading.Event] = threading.Event()

    def misbehave(self) -> None:
        self.released.wait(120)
        self.close_connection = True


@contextmanager
def serving(handler: type[_Registry], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address (`host:port`) of a registry that runs inside the `with`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda request, address: None  # type: ignore[method-assign] # peers may leave as they like
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        Hang.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
        Hang.released.clear()
