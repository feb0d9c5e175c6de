"""From the bytes of an AdmissionReview to the bytes of its answer, whatever way they came.

Our own faults, and what cannot be read, are admitted as they are, with a warning.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

import msgspec

from webhook.admission import decisions_log, mutate, notices, patch, review
from webhook.admission.decide import Rewrite, Write
from webhook.admission.exemptions import is_platform
from webhook.admission.objects import NOTHING, Objects
from webhook.admission.policy import Policy
from webhook.admission.verdict import Verdict, reach
from webhook.errors import Forbidden, Invalid, Json, StatusError, details_of, qualified
from webhook.view.index import Streams

log = logging.getLogger(__name__)

ALLOWED: Final = "allowed"
REWRITTEN: Final = "rewritten"
REFUSED: Final = "refused"
FAULT: Final = "fault"

_VALIDATION: Final = "error in image policy validation: "


class Reviewer:
    """Answers reviews by the policy of the moment."""

    def __init__(
        self,
        view: Streams,
        policy: Callable[[], Policy],
        *,
        namespaces: mutate.Namespaces = lambda _: None,
        objects: Objects = NOTHING,
        say: decisions_log.Say = decisions_log.say,
    ) -> None:
        """`say` is told each object that was changed or refused."""
        self.view = view
        self.policy = policy
        self._labels = mutate.labels_with(namespaces)
        self._objects = objects
        self._say = say

    @property
    def enforces(self) -> bool:
        """Whether the policy refuses images, so that none may pass unexamined."""
        return self.policy().enforces

    def answer(self, body: bytes, *, validating: bool = False) -> tuple[bytes, str, list[Rewrite]]:
        """The answered review, its outcome and the images that were looked at; raises `review.Malformed`.

        `validating` answers without a patch: whether the object as it is now may be stored (admission A.8).
        """
        begun = time.perf_counter()
        asked, readable = review.decode(body)
        request = asked.request
        assert request is not None, "decode refuses reviews without a request"
        policy = self.policy()
        looked: list[Rewrite] = []
        try:
            verdict = self._reach(request, readable, body, policy)
            looked = verdict.looked
            response, outcome = _allowed(verdict, policy, validating)
            if outcome == REWRITTEN:
                self._say(*decisions_log.rewritten(request, verdict.changes, time.perf_counter() - begun))
        except (Forbidden, Invalid) as error:
            response, outcome = _refused(error, validating), REFUSED
            self._say(*decisions_log.refused(request, error))
        except (review.Unreadable, msgspec.ValidationError):
            log.warning("review %s: the object could not be read", request.uid)
            response, outcome = {"allowed": True, "warnings": [notices.UNREADABLE]}, FAULT
        except Exception:
            log.exception("review %s is admitted unchanged", request.uid)
            response, outcome = {"allowed": True, "warnings": [notices.FAULT]}, FAULT
        return _answered(request, response), outcome, looked

    def _reach(self, request: review.Request, readable: bool, body: bytes, policy: Policy) -> Verdict:
        group, resource, namespace = request.resource.group, request.resource.resource, request.namespace or ""
        coverage = policy.coverage.get((group, resource))
        if coverage is None:
            return _NOTHING
        item, old = request.object, request.old_object
        whole, whole_old = _NONE, _NONE
        if coverage.location.images or policy.skipped_objects is not None:
            whole, whole_old = review.raw_objects(body)
        if coverage.location.images:
            item = review.read_metadata(whole) if whole else None
            old = review.read_metadata(whole_old) if whole_old else None
        elif not readable:
            raise _unreadable(request, policy.required or bool(coverage.rules))
        if item is None:
            return _NOTHING
        write = Write(
            group=group,
            resource=resource,
            operation=request.operation,
            namespace=namespace,
            item=item,
            old=old,
            name=request.name or "",
            subresource=request.sub_resource or "",
            platform=is_platform(coverage.location, namespace, self._labels),
            kind=request.kind.kind,
            whole=whole,
            whole_old=whole_old,
            labels=review.labels(whole),
        )
        return reach(write, self.view, policy, self._objects)


def unexamined(body: bytes) -> bytes:
    """The answer of a worker that has more to do than it can do in time; raises `review.Malformed`."""
    asked, _ = review.decode(body)
    assert asked.request is not None, "decode refuses reviews without a request"
    return _answered(asked.request, {"allowed": True, "warnings": [notices.OVERLOAD]})


def _answered(request: review.Request, response: Json) -> bytes:
    answer = {"apiVersion": review.API_VERSION, "kind": review.KIND, "response": {"uid": request.uid, **response}}
    return msgspec.json.encode(answer)


_NONE: Final[Json] = {}
_NOTHING: Final = Verdict(None, [], [], None, [])


def _unreadable(request: review.Request, enforced: bool) -> Exception:
    """What nobody can read is let through, but not past a policy that refuses images."""
    if not enforced:
        return review.Unreadable()
    group, resource, name = request.resource.group, request.resource.resource, request.name or ""
    return Forbidden(
        f'{qualified(resource, group)} "{name}" is forbidden: its images could not be read',
        details=details_of(resource, group, name),
    )


def _allowed(verdict: Verdict, policy: Policy, validating: bool) -> tuple[Json, str]:
    response: Json = {"allowed": True}
    if verdict.warnings and not validating:
        response["warnings"] = verdict.warnings
    if validating or not (verdict.changes or verdict.annotation is not None):
        return response, ALLOWED
    operations = patch.operations(verdict.changes, tested=policy.test_operations)
    if verdict.annotation is not None:
        operations.append(patch.annotated(verdict.annotation, verdict.metadata))
    response["patchType"] = "JSONPatch"
    # Bytes: they are encoded as base64, as Kubernetes wants them.
    response["patch"] = msgspec.json.encode(operations)
    return response, REWRITTEN if verdict.changes else ALLOWED


def _refused(error: StatusError, validating: bool) -> Json:
    message = f"{_VALIDATION}{error.message}" if validating else error.message
    status = {"code": error.code, "reason": error.reason, "message": message, "details": error.details}
    return {"allowed": False, "status": status}
