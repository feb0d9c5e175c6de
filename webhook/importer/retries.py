"""When a failed import is tried again: after pauses that double, counted from its first failure.

The times follow from the stream alone, so that a restart loses none of them, and nothing needs to be written to keep
what is announced true.
"""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import Final

from webhook.errors import Json
from webhook.meta import timestamps

IMPORT_SUCCESS: Final = "ImportSuccess"
IMPORT_RETRY: Final = "ImportRetry"
#: Seconds of the first pause, and of all from the one that would be longer.
FIRST_PAUSE: Final = 60.0
LONGEST_PAUSE: Final = 3600.0
# Failures of one moment, such as those of a registry that was down, must not all come back at one moment.
_SPREAD: Final = 0.2

_REASON: Final = "BackOff"
_MESSAGE: Final = (
    "The import is tried again about 1, 3, 7, 15, 31 and 63 minutes after lastTransitionTime, and then every hour."
)


def announced(condition: Json, entry: Json, *, asked_again: bool) -> Json:
    """The condition beside that of a failure; `entry` is what the status said of the tag before.

    The pauses go on where the tag fails again in another way, and begin anew where somebody asked for the import.
    """
    before = condition_of(entry, IMPORT_RETRY)
    since = condition["lastTransitionTime"] if before is None or asked_again else before["lastTransitionTime"]
    return {
        "type": IMPORT_RETRY,
        "status": "True",
        "lastTransitionTime": since,
        "reason": _REASON,
        "message": _MESSAGE,
        "generation": condition["generation"],
    }


def condition_of(entry: Json | None, kind: str) -> Json | None:
    """The first condition of that type which a tag's status has."""
    return next((one for one in (entry or {}).get("conditions") or [] if one.get("type") == kind), None)


def pause(since: str, now: datetime, name: str, *, first: float = FIRST_PAUSE) -> float:
    """Seconds until the next try of an import that has failed since then; `name` spreads the tries of many.

    A time that cannot be read counts as now.
    """
    try:
        age = max(0.0, (now - timestamps.parse(since)).total_seconds())
    except ValueError:
        age = 0.0
    stretch = 1.0 + _SPREAD * (zlib.crc32(name.encode()) % 1000) / 1000
    # A try that comes a little early must not have itself as the next one.
    slack = first / 2
    return (_next(age / stretch + slack, first) + slack) * stretch


def _next(age: float, first: float) -> float:
    """Seconds from `age` to the next of the moments at which pauses that double, up to the longest, end."""
    length, end = first, first
    while end <= age and length < LONGEST_PAUSE:
        length = min(LONGEST_PAUSE, 2 * length)
        end += length
    if end > age:
        return end - age
    return LONGEST_PAUSE - (age - end) % LONGEST_PAUSE
