"""What the administrator says about registries, as it is now: files that are read again when they change."""

from __future__ import annotations

import ipaddress
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from webhook.distribution import configuration, credentials, proxies, trust
from webhook.distribution.configuration import Registries
from webhook.distribution.connections import Outbound
from webhook.distribution.credentials import Keyring
from webhook.distribution.egress import Egress, Resolve
from webhook.distribution.trust import Trust
from webhook.reloading import Reloading
from webhook.settings import Settings


@dataclass(frozen=True)
class Rules:
    """What counts for one import from its beginning to its end. `keyring` has the server's own credentials."""

    registries: Registries = field(default_factory=Registries)
    keyring: Keyring = field(default_factory=Keyring)
    outbound: Outbound = field(default_factory=Outbound)


class Access:
    """The rules of a server; one instance serves all threads of a process.

    `registries` is the file of `webhook.distribution.configuration`, `credentials` a Docker configuration, `certs` a
    certs.d folder, `authorities` a PEM file or a folder of them. Raises Unusable for a file that cannot be used.
    `loopback` opens this machine to imports, `resolve` takes the place of the system's name service.
    """

    def __init__(
        self,
        *,
        registries: Path | None = None,
        credentials: Path | None = None,
        certs: Path | None = None,
        authorities: Path | None = None,
        loopback: bool = True,
        environ: Mapping[str, str] = os.environ,
        resolve: Resolve | None = None,
    ) -> None:
        self._loopback, self._resolve = loopback, resolve
        self._proxies = proxies.from_environment(environ)
        self._registries = Reloading(lambda: _registries(registries), lambda: _given(registries))
        self._keyring = Reloading(lambda: _keyring(credentials), lambda: _given(credentials))
        self._trust = Reloading(lambda: trust.load(certs, authorities), lambda: trust.files(certs, authorities))
        self._lock = threading.Lock()
        self._parts = self.registries(), self._keyring.current(), self._trust.current()
        self._rules = self._made(*self._parts)

    def registries(self) -> Registries:
        """What the file of registries says now."""
        return self._registries.current()

    def rules(self) -> Rules:
        """The rules of this moment; the same value as long as no file changes."""
        parts = self.registries(), self._keyring.current(), self._trust.current()
        with self._lock:
            if any(new is not old for new, old in zip(parts, self._parts, strict=True)):
                self._parts, self._rules = parts, self._made(*parts)
            return self._rules

    def _made(self, registries: Registries, keyring: Keyring, trusted: Trust) -> Rules:
        egress = Egress(registries.egress.allow, loopback=self._loopback, resolve=self._resolve)
        return Rules(registries, keyring, Outbound(egress, trusted, self._proxies))


def of(settings: Settings) -> Access:
    """The rules that a server's settings name; raises Unusable.

    Whoever may use a server on loopback is on this machine already, so imports may reach it too.
    """
    return Access(
        registries=settings.registries,
        credentials=settings.registry_credentials,
        certs=settings.certs_dir,
        authorities=settings.registry_ca,
        loopback=_is_loopback(settings.host),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _given(path: Path | None) -> list[Path]:
    return [] if path is None else [path]


def _registries(path: Path | None) -> Registries:
    return Registries() if path is None else configuration.load(path)


def _keyring(path: Path | None) -> Keyring:
    return Keyring() if path is None else credentials.load(path)
