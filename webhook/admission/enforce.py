"""What a configuration refuses: names that must resolve and do not, and images that may not run (admission A.7 - A.9).

Nothing is refused without a configuration that asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, partial
from typing import TYPE_CHECKING, Final

from webhook.admission import execution, locations, reasons
from webhook.admission.execution import Attributes
from webhook.admission.images import DOCKER_IMAGE
from webhook.admission.resolve import STREAM_IMAGE, STREAM_TAG, Decision
from webhook.errors import FieldError, Findings, Json
from webhook.image import lookup
from webhook.image.reference import InvalidReference, parse

if TYPE_CHECKING:
    from webhook.admission.decide import Rewrite, Write
    from webhook.admission.objects import Objects
    from webhook.admission.policy import Coverage, Policy

PROHIBITED: Final = "this image is prohibited by policy"

_NOT_LOOKED_UP: Final = frozenset({reasons.NEVER_PULLED, reasons.SKIPPED, reasons.NOT_LOOKED_UP})
_DEFERRED: Final = (reasons.MISSING_TAG_DEFERRED, reasons.INTEGRATED)
_LOOKUP_OFF: Final = (
    "ImageStreamTag does not allow local references and the resource did not request image stream resolution"
)
_FORMS: Final = {STREAM_TAG: "NAME:TAG", STREAM_IMAGE: "NAME@DIGEST"}


def findings(
    looked: Iterable[Rewrite], write: Write, coverage: Coverage, policy: Policy, objects: Objects, *, force: bool
) -> Findings:
    """One finding for each image that is refused; the same reference is judged, and reported, once.

    Under `force`, the annotation's opt-in, every reference is a short name.
    """
    found: Findings = []
    judged: set[tuple[str, str, str | None]] = set()
    ignored = cache(lambda: objects.ignored_rules(write.namespace))
    for one in looked:
        reference = _reference(one)
        if one.beside or one.decision.reason == reasons.UNCHANGED or reference in judged:
            continue
        judged.add(reference)
        tried = one.decision.reason not in _NOT_LOOKED_UP
        problem = _problem(one.decision, objects) if tried else None
        refused = problem is not None and policy.required
        if not refused and coverage.rules:
            integrated = policy.integrated_registry
            image = _attributes(one.decision, tried and problem is None, objects, integrated, force)
            refused = not execution.accepts(coverage.rules, image, ignored())
        if refused:
            detail = PROHIBITED if problem is None else f"{PROHIBITED}: {problem}"
            found.append(FieldError.forbidden(locations.dotted(one.path), detail))
    return found


def _reference(one: Rewrite) -> tuple[str, str, str | None]:
    """What is the same for the same reference, as it reads now: kind, namespace and text."""
    if one.new != one.old:
        return DOCKER_IMAGE, "", one.new
    return one.decision.kind, one.namespace, one.old


def _problem(decision: Decision, objects: Objects) -> str | None:
    """Why the reference does not resolve, in OpenShift's words; None if it does.

    What the API of image streams does not find has no words at all (admission A.8).
    """
    reason, written = decision.reason, decision.written
    if reason in (reasons.RESOLVED, *_DEFERRED):
        return None
    if reason == reasons.DIGEST:
        return None if objects.image(_digest(written)) is not None else ""
    if reason == reasons.STREAM_REFERENCE:
        return _stream_reference_problem(decision, objects)
    if reason == reasons.UNPARSABLE and decision.kind in _FORMS:
        return f"references of kind {decision.kind} must be of the form {_FORMS[decision.kind]}"
    if reason in (reasons.NOT_SHORT, reasons.INVALID_NAME):
        return f"({written}) could not be resolved to an exact image reference"
    if reason == reasons.LOOKUP_DISABLED:
        return _LOOKUP_OFF if decision.pull_spec else ""
    if reason == reasons.UNSUPPORTED_KIND:
        return f'image policy does not allow image references of kind "{decision.kind}"'
    return decision.note if reason == reasons.UNPARSABLE else _PLAIN.get(reason, "")


_PLAIN: Final = {
    reasons.NOT_READY: "image streams have not been read yet",
    reasons.UNUSABLE_PULL_SPEC: "the recorded pull spec is not a valid image reference",
}


def _stream_reference_problem(decision: Decision, objects: Objects) -> str | None:
    if decision.kind == STREAM_TAG:
        return None if decision.pull_spec else ""
    return None if objects.stream_image(decision.stream, _digest(decision.written)) else ""


def _attributes(decision: Decision, resolved: bool, objects: Objects, integrated: str, force: bool) -> Attributes:
    pull_spec = (decision.image if decision.reason == reasons.RESOLVED else decision.pull_spec) or ""
    written = _registry(decision.written)
    if not resolved:
        return Attributes(written, False, _no_image)
    by_its_address = bool(integrated) and written == integrated
    if decision.reason == reasons.DIGEST:
        return Attributes(written, by_its_address, partial(objects.image, _digest(decision.written)))
    if decision.kind == STREAM_IMAGE:
        digest = _digest(decision.written)
        return Attributes(
            _registry(objects.stream_image(decision.stream, digest)), True, partial(objects.image, digest)
        )
    if not pull_spec:
        # A tag to come is one of the integrated registry if it was named there, and not by a short name (A.6.2).
        known = (by_its_address and not force) or decision.kind == STREAM_TAG
        return Attributes(_registry(decision.image or decision.written), known, _no_image)
    load = partial(objects.tag_image, decision.stream, decision.tag, lookup.image_of(pull_spec))
    return Attributes(_registry(pull_spec), True, cache(load))


def _no_image() -> Json | None:
    return None


def _digest(reference: str) -> str:
    return reference.partition("@")[2]


def _registry(reference: str) -> str:
    try:
        return parse(reference).registry
    except InvalidReference:
        return ""
