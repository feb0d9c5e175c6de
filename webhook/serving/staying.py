"""A gunicorn thread worker whose threads stay with a busy connection, and that answers a review in one write.

gunicorn hands a kept connection back to its poller after every request and gets it from there for the next: a queue, a
pipe and four changes of thread. And it writes head and body apart, which over TLS are two records. Both cost more than
the review. This leans on gunicorn's inside, so a test holds it to the minor version that it was read
in; parsing, timeouts and errors stay gunicorn's.
"""

from __future__ import annotations

import select
from collections import deque
from typing import Any, Final

from gunicorn.util import http_date
from gunicorn.workers.gthread import TConn

from webhook.admission.endpoint import MAX_BODY, PATH, AdmissionEndpoint
from webhook.serving.worker import Worker

WRITTEN_FOR: Final = (27, 0)
"""The gunicorn whose inside this knows."""

_PATIENCE: Final = 50
"""Milliseconds for which a thread waits for the next request of its connection."""


class StayingWorker(Worker):
    """Threads wait with their connections as long as a quarter of them is free for the others."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._most = self.cfg.threads * 3 // 4
        # As long as there are threads that stay: appending and popping are atomic.
        self._staying: deque[None] = deque()

    def handle(self, conn: TConn) -> Any:
        """Requests of one connection until it falls silent, somebody waits for the thread, or the worker stops."""
        self._staying.append(None)
        try:
            while True:
                kept = super().handle(conn)
                if kept is not True or not self._stays(conn):
                    return kept
        finally:
            self._staying.pop()

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """A review with a body of known length in one go; everything else as gunicorn does it."""
        length = _length(req) if isinstance(self.wsgi, AdmissionEndpoint) else None
        if length is None:
            return super().handle_request(req, conn)
        self.cfg.pre_request(self, req)
        if not self.alive:
            req.force_close()
        reply = self.wsgi.reply(req.body.read(length), validating=False)
        close = req.should_close()
        head = (
            f"HTTP/1.1 {reply.status}\r\nDate: {http_date()}\r\nConnection: {'close' if close else 'keep-alive'}\r\n"
            f"Content-Type: {reply.content_type}\r\nContent-Length: {len(reply.body)}\r\n\r\n"
        )
        conn.sock.sendall(head.encode("ascii") + reply.body)
        return not close

    def _stays(self, conn: TConn) -> bool:
        """Whether this thread has the next request of its connection."""
        if not self.alive or len(self._staying) > self._most or self.tpool.is_short_of_threads:
            return False
        if conn.parser.unreader.buf.getvalue() or (self.cfg.is_ssl and conn.sock.pending()):
            return True
        poll = select.poll()
        poll.register(conn.sock, select.POLLIN)
        return bool(poll.poll(_PATIENCE))


def _length(req: Any) -> int | None:
    """The length of a review's body, where it can be answered in one go."""
    if req.path != PATH or req.method != "POST" or req.version != (1, 1) or req._expected_100_continue:
        return None
    lengths = [value for name, value in req.headers if name == "CONTENT-LENGTH"]
    if len(lengths) != 1 or not (lengths[0].isascii() and lengths[0].isdigit()) or len(lengths[0]) > 8:
        return None
    if any(name == "TRANSFER-ENCODING" for name, _ in req.headers):
        return None
    length = int(lengths[0])
    return length if length <= MAX_BODY else None
