"""Which address an image of a stream is pulled from (image-api 2.4, 7.1)."""

from __future__ import annotations

from dataclasses import replace

from webhook.errors import Json
from webhook.image import reference, tags


def repository(namespace: str, name: str, spec_repository: str, integrated: str) -> str:
    """`status.dockerImageRepository`: on the integrated registry when there is one, else what the spec says."""
    return f"{integrated}/{namespace}/{name}" if integrated else spec_repository


def for_event(stream: Json, tag: str, event: Json) -> str:
    """The address of a history event of `tag`.

    With policy Local that is the stream's own repository at the image's digest; with Source, without a spec tag,
    without a repository or without an image it is the address that the event recorded.
    """
    recorded = event.get("dockerImageReference") or ""
    policy = ((tags.spec_tag(stream, tag) or {}).get("referencePolicy") or {}).get("type")
    local = (stream.get("status") or {}).get("dockerImageRepository") or ""
    image = event.get("image") or ""
    if policy != "Local" or not local or not image:
        return recorded
    try:
        return replace(reference.parse(local), tag="", id=image).exact()
    except reference.InvalidReference:
        return recorded
