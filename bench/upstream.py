"""An API server that serves nothing but image streams: a list, and a watch with as many changes a second as wanted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench.view import stream
from webhook.view import feed

STREAMS = 1000
TAGS = 10
_BURST = 20
"""Changes in one go: fifty times a second at a thousand changes a second."""


class Upstream(ThreadingHTTPServer):
    """`rate` changes of streams a second go to every watch."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.rate = 0
        self.sent = 0
        self.streams = [stream(number, TAGS) for number in range(STREAMS)]
        self.changes = [
            b'{"type":"MODIFIED","object":%s}\n' % stream(number, TAGS, generation=2) for number in range(STREAMS)
        ]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_GET(self) -> None:
        if "watch=true" in self.path:
            self._watch(self.path.startswith(feed.STREAMS))
            return
        items = self.server.streams if self.path.startswith(feed.STREAMS) else []
        body = b'{"metadata":{"resourceVersion":"1"},"items":[%s]}' % b",".join(items)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _watch(self, changing: bool) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        number, turn = 0, time.monotonic()
        while True:
            rate = self.server.rate if changing else 0
            turn = max(turn + (_BURST / rate if rate else 0.1), time.monotonic() - 0.5)
            time.sleep(max(0.0, turn - time.monotonic()))
            if not rate:
                continue
            burst = b"".join(self.server.changes[(number + index) % STREAMS] for index in range(_BURST))
            number += _BURST
            self.server.sent += _BURST
            try:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(burst), burst))
            except OSError:
                return

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""


@contextmanager
def upstream() -> Iterator[Upstream]:
    """A running one inside the `with`."""
    server = Upstream()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
