"""Clients that cost as little as possible, clocks for the server's CPU, and the table that both benchmarks print."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import ssl
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.integration.servers import Server

HEADINGS = f"{'':40}{'bytes':>10}{'req/s':>9}{'p50 µs':>10}{'p99 µs':>10}{'CPU µs':>10}{'× floor':>9}"
ROUNDS = 10
_CHUNK = 1 << 20


class Wire:
    """One kept TLS connection; requests are bytes made beforehand, and of the answer only its length is read."""

    def __init__(self, server: Server) -> None:
        self._host = f"127.0.0.1:{server.port}"
        self._token = server.token()
        self.socket = _connected(server)
        self._buffer = bytearray(_CHUNK)

    def request(self, method: str, path: str, body: bytes = b"", content_type: str = "application/json") -> bytes:
        """The bytes of a request."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}", f"Authorization: Bearer {self._token}"]
        lines += ["Accept: application/json", "User-Agent: bench"]
        if body:
            lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def ask(self, request: bytes) -> int:
        """Send the request and read its answer, which must be a success; the length of the body."""
        self.socket.sendall(request)
        head = b""
        while b"\r\n\r\n" not in head:
            received = self.socket.recv(_CHUNK)
            assert received, "the server closed the connection"
            head += received
        head, _, begun = head.partition(b"\r\n\r\n")
        assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")), head
        length = int(head.lower().partition(b"content-length:")[2].split(None, 1)[0])
        left = length - len(begun)
        while left > 0:
            left -= self.socket.recv_into(self._buffer, min(left, _CHUNK))
        return length

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


class Watchers:
    """Many open watches of one path, read by one thread."""

    def __init__(self, server: Server, path: str, count: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._wires = [Wire(server) for _ in range(count)]
        self._lines = dict.fromkeys(range(count), 0)
        self._last = dict.fromkeys(range(count), b"")
        self.bytes = 0
        for number, wire in enumerate(self._wires):
            wire.socket.sendall(wire.request("GET", path))
            while b"\r\n\r\n" not in wire.socket.recv(_CHUNK):
                pass
            wire.socket.setblocking(False)
            self._selector.register(wire.socket, selectors.EVENT_READ, number)

    def wait(self, lines: int) -> None:
        """Read until every watcher has got that many lines since it was opened."""
        while min(self._lines.values()) < lines:
            for key, _ in self._selector.select(10):
                assert isinstance(key.fileobj, ssl.SSLSocket)
                self._read(key.fileobj, key.data)

    def _read(self, connection: ssl.SSLSocket, number: int) -> None:
        while True:
            try:
                received = connection.recv(_CHUNK)
            except ssl.SSLWantReadError:
                return
            assert received, "the server ended a watch"
            # Chunk sizes end in \r\n, lines of JSON in \n alone; a \r may have come with what was received before.
            text = self._last[number] + received
            self._lines[number] += received.count(b"\n") - text.count(b"\r\n")
            self._last[number] = received[-1:]
            self.bytes += len(received)

    def close(self) -> None:
        """Hang up."""
        for wire in self._wires:
            wire.close()


@dataclass(frozen=True)
class Measured:
    """What some requests took: seconds of each, CPU seconds of the server for all, bytes of one answer."""

    times: list[float]
    cpu: float
    size: int

    @property
    def rate(self) -> float:
        """Requests in a second."""
        return len(self.times) / sum(self.times)

    @property
    def each(self) -> float:
        """CPU seconds of the server for one request."""
        return self.cpu / len(self.times)


@dataclass(frozen=True)
class Subject:
    """What is measured: `once` sends one request to the server and gives the bytes that came back."""

    server: Server
    once: Callable[[], int]

    def run(self, requests: int) -> Measured:
        """That many, one after the other."""
        size, times, before = 0, [], cpu_seconds(self.server.process_group)
        for _ in range(requests):
            begun = time.perf_counter()
            size = self.once()
            times.append(time.perf_counter() - begun)
        return Measured(times, cpu_seconds(self.server.process_group) - before, size)


def measure(subjects: Sequence[Subject], requests: int) -> list[Measured]:
    """Each subject in turn, for ten rounds: what else the machine does meanwhile, it does to all of them."""
    for subject in subjects:
        subject.run(max(requests // ROUNDS, 5))
    rounds = [[subject.run(max(requests // ROUNDS, 1)) for subject in subjects] for _ in range(ROUNDS)]
    return [_together(of_one) for of_one in zip(*rounds, strict=True)]


def _together(rounds: Sequence[Measured]) -> Measured:
    return Measured([one for found in rounds for one in found.times], sum(one.cpu for one in rounds), rounds[-1].size)


def row(name: str, found: Measured, floor: Measured | None = None) -> str:
    """One line of the table; `× floor` is the CPU as a multiple of the floor's."""
    p50, p99 = statistics.median(found.times), statistics.quantiles(found.times, n=100)[98]
    micro = "".join(f"{value * 1e6:>10.0f}" for value in (p50, p99, found.each))
    times = f"{found.each / floor.each:>9.1f}" if floor and floor.each else ""
    return f"{name:40}{found.size:>10}{found.rate:>9.0f}{micro}{times}"


def cpu_seconds(group: int) -> float:
    """CPU time of all processes of a process group since their start, to the nanosecond (Linux)."""
    found = 0
    for process in members(group):
        with contextlib.suppress(OSError):
            # The clock of another process, as clock_getcpuclockid(3) makes it.
            found += time.clock_gettime_ns(~process << 3 | 2)
    return found / 1e9


def members(group: int) -> list[int]:
    """All processes of a process group (Linux)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.getpgid(int(folder.name)) == group:
                found.append(int(folder.name))
    return found


def _connected(server: Server) -> ssl.SSLSocket:
    context = ssl.create_default_context(cadata=server.authority())
    plain = socket.create_connection(("127.0.0.1", server.port))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain, server_hostname="127.0.0.1")
