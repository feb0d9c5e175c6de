"""What the user is told in the answer: warnings that kubectl prints, each one sentence.

A short name that no image stream has is nobody's business. One that a stream of the namespace has, and that stays a
name which nodes take from a public registry, is what people wonder about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from webhook.admission import reasons
from webhook.admission.decide import Rewrite
from webhook.admission.policy import Policy
from webhook.admission.resolve import Decision

UNREADABLE: Final = "image lookup could not read this object: its images stay as written"
FAULT: Final = "image lookup failed: images stay as written"
NOT_READY: Final = "image streams are not loaded yet: images stay as written"
OVERLOAD: Final = "image lookup has too much to do: images stay as written"
TOO_MANY: Final = "image lookup leaves objects with that many images alone: they stay as written"

_MOST: Final = 10
_LENGTH: Final = 256
"""Characters of one warning: longer ones are cut off by some API servers."""

_ALWAYS: Final = {reasons.NOT_READY: NOT_READY, reasons.TOO_MANY_IMAGES: TOO_MANY}
_SENTENCES: Final = {
    reasons.LOOKUP_DISABLED: (
        "{written} stays as written: image stream {stream} does not allow local lookup (spec.lookupPolicy.local)"
    ),
    reasons.NO_SUCH_TAG: "{written} stays as written: image stream {stream} has no image for tag {tag}{note}",
    reasons.MISSING_TAG_DEFERRED: (
        "{written} cannot be pulled yet: image stream {stream} has no image for tag {tag}{note}"
    ),
    reasons.UNUSABLE_PULL_SPEC: (
        "{written} stays as written: what image stream {stream} records for tag {tag} is no image reference"
    ),
}


def warnings(looked: Sequence[Rewrite], policy: Policy) -> list[str]:
    """Each sentence once, and only a few; none for what is resolved, or what no image stream could have."""
    found: dict[str, None] = {}
    for one in looked:
        reason = one.decision.reason
        if reason in _ALWAYS:
            found[_ALWAYS[reason]] = None
        elif policy.warnings and reason in _SENTENCES:
            found[_sentence(one.decision)] = None
    return list(found)[:_MOST]


def _sentence(decision: Decision) -> str:
    text = _SENTENCES[decision.reason].format(
        written=decision.written,
        stream=decision.stream,
        tag=decision.tag,
        note=decision.note or _unknown(decision),
    )
    # One line, whatever a registry answered: API servers drop a warning with a control character in it.
    text = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 1]}…"


def _unknown(decision: Decision) -> str:
    """That the tag is none of the stream's; which there are would be too long, and `imagestreams explain` says it."""
    stream = decision.found
    known = stream is None or decision.tag in stream.tags or decision.tag in stream.missing
    return "" if known else " (it has no such tag)"
