"""What image lookup needs of a stream, and nothing else: each tag's final pull spec, computed when the stream changes.

A view holds one such record per stream, so a look-up is two dictionary reads (python.md C).
"""

from __future__ import annotations

import sys
from dataclasses import replace

import msgspec

from webhook.errors import Json
from webhook.image import pullspec, tags
from webhook.image.reference import InvalidReference, parse


class Stream(msgspec.Struct, frozen=True, gc=False):
    """One stream, compact.

    `tags` maps a tag with an image to the pull spec that takes its place, always by digest (admission A.6.2); the pull
    spec is empty where the recorded one is no reference. `missing` maps a tag without an image, known from spec or
    status, to the message of its last failed import, or to "". `generations` are those of the images in `tags`, in
    that order. `version` is the resource version, 0 if unknown.
    """

    local: bool = False
    repository: str = ""
    version: int = 0
    tags: dict[str, str] = {}
    missing: dict[str, str] = {}
    generations: tuple[int, ...] = ()

    def generation(self, tag: str) -> int:
        """The generation at which the tag got its image, 0 if it has none; linear, for what is seldom asked."""
        return next((given for name, given in zip(self.tags, self.generations, strict=False) if name == tag), 0)


def record(stream: Json, repository: str | None = None) -> Stream:
    """The record of an ImageStream; `repository` stands in for its `status.dockerImageRepository`."""
    if repository is None:
        repository = (stream.get("status") or {}).get("dockerImageRepository") or ""
    spec_tags = {one.get("name") or "": one for one in tags.spec_tags(stream)}
    found: dict[str, str] = {}
    generations: dict[str, int] = {}
    missing = {sys.intern(tag): "" for tag in spec_tags}
    for entry in tags.status_tags(stream):
        tag = sys.intern(entry.get("tag") or "")
        head = (entry.get("items") or [{}])[0]
        if head.get("image"):
            # A slim stream per tag: the rule finds the spec tag by a linear search, and streams of 1000 tags exist.
            slim = _slim(repository, spec_tags.get(tag))
            found[tag] = final(pullspec.for_event(slim, tag, head), head["image"])
            generations[tag] = head.get("generation") or 0
            missing.pop(tag, None)
        else:
            missing[tag] = _failure(entry)
    return Stream(
        local=bool(((stream.get("spec") or {}).get("lookupPolicy") or {}).get("local")),
        repository=sys.intern(repository),
        version=version(stream),
        tags=found,
        missing=missing,
        generations=tuple(generations.values()),
    )


def version(item: Json) -> int:
    """An object's resource version as a number, 0 if it is none: versions of one server can be compared."""
    text = str((item.get("metadata") or {}).get("resourceVersion") or "")
    return int(text) if text.isascii() and text.isdigit() else 0


def final(pull_spec: str, image: str) -> str:
    """The pull spec with its tag dropped and the image's name as digest, which wins over a recorded one, or ""."""
    try:
        reference = parse(pull_spec)
    except InvalidReference:
        return ""
    return replace(reference, tag="", id=image).exact()


def image_of(pull_spec: str) -> str:
    """The image's name in a final pull spec of `Stream.tags`."""
    _, at, identity = pull_spec.partition("@")
    return identity if at else pull_spec.rpartition("/")[2].partition(":")[2]


def _slim(repository: str, spec_tag: Json | None) -> Json:
    return {
        "spec": {"tags": [spec_tag] if spec_tag else []},
        "status": {"dockerImageRepository": repository},
    }


def _failure(entry: Json) -> str:
    for condition in entry.get("conditions") or ():
        if condition.get("type") == "ImportSuccess" and condition.get("status") == "False":
            return condition.get("message") or ""
    return ""
