"""Through which proxy a request goes: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as other cluster programs read them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from webhook.reloading import Unusable

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True)
class Proxies:
    """The proxies for both schemes, empty for none; their URLs may have a password and are not shown when printed.

    `direct` are the entries of NO_PROXY: `*`, addresses, networks, `example.com` with all below it, `.example.com`
    for what is below it only, each with an optional port.
    """

    http: str = field(default="", repr=False)
    https: str = field(default="", repr=False)
    direct: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.http or self.https)

    def proxy_for(self, scheme: str, host: str, port: int) -> str:
        """The URL of the proxy for a request, empty where it goes without; this machine is always reached directly."""
        proxy = self.https if scheme == "https" else self.http
        return "" if not proxy or _is_local(host) or any(_matches(one, host, port) for one in self.direct) else proxy


def from_environment(environ: Mapping[str, str]) -> Proxies:
    """The proxies of an environment, whose names may be written in small letters; raises Unusable."""
    direct = [one.strip().lower() for one in re.split(r"[\s,]+", _value(environ, "NO_PROXY"))]
    return Proxies(_proxy(environ, "HTTP_PROXY"), _proxy(environ, "HTTPS_PROXY"), tuple(one for one in direct if one))


def _value(environ: Mapping[str, str], name: str) -> str:
    return (environ.get(name) or environ.get(name.lower()) or "").strip()


def _proxy(environ: Mapping[str, str], name: str) -> str:
    text = _value(environ, name)
    if not text:
        return ""
    url = text if _SCHEME.match(text) else f"http://{text}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise Unusable(f"{name} in the environment is not the address of an HTTP proxy; write http://HOST:PORT")
    return url


def _is_local(host: str) -> bool:
    address = _address(host)
    return host.lower().rstrip(".") == "localhost" if address is None else address.is_loopback


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    address, host = _address(host), host.lower().rstrip(".")
    if address is not None and (net := _network(entry)) is not None:
        return address.version == net.version and address in net
    name, entry_port = _name_port(entry)
    if entry_port and entry_port != str(port):
        return False
    if address is not None:
        return _address(name) == address
    name = name.removeprefix("*")
    return host.endswith(name) if name.startswith(".") else host == name or host.endswith(f".{name}")


def _name_port(entry: str) -> tuple[str, str]:
    name, colon, port = entry.rpartition(":")
    if not colon or not port.isdigit() or (":" in name and not name.startswith("[")):
        return entry, ""
    return name, port


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
