"""gunicorn's threaded worker, with threads that end when they are not needed and connections that are counted once."""

from __future__ import annotations

import ssl
from concurrent.futures import Future
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from webhook.serving.pool import Pool


class Worker(ThreadWorker):  # type: ignore[misc]
    """A worker of every server here."""

    def get_thread_pool(self) -> Pool:
        """Threads that end when they are no longer needed; called by gunicorn once, in the worker."""
        return Pool(self.cfg.threads)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """As gunicorn's, but for a connection whose socket is closed already, as after a failed handshake.

        gunicorn closes it once more, takes the error for another connection that is gone, and so counts two: after a
        few probes of the port a stopping worker would not wait for the requests that it is still answering.
        """
        if conn.sock.fileno() < 0:
            self.nr_conns -= 1
            return
        super().finish_request(conn, fs)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """As gunicorn's, which warns and answers, but for TLS that breaks off while this worker stops.

        The server's own watches end like that at every stop, which is no invalid request and has nobody to answer.
        """
        if isinstance(exc, ssl.SSLError) and not self.alive:
            self.log.debug("A TLS connection broke off: %s", exc)
            return
        super().handle_error(req, client, addr, exc)
