"""In which order the tags of a repository are imported when there are too many for all of them (image-api 5.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_PRE_RELEASE = r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
_MINOR = re.compile(rf"v?(?P<major>\d+)\.(?P<minor>\d+){_PRE_RELEASE}", re.ASCII)
_FULL = re.compile(rf"v?(?P<major>\d+)\.(?P<minor>\d+)\.(?P<patch>\d+){_PRE_RELEASE}(?:\+[0-9A-Za-z.-]+)?", re.ASCII)


def ordered(tags: Iterable[str]) -> list[str]:
    """The distinct tags: `latest`, minor versions, full versions, each from high to low, then all others by name."""
    rest = dict.fromkeys(tag or "latest" for tag in tags)
    latest = ["latest"] if "latest" in rest else []
    minors = [tag for tag in rest if _MINOR.fullmatch(tag)]
    versions = [tag for tag in rest if _FULL.fullmatch(tag)]
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
