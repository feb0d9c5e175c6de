"""The workers of a server as Linux tells about them, and connections to one of them."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from pathlib import Path

import pytest

from tests.integration.servers import Server

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
