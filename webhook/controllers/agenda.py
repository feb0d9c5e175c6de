"""When tags are looked at without being asked for: by their schedule, and again after failures."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

from webhook.controllers import needs
from webhook.errors import Json
from webhook.image.reference import InvalidReference, parse
from webhook.importer import retries
from webhook.meta import durations
from webhook.settings import DEFAULT_IMPORT_INTERVAL

#: On a tag of the spec: the pause between two scheduled looks at it, such as `5m`.
INTERVAL_ANNOTATION: Final = "imagestreams/import-interval"
# Of its interval a tag waits this much more, at random, so that looks of one moment drift apart.
_JITTER: Final = 0.05
# After a start all scheduled tags come at once: their first turns are spread from here to the whole interval.
_SOONEST: Final = 0.2


class Turn(NamedTuple):
    """A moment (time.monotonic), and what it was made from: the same again does not move it."""

    at: float
    basis: tuple[str, object]


Turns = Mapping[tuple[str, str], Turn]


@dataclass(frozen=True)
class Agenda:
    """The rules. `interval` is the pause between two looks at a scheduled tag, which an annotation may change.

    `floor` is the shortest pause that a registry host allows. With `retrying` failed imports are tried again, at first
    after `first_retry` seconds; without it tags have no intervals of their own either, as in OpenShift.
    """

    interval: float = DEFAULT_IMPORT_INTERVAL
    retrying: bool = True
    first_retry: float = retries.FIRST_PAUSE
    floor: Callable[[str], float] = lambda _host: 0.0
    rng: random.Random = field(default_factory=random.Random)
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def turns(self, stream: Json, known: Turns, looked: Collection[str] = ()) -> dict[tuple[str, str], Turn]:
        """The turns of a stream's tags, by tag and kind; known ones stay, but for the tags that were just looked at."""
        found: dict[tuple[str, str], Turn] = {}
        for tag in needs.scheduled(stream):
            name, interval = tag["name"], self.interval_of(tag)
            key, basis = (name, "schedule"), ("schedule", (interval, tag["from"]["name"]))
            found[key] = self._kept(known, key, basis, looked) or Turn(
                self.clock() + interval * self._share(name in looked), basis
            )
        for tag, since in needs.failing(stream) if self.retrying else ():
            key, retry = (tag["name"], "retry"), ("retry", since)
            found[key] = self._kept(known, key, retry, looked) or Turn(
                self.clock() + self._retry_pause(stream, tag["name"], since), retry
            )
        return found

    def interval_of(self, tag: Json) -> float:
        """Seconds between two looks at a tag: its own or those of all tags, not below what its registry allows."""
        own = (tag.get("annotations") or {}).get(INTERVAL_ANNOTATION) if self.retrying else None
        try:
            wanted = self.interval if own is None else durations.parse(own)
        except ValueError:
            wanted = self.interval
        return max(wanted, self.floor(_host(tag)))

    def _kept(self, known: Turns, key: tuple[str, str], basis: object, looked: Collection[str]) -> Turn | None:
        turn = known.get(key)
        return turn if turn is not None and turn.basis == basis and key[0] not in looked else None

    def _share(self, again: bool) -> float:
        return self.rng.uniform(1.0, 1.0 + _JITTER) if again else self.rng.uniform(_SOONEST, 1.0)

    def _retry_pause(self, stream: Json, tag: str, since: str) -> float:
        uid = (stream.get("metadata") or {}).get("uid") or ""
        return retries.pause(since, self.now(), f"{uid}:{tag}", first=self.first_retry)


def due(turns: Turns, now: float) -> set[str]:
    """The tags whose turn has come."""
    return {tag for (tag, _), turn in turns.items() if turn.at <= now}


def _host(tag: Json) -> str:
    try:
        return parse(tag["from"]["name"]).with_client_defaults().as_v2().registry
    except InvalidReference:
        return ""
