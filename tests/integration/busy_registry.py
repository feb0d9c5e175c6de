"""A registry far away: it takes its time, fails now and then, and can ask everybody to come back later."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from demo.registry_images import Image, build, digest_of


@dataclass(frozen=True)
class Asked:
    """One request: when it came (time.monotonic), and what became of it."""

    at: float
    method: str
    path: str
    status: int


class BusyRegistry:
    """Has an image under every name. `error_rate` of all requests fail; while `closed`, each is answered with 429."""

    def __init__(self, *, latency: float, error_rate: float = 0.0, seed: int = 1) -> None:
        self.latency, self.error_rate = latency, error_rate
        self.closed = threading.Event()
        self.address = ""
        self._asked: list[Asked] = []
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def asked(self) -> list[Asked]:
        """Every request up to now."""
        with self._lock:
            return list(self._asked)

    def forget(self) -> None:
        """Begin a new list of requests."""
        with self._lock:
            self._asked.clear()

    def answer(self, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body for a request, which is noted."""
        began = time.monotonic()
        with self._lock:
            fails = self._random.random() < self.error_rate
        if self.closed.is_set():
            answer = _error(429, "TOOMANYREQUESTS", **{"Retry-After": "1"})
        elif fails:
            answer = _error(503, "UNAVAILABLE")
        else:
            answer = _content(path)
        with self._lock:
            self._asked.append(Asked(began, method, path, answer[0]))
        time.sleep(self.latency)
        return answer


def busiest_second(requests: list[Asked]) -> int:
    """The most requests that came within any second."""
    times = sorted(one.at for one in requests)
    most, first = 0, 0
    for last, moment in enumerate(times):
        while moment - times[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def looks(requests: list[Asked]) -> Counter[str]:
    """How often each path was asked for with HEAD."""
    return Counter(one.path for one in requests if one.method == "HEAD")


@contextmanager
def running(registry: BusyRegistry) -> Iterator[BusyRegistry]:
    """The registry on a free port of the loopback interface, over plain HTTP."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body are two writes: without this the second would wait for an acknowledgement.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            status, headers, body = registry.answer(self.command, self.path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 # the name is http.server's

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.request_queue_size = 256
    server.handle_error = lambda request, address: None  # type: ignore[method-assign] # peers may leave as they like
    registry.address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@cache
def image(repository: str) -> Image:
    """The image under every tag of a repository."""
    return build(repository)


def _content(path: str) -> tuple[int, dict[str, str], bytes]:
    if path.rstrip("/") == "/v2":
        return 200, {"Docker-Distribution-API-Version": "registry/2.0"}, b"{}"
    repository, _, rest = path.removeprefix("/v2/").partition("/manifests/")
    if rest:
        found = image(repository)
        headers = {"Content-Type": found.media_type, "Docker-Content-Digest": found.digest}
        return 200, headers, found.manifest
    repository, _, digest = path.removeprefix("/v2/").partition("/blobs/")
    content = next((one for one in image(repository).blobs.values() if digest_of(one) == digest), None)
    return (200, {}, content) if content is not None else _error(404, "BLOB_UNKNOWN")


def _error(status: int, code: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    body = json.dumps({"errors": [{"code": code, "message": code.lower()}]}).encode()
    return status, {"Content-Type": "application/json", **headers}, body
