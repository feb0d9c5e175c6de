"""The generations of a stream and its spec tags after a write: who asks for an import (image-api 2.5).

A spec tag's generation newer than the one its history or conditions carry means "please import". A client asks for a
new import by writing 0; any other number it writes is ignored.
"""

from __future__ import annotations

from typing import Any

from webhook.errors import Json
from webhook.image import tags


def after_create(stream: Json) -> Json:
    """A new stream: its generation and that of every tag is 1, whatever the client sent."""
    fresh = tags.with_spec_tags(stream, [{**one, "generation": 1} for one in tags.spec_tags(stream)])
    return _with_generation(fresh, 1)


def after_update(new: Json, old: Json) -> Json:
    """`new` as it may be stored over `old`."""
    namespace = (new.get("metadata") or {}).get("namespace") or ""
    old_tags = {one.get("name") or "": one for one in tags.spec_tags(old)}
    kept = [_keep_generation(one, old_tags.get(one.get("name") or "")) for one in tags.spec_tags(new)]
    stream = tags.with_spec_tags(new, kept)
    before = (old.get("metadata") or {}).get("generation") or 0
    current = before + 1 if before == 0 or _spec_differs(stream, old) else before
    settled = [_settle(one, old_tags.get(one.get("name") or ""), namespace, current) for one in tags.spec_tags(stream)]
    return _with_generation(tags.with_spec_tags(stream, settled), current)


def changed(old: Json, new: Json, namespace: str) -> bool:
    """Does the tag point elsewhere, or ask for an import?

    Not considered: kind, annotations, scheduled, insecure, reference policy. `namespace` is the stream's.
    """
    source = new.get("from") or {}
    if not source.get("kind") and not source.get("name"):
        return False
    if _target(old, namespace) != _target(new, namespace):
        return True
    before, after = old.get("generation"), new.get("generation")
    return bool(before) and after == 0


def current(stream: Json) -> int:
    """The stream's own generation."""
    return (stream.get("metadata") or {}).get("generation") or 0


def _keep_generation(tag: Json, old: Json | None) -> Json:
    if old is None or tag.get("generation") == 0:
        return tag
    return {**tag, "generation": old.get("generation")}


def _settle(tag: Json, old: Json | None, namespace: str, generation: int) -> Json:
    forgotten = old is None or changed(old, tag, namespace)
    return {**tag, "generation": generation} if forgotten or not tag.get("generation") else tag


def _target(tag: Json, namespace: str) -> tuple[str, str, bool, str]:
    source = tag.get("from") or {}
    mode = (tag.get("importPolicy") or {}).get("importMode") or ""
    return source.get("namespace") or namespace, source.get("name") or "", bool(tag.get("reference")), mode


def _spec_differs(new: Json, old: Json) -> bool:
    return bool(_compact(tags.canonical(new).get("spec")) != _compact(tags.canonical(old).get("spec")))


def _compact(value: Any) -> Any:
    """Without what says nothing: absent, null, empty and false are the same; a generation of 0 is not null."""
    if isinstance(value, dict):
        pairs = ((key, _compact(one)) for key, one in value.items())
        return {key: one for key, one in pairs if not (one is None or one is False or one in ("", {}, []))} or None
    if isinstance(value, list):
        return [_compact(one) for one in value] or None
    return value


def _with_generation(stream: Json, generation: int) -> Json:
    return {**stream, "metadata": {**(stream.get("metadata") or {}), "generation": generation}}
