"""The tag lists of a stream, which are maps on a wire that knows only lists (image-api 0.4).

`spec.tags` is keyed by `name`, `status.tags` by `tag`. Functions that change a stream answer a new one and share what
did not change.
"""

from __future__ import annotations

from collections.abc import Iterable

from webhook.errors import Json


def spec_tags(stream: Json) -> list[Json]:
    """The spec tags in the order in which they stand."""
    return (stream.get("spec") or {}).get("tags") or []


def status_tags(stream: Json) -> list[Json]:
    """The status tags in the order in which they stand."""
    return (stream.get("status") or {}).get("tags") or []


def spec_tag(stream: Json, tag: str) -> Json | None:
    """The spec tag of that name; of duplicates the last, as on the wire."""
    return _find(spec_tags(stream), "name", tag)


def status_tag(stream: Json, tag: str) -> Json | None:
    """The status entry of that tag; of duplicates the last, as on the wire."""
    return _find(status_tags(stream), "tag", tag)


def with_spec_tag(stream: Json, tag: Json) -> Json:
    """The stream with this spec tag in place of the one of the same name, or added."""
    return with_spec_tags(stream, [*spec_tags(stream), tag])


def with_spec_tags(stream: Json, tags: Iterable[Json]) -> Json:
    """The stream with exactly these spec tags."""
    return _with(stream, "spec", sorted_unique(tags, "name"))


def with_status_tag(stream: Json, entry: Json) -> Json:
    """The stream with this status entry in place of the one of the same tag, or added."""
    return with_status_tags(stream, [*status_tags(stream), entry])


def with_status_tags(stream: Json, entries: Iterable[Json]) -> Json:
    """The stream with exactly these status entries."""
    return _with(stream, "status", sorted_unique(entries, "tag"))


def without_spec_tag(stream: Json, tag: str) -> Json:
    """The stream without that spec tag; its history stays (image-api 2.9)."""
    return with_spec_tags(stream, [one for one in spec_tags(stream) if one.get("name") != tag])


def without_status_tag(stream: Json, tag: str) -> Json:
    """The stream without that tag's history and conditions."""
    return with_status_tags(stream, [one for one in status_tags(stream) if one.get("tag") != tag])


def without_tag(stream: Json, tag: str) -> Json:
    """The stream without that tag in spec and status."""
    return without_status_tag(without_spec_tag(stream, tag), tag)


def without_empty_status(stream: Json) -> Json:
    """The stream without status entries that have neither items nor conditions (image-api 2.3, internal writes)."""
    return with_status_tags(stream, [one for one in status_tags(stream) if one.get("items") or one.get("conditions")])


def canonical(stream: Json) -> Json:
    """Both lists without duplicates, the last one wins, and sorted by key."""
    return with_status_tags(with_spec_tags(stream, spec_tags(stream)), status_tags(stream))


def sorted_unique(entries: Iterable[Json], key: str) -> list[Json]:
    """The entries by key: the last of equal keys, in byte order."""
    found = {one.get(key) or "": one for one in entries}
    return [found[name] for name in sorted(found, key=str.encode)]


def _find(entries: list[Json], key: str, value: str) -> Json | None:
    return next((one for one in reversed(entries) if (one.get(key) or "") == value), None)


def _with(stream: Json, part: str, entries: list[Json]) -> Json:
    """An empty list is left out, as it is on the wire (image-api 0.3)."""
    rest = {key: value for key, value in (stream.get(part) or {}).items() if key != "tags"}
    return {**stream, part: {**rest, "tags": entries} if entries else rest}
