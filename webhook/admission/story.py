"""Why each image of an object becomes what it becomes, step by step: the decision of admission, told as a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from webhook.admission import locations, origins, reasons, tagstate
from webhook.admission.decide import Rewrite
from webhook.admission.explain import explain
from webhook.admission.origins import Origin
from webhook.admission.resolve import Decision
from webhook.admission.verdict import Verdict
from webhook.errors import Json
from webhook.image.lookup import Stream
from webhook.view.index import Streams

_TOLD: Final = {reasons.NO_SUCH_TAG}

Find = Callable[[str, str], Json | None]
"""Gives the ImageStream of a namespace and name as the API has it, if it is known."""


class Node(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sentence, and what it rests on."""

    text: str
    below: tuple[Node, ...] = ()


def tell(title: str, verdict: Verdict, view: Streams, find: Find = lambda _namespace, _name: None) -> Node:
    """The story of one object; `title` says which."""
    images = [one for one in verdict.looked if not one.beside and one.old]
    annotations = verdict.metadata.annotations if verdict.metadata is not None else None
    recorded = origins.read(annotations.origins if annotations is not None else None)
    below = tuple(_image(one, recorded, view, find) for one in images)
    return Node(title, below or (Node("It has no images that are looked up."),))


def _image(one: Rewrite, recorded: Mapping[str, Origin], view: Streams, find: Find) -> Node:
    steps = [*_looked_up(one.decision, view, find)]
    if not steps or one.decision.reason != reasons.RESOLVED:
        sentence, *hints = explain(one.decision).splitlines()
        # What a tag lacks stands below its stream already, with what a registry said in full.
        steps += [Node(line) for line in (hints if steps and one.decision.reason in _TOLD else [sentence, *hints])]
    origin = recorded.get(origins.place(one))
    if origin is not None and origin.image == one.old:
        steps.append(_recorded(origin, view))
    steps.append(Node(f"becomes {one.new}" if one.new != one.old else "stays as written"))
    return Node(f"{locations.dotted(one.path)}: {one.old}", tuple(steps))


def _looked_up(decision: Decision, view: Streams, find: Find) -> Iterator[Node]:
    stream = _stream(decision.stream, view)
    if stream is None:
        return
    namespace, _, name = decision.stream.partition("/")
    lookup = "allows" if stream.local else "does not allow"
    yield Node(
        f"image stream {decision.stream}",
        (Node(f"{lookup} local lookup"), *_tag(stream, decision.tag, decision.stream, find(namespace, name))),
    )


def _tag(stream: Stream, tag: str, name: str, whole: Json | None) -> Iterator[Node]:
    if not tag:
        return
    image = stream.tags.get(tag)
    if image is not None:
        failing = tagstate.failing(whole, tag)
        below = (Node(failing),) if failing else ()
        yield Node(f"tag {tag} is {image or 'no image reference'}, since generation {stream.generation(tag)}", below)
    elif tag in stream.missing:
        yield Node(f"tag {tag} has no image: {stream.missing[tag] or tagstate.why_none(whole, tag)}")
    else:
        known = ", ".join(sorted({*stream.tags, *stream.missing})[:10]) or "none"
        yield Node(f"{name} has no tag {tag}; its tags: {known}")


def _recorded(origin: Origin, view: Streams) -> Node:
    text = f"was {origin.written}: tag {origin.tag} of image stream {origin.stream}"
    if origin.generation:
        text += f" at generation {origin.generation}"
    stream = _stream(origin.stream, view)
    now = stream.tags.get(origin.tag) if stream is not None else None
    if now == origin.image:
        return Node(text, (Node("the tag still means this image"),))
    return Node(text, (Node(f"the tag means {now} now" if now else "the tag has no image now"),))


def _stream(name: str, view: Streams) -> Stream | None:
    namespace, slash, stream = name.partition("/")
    return view.stream(namespace, stream) if slash else None
