"""`/metrics`, and the counting of requests that fills it; one answer for all processes of the server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client import multiprocess as shared

from webhook.admission import endpoint, reasons
from webhook.admission.decide import Rewrite
from webhook.apiserver.requestinfo import parse
from webhook.errors import StatusError
from webhook.serving.health import PATHS, Environ, StartResponse, WsgiApp
from webhook.serving.later import Later
from webhook.telemetry import ADMISSION_IMAGES, ADMISSION_REVIEWS, DURATION, IN_FLIGHT, REQUESTS

PATH: Final = "/metrics"

_PLAIN_VERBS: Final = {"GET": "get", "HEAD": "get", "POST": "create"}


class MetricsEndpoint:
    """WSGI middleware that counts every request and answers `/metrics` to those who are authenticated."""

    def __init__(self, inner: WsgiApp, authenticate: Callable[[Mapping[str, Any]], object]) -> None:
        self._inner = inner
        self._authenticate = authenticate

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer `/metrics`, or pass on and count."""
        path = str(environ.get("PATH_INFO", ""))
        if path == PATH:
            return self._metrics(environ, start_response)
        if path.startswith(PATHS):
            return self._inner(environ, start_response)
        return _counted(self._inner, environ, start_response)

    def _metrics(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            self._authenticate(environ)
        except StatusError as error:
            body = f"{error.message}\n".encode()
            start_response(f"{error.code} {error.reason}", [("Content-Type", "text/plain"), _length(body)])
            return [body]
        body = exposition()
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST), _length(body)])
        return [body]


def exposition() -> bytes:
    """The measurements of all processes of the server, as text."""
    registry = CollectorRegistry()
    shared.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


@contextmanager
def served(host: str, port: int) -> Iterator[int]:
    """Serve /metrics on a plain port inside the `with`; the port comes back. OSError if it is taken."""
    server = ThreadingHTTPServer((host, port), _Scraped, bind_and_activate=False)
    server.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server.socket.close()
    server.socket = socket.socket(server.address_family)
    server.server_bind()
    server.server_activate()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, name="metrics", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


class _Scraped(BaseHTTPRequestHandler):
    timeout = 10.0

    def do_GET(self) -> None:
        known = self.path.partition("?")[0] == PATH
        body = exposition() if known else b"404 page not found\n"
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST if known else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """A scrape is nothing to log."""


class ReviewCounter:
    """Counts reviews and what was decided about their images.

    Each number of `/metrics` is a place in a file: to write there for every review would cost it half of what its
    decision does. So the counts of a tenth of a second are added up here first.
    """

    def __init__(self) -> None:
        self._outcomes = {one: ADMISSION_REVIEWS.labels(one) for one in endpoint.OUTCOMES}
        self._reasons = {one: ADMISSION_IMAGES.labels(one) for one in reasons.SENTENCES}
        self._duration = DURATION.labels("create", "admission")
        self._answered = {code: REQUESTS.labels("create", "admission", code) for code in ("200", "400")}
        self._lock = threading.Lock()
        self._none = dict.fromkeys((*self._outcomes, *self._reasons), 0)
        self._counts = self._none.copy()
        self._seconds: list[float] = []
        self._later = Later(self.flush)

    def __call__(self, outcome: str, images: Sequence[Rewrite], seconds: float) -> None:
        """Count one review."""
        with self._lock:
            counts = self._counts
            # What has no number in `/metrics` fails here, where it is noted, and not the thread that writes them.
            counts[outcome] += 1
            self._seconds.append(seconds)
            for image in images:
                if not image.beside:
                    counts[image.decision.reason] += 1
        self._later.ask()

    def flush(self) -> None:
        """Have `/metrics` show everything that was counted here."""
        with self._lock:
            counts, self._counts = self._counts, self._none.copy()
            times, self._seconds = self._seconds, []
        for one, count in counts.items():
            if not count:
                continue
            if one in self._reasons:
                self._reasons[one].inc(count)
            else:
                self._outcomes[one].inc(count)
                self._answered["400" if one == endpoint.MALFORMED else "200"].inc(count)
        for seconds in times:
            self._duration.observe(seconds)


def _length(body: bytes) -> tuple[str, str]:
    return "Content-Length", str(len(body))


def _counted(inner: WsgiApp, environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    # A generator: the application runs when the server asks for the first piece, and ends when it closes this.
    began = time.perf_counter()
    verb, resource = route(environ)
    code = "500"

    def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        nonlocal code
        code = status.split(None, 1)[0]
        return start_response(status, headers, *more)

    IN_FLIGHT.inc()
    body: Iterable[bytes] = ()
    try:
        body = inner(environ, started)
        yield from body
    finally:
        if hasattr(body, "close"):
            body.close()
        IN_FLIGHT.dec()
        # What nobody serves or nobody is let in for has names of the client's choice: they must not become series.
        known = resource if code not in ("401", "404", "405") else "other"
        REQUESTS.labels(verb, known, code).inc()
        if verb != "watch":
            DURATION.labels(verb, known).observe(time.perf_counter() - began)


def route(environ: Mapping[str, Any]) -> tuple[str, str]:
    """The Kubernetes verb and the resource (with its subresource) of a request; "other" outside the API's paths."""
    method, path = str(environ.get("REQUEST_METHOD", "")), str(environ.get("PATH_INFO", ""))
    watch = parse_qs(str(environ.get("QUERY_STRING", ""))).get("watch", ["0"])[-1] in ("1", "true")
    info = parse(method, path, watch=watch)
    if info is None:
        admits = path in (endpoint.PATH, endpoint.VALIDATE_PATH)
        return _PLAIN_VERBS.get(method, "other"), "admission" if admits else "other"
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    return info.verb or "other", resource
