"""What image lookup needs of a stream, and nothing else: each tag's final pull spec, computed when the stream changes.

A view holds one such record per stream, so a look-up is two dictionary reads.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from functools import lru_cache
from typing import Final

import msgspec

from webhook.errors import Json
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
        """The generation at which the tag got its image, 0 if it has none."""
        # Linear, but no loop of ours: a dictionary for each stream would cost more memory than this costs time.
        place = list(self.tags).index(tag) if tag in self.tags else len(self.generations)
        return self.generations[place] if place < len(self.generations) else 0


class _Read(msgspec.Struct, gc=False, rename="camel"):
    pass


class Metadata(_Read):
    """Object metadata, as far as a copy of a collection needs them."""

    namespace: str | None = None
    name: str | None = None
    resource_version: str | None = None


class LookupPolicy(_Read):
    """A stream's lookup policy."""

    local: bool | None = None


class ReferencePolicy(_Read):
    """A spec tag's reference policy."""

    type: str | None = None


class SpecTag(_Read):
    """One entry of `spec.tags`."""

    name: str | None = None
    reference_policy: ReferencePolicy | None = None


class Spec(_Read):
    """A stream's spec."""

    lookup_policy: LookupPolicy | None = None
    tags: list[SpecTag] | None = None


class Event(_Read):
    """One entry of a tag's history."""

    image: str | None = None
    docker_image_reference: str | None = None
    generation: int | None = None


class Condition(_Read):
    """A condition of a tag."""

    type: str | None = None
    status: str | None = None
    message: str | None = None


class StatusTag(_Read):
    """One entry of `status.tags`."""

    tag: str | None = None
    items: list[Event] | None = None
    conditions: list[Condition] | None = None


class Status(_Read):
    """A stream's status."""

    docker_image_repository: str | None = None
    tags: list[StatusTag] | None = None


class ImageStream(_Read):
    """The fields of an ImageStream that a record is made of: decoding these alone skips the rest unbuilt."""

    metadata: Metadata | None = None
    spec: Spec | None = None
    status: Status | None = None


# Most records have no missing tag: one dictionary for all of them, never written to.
_NONE: Final[dict[str, str]] = {}
_is_plain_digest: Final = re.compile(r"sha256:[0-9a-f]{64}").fullmatch


def record(stream: Json | ImageStream, repository: str | None = None) -> Stream:
    """The record of an ImageStream; `repository` stands in for its `status.dockerImageRepository`.

    ValueError if what is read of an object in memory has another shape than the API's.
    """
    read = stream if isinstance(stream, ImageStream) else msgspec.convert(stream, ImageStream)
    spec, status = read.spec or Spec(), read.status or Status()
    if repository is None:
        repository = status.docker_image_repository or ""
    policies = {sys.intern(one.name or ""): one.reference_policy for one in spec.tags or ()}
    found: dict[str, str] = {}
    generations: dict[str, int] = {}
    missing = dict.fromkeys(policies, "")
    for entry in status.tags or ():
        tag = sys.intern(entry.tag or "")
        head = entry.items[0] if entry.items else None
        if head is not None and head.image:
            policy = policies.get(tag)
            found[tag] = _pull_spec(head, repository if policy and policy.type == "Local" else "")
            generations[tag] = head.generation or 0
            missing.pop(tag, None)
        else:
            missing[tag] = _failure(entry)
    return Stream(
        local=bool(spec.lookup_policy and spec.lookup_policy.local),
        repository=repository,
        version=version_of(read.metadata.resource_version if read.metadata else None),
        tags=found or _NONE,
        missing=missing or _NONE,
        generations=_one_of_each(tuple(generations.values())),
    )


@lru_cache(maxsize=4096)
def _one_of_each(generations: tuple[int, ...]) -> tuple[int, ...]:
    """The same tuple for equal ones: many streams have been imported as often."""
    return generations


def version_of(text: str | None) -> int:
    """A resource version as a number, 0 if it is none: versions of one server can be compared."""
    return int(text) if text and text.isascii() and text.isdigit() else 0


def final(pull_spec: str, image: str) -> str:
    """The pull spec with its tag dropped and the image's name as digest, which wins over a recorded one."""
    place, at, identity = pull_spec.partition("@")
    if _is_plain_digest(image) and (not at or identity == image):
        # Nearly all of them, in a tenth of the time: tags of a stream share their repository.
        repository = _repository(place)
        return f"{repository}@{image}" if repository else ""
    try:
        reference = parse(pull_spec)
    except InvalidReference:
        return ""
    return replace(reference, tag="", id=image).exact()


def image_of(pull_spec: str) -> str:
    """The image's name in a final pull spec of `Stream.tags`."""
    _, at, identity = pull_spec.partition("@")
    return identity if at else pull_spec.rpartition("/")[2].partition(":")[2]


def _pull_spec(head: Event, local: str) -> str:
    """The final pull spec of an event: in the `local` repository if there is one, else as it was recorded."""
    image = head.image or ""
    return (final(local, image) if local else "") or final(head.docker_image_reference or "", image)


@lru_cache(maxsize=4096)
def _repository(place: str) -> str:
    """The reference without its tag; empty if it is no reference to a repository."""
    try:
        return replace(parse(place), tag="").exact()
    except InvalidReference:
        return ""


def _failure(entry: StatusTag) -> str:
    for condition in entry.conditions or ():
        if condition.type == "ImportSuccess" and condition.status == "False":
            return condition.message or ""
    return ""
