"""Image lookup as a function of an object, for a server that stores workloads itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from webhook.admission import notices, patch
from webhook.admission.decide import of_objects
from webhook.admission.exemptions import is_platform
from webhook.admission.objects import NOTHING, Objects
from webhook.admission.policy import Policy
from webhook.admission.verdict import reach
from webhook.errors import Json, StatusError
from webhook.view.index import Streams

log = logging.getLogger(__name__)

Namespaces = Callable[[str], Json | None]
"""name → the Namespace object, or None if it is not known."""


class Mutator:
    """Applies image lookup; called as `mutate(group, resource, operation, namespace, obj, old, subresource)`."""

    def __init__(
        self,
        view: Streams,
        policy: Callable[[], Policy],
        namespaces: Namespaces = lambda _: None,
        objects: Objects = NOTHING,
    ) -> None:
        self._view = view
        self._policy = policy
        self._labels = labels_with(namespaces)
        self._objects = objects

    def __call__(
        self,
        group: str,
        resource: str,
        operation: str,
        namespace: str,
        obj: Json,
        old: Json | None = None,
        subresource: str = "",
    ) -> tuple[Json, list[str]]:
        """The object to store, and warnings for the user; the same object if nothing changes.

        Raises Forbidden for a ReplicationController without a template (image-api 12.14), and Invalid for images that
        the policy refuses. Our own faults are warnings.
        """
        policy = self._policy()
        coverage = policy.coverage.get((group, resource))
        if coverage is None:
            return obj, []
        try:
            write = of_objects(
                coverage.location,
                group,
                resource,
                operation,
                namespace,
                obj,
                old,
                kind=str(obj.get("kind") or ""),
                subresource=subresource,
                platform=is_platform(coverage.location, namespace, self._labels),
            )
        except ValueError:
            # The schema's business: an object of an odd shape is refused there, or holds nothing for us.
            return obj, []
        try:
            verdict = reach(write, self._view, policy, self._objects)
        except StatusError:
            raise
        except Exception:
            log.exception("%s in %s is admitted unchanged", resource, namespace)
            return obj, [notices.FAULT]
        if not verdict.changes and verdict.annotation is None:
            return obj, verdict.warnings
        return patch.apply(obj, verdict.changes, verdict.annotation), verdict.warnings


def labels_with(namespaces: Namespaces) -> Callable[[str], Mapping[str, str]]:
    """Reads a namespace's labels; none if it cannot be looked up, since lookup then runs (admission A.1)."""

    def labels(name: str) -> Mapping[str, str]:
        try:
            found = namespaces(name) or {}
            return (found.get("metadata") or {}).get("labels") or {}
        except Exception:
            log.exception("namespace %s cannot be read", name)
            return {}

    return labels
