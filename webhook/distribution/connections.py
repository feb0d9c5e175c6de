"""Connections to registries, each to an address that may be dialled, with the certificates that count for its host."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.response import HTTPResponse
from urllib3.util import Timeout, make_headers, parse_url
from urllib3.util.ssltransport import SSLTransport

from webhook.distribution.egress import Egress
from webhook.distribution.proxies import Proxies
from webhook.distribution.trust import Trust

Track = Callable[[socket.socket], None]
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Outbound:
    """Where requests may go, by which way, and whom they trust there."""

    egress: Egress = field(default_factory=lambda: Egress(loopback=True))
    trust: Trust = field(default_factory=Trust)
    proxies: Proxies = field(default_factory=Proxies)


class Connections:
    """Pools of connections, by way (direct, or a proxy) and by whether certificates are verified.

    `track` is told which socket an answer is about to be read from; what it raises ends the request.
    """

    def __init__(self, outbound: Outbound, track: Track) -> None:
        self._outbound, self._track = outbound, track
        self._managers: dict[tuple[str, bool], urllib3.PoolManager] = {}
        self._lock = threading.Lock()

    def request(
        self, method: str, url: str, headers: Mapping[str, str], timeout: Timeout, *, insecure: bool
    ) -> urllib3.BaseHTTPResponse:
        """Send one request and read the headers of its answer; raises as urllib3 does, and EgressRefused."""
        return self._manager(self._proxy(url), not insecure).request(
            method, url, headers=headers, timeout=timeout, retries=False, redirect=False, preload_content=False
        )

    def clear(self) -> None:
        """Close all connections that nobody is using."""
        with self._lock:
            managers = list(self._managers.values())
        for manager in managers:
            manager.clear()

    def _proxy(self, url: str) -> str:
        """The proxy for an address, empty for none; raises EgressRefused for what no proxy may be asked for."""
        if not self._outbound.proxies:
            return ""
        # The parser that the request itself uses: two might see two hosts.
        parts = parse_url(url)
        scheme, host = parts.scheme or "", (parts.host or "").strip("[]")
        proxy = self._outbound.proxies.proxy_for(scheme, host, parts.port or _PORTS.get(scheme, 0))
        if proxy:
            self._outbound.egress.check_literal(host)
        return proxy

    def _manager(self, proxy: str, verify: bool) -> urllib3.PoolManager:
        with self._lock:
            if (proxy, verify) not in self._managers:
                self._managers[proxy, verify] = self._made(proxy, verify)
            return self._managers[proxy, verify]

    def _made(self, proxy: str, verify: bool) -> urllib3.PoolManager:
        trust = self._outbound.trust
        options: dict[str, Any] = {
            "num_pools": 32,
            "maxsize": 16,
            "block": False,
            "cert_reqs": "CERT_REQUIRED" if verify else "CERT_NONE",
            "assert_hostname": None if verify else False,
        }
        manager: urllib3.PoolManager
        if proxy:
            parts = urlsplit(proxy)
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
            manager = _ProxiedPools(
                f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
                proxy_headers=make_headers(proxy_basic_auth=login),
                proxy_ssl_context=trust.context(parts.hostname or "", parts.port or _PORTS[parts.scheme]),
                **options,
            )
        else:
            manager = _Pools(**options)
        manager.trust = lambda host, port: trust.context(host, port, verify=verify)
        manager.pool_classes_by_scheme = _pool_classes(self._outbound.egress, self._track)
        return manager


class _ByHost(urllib3.PoolManager):
    """Gives every host the TLS context that is its own."""

    trust: Callable[[str, int], Any]

    def connection_from_host(
        self,
        host: str | None,
        port: int | None = None,
        scheme: str | None = "http",
        pool_kwargs: dict[str, Any] | None = None,
    ) -> HTTPConnectionPool:
        if scheme == "https":
            context = self.trust((host or "").strip("[]"), port or _PORTS["https"])
            pool_kwargs = {**(pool_kwargs or {}), "ssl_context": context}
        return super().connection_from_host(host, port, scheme, pool_kwargs)


class _Pools(_ByHost):
    pass


class _ProxiedPools(_ByHost, urllib3.ProxyManager):
    pass


def _pool_classes(egress: Egress, track: Track) -> dict[str, type[HTTPConnectionPool]]:
    """Pools whose connections go where `egress` lets them and report to `track` before they read an answer."""

    class Checked(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            if self.proxy is not None:
                # The administrator's choice, and the proxy's rules decide what is behind it.
                return super()._new_conn()
            timeout = self.timeout if isinstance(self.timeout, int | float) else None
            try:
                return egress.dial(self.host, self.port or 0, timeout, self.socket_options)
            except socket.gaierror as error:
                raise NameResolutionError(self.host, self, error) from error
            except TimeoutError as error:
                raise ConnectTimeoutError(self, "timed out") from error
            except OSError as error:
                raise NewConnectionError(self, "failed") from error

        def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3
            # TLS to a proxy with TLS to the registry in it is no socket by itself.
            track(self.sock.socket if isinstance(self.sock, SSLTransport) else self.sock)
            return super().getresponse()

    class Secure(Checked, HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            # Where the user asked for no verification, urllib3's warning with every request says nothing new.
            self.is_verified = True

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Checked

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
