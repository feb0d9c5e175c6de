"""The address to listen on."""

from __future__ import annotations

import socket

import pytest

from webhook.serving.listening import parse, reserve
from webhook.serving.workspace import CannotServe


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8443", ("127.0.0.1", 8443)),
        ("localhost:0", ("localhost", 0)),
        ("192.0.2.7", ("192.0.2.7", 8443)),
        (":9443", ("0.0.0.0", 9443)),
        ("[::1]:9443", ("::1", 9443)),
        ("[::]", ("::", 8443)),
    ],
)
def test_addresses_are_read(text, address):
    assert parse(text) == address


@pytest.mark.parametrize(
    "text", ["127.0.0.1:", "127.0.0.1:https", "h:70000", "h:-1", "::1", "[::1", "[::1]9", "https://h:1", "a b:1"]
)
def test_what_is_no_address_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="8443"):
        parse(text)


def test_a_taken_port_is_refused_even_where_its_owner_shares_it():
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CannotServe, match=f"port {port} on 127.0.0.1 is taken; .* --listen 127.0.0.1:{port + 1}"):
            reserve("127.0.0.1", port)


def test_a_taken_port_is_said_of_the_option_that_named_it():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(CannotServe, match="choose another with --metrics-listen 127"):
            reserve("127.0.0.1", other.getsockname()[1], "--metrics-listen")


def test_port_0_becomes_a_free_one_that_the_workers_can_share():
    with reserve("127.0.0.1", 0) as kept, socket.socket() as worker:
        worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        worker.bind(kept.getsockname())
        worker.listen()


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_of_another_machine_is_refused(host):
    with pytest.raises(CannotServe, match=r"try --listen 127\.0\.0\.1:8443"):
        reserve(host, 8443)
