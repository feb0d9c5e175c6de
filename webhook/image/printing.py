"""The columns and cells of the image kinds as Tables (image-api 8). All are always sent; clients hide what is wide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from webhook.errors import Json
from webhook.image import history

_TAGS_BUDGET = 40
_TAGS_OVERRUN = 10

_MINUTE, _HOUR, _DAY, _WEEK, _MONTH, _YEAR = 60, 3600, 24, 24 * 7, 24 * 30, 24 * 365


def _column(name: str, description: str, *, type_: str = "string", format_: str = "", wide: bool = False) -> Json:
    return {"name": name, "type": type_, "format": format_, "description": description, "priority": int(wide)}


_NAME = _column("Name", "The name of the object, unique in its namespace.", format_="name")
_UPDATED = _column("Updated", "How long ago the newest image came in.")

_COLUMNS: dict[str, list[Json]] = {
    "Image": [_NAME, _column("Image Reference", "Where the image is pulled from.")],
    "ImageStream": [
        _NAME,
        _column("Image Repository", "The repository under which the stream's images are pulled."),
        _column("Tags", "The tags that have a history, the most recently updated first."),
        _UPDATED,
    ],
    "ImageStreamTag": [
        _NAME,
        _column("Image Reference", "Where the tag's image is pulled from."),
        _UPDATED,
        _column("Image Name", "The digest of the tag's image.", wide=True),
    ],
    "ImageTag": [
        _NAME,
        _column("Spec", "How the tag gets its image: Tag, Ref, Scheduled, Track or Push."),
        _column("Status", "The tag's image, or how far its import is."),
        _column("History", "How many images the tag has had.", type_="number"),
        _UPDATED,
    ],
    "ImageStreamImage": [
        _NAME,
        _UPDATED,
        _column("Image Reference", "Where the image is pulled from.", wide=True),
        _column("Image Name", "The digest of the image.", wide=True),
    ],
}


def columns(kind: str) -> list[Json]:
    """The columnDefinitions of a kind; KeyError for a kind without a Table of its own."""
    return [dict(one) for one in _COLUMNS[kind]]


def row(obj: Json, now: str, kind: str = "") -> list[Any]:
    """The cells of an object; `kind` when the object, as one of a list, does not say it. `now` is RFC 3339."""
    return _CELLS[kind or obj["kind"]](obj, now)


def ago(then: str, now: str) -> str:
    """`3 minutes ago`, empty without a time."""
    if not then:
        return ""
    elapsed = datetime.fromisoformat(now) - datetime.fromisoformat(then)
    return f"{duration(int(elapsed.total_seconds()))} ago"


def duration(seconds: int) -> str:
    """A time span in the words of the Docker client; hours are rounded half up, all other units down."""
    if seconds < 1:
        return "Less than a second"
    if seconds == 1:
        return "1 second"
    if seconds < _MINUTE:
        return f"{seconds} seconds"
    minutes = seconds // _MINUTE
    if minutes == 1:
        return "About a minute"
    if minutes < 60:
        return f"{minutes} minutes"
    hours = (seconds + _HOUR // 2) // _HOUR
    if hours == 1:
        return "About an hour"
    for limit, unit, word in _LONG_SPANS:
        if hours < limit:
            return f"{hours // unit} {word}"
    return f"{seconds // _HOUR // _YEAR} years"


# Below the limit (in hours): the unit (in hours) and its word.
_LONG_SPANS = (
    (48, 1, "hours"),
    (2 * _WEEK, _DAY, "days"),
    (2 * _MONTH, _WEEK, "weeks"),
    (2 * _YEAR, _MONTH, "months"),
)


def _image(obj: Json, now: str) -> list[Any]:  # noqa: ARG001 - the signature of all kinds
    return [_name(obj), obj.get("dockerImageReference") or ""]


def _image_stream(obj: Json, now: str) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    repository = (
        status.get("publicDockerImageRepository")
        or spec.get("dockerImageRepository")
        or status.get("dockerImageRepository")
        or ""
    )
    heads = {one.get("tag") or "": _head(one).get("created") or "" for one in status.get("tags") or []}
    by_name = sorted(heads)
    return [
        _name(obj),
        repository,
        _tag_list(sorted(by_name, key=lambda tag: heads[tag], reverse=True)),
        ago(max(heads.values(), default=""), now),
    ]


def _tag_list(ordered: list[str]) -> str:
    """As many tags as fit into about forty characters, at least one, and how many are left."""
    shown: list[str] = []
    left = _TAGS_BUDGET
    for tag in ordered:
        over = len(tag) + 1 - left
        if over > 0 and shown and not (left - 1 > _TAGS_OVERRUN and over <= _TAGS_OVERRUN):
            break
        shown.append(tag)
        left = -over
        if over > 0:
            break
    rest = len(ordered) - len(shown)
    return ",".join(shown) + (f" + {rest} more..." if rest else "")


def _image_stream_tag(obj: Json, now: str) -> list[Any]:
    image = obj.get("image") or {}
    created = (obj.get("metadata") or {}).get("creationTimestamp") or ""
    return [_name(obj), image.get("dockerImageReference") or "", ago(created, now), _name(image)]


def _image_stream_image(obj: Json, now: str) -> list[Any]:
    image = obj.get("image") or {}
    created = (image.get("metadata") or {}).get("creationTimestamp") or ""
    return [_name(obj), ago(created, now), image.get("dockerImageReference") or "", _name(image)]


def _image_tag(obj: Json, now: str) -> list[Any]:
    spec, status = obj.get("spec"), obj.get("status") or {}
    head = _head(status)
    conditions = status.get("conditions") or []
    times = [head.get("created") or "", *(one.get("lastTransitionTime") or "" for one in conditions)]
    return [
        _name(obj),
        _tag_kind(spec, head),
        _tag_state(spec, head, conditions),
        len(status.get("items") or []) or None,
        ago(max(times), now),
    ]


def _tag_kind(spec: Json | None, head: Json) -> str:
    """How the tag gets its image."""
    if spec is None:
        return "Push" if head else ""
    source = spec.get("from") or {}
    if not source:
        return ""
    if source.get("kind") == "ImageStreamTag" and ":" not in (source.get("name") or ""):
        return "Track"
    if 0 < (spec.get("generation") or 0) < (head.get("generation") or 0):
        return "Push"
    if (spec.get("importPolicy") or {}).get("scheduled"):
        return "Scheduled"
    return "Ref" if spec.get("reference") else "Tag"


def _tag_state(spec: Json | None, head: Json, conditions: list[Json]) -> str:
    """Its image, or how far the import is."""
    if failed := history.failed_import(conditions):
        return f"ImportFailed ({failed.get('reason') or ''})"
    if not head:
        return _source_text((spec or {}).get("from") or {})
    if (spec or {}).get("generation", 0) and 0 < (head.get("generation") or 0) < (spec or {})["generation"]:
        return "Importing"
    return f"image/{head['image']}" if head.get("image") else head.get("dockerImageReference") or ""


def _source_text(source: Json) -> str:
    kind, name, namespace = source.get("kind"), source.get("name") or "", source.get("namespace") or ""
    if not source:
        return ""
    if kind == "DockerImage":
        return name
    if kind == "ImageStreamTag":
        return f"istag {namespace}/{name}" if namespace else f"istag/{name}"
    if kind == "ImageStreamImage":
        _, at, identity = name.partition("@")
        return f"image/{identity}" if at else "InvalidRefName"
    return "InvalidRefKind"


_CELLS: dict[str, Callable[[Json, str], list[Any]]] = {
    "Image": _image,
    "ImageStream": _image_stream,
    "ImageStreamTag": _image_stream_tag,
    "ImageTag": _image_tag,
    "ImageStreamImage": _image_stream_image,
}


def _head(entry: Json) -> Json:
    found: list[Json] = entry.get("items") or []
    return found[0] if found else {}


def _name(obj: Json) -> str:
    return (obj.get("metadata") or {}).get("name") or ""
