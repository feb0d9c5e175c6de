"""Which addresses imports may connect to: what a user can make the server ask for must not reach what only it can.

A name is resolved once and the address that was checked is the one that is dialled, so that a name which changes its
meaning in between (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from webhook.distribution.configuration import network
from webhook.distribution.failures import EgressRefused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[tuple[Any, ...]]]
"""(host, port) to what `socket.getaddrinfo` answers; raises OSError."""

_KINDS = {
    "metadata": ("169.254.169.254/32", "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32", "fd00:ec2::254/128"),
    "unspecified": ("0.0.0.0/8", "::/128"),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10", "64:ff9b:1::/48"),
    "carrier-grade NAT": ("100.64.0.0/10",),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "reserved": ("192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "100::/64"),
}
_NETWORKS = [(ipaddress.ip_network(text), kind) for kind, networks in _KINDS.items() for text in networks]
# What the name of a host in the configuration opens. The rest needs its network spelled out: whoever answers for the
# name must not be able to send requests to a metadata service.
_OPENED_BY_NAME = frozenset({"loopback", "private", "carrier-grade NAT"})
_TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::ffff:0:0:0/96"))
_COMPATIBLE = ipaddress.IPv6Network("::/96")


def kind(address: Address) -> str:
    """Why an address is not one of the public Internet (`private`, `link-local`, …), empty if it is."""
    return next((name for net, name in _NETWORKS if address.version == net.version and address in net), "")


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for: mapped, compatible, translated (NAT64, SIIT), 6to4 or Teredo."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if address.teredo:
        return address.teredo[1]
    if any(address in net for net in _TRANSLATED) or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


class Egress:
    """The rule for addresses: public ones, and what `allow` (`configuration.Egress`) and `loopback` add."""

    def __init__(
        self,
        allow: Iterable[str] = (),
        *,
        loopback: bool = False,
        resolve: Resolve | None = None,
    ) -> None:
        rules = [(text, network(text)) for text in allow]
        self._networks = [net for _, net in rules if net is not None]
        self._hosts = tuple(text.lower() for text, net in rules if net is None)
        self._loopback = loopback
        self._resolve = resolve or _resolve

    def refusal(self, host: str, address: Address) -> str:
        """The kind of an address that may not be dialled for this host, empty for one that may."""
        inner = unwrapped(address)
        found = kind(inner) or kind(address)
        if not found or (found == "loopback" and self._loopback):
            return ""
        if any(_opens(net, one, found) for net in self._networks for one in (address, inner)):
            return ""
        return "" if found in _OPENED_BY_NAME and self._names(host) else found

    def check_literal(self, host: str) -> None:
        """Refuse an address that stands in a URL as such; for requests through a proxy, which resolves names itself."""
        address = _literal(host.strip("[]").partition("%")[0].rstrip(".").lower())
        if address is not None and (found := self.refusal(host, address)):
            raise _refused(host, found)

    def dial(
        self, host: str, port: int, timeout: float | None, options: Sequence[Sequence[Any]] | None
    ) -> socket.socket:
        """A connection to the first allowed address of `host` that answers.

        Raises EgressRefused when no address is allowed, OSError as `socket.create_connection` does.
        """
        allowed, refused = [], ""
        for family, sort, protocol, _, address in self._resolve(host.strip("[]"), port):
            found = self.refusal(host, ipaddress.ip_address(address[0].partition("%")[0]))
            refused = refused or found
            if not found:
                allowed.append((family, sort, protocol, address))
        if not allowed:
            raise _refused(host, refused) if refused else OSError("no address")
        failure: OSError | None = None
        for one in allowed:
            try:
                return _connect(*one, timeout, options)
            except OSError as error:
                failure = error
        assert failure is not None
        raise failure

    def _names(self, host: str) -> bool:
        host = host.lower().rstrip(".")
        return any(one == host or (one.startswith("*.") and host.endswith(one[1:])) for one in self._hosts)


def _opens(net: Network, address: Address, found: str) -> bool:
    """A wide network does not open a metadata service that lies in it: that takes the very address."""
    inside = address.version == net.version and address in net
    return inside and (found != "metadata" or net.prefixlen == net.max_prefixlen)


def _connect(
    family: int, sort: int, protocol: int, address: Any, timeout: float | None, options: Sequence[Sequence[Any]] | None
) -> socket.socket:
    connection = socket.socket(family, sort, protocol)
    try:
        for option in options or ():
            connection.setsockopt(*option)
        connection.settimeout(timeout)
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def _resolve(host: str, port: int) -> Sequence[tuple[Any, ...]]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _literal(host: str) -> Address | None:
    """The address that a host is by itself, in any of the spellings that programs take; None for a name."""
    if host == "localhost":
        return ipaddress.IPv4Address("127.0.0.1")
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        # `2130706433`, `0x7f.1` and `127.1` are 127.0.0.1 to most.
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _refused(host: str, found: str) -> EgressRefused:
    # The address is not told: to whoever asks for an import, it would be a look into the server's name service.
    return EgressRefused(f"dial {host}: a {found} address, which imports may not connect to (egress.allow)")
