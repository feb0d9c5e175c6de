"""Whether tags have moved since they were imported, asked of their registries with one HEAD each.

The import itself decides what is written. This only spares the imports that would write nothing, and where it cannot
tell it says so.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from cachetools import LRUCache, TTLCache

from webhook.distribution.access import Rules
from webhook.distribution.credentials import Credential, Keyring
from webhook.distribution.failures import CorruptSecret, DistributionError, RateLimited, Unreachable
from webhook.distribution.pacing import LONGEST_REST, Pace
from webhook.distribution.transport import Transport
from webhook.errors import Json
from webhook.image import manifest as manifests
from webhook.image.configuration import BadContent
from webhook.importer import bounded, failures, plan, report, results
from webhook.importer.clients import Clients, Usages
from webhook.importer.engine import Importer
from webhook.importer.fetched import FetchedImage
from webhook.importer.plan import Repository, Want
from webhook.telemetry import SCHEDULED_LOOKS

#: Seconds for which streams that follow the same tag share one look, whether it found something or failed.
_SHARED_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 25.0
_KNOWN: Final = 50_000
_AT_ONCE: Final = 4


class Verdict(Enum):
    """What an import of a tag would do."""

    UNCHANGED = "unchanged"
    FAILING = "failing"
    CHANGED = "changed"
    DEFERRED = "deferred"


class _Name(NamedTuple):
    repository: Repository
    value: str
    insecure: bool
    credential: Credential | None


@dataclass(frozen=True)
class _Descriptor:
    digest: str
    media_type: str


_Look = _Descriptor | DistributionError


class Checker:
    """Looks at tags for an importer, under its trust and its budgets, over connections that are kept."""

    def __init__(self, importer: Importer) -> None:
        self._importer = importer
        self._memory = _Memory()
        self._ways = _Ways(importer)

    def check(self, isi: Json, stream: Json, secrets: Sequence[Json]) -> Mapping[str, Verdict]:
        """What each image of this import would do, by its target tag; DEFERRED: the registry is not to be asked now."""
        images, wants = isi["spec"]["images"], plan.images(isi, stream)
        names = [image["to"]["name"] for image in images]
        try:
            keyring = Keyring.from_secrets(secrets)
        except CorruptSecret:
            return dict.fromkeys(names, Verdict.CHANGED)
        usages, deadline = Usages(), time.monotonic() + _LOOK_SECONDS
        rules, transport = self._ways.now()
        clients = Clients(transport, self._importer.shared, rules, keyring, deadline, usages)
        looking = _Looking(self._importer, self._memory, stream, clients)
        tasks = [looking.at(tag, want) for tag, want in zip(names, wants, strict=True)]
        verdicts = [one or Verdict.CHANGED for one in bounded.run(tasks, workers=_AT_ONCE, deadline=deadline)]
        # Nobody waits any more for a registry that answers byte by byte; its thread must not do so either.
        transport.cut_overdue()
        report.asked(usages.all())
        for want, verdict in zip(wants, verdicts, strict=True):
            host = want.repository.host if isinstance(want, Want) else ""
            SCHEDULED_LOOKS.labels(report.label(host), verdict.value).inc()
        return dict(zip(names, verdicts, strict=True))


class _Ways:
    """Connections that are kept until the rules for them change."""

    def __init__(self, importer: Importer) -> None:
        self._importer, self._lock = importer, threading.Lock()
        self._rules = importer.rules()
        self._transport = importer.transport(self._rules, math.inf)

    def now(self) -> tuple[Rules, Transport]:
        """The rules of this moment and connections under them."""
        rules = self._importer.rules()
        with self._lock:
            if rules is not self._rules:
                # Not closed: looks may be under way in it, and its connections go with the last of them.
                self._rules, self._transport = rules, self._importer.transport(rules, math.inf)
            return self._rules, self._transport


class _Memory:
    """What one look tells the next."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.looks: TTLCache[_Name, _Look] = TTLCache(_KNOWN, _SHARED_SECONDS)
        self.unreachable: TTLCache[str, Unreachable] = TTLCache(_KNOWN, LONGEST_REST)
        # What an index holds never changes: its digest names it.
        self.chosen: LRUCache[tuple[str, str, str], str] = LRUCache(_KNOWN)


class _Looking:
    """The looks at the tags of one stream."""

    def __init__(self, importer: Importer, memory: _Memory, stream: Json, clients: Clients) -> None:
        self._importer, self._memory, self._stream, self._clients = importer, memory, stream, clients

    def at(self, tag: str, want: Want | FetchedImage) -> Callable[[], Verdict]:
        """The look at one tag, to be made in a thread; what names nothing fetchable is for the import to report."""
        return lambda: self._verdict(tag, want) if isinstance(want, Want) else Verdict.CHANGED

    def _verdict(self, tag: str, want: Want) -> Verdict:
        look = self._look(want)
        if isinstance(look, _Descriptor):
            return Verdict.UNCHANGED if self._current(tag, want, look) else Verdict.CHANGED
        if isinstance(look, RateLimited) or self._pace(want).opens(self._account(want)) > time.monotonic():
            return Verdict.DEFERRED
        failure = failures.of_image(look, want.tried)
        return Verdict.FAILING if results.known_failure(self._stream, tag, failure) else Verdict.CHANGED

    def _look(self, want: Want) -> _Look:
        memory, host = self._memory, want.repository.host
        name = _Name(want.repository, want.value, want.insecure, self._clients.credential(want))
        with memory.lock:
            known, down = memory.looks.get(name), memory.unreachable.get(host)
        if known is not None:
            return known
        if down is not None and self._pace(want).resting(self._account(want)):
            return down
        look = self._asked(want)
        with memory.lock:
            memory.looks[name] = look
            if isinstance(look, Unreachable):
                memory.unreachable[host] = look
        return look

    def _asked(self, want: Want) -> _Look:
        try:
            return _Descriptor(*self._clients.first(want, lambda client: client.descriptor(want.value)))
        except DistributionError as error:
            return error

    def _current(self, tag: str, want: Want, look: _Descriptor) -> bool:
        """Is the image at the registry the one that the tag has?"""
        if not look.digest:
            return False
        if results.up_to_date(self._stream, tag, want.pull_spec(look.digest), look.digest):
            return True
        if want.preserve or look.media_type not in (manifests.DOCKER_LIST, manifests.OCI_INDEX):
            return False
        child = self._chosen(want, look.digest)
        return bool(child) and results.up_to_date(self._stream, tag, want.pull_spec(child), child)

    def _chosen(self, want: Want, digest: str) -> str:
        """The image that mode Legacy takes from an index; empty where that cannot be told."""
        architecture, os = self._importer.platform
        key = digest, want.architecture or architecture, want.os or os
        with self._memory.lock:
            known = self._memory.chosen.get(key)
        if known is not None:
            return known
        try:
            raw, media_type, _ = self._clients.first(want, lambda client: client.manifest(digest))
            listing = manifests.parse(raw, media_type)
            entries = listing.entries if isinstance(listing, manifests.Listing) else ()
            child = manifests.choose(entries, *key[1:]).digest
        except (DistributionError, BadContent):
            return ""
        with self._memory.lock:
            self._memory.chosen[key] = child
        return child

    def _pace(self, want: Want) -> Pace:
        return self._importer.shared.pacing.of(want.repository.host)

    def _account(self, want: Want) -> str:
        credential = self._clients.credential(want)
        return credential.username if credential else ""
