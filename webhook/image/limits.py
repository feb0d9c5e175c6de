"""How many images and image references a stream may have under the LimitRanges of its namespace (image-api 2.15)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation

from webhook.errors import FieldError, Json
from webhook.image import names, reference, tags

_TYPE = "openshift.io/ImageStream"
_SUFFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_MAX_DIGITS = 18


def excess(limitranges: Iterable[Json], old: Json | None, new: Json) -> str | None:
    """Which limits `new` is over, in the original's words; None when it may be written.

    What is not more than `old` has is never refused, so that a namespace over its limit can still be tidied up.
    """
    ranges = list(limitranges)
    texts = []
    for resource, used in _USAGES.items():
        most = _smallest(ranges, resource)
        after = used(new)
        if most is None or len(after) <= most or after <= used(old or {}):
            continue
        texts.append(f"requested usage of {resource} exceeds the maximum limit per {_TYPE} ({len(after)} > {most})")
    if not texts:
        return None
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def finding(name: str, text: str) -> FieldError:
    """An excess as a write of the stream `name` reports it."""
    return FieldError.internal("[]", f'ImageStream.image.openshift.io "{name}" is forbidden: {text}')


def _images(stream: Json) -> set[str]:
    items = (item for entry in tags.status_tags(stream) for item in entry.get("items") or [])
    return {item["image"] for item in items if item.get("image")}


def _image_tags(stream: Json) -> set[str]:
    namespace = (stream.get("metadata") or {}).get("namespace") or ""
    found = (_reference_key(one.get("from") or {}, namespace) for one in tags.spec_tags(stream))
    return {key for key in found if key}


_USAGES: dict[str, Callable[[Json], set[str]]] = {
    "openshift.io/images": _images,
    "openshift.io/image-tags": _image_tags,
}


def _reference_key(source: Json, namespace: str) -> str:
    """One spelling for each thing that a tag can point at; empty for what does not count."""
    kind, name = source.get("kind"), source.get("name") or ""
    owner = source.get("namespace") or namespace
    if kind == "DockerImage":
        try:
            return reference.parse(name).with_client_defaults().minimal().exact()
        except reference.InvalidReference:
            return ""
    if kind == "ImageStreamTag":
        stream, colon, tag = name.partition(":")
        return f"{owner}/{names.join(stream, tag)}" if colon else ""
    if kind == "ImageStreamImage":
        return f"{owner}/{name}" if "@" in name else ""
    return ""


def _smallest(ranges: list[Json], resource: str) -> int | None:
    """The smallest maximum that any LimitRange sets for streams."""
    limits = (limit for one in ranges for limit in (one.get("spec") or {}).get("limits") or [])
    maxima = [limit["max"][resource] for limit in limits if limit.get("type") == _TYPE and resource in _max(limit)]
    quantities = [quantity for quantity in map(_quantity, maxima) if quantity is not None]
    return min(quantities, default=None)


def _max(limit: Json) -> Json:
    return limit.get("max") or {}


def _quantity(value: object) -> int | None:
    """A whole Kubernetes quantity, rounded up; one that cannot be read sets no limit."""
    text = str(value).strip()
    number = text.rstrip("kMGi")
    factor = _SUFFIXES.get(text[len(number) :])
    try:
        exact = Decimal(number)
    except InvalidOperation:
        return None
    if factor is None or not exact.is_finite() or exact.adjusted() > _MAX_DIGITS:
        return None
    return math.ceil(exact * factor)
