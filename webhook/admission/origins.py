"""The annotation on an object that says which image stream, tag and generation each of its images came from.

It stands on the object itself and never in a pod template, where it would start a rollout.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from webhook.admission import locations, review
from webhook.admission.decide import Rewrite

_MAX_BYTES: Final = 64 << 10
"""A quarter of what all annotations of an object may have together."""


class Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where one image came from: what was written, what it became, and the stream's tag that said so.

    `generation` is that of the tag's image, left out where the tag has none yet.
    """

    written: str
    image: str
    stream: str
    tag: str
    generation: int = 0


_read = msgspec.json.Decoder(dict[str, Origin])
_write = msgspec.json.Encoder()


def annotation(looked: Sequence[Rewrite], annotations: review.Annotations | None) -> str | None:
    """The value that the annotation gets; None to leave it as it is.

    `looked` are all images of the object, `annotations` those that it has. What is recorded of an image that is still
    there stays, so that a second look at the same object changes nothing.
    """
    before = annotations.origins if annotations is not None else None
    rewritten = [one for one in looked if one.new != one.old and not one.beside]
    if not rewritten and before is None:
        return None
    after = {place(one): _origin(one) for one in rewritten}
    if before is not None:
        known = read(before)
        after = {**_still_true(known, looked), **after}
        if after == known:
            return None
    text = _write.encode(after)
    return text.decode() if len(text) <= _MAX_BYTES else None


def read(text: object) -> dict[str, Origin]:
    """Container, volume/NAME or path → origin, of the annotation's value; empty for a value that is not ours."""
    if not isinstance(text, str) or len(text) > _MAX_BYTES:
        return {}
    try:
        return _read.decode(text)
    except (ValueError, RecursionError):
        return {}


def _still_true(known: dict[str, Origin], looked: Sequence[Rewrite]) -> dict[str, Origin]:
    images = {place(one): one.new for one in looked if not one.beside}
    return {where: origin for where, origin in known.items() if images.get(where) == origin.image}


def place(one: Rewrite) -> str:
    """Under which name the image of this place is recorded."""
    return one.place or locations.dotted(one.path)


def _origin(one: Rewrite) -> Origin:
    decision = one.decision
    return Origin(one.old, one.new or "", decision.stream, decision.tag, decision.generation)
