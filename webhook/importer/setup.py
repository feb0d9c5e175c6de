"""The importer that a server's settings ask for, and its budgets."""

from __future__ import annotations

from pathlib import Path

from webhook.distribution import access
from webhook.distribution.access import Access
from webhook.distribution.ledger import Ledger
from webhook.distribution.limits import Limits
from webhook.distribution.pacing import Pace, Pacing
from webhook.importer.engine import Importer
from webhook.settings import Settings


def importer(settings: Settings, registries: Access | None = None) -> Importer:
    """A new importer, for one process; its budgets are shared with the other processes of the server.

    `registries` is what the settings say about registries, read already.
    """
    rules = registries or access.of(settings)
    pacing = Pacing(lambda host: _limits(rules, settings, host), _pace_file(settings))
    return Importer(max_bulk_import=settings.max_bulk_import, pacing=pacing, access=rules)


def budget(settings: Settings) -> Pace:
    """How often imports that nobody waits for may begin, whatever they import, in all processes of the server."""
    limits = Limits(settings.import_rate, settings.imports_in_flight)
    return Pace("", limits, Ledger(_pace_file(settings)))


def _pace_file(settings: Settings) -> Path | None:
    # Without a data folder there is one process only, as in a test.
    return settings.pace if settings.data.is_dir() else None


def _limits(rules: Access, settings: Settings, host: str) -> Limits:
    """What the file of registries says of a host now; where it says nothing, what the options say."""
    own = rules.registries().limits_of(host)
    return Limits(
        own.requests_per_second or settings.registry_rate,
        own.concurrency or settings.registry_concurrency,
        own.shortest_interval or Limits.shortest_interval,
    )
