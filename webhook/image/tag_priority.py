"""In which order the tags of a repository are imported when there are too many for all of them (image-api 5.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_MINOR = re.compile(r"v?(\d+)\.(\d+)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?", re.ASCII)
_FULL = re.compile(
    r"v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)
_LATEST, _MINORS, _VERSIONS, _OTHERS = range(4)


def ordered(tags: Iterable[str]) -> list[str]:
    """The distinct tags: `latest`, minor versions, full versions, each from high to low, then all others by name."""
    return sorted(dict.fromkeys(tag or "latest" for tag in tags), key=_rank)


def _rank(tag: str) -> tuple[Any, ...]:
    if tag == "latest":
        return (_LATEST,)
    if found := _MINOR.fullmatch(tag):
        return _MINORS, *_descending((found[1], found[2], "0"), found[3]), tag.startswith("v"), tag
    if found := _FULL.fullmatch(tag):
        return _VERSIONS, *_descending((found[1], found[2], found[3]), found[4]), tag.startswith("v"), tag
    return _OTHERS, tag.encode()


def _descending(numbers: tuple[str, str, str], pre_release: str | None) -> tuple[Any, ...]:
    """A key that sorts higher versions first; a release stands before its own pre-releases."""
    release = pre_release is None
    parts = [] if pre_release is None else [_identifier(part) for part in pre_release.split(".")]
    # Of two pre-releases that begin alike the longer one is the higher: an end marker above every identifier.
    return *(-int(number) for number in numbers), not release, [*parts, (2, 0, ())]


def _identifier(part: str) -> tuple[int, int, tuple[int, ...]]:
    """Numbers rank below words, and both from high to low."""
    if part.isdigit():
        return 1, -int(part), ()
    # The closing 1 lies above every negated letter: a longer word is the higher one.
    return 0, 0, (*(-ord(letter) for letter in part), 1)
