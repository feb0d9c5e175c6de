"""Which address an image of a stream is pulled from (image-api 2.4, 7)."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from webhook.errors import Json
from webhook.image import history, reference, tags


class Undetermined(LookupError):
    """The stream cannot say yet which image the tag means."""


class PullSpec(NamedTuple):
    """An answer of `newest`."""

    text: str
    has_status: bool = False
    """`text` comes from the history."""
    is_tag_empty: bool = False
    """There is neither a history nor a usable source: `text` is a guess."""


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


def newest(stream: Json, tag: str, *, public: bool = False) -> PullSpec:
    """What the tag will mean once imports are done: its source while one is pending; raises Undetermined.

    `public` prefers the public repository where only the repository's own tag can be answered.
    """
    head = history.head(stream, tag)
    if head is None:
        return _without_history(stream, tag, public)
    if not _asks_for_newer(stream, tag, head):
        return PullSpec(for_event(stream, tag, head), has_status=True)
    source = _usable_source(stream, tag)
    if not source:
        raise Undetermined("the pull spec cannot be determined yet")
    return PullSpec(source)


def _without_history(stream: Json, tag: str, public: bool) -> PullSpec:
    source = _usable_source(stream, tag)
    if source:
        return PullSpec(source)
    status = stream.get("status") or {}
    own = (public and status.get("publicDockerImageRepository")) or status.get("dockerImageRepository")
    if not own:
        raise Undetermined("no image repository has been set on the image stream status")
    return PullSpec(f"{own}:{tag}", is_tag_empty=True)


def _asks_for_newer(stream: Json, tag: str, head: Json) -> bool:
    wanted = (tags.spec_tag(stream, tag) or {}).get("generation")
    return wanted is not None and wanted > (head.get("generation") or 0)


def _usable_source(stream: Json, tag: str) -> str:
    """The name of a registry image that is pulled from where it lies."""
    spec = tags.spec_tag(stream, tag) or {}
    source = spec.get("from") or {}
    policy = (spec.get("referencePolicy") or {}).get("type") or "Source"
    return (source.get("name") or "") if source.get("kind") == "DockerImage" and policy == "Source" else ""
