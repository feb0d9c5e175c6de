"""The importer that a server's settings ask for."""

from __future__ import annotations

from webhook.distribution.limits import Limits
from webhook.distribution.pacing import Pacing
from webhook.importer.engine import Importer
from webhook.settings import Settings


def importer(settings: Settings) -> Importer:
    """A new importer, for one process; its budgets are shared with the other processes of the server."""
    limits = Limits(settings.registry_rate, settings.registry_concurrency)
    # Without a data folder there is one process only, as in a test.
    pacing = Pacing(lambda _host: limits, settings.pace if settings.data.is_dir() else None)
    return Importer(max_bulk_import=settings.max_bulk_import, pacing=pacing)
