"""Half-closed connections are read to their end beside everything else."""

from __future__ import annotations

import socket

import pytest

from webhook.tls import lingering
from webhook.tls.lingering import Lingering


def ended(peer: socket.socket) -> bool:
    """Whether the other side closes without a reset."""
    peer.settimeout(5)
    return peer.recv(1) == b""


def test_a_peer_that_closes_is_closed_at_once():
    near, far = socket.socketpair()
    Lingering().add(near)
    far.shutdown(socket.SHUT_WR)
    with far:
        assert ended(far)


def test_a_peer_that_stays_is_closed_after_a_while(monkeypatch):
    monkeypatch.setattr(lingering, "_SECONDS", 0.1)
    near, far = socket.socketpair()
    Lingering().add(near)
    with far:
        assert ended(far)


def test_what_the_peer_still_sends_is_read():
    near, far = socket.socketpair()
    Lingering().add(near)
    with far:
        far.settimeout(5)
        far.sendall(b"x" * 1_000_000)
        far.shutdown(socket.SHUT_WR)
        assert ended(far)


def test_a_peer_that_never_stops_sending_is_cut(monkeypatch):
    monkeypatch.setattr(lingering, "_BYTES", 100_000)
    near, far = socket.socketpair()
    Lingering().add(near)
    far.settimeout(5)
    with far, pytest.raises(OSError, match=r"Broken pipe|reset"):
        far.sendall(b"x" * 10_000_000)


def test_one_too_many_is_closed_at_once(monkeypatch):
    monkeypatch.setattr(lingering, "_MOST", 1)
    both = Lingering()
    first, second = socket.socketpair(), socket.socketpair()
    both.add(first[0])
    both.add(second[0])
    with first[1], second[1]:
        assert ended(second[1])


def test_its_thread_ends_and_another_begins():
    many = Lingering()
    for _ in range(3):
        near, far = socket.socketpair()
        many.add(near)
        far.close()
