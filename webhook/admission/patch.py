"""Rewrites as a JSON patch, built from their paths and never by comparing objects, and applied to an object."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import msgspec

from webhook.admission import review
from webhook.admission.decide import Rewrite
from webhook.admission.locations import ORIGINS, Path
from webhook.errors import Json


@lru_cache(maxsize=4096)
def pointer(path: Path) -> str:
    """The path as an RFC 6901 pointer."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def operations(rewrites: Iterable[Rewrite], *, tested: bool = False) -> list[Json]:
    """The RFC 6902 operations; each only touches a value that is there.

    `tested` puts a test of the old value before each: the patch fails as a whole if another webhook changed it.
    """
    found: list[Json] = []
    for one in rewrites:
        path = pointer(one.path)
        if tested:
            found.append({"op": "test", "path": path, "value": one.old})
        found.append(
            {"op": "remove", "path": path} if one.new is None else {"op": "replace", "path": path, "value": one.new}
        )
    return found


def annotated(text: str, metadata: review.Meta | None) -> Json:
    """The operation that puts the annotation of origins on an object with these metadata."""
    if metadata is None:
        return {"op": "add", "path": "/metadata", "value": {"annotations": {ORIGINS: text}}}
    if metadata.annotations is None:
        return {"op": "add", "path": "/metadata/annotations", "value": {ORIGINS: text}}
    return {"op": "add", "path": pointer(("metadata", "annotations", ORIGINS)), "value": text}


def apply(obj: Json, rewrites: Iterable[Rewrite], annotation: str | None = None) -> Json:
    """A copy of the object with the rewrites in it, and with the annotation of origins if there is one."""
    # Far faster than copy.deepcopy.
    copy: Json = msgspec.json.decode(msgspec.json.encode(obj))
    for one in rewrites:
        *way, last = one.path
        holder: Any = copy
        for part in way:
            holder = holder[part]
        if one.new is None:
            del holder[last]
        else:
            holder[last] = one.new
    if annotation is not None:
        metadata = copy["metadata"] = copy.get("metadata") or {}
        metadata["annotations"] = {**(metadata.get("annotations") or {}), ORIGINS: annotation}
    return copy
