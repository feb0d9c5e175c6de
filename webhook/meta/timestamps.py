"""Times as Kubernetes writes them: RFC 3339, UTC, whole seconds; and how long ago something was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_YEAR: Final = 365 * _DAY


def now() -> str:
    """The present, as `2026-01-02T03:04:05Z`."""
    return format(datetime.now(UTC))


def format(moment: datetime) -> str:
    """A moment as Kubernetes writes it; one without a time zone is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime(_FORMAT)


def parse(text: str) -> datetime:
    """The moment of an RFC 3339 text; ValueError for anything else."""
    if len(text) < len("2006-01-02T15:04:05Z") or text[10] not in "Tt":
        raise ValueError(f"not an RFC 3339 time: {text!r}")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    return moment


def age(text: str, now: datetime) -> str:
    """How long ago `text` was, as kubectl prints it (`5d3h`); `<unknown>` for no or an unreadable time."""
    try:
        return human_duration(now - parse(text))
    except ValueError:
        return "<unknown>"


def human_duration(elapsed: timedelta) -> str:
    """Two to three significant figures, as client-go's duration.HumanDuration."""
    seconds = int(elapsed.total_seconds())
    if seconds < -1:
        return "<invalid>"
    for limit, big, small in _STEPS:
        if seconds < limit:
            return _two_units(max(seconds, 0), big, small)
    return f"{seconds // _YEAR}y"


_UNITS: Final = {"s": 1, "m": _MINUTE, "h": _HOUR, "d": _DAY, "y": _YEAR}
# Below the limit (in seconds): the unit to count, and the unit of the rest.
_STEPS: Final = (
    (2 * _MINUTE, "s", ""),
    (10 * _MINUTE, "m", "s"),
    (3 * _HOUR, "m", ""),
    (8 * _HOUR, "h", "m"),
    (2 * _DAY, "h", ""),
    (8 * _DAY, "d", "h"),
    (2 * _YEAR, "d", ""),
    (8 * _YEAR, "y", "d"),
)


def _two_units(seconds: int, big: str, small: str) -> str:
    count, rest = divmod(seconds, _UNITS[big])
    fraction = rest // _UNITS[small] if small else 0
    return f"{count}{big}{fraction}{small}" if fraction else f"{count}{big}"
