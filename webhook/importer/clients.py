"""The registry clients of one import: one per repository, with what they share between them and with other imports."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from webhook.distribution.client import RegistryClient, Usage
from webhook.distribution.credentials import Keyring
from webhook.distribution.pacing import Pacing
from webhook.distribution.sessions import SessionCache, Sessions
from webhook.distribution.tokens import TokenCache
from webhook.distribution.transport import Transport
from webhook.importer.plan import Repository, Want


@dataclass(frozen=True)
class Shared:
    """What all imports of a process share: bearer tokens, how registries want to be asked, and their budgets."""

    pacing: Pacing = field(default_factory=Pacing)
    tokens: TokenCache = field(default_factory=TokenCache)
    sessions: SessionCache = field(default_factory=SessionCache)


class Usages:
    """What one import asked of each registry, by host."""

    def __init__(self) -> None:
        self._by_host: dict[str, Usage] = {}
        self._lock = threading.Lock()

    def of(self, host: str) -> Usage:
        """The usage of one registry, to be added to."""
        with self._lock:
            return self._by_host.setdefault(host, Usage())

    def all(self) -> Mapping[str, Usage]:
        """Every registry that was asked."""
        with self._lock:
            return dict(self._by_host)


class Clients:
    """Makes the client of each repository once; threads share it."""

    def __init__(
        self, transport: Transport, shared: Shared, keyring: Keyring, deadline: float, usages: Usages | None = None
    ) -> None:
        self._transport, self._shared, self._keyring = transport, shared, keyring
        self._deadline, self._usages = deadline, usages or Usages()
        self._sessions = Sessions(shared.sessions)
        self._clients: dict[tuple[Repository, bool], RegistryClient] = {}
        self._lock = threading.Lock()

    def of(self, want: Want) -> RegistryClient:
        """The client of the repository that is wanted; what the keyring has for its first spelling counts."""
        repository = want.repository
        with self._lock:
            key = repository, want.insecure
            if key not in self._clients:
                self._clients[key] = RegistryClient(
                    self._transport,
                    self._shared.tokens,
                    repository.host,
                    repository.path,
                    credential=self._keyring.find(want.source),
                    insecure=want.insecure,
                    sessions=self._sessions,
                    pace=self._shared.pacing.of(repository.host),
                    usage=self._usages.of(repository.host),
                    deadline=self._deadline,
                )
            return self._clients[key]
