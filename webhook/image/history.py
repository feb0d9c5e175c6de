"""The history of a tag: what a new event does to the events before it (image-api 2.8).

An event is `{"created", "dockerImageReference", "image", "generation"}`, an entry `{"tag", "items", "conditions"}` of
`status.tags` with the newest event first.
"""

from __future__ import annotations

from collections.abc import Iterable

from webhook.errors import Json
from webhook.image import tags


def event(created: str, reference: str, image: str, generation: int) -> Json:
    """One history event in its wire shape."""
    return {"created": created, "dockerImageReference": reference, "image": image, "generation": generation}


def push(entry: Json | None, new: Json) -> tuple[Json, bool]:
    """The entry after `new` came in, and whether that changed anything.

    An event with the head's reference or image updates the head in place and keeps its `created`; only one that differs
    in both becomes a new head. Any change clears the conditions. There is no limit on the length.
    """
    before = entry or {}
    items = before.get("items") or []
    if not items:
        return _with_items(before, [new]), True
    first = items[0]
    same_reference = _text(first, "dockerImageReference") == _text(new, "dockerImageReference")
    same_image = _text(first, "image") == _text(new, "image")
    if not (same_reference or same_image):
        return _with_items(before, [new, *items]), True
    if same_reference and same_image and _generation(first) == _generation(new):
        return before, False
    taken = {key: new.get(key) for key in ("dockerImageReference", "image", "generation")}
    return _with_items(before, [{**first, **taken}, *items[1:]]), True


def record(stream: Json, tag: str, new: Json) -> tuple[Json, bool]:
    """The stream after `new` came into that tag's history, and whether that changed anything."""
    after, changed = push(entry(stream, tag) or {"tag": tag}, new)
    return (with_entry(stream, after), True) if changed else (stream, False)


def entry(stream: Json, tag: str) -> Json | None:
    """The `status.tags` entry of that tag."""
    return tags.status_tag(stream, tag)


def items(stream: Json, tag: str) -> list[Json]:
    """The events of that tag, newest first."""
    return (entry(stream, tag) or {}).get("items") or []


def head(stream: Json, tag: str) -> Json | None:
    """The newest event of that tag."""
    found = items(stream, tag)
    return found[0] if found else None


def failed_import(conditions: Iterable[Json]) -> Json | None:
    """Of the conditions of a tag's entry the one that says that its last import failed."""
    return next((one for one in conditions if (one.get("type"), one.get("status")) == ("ImportSuccess", "False")), None)


def with_entry(stream: Json, tag_entry: Json) -> Json:
    """The stream with this `status.tags` entry, which names its tag, in place of the old one."""
    return tags.with_status_tag(stream, tag_entry)


def _with_items(before: Json, after: list[Json]) -> Json:
    kept = {key: value for key, value in before.items() if key not in ("items", "conditions")}
    return {**kept, "items": after}


def _text(one: Json, key: str) -> str:
    return one.get(key) or ""


def _generation(one: Json) -> int:
    return one.get("generation") or 0
