"""What `imagestreams tag` asks of the server: an object reference, and an ImageStreamTag (image-api 9)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from webhook.errors import Json
from webhook.image import history, names
from webhook.image.reference import InvalidReference, Reference, parse

DOCKER_IMAGE: Final = "DockerImage"
STREAM_TAG: Final = "ImageStreamTag"
STREAM_IMAGE: Final = "ImageStreamImage"
KINDS: Final = {
    "istag": STREAM_TAG,
    "imagestreamtag": STREAM_TAG,
    "isimage": STREAM_IMAGE,
    "imagestreamimage": STREAM_IMAGE,
    "docker": DOCKER_IMAGE,
    "dockerimage": DOCKER_IMAGE,
}
_HUB_NAMESPACE: Final = "library"
_TAG: Final = re.compile(r"\w[\w.-]{0,127}", re.ASCII)


class CannotTag(ValueError):
    """The arguments make no sense together; the message is one sentence."""


@dataclass(frozen=True)
class Source:
    """Where a tag is to come from: the kind of `from`, and its name in parts."""

    kind: str
    reference: Reference

    @property
    def name(self) -> str:
        """`from.name`: a pull spec for a DockerImage, else NAME:TAG or NAME@ID."""
        return self.reference.exact() if self.kind == DOCKER_IMAGE else self.reference.name_string()


@dataclass(frozen=True)
class Destination:
    """One tag of one stream."""

    namespace: str
    stream: str
    tag: str

    @property
    def name(self) -> str:
        """The name of its ImageStreamTag."""
        return names.join(self.stream, self.tag)

    def shown(self, home: str) -> str:
        """As people write it who are in the namespace `home`."""
        return self.name if self.namespace == home else f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Flags:
    """How the tag is to be kept."""

    alias: bool = False
    reference: bool = False
    scheduled: bool = False
    insecure: bool = False
    reference_policy: str = "Source"
    import_mode: str = "Legacy"


def source(text: str, hint: str | None, home: str) -> Source:
    """The source that a text means: a registry makes it a pull spec, else `@` an image and `:` a tag of a stream.

    `hint` is one of KINDS; a stream's tag or image without a namespace lies in `home`.
    """
    try:
        parsed = parse(text)
    except InvalidReference as error:
        raise CannotTag(f"{text} is no image: {error}") from None
    kind = KINDS[hint] if hint else _guessed(parsed)
    if kind == DOCKER_IMAGE:
        return Source(kind, parsed)
    if parsed.registry:
        raise CannotTag(f"{text} names a registry, and only a container image has one: use --source=docker")
    if kind == STREAM_TAG and not parsed.tag:
        raise CannotTag(f"{text} is no tag of an image stream: write it NAME:TAG")
    if kind == STREAM_IMAGE and not parsed.id:
        raise CannotTag(f"{text} is no image of an image stream: write it NAME@DIGEST")
    if hint and parsed.namespace == _HUB_NAMESPACE:
        parsed = replace(parsed, namespace="")
    return Source(kind, replace(parsed, namespace=parsed.namespace or home))


def pinned(wanted: Source, stream: Json) -> Source:
    """The image that a stream's tag has now, so that the new tag stays where it is when the old one moves."""
    head = history.head(stream, wanted.reference.tag)
    if head is None:
        raise CannotTag(f"{wanted.reference.exact()} has no image yet, so it cannot be tagged; --alias would follow it")
    if image := head.get("image"):
        return Source(STREAM_IMAGE, replace(wanted.reference, tag="", id=image))
    try:
        return Source(DOCKER_IMAGE, parse(head.get("dockerImageReference") or ""))
    except InvalidReference as error:
        raise CannotTag(f"{wanted.reference.exact()} has a pull spec that is none: {error}") from None


def destination(text: str, home: str, *, new: bool = True) -> Destination:
    """[NAMESPACE/]STREAM:TAG; an existing tag may have a name that a new one may not."""
    namespace, slash, rest = text.rpartition("/")
    stream, colon, tag = rest.partition(":")
    if (slash and not namespace) or "/" in namespace or not (stream and colon and tag):
        raise CannotTag(f"{text} must be of the form [NAMESPACE/]STREAM:TAG")
    if new and not _TAG.fullmatch(tag):
        raise CannotTag(f"{tag} is no tag: a letter, digit or _ and at most 127 of these, . and - behind it")
    return Destination(namespace or home, stream, tag)


def check(wanted: Source, destinations: list[Destination], flags: Flags) -> None:
    """CannotTag for flags that do not fit the source."""
    if flags.alias and (flags.scheduled or flags.insecure):
        raise CannotTag("an alias imports nothing: --scheduled and --insecure are for container images")
    if wanted.kind != DOCKER_IMAGE and (flags.scheduled or flags.insecure):
        raise CannotTag("--scheduled and --insecure are for container images, and the source is one of a stream")
    own = (wanted.reference.namespace, wanted.reference.name)
    if flags.alias and any((one.namespace, one.stream) != own for one in destinations):
        raise CannotTag("an alias follows a tag of its own image stream, and cannot cross to another")


def body(wanted: Source, to: Destination, flags: Flags) -> Json:
    """The ImageStreamTag to put: generation 0 asks for an import (image-api 2.5)."""
    origin: Json = {"kind": wanted.kind, "name": wanted.name}
    tag: Json = {
        "name": to.tag,
        "from": origin,
        "reference": flags.reference,
        "importPolicy": {
            "insecure": flags.insecure,
            "scheduled": flags.scheduled,
            "importMode": flags.import_mode,
        },
        "referencePolicy": {"type": flags.reference_policy},
    }
    if wanted.kind == DOCKER_IMAGE:
        tag["generation"] = 0
    else:
        origin["namespace"] = wanted.reference.namespace
    return {
        "kind": STREAM_TAG,
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": to.name, "namespace": to.namespace},
        "tag": tag,
    }


def _guessed(parsed: Reference) -> str:
    if parsed.registry:
        return DOCKER_IMAGE
    if parsed.id:
        return STREAM_IMAGE
    return STREAM_TAG if parsed.tag else DOCKER_IMAGE
