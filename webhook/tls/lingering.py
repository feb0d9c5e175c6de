"""Connections that are answered and half closed, read to their end by one thread so that nobody has to wait for them.

A socket that is closed with unread data resets the connection, and the peer may lose the answer (RFC 9112 section 9.6).
gunicorn therefore waits for the peer's end, up to two seconds, but in the thread that accepts connections: a few
clients that just stay would stop the worker.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from typing import Final

_SECONDS: Final = 2.0
_TICK: Final = 0.2
_MOST: Final = 1000
"""Connections at a time; one more is closed at once."""
_BYTES: Final = 1 << 22
"""What is read of one connection: a body that was refused unread, such as one over the limit."""


class Lingering:
    """Takes connections over with `add`; its thread lives while there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: list[socket.socket] = []
        self._held = 0

    def add(self, connection: socket.socket) -> None:
        """Read `connection` until the peer closes it, for at most two seconds, and close it."""
        connection.setblocking(False)
        with self._lock:
            if self._held >= _MOST:
                connection.close()
                return
            self._new.append(connection)
            self._held += 1
            if self._held == 1:
                threading.Thread(target=self._run, name="lingering", daemon=True).start()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            while self._take(selector):
                for key, _ in selector.select(_TICK):
                    key.data.read()
                now = time.monotonic()
                for key in list(selector.get_map().values()):
                    if key.data.over(now):
                        selector.unregister(key.fileobj)
                        key.data.close()

    def _take(self, selector: selectors.BaseSelector) -> bool:
        """Take over what is new; False when there is nothing left to do."""
        with self._lock:
            for connection in self._new:
                selector.register(connection, selectors.EVENT_READ, _Reading(connection))
            self._new.clear()
            self._held = len(selector.get_map())
            return self._held > 0


class _Reading:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._until = time.monotonic() + _SECONDS
        self._left = _BYTES

    def read(self) -> None:
        try:
            read = len(self._connection.recv(65536))
        except BlockingIOError:
            return
        except OSError:
            read = 0
        self._left = self._left - read if read else 0

    def over(self, now: float) -> bool:
        return self._left <= 0 or now > self._until

    def close(self) -> None:
        self._connection.close()
