"""What is the matter with a tag: why it has no image, or that the image it has is not its source's any more."""

from __future__ import annotations

from webhook.errors import Json
from webhook.image import history, tags


def why_none(stream: Json | None, tag: str) -> str:
    """Why a tag of the spec has no image though no import of it failed, as a clause; `stream` is None if not known."""
    spec = tags.spec_tag(stream, tag) if stream is not None else None
    if spec is None:
        return "none was imported or pushed yet"
    source = spec.get("from") or {}
    if spec.get("reference"):
        return f"it only points at {source.get('name')} (reference: true), so nothing is imported"
    if source.get("kind") == "ImageStreamTag":
        return f"it comes from tag {source.get('name')}, which has none"
    return "it was not imported yet"


def failing(stream: Json | None, tag: str) -> str:
    """That imports of the tag fail, since when and why, as a clause; empty if they do not."""
    entry = history.entry(stream, tag) if stream is not None else None
    failed = history.failed_import((entry or {}).get("conditions") or [])
    return f"imports have failed since {failed.get('lastTransitionTime')}: {failed.get('message')}" if failed else ""
