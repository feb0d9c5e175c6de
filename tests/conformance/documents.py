"""Dotted paths into JSON documents, and placeholders in requests."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def value_at(document: Any, dotted: str) -> Any:
    """The value at `status.tags.0.tag`, or None; `~1` stands for a dot within a key."""
    for part in dotted.split("."):
        if isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        elif isinstance(document, dict):
            document = document.get(_key(part))
        else:
            return None
    return document


def drop(document: Any, dotted: str) -> None:
    """Remove what is at the path; `*` stands for every item."""
    _drop(document, dotted.split("."))


def fill(value: Any, names: Mapping[str, Any]) -> Any:
    """The value with `{name}` replaced, also in keys; a text that is a placeholder and nothing else keeps the type."""
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        if whole and whole[1] in names:
            return names[whole[1]]
        return _PLACEHOLDER.sub(lambda found: str(names[found[1]]) if found[1] in names else found[0], value)
    if isinstance(value, dict):
        return {fill(key, names): fill(child, names) for key, child in value.items()}
    if isinstance(value, list):
        return [fill(child, names) for child in value]
    return value


def _drop(document: Any, parts: Sequence[str]) -> None:
    head, rest = parts[0], parts[1:]
    if rest:
        for child in _children(document, head):
            _drop(child, rest)
    elif isinstance(document, dict):
        document.pop(_key(head), None)
    elif isinstance(document, list) and head.isdigit() and int(head) < len(document):
        del document[int(head)]


def _children(document: Any, part: str) -> list[Any]:
    if isinstance(document, dict):
        return list(document.values()) if part == "*" else [document[key] for key in [_key(part)] if key in document]
    if isinstance(document, list):
        return document if part == "*" else document[int(part) : int(part) + 1] if part.isdigit() else []
    return []


def _key(part: str) -> str:
    return part.replace("~1", ".")
