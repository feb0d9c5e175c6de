"""The registry clients of one import: one per repository, with what they share between them and with other imports."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from webhook.distribution import mirrors
from webhook.distribution.access import Rules
from webhook.distribution.client import RegistryClient, Usage
from webhook.distribution.credentials import Credential, Keyring
from webhook.distribution.failures import DistributionError, EndpointsFailed
from webhook.distribution.pacing import Pacing
from webhook.distribution.sessions import SessionCache, Sessions
from webhook.distribution.tokens import TokenCache
from webhook.distribution.transport import Transport
from webhook.image.configuration import BadContent
from webhook.importer.plan import Repository, Want

T = TypeVar("T")


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
    """Makes the client of each repository once; threads share it.

    `keyring` has the credentials of the namespace, which come before the server's own.
    """

    def __init__(
        self,
        transport: Transport,
        shared: Shared,
        rules: Rules,
        keyring: Keyring,
        deadline: float,
        usages: Usages | None = None,
    ) -> None:
        self._transport, self._shared, self._rules, self._keyring = transport, shared, rules, keyring
        self._deadline, self._usages = deadline, usages or Usages()
        self._sessions = Sessions(shared.sessions)
        self._clients: dict[tuple[Repository, bool, Credential | None], RegistryClient] = {}
        self._lock = threading.Lock()

    def first(self, want: Want, ask: Callable[[RegistryClient], T]) -> T:
        """What the first endpoint gives that does not fail: the mirrors in their order, then the source.

        Raises what a source without mirrors does; otherwise EndpointsFailed, or Blocked.
        """
        failed: list[tuple[str, Exception]] = []
        for endpoint in mirrors.endpoints(want.source, self._rules.registries, by_digest=not want.tag):
            at = want.at(endpoint)
            try:
                return ask(self._of(at, want))
            except (DistributionError, BadContent) as error:
                failed.append((at.tried, error))
        if [tried for tried, _ in failed] == [want.tried]:
            raise failed[0][1]
        raise EndpointsFailed(failed)

    def listing(self, want: Want) -> RegistryClient:
        """The client that lists the tags of the repository; raises Blocked."""
        return self._of(want.at(mirrors.listing_endpoint(want.source, self._rules.registries)), want)

    def credential(self, want: Want) -> Credential | None:
        """Whose password an image is read with: a key may name a tag, though few do."""
        reference = replace(want.source, tag=want.tag)
        return self._keyring.find(reference) or self._rules.keyring.find(reference)

    def _of(self, want: Want, source: Want) -> RegistryClient:
        """The client of an endpoint: with credentials of its own and the insecure flag of the source."""
        repository = want.repository
        insecure = source.insecure or self._rules.registries.is_insecure(source.source)
        credential = self.credential(want)
        with self._lock:
            key = repository, insecure, credential
            if key not in self._clients:
                self._clients[key] = RegistryClient(
                    self._transport,
                    self._shared.tokens,
                    repository.host,
                    repository.path,
                    credential=credential,
                    insecure=insecure,
                    sessions=self._sessions,
                    pacing=self._shared.pacing,
                    usage=self._usages.of(repository.host),
                    deadline=self._deadline,
                )
            return self._clients[key]
