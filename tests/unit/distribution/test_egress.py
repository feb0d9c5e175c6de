import ipaddress
import socket

import pytest

from webhook.distribution.egress import Egress, kind, unwrapped
from webhook.distribution.failures import EgressRefused


def address(text):
    return ipaddress.ip_address(text)


def known(*addresses):
    """A name service that answers each question with the next of these."""
    left = iter(addresses)

    def resolve(_host, port):
        return [one for text in next(left) for one in socket.getaddrinfo(text, port, type=socket.SOCK_STREAM)]

    return resolve


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("93.184.215.14", ""),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", ""),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("::1", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("172.32.0.1", ""),
        ("192.168.0.1", "private"),
        ("fd12:3456::1", "private"),
        ("fc00::1", "private"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("100.128.0.1", ""),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
        ("169.254.169.254", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("100.100.100.200", "metadata"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("198.18.0.1", "reserved"),
    ],
)
def test_the_kind_of_an_address(text, wanted):
    assert kind(address(text)) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("::ffff:169.254.169.254", "169.254.169.254", id="mapped"),
        pytest.param("::ffff:a00:1", "10.0.0.1", id="mapped, in hexadecimal"),
        pytest.param("::10.0.0.1", "10.0.0.1", id="compatible"),
        pytest.param("64:ff9b::a9fe:a9fe", "169.254.169.254", id="NAT64"),
        pytest.param("::ffff:0:a00:1", "10.0.0.1", id="SIIT"),
        pytest.param("2002:a00:1::1", "10.0.0.1", id="6to4"),
        pytest.param("2001:0:4136:e378:8000:63bf:f5ff:fffe", "10.0.0.1", id="Teredo"),
        pytest.param("::1", "::1", id="loopback stands for itself"),
        pytest.param("10.0.0.1", "10.0.0.1", id="IPv4"),
    ],
)
def test_an_address_in_another_is_unwrapped(text, wanted):
    assert unwrapped(address(text)) == address(wanted)


@pytest.mark.parametrize(
    ("allow", "loopback", "host", "text", "refused"),
    [
        pytest.param([], False, "quay.io", "93.184.215.14", "", id="public"),
        pytest.param([], False, "localhost", "127.0.0.1", "loopback", id="loopback"),
        pytest.param([], True, "localhost", "127.0.0.1", "", id="loopback, opened"),
        pytest.param([], True, "localhost", "::ffff:127.0.0.1", "", id="loopback in IPv6, opened"),
        pytest.param([], True, "r.internal", "10.1.2.3", "private", id="loopback does not open private networks"),
        pytest.param(["10.0.0.0/8"], False, "r.internal", "10.1.2.3", "", id="a network that is allowed"),
        pytest.param(["10.0.0.0/8"], False, "r.internal", "::ffff:10.1.2.3", "", id="the same network in IPv6"),
        pytest.param(["10.0.0.0/8"], False, "r.internal", "192.168.1.1", "private", id="another network"),
        pytest.param(["r.internal"], False, "R.internal.", "10.1.2.3", "", id="a host that is allowed"),
        pytest.param(["*.internal"], False, "r.internal", "fd12::1", "", id="a domain that is allowed"),
        pytest.param(["*.internal"], False, "internal", "fd12::1", "private", id="a domain is what is below it"),
        pytest.param(["r.internal"], False, "r.internal", "169.254.7.7", "link-local", id="a name opens little"),
        pytest.param(["r.internal"], False, "r.internal", "169.254.169.254", "metadata", id="and no metadata"),
        pytest.param(["169.254.0.0/16"], False, "x", "169.254.7.7", "", id="link-local addresses, by network"),
        pytest.param(["169.254.0.0/16"], False, "x", "169.254.169.254", "metadata", id="metadata not by network"),
        pytest.param(["169.254.169.254"], False, "x", "169.254.169.254", "", id="metadata by its very address"),
        pytest.param(["0.0.0.0/0"], False, "x", "fd00:ec2::254", "metadata", id="IPv4 does not open IPv6"),
    ],
)
def test_what_may_be_dialled(allow, loopback, host, text, refused):
    assert Egress(allow, loopback=loopback).refusal(host, address(text)) == refused


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def dial(egress, port, host="registry.test"):
    with egress.dial(host, port, 2, None) as connection:
        return connection.getpeername()[0]


def test_the_address_that_was_checked_is_dialled(listener):
    # The second answer, which another look at the name would give, is not asked for.
    egress = Egress(["127.0.0.1"], resolve=known(["127.0.0.1"]))
    assert dial(egress, listener) == "127.0.0.1"


def test_of_several_addresses_only_those_allowed_are_dialled(listener):
    with socket.create_server(("127.0.0.2", listener)):
        egress = Egress(["127.0.0.2"], resolve=known(["127.0.0.1", "127.0.0.2"]))
        assert dial(egress, listener) == "127.0.0.2"


def test_the_next_address_is_dialled_where_one_does_not_answer(listener):
    assert dial(Egress(loopback=True, resolve=known(["127.0.0.2", "127.0.0.1"])), listener) == "127.0.0.1"


def test_a_refusal_tells_the_kind_of_address_but_not_the_address():
    with pytest.raises(EgressRefused, match="a private address, which imports may not connect to") as caught:
        dial(Egress(resolve=known(["10.1.2.3"])), 443)
    assert "10.1" not in str(caught.value)


@pytest.mark.parametrize("failure", [socket.gaierror(socket.EAI_NONAME, "unknown"), ConnectionRefusedError()])
def test_other_failures_are_those_of_sockets(failure):
    def resolve(_host, _port):
        raise failure

    with pytest.raises(type(failure)):
        dial(Egress(resolve=resolve), 443)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[::ffff:10.0.0.1]", "::1", "localhost", "LOCALHOST.", "2130706433", "0x7f.1"]
)
def test_addresses_that_stand_in_a_url_are_refused_for_proxies_too(host):
    with pytest.raises(EgressRefused):
        Egress().check_literal(host)


@pytest.mark.parametrize("host", ["quay.io", "93.184.215.14", "localhost.example.com", "1571805966", "é.example.com"])
def test_a_proxy_resolves_other_names_itself(host):
    Egress().check_literal(host)
