"""How much may be asked of one registry: the numbers that an administrator can choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from webhook.settings import DEFAULT_REGISTRY_CONCURRENCY, DEFAULT_REGISTRY_RATE, SHORTEST_IMPORT_INTERVAL

# Of what is allowed in a second this part may come at once; the rest is spread evenly.
_AT_ONCE: Final = 0.2


@dataclass(frozen=True)
class Limits:
    """The budget of one registry.

    `requests_per_second` is kept in every second, not only on average, by all processes of a server together.
    `concurrency` bounds the requests that one process has open. `shortest_interval` is the least pause in seconds
    between two scheduled looks at a tag.
    """

    requests_per_second: float = DEFAULT_REGISTRY_RATE
    concurrency: int = DEFAULT_REGISTRY_CONCURRENCY
    shortest_interval: float = SHORTEST_IMPORT_INTERVAL

    @property
    def burst(self) -> float:
        """How many requests may follow each other without a pause."""
        return max(1.0, self.requests_per_second * _AT_ONCE)

    @property
    def pause(self) -> float:
        """Seconds between two requests beyond the burst; burst and pauses together stay within the budget."""
        return 1.0 / (self.requests_per_second * (1 - _AT_ONCE))


DEFAULT: Final = Limits()
