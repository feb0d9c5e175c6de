"""What a write of an object comes to: the changes, the annotation that records them, and what the user is told."""

from __future__ import annotations

import msgspec

from webhook.admission import notices, origins, reasons, review
from webhook.admission.decide import Rewrite, Write, examine
from webhook.admission.objects import NOTHING, Objects
from webhook.admission.policy import Policy
from webhook.view.index import Streams


class Verdict(msgspec.Struct, frozen=True):
    """`looked` are all images of the object, `changes` what is rewritten; `annotation` is None where it stays."""

    metadata: review.Meta | None
    looked: list[Rewrite]
    changes: list[Rewrite]
    annotation: str | None
    warnings: list[str]


def reach(write: Write, view: Streams, policy: Policy, objects: Objects = NOTHING) -> Verdict:
    """The verdict on one write; raises Forbidden and Invalid as `examine` does."""
    looked = examine(write, view, policy, objects)
    changes = [one for one in looked if one.new != one.old]
    annotation = _annotation(looked, write, policy)
    return Verdict(write.item.metadata, looked, changes, annotation, notices.warnings(looked, policy))


def _annotation(looked: list[Rewrite], write: Write, policy: Policy) -> str | None:
    # A subresource does not store the object's annotations.
    if not policy.record_origin or write.subresource or not looked:
        return None
    # Deployments copy their annotations to their ReplicaSets, again and again if they differ.
    if looked[0].decision.reason in reasons.OF_OBJECTS:
        return None
    metadata = write.item.metadata
    return origins.annotation(looked, metadata.annotations if metadata is not None else None)
