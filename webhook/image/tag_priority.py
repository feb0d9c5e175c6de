"""In which order the tags of a repository are imported when there are too many for all of them (image-api 5.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

# Numbers as semantic versioning has them: `22.04` is a date to most and no version.
_NUMBER = r"(?:0|[1-9]\d*)"
_IDENTIFIER = rf"(?:{_NUMBER}|\d*[A-Za-z-][0-9A-Za-z-]*)"
_START = rf"v?(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})"
_MINOR = re.compile(rf"{_START}(?:-(?P<pre>{_NUMBER}|\d*[A-Za-z][0-9A-Za-z]*))?", re.ASCII)
_FULL = re.compile(rf"{_START}\.(?P<patch>{_NUMBER})(?:-(?P<pre>{_IDENTIFIER}(?:\.{_IDENTIFIER})*))?", re.ASCII)
# A number of more than 64 bits is none.
_TOO_LARGE = re.compile(r"(?:^v?|[.-])\d{20,}(?:[.-]|$)", re.ASCII)


def ordered(tags: Iterable[str]) -> list[str]:
    """The distinct tags: `latest`, minor versions, full versions, each from high to low, then all others by name."""
    rest = dict.fromkeys(tag or "latest" for tag in tags)
    latest = ["latest"] if "latest" in rest else []
    minors = [tag for tag in rest if _MINOR.fullmatch(tag) and not _TOO_LARGE.search(tag)]
    versions = [tag for tag in rest if _FULL.fullmatch(tag) and not _TOO_LARGE.search(tag)]
    others = rest.keys() - {*latest, *minors, *versions}
    return [*latest, *_descending(minors, _MINOR), *_descending(versions, _FULL), *sorted(others)]


def _descending(tags: list[str], form: re.Pattern[str]) -> list[str]:
    # Sorting is stable: among equal versions those without `v` stay before the others.
    by_name = sorted(tags, key=lambda tag: (tag.startswith("v"), tag))
    return sorted(by_name, key=lambda tag: _precedence(form, tag), reverse=True)


def _precedence(form: re.Pattern[str], tag: str) -> tuple[Any, ...]:
    """What sorts as semantic versioning says: a release above its pre-releases, a longer one above its start."""
    found = form.fullmatch(tag)
    parts = found.groupdict() if found else {}
    pre_release = [_identifier(part) for part in (parts.get("pre") or "").split(".")]
    numbers = (int(parts.get(name) or 0) for name in ("major", "minor", "patch"))
    return *numbers, not parts.get("pre"), pre_release


def _identifier(part: str) -> tuple[bool, int, str]:
    """Numbers rank below words."""
    return (False, int(part), "") if part.isdigit() else (True, 0, part)
