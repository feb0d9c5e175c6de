"""The workers of a server as Linux tells about them, connections to one of them, and a compaction beside them."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.integration.servers import Server
from webhook.storage.sqlite import SqliteStore

_TRIES = 100


def workers(server: Server) -> list[int]:
    """The process ids of the workers; the server must run without controllers, which are a child of it too."""
    master = server.process_group
    return sorted(map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split()))


def thread_count(pid: int) -> int:
    """The threads of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("Threads:")[2].split()[0])


def connection(server: Server) -> http.client.HTTPSConnection:
    """An open connection, to whichever worker the kernel gives it."""
    context = ssl.create_default_context(cadata=server.authority())
    opened = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=60)
    opened.connect()
    return opened


def connection_to(server: Server, worker: int) -> http.client.HTTPSConnection:
    """An open connection to that worker."""
    for _ in range(_TRIES):
        opened = connection(server)
        if _owns(worker, server.port, opened.sock.getsockname()[1]):
            return opened
        opened.close()
    pytest.fail(f"none of {_TRIES} connections reached the worker {worker}")


@contextmanager
def compacting(database: Path, *, pause: float, keep_rows: int) -> Iterator[list[int]]:
    """Forget all but the newest changes, again after each pause (seconds); the numbers of changes forgotten."""
    done, forgotten = threading.Event(), list[int]()
    with closing(SqliteStore(database)) as store:

        def compact() -> None:
            while not done.wait(pause):
                forgotten.append(store.compact(keep_seconds=0, keep_rows=keep_rows))

        thread = threading.Thread(target=compact)
        thread.start()
        try:
            yield forgotten
        finally:
            done.set()
            thread.join()


def _owns(worker: int, port: int, client_port: int) -> bool:
    """Does the process hold the server's end of the connection?"""
    inode = _inode(port, client_port)
    for descriptor in Path(f"/proc/{worker}/fd").iterdir():
        try:
            if os.readlink(descriptor) == f"socket:[{inode}]":
                return True
        except OSError:
            continue
    return False


def _inode(port: int, client_port: int) -> str:
    loopback = f"{int.from_bytes(socket.inet_aton('127.0.0.1'), 'little'):08X}"
    ends = [f"{loopback}:{port:04X}", f"{loopback}:{client_port:04X}"]
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return next((row[9] for row in rows if row[1:3] == ends), "")
