"""From one image reference to its decision: the rules of admission A.6, reading nothing but the view."""

from __future__ import annotations

from typing import Final

import msgspec

from webhook.admission import reasons
from webhook.admission.images import DOCKER_IMAGE
from webhook.image.lookup import Stream
from webhook.image.reference import InvalidReference, Reference, parse
from webhook.view.index import Streams

STREAM_TAG: Final = "ImageStreamTag"
STREAM_IMAGE: Final = "ImageStreamImage"

_LATEST = "latest"


class Decision(msgspec.Struct, frozen=True):
    """What becomes of one reference, and why.

    `image` is the text that takes its place, None if it stays as `written`. `pull_spec` is the image by digest where it
    was found though it does not take the place by itself. `stream` is namespace/name, `found` its record.
    """

    reason: str
    written: str = ""
    image: str | None = None
    stream: str = ""
    tag: str = ""
    kind: str = DOCKER_IMAGE
    note: str = ""
    pull_spec: str = ""
    found: Stream | None = None

    @property
    def generation(self) -> int:
        """The generation at which the tag got its image, 0 if it has none."""
        return self.found.generation(self.tag) if self.found is not None else 0

    @property
    def message(self) -> str:
        """The reason as a sentence."""
        return reasons.SENTENCES[self.reason].format(
            written=self.written or '""',
            image=self.image or self.written,
            stream=self.stream,
            tag=self.tag,
            kind=self.kind,
            note=self.note,
        )


def resolve(reference: str, namespace: str, force: bool, view: Streams, integrated: str) -> Decision:
    """The decision for an image as a container names it.

    `namespace` is the object's; `force` is the annotation's opt-in, under which registry and namespace of the reference
    do not count; `integrated` is the integrated registry's host[:port], or empty.
    """
    try:
        parsed = parse(reference)
    except InvalidReference as error:
        return Decision(reasons.UNPARSABLE, reference, note=str(error))
    if parsed.id:
        return Decision(reasons.DIGEST, reference)
    partial = force or parsed.is_short
    if not partial and not (integrated and parsed.registry == integrated):
        return Decision(reasons.NOT_SHORT if parsed.name else reasons.INVALID_NAME, reference)
    if not parsed.name:
        return Decision(reasons.INVALID_NAME, reference)
    home = namespace if force or not parsed.namespace else parsed.namespace
    return _local(reference, parsed, home, force, partial, view)


def resolve_object(
    kind: str, name: str, reference_namespace: str, namespace: str, force: bool, view: Streams, integrated: str
) -> Decision:
    """The decision for an object reference, as builds have them (admission A.6.3, image-api 12.15).

    Only a missing tag of a stream with local lookup changes an ImageStreamTag: it becomes a DockerImage.
    """
    if kind == DOCKER_IMAGE:
        return resolve(name, namespace, force, view, integrated)
    if kind == STREAM_IMAGE:
        stream_name, at, digest = name.partition("@")
        if not (stream_name and at and digest):
            return Decision(reasons.UNPARSABLE, name, kind=kind, note="an ImageStreamImage is written NAME@DIGEST")
        stream = f"{reference_namespace or namespace}/{stream_name}"
        return Decision(reasons.STREAM_REFERENCE, name, stream=stream, kind=kind)
    if kind != STREAM_TAG:
        return Decision(reasons.UNSUPPORTED_KIND, name, kind=kind)
    stream_name, colon, tag = name.partition(":")
    if not (stream_name and colon) or ":" in tag:
        return Decision(reasons.UNPARSABLE, name, kind=kind, note="an ImageStreamTag is written NAME:TAG")
    tag = tag or _LATEST
    home = reference_namespace or namespace
    found = view.stream(home, stream_name)
    stream = f"{home}/{stream_name}"
    image = None if found is None else _image(found, tag, view)
    if found is None or not found.local or image is not None:
        return Decision(
            reasons.STREAM_REFERENCE, name, stream=stream, tag=tag, kind=kind, pull_spec=image or "", found=found
        )
    return _missing(found, name, stream, tag, kind)


def _local(reference: str, parsed: Reference, namespace: str, force: bool, partial: bool, view: Streams) -> Decision:
    stream = f"{namespace}/{parsed.name}"
    tag = parsed.tag or _LATEST
    found = view.stream(namespace, parsed.name)
    if found is None:
        reason = reasons.NO_SUCH_STREAM if view.ready else reasons.NOT_READY
        return Decision(reason, reference, stream=stream, tag=tag)
    allowed = force or found.local
    if partial and not allowed:
        pull_spec = _image(found, tag, view) or ""
        return Decision(reasons.LOOKUP_DISABLED, reference, stream=stream, tag=tag, pull_spec=pull_spec, found=found)
    image = _image(found, tag, view)
    if image is None:
        if allowed:
            return _missing(found, reference, stream, tag)
        return Decision(reasons.NO_SUCH_TAG, reference, stream=stream, tag=tag, note=_failure(found, tag), found=found)
    if not partial:
        return Decision(reasons.INTEGRATED, reference, stream=stream, tag=tag, pull_spec=image, found=found)
    if not image:
        return Decision(reasons.UNUSABLE_PULL_SPEC, reference, stream=stream, tag=tag)
    return Decision(reasons.RESOLVED, reference, image, stream, tag, found=found)


def _image(found: Stream, tag: str, view: Streams) -> str | None:
    """The tag's pull spec, None when the tag or its Image object is missing."""
    pull_spec = found.tags.get(tag)
    if pull_spec and not view.has_image(pull_spec, found):
        return None
    return pull_spec


def _missing(found: Stream, reference: str, stream: str, tag: str, kind: str = DOCKER_IMAGE) -> Decision:
    note = _failure(found, tag)
    if not found.repository:
        return Decision(reasons.NO_SUCH_TAG, reference, stream=stream, tag=tag, kind=kind, note=note, found=found)
    image = f"{found.repository}:{tag}"
    if image == reference:
        return Decision(reasons.INTEGRATED, reference, stream=stream, tag=tag, kind=kind, note=note)
    return Decision(reasons.MISSING_TAG_DEFERRED, reference, image, stream, tag, kind, note, found=found)


def _failure(found: Stream, tag: str) -> str:
    message = found.missing.get(tag)
    return f" (its last import failed: {message})" if message else ""
