"""A way to a server that can be cut, muted and closed: what a network does to a client."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Gate(socketserver.ThreadingTCPServer):
    """Passes connections on to a port of the loopback interface until it is told otherwise."""

    # Joined when the gate is closed.
    daemon_threads = False

    def __init__(self, target: int) -> None:
        super().__init__(("127.0.0.1", 0), _Relay)
        self.target = ("127.0.0.1", target)
        self.port = self.server_address[1]
        self.open: set[socket.socket] = set()
        self.muted: frozenset[socket.socket] = frozenset()

    def mute(self) -> None:
        """Nothing that the server says on the connections of now arrives any more."""
        self.muted = frozenset(self.open)

    def cut(self) -> None:
        """All connections of now break off."""
        for one in list(self.open):
            end(one)

    def close(self) -> None:
        """As if the server was switched off."""
        self.shutdown()
        self.socket.close()
        self.cut()

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections may break as they like."""


class _Relay(socketserver.BaseRequestHandler):
    server: Gate

    def handle(self) -> None:
        with socket.create_connection(self.server.target) as far:
            self.server.open |= {self.request, far}
            back = threading.Thread(target=self._pump, args=(far, self.request))
            back.start()
            self._pump(self.request, far)
            back.join()
            self.server.open -= {self.request, far}

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(65536):
                if source not in self.server.muted:
                    target.sendall(content)
        end(source)
        end(target)


def end(connection: socket.socket) -> None:
    """Wakes both sides."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def gate_to(port: int) -> Iterator[Gate]:
    """An open gate inside the `with`."""
    gate = Gate(port)
    thread = threading.Thread(target=gate.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield gate
    finally:
        gate.close()
        gate.server_close()
        thread.join()
