"""Paths of images in custom resources: `spec.steps[*].image`, `spec.templates[*].container.image`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from webhook.admission.locations import Path

Step = str | int | None
"""A key, an index, or None for every item of a list and every value of a map."""

_STEP: Final = re.compile(r"""\.?(?P<key>(?:[^.\[\]"*\\]|\\.)+)|\.?(?P<any>\*)|\[(?P<index>\*|[0-9]{1,4})\]""")


def parse(text: str) -> tuple[Step, ...]:
    r"""The steps of a path; raises ValueError.

    `[*]` and `.*` stand for every item, `[0]` for one; a backslash keeps a dot in a key (`example\.com/image`).
    """
    steps: list[Step] = []
    position = 0
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            raise ValueError(f'"{text}" is no path like spec.steps[*].image')
        steps.append(_step(found))
        position = found.end()
    if not steps or not isinstance(steps[0], str):
        raise ValueError(f'"{text}" is no path like spec.steps[*].image')
    return tuple(steps)


def strings(value: Any, steps: tuple[Step, ...], at: Path = ()) -> Iterator[tuple[Path, str]]:
    """(path, text) of each string that the steps lead to; what has another shape is passed over."""
    if not steps:
        if isinstance(value, str):
            yield at, value
        return
    step, rest = steps[0], steps[1:]
    for key, item in _items(value, step):
        yield from strings(item, rest, (*at, key))


def _step(found: re.Match[str]) -> Step:
    if found["key"]:
        return re.sub(r"\\(.)", r"\1", found["key"])
    return int(found["index"]) if found["index"] and found["index"] != "*" else None


def _items(value: Any, step: Step) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, list):
        if step is None:
            yield from enumerate(value)
        elif isinstance(step, int) and step < len(value):
            yield step, value[step]
    elif isinstance(value, dict):
        if step is None:
            yield from value.items()
        elif isinstance(step, str) and step in value:
            yield step, value[step]
