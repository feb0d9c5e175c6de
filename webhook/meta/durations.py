"""Durations as people and Go write them: `90`, `90s`, `15m`, `1h30m`, `1d`."""

from __future__ import annotations

import re
from typing import Final

_SECONDS: Final = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER: Final = r"[0-9]{1,9}(?:\.[0-9]{1,6})?"
_WHOLE: Final = re.compile(rf"{_NUMBER}|(?:{_NUMBER}(?:ms|s|m|h|d))+", re.ASCII)
_PART: Final = re.compile(rf"({_NUMBER})(ms|s|m|h|d|)", re.ASCII)
_MAX_LENGTH: Final = 64


def parse(text: str) -> float:
    """The seconds; ValueError for anything else. A number without a unit is seconds."""
    if len(text) > _MAX_LENGTH or not _WHOLE.fullmatch(text):
        raise ValueError(f"{text[:_MAX_LENGTH]!r} is no duration such as 90s, 15m or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
