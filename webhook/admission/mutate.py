"""Image lookup as a function of an object, for a server that stores workloads itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from webhook.admission import patch, reasons, review
from webhook.admission.decide import Policy, Write, examine, is_platform
from webhook.errors import Forbidden, Json
from webhook.view.index import Streams

log = logging.getLogger(__name__)

Namespaces = Callable[[str], Json | None]
"""name → the Namespace object, or None if it is not known."""

UNREADABLE = "image lookup could not read this object: its images stay as written"
FAULT = "image lookup failed: images stay as written"
NOT_READY = "image streams are not loaded yet: images stay as written"


class Mutator:
    """Applies image lookup; called as `mutate(group, resource, operation, namespace, obj, old, subresource)`."""

    def __init__(self, view: Streams, settings: Policy, namespaces: Namespaces = lambda _: None) -> None:
        self._view = view
        self._settings = settings
        self._namespaces = namespaces

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

        Raises Forbidden for a ReplicationController without a template (image-api 12.14). Our own faults are warnings.
        """
        try:
            item = review.read(obj)
            previous = None if old is None else review.read(old)
        except ValueError:
            # The schema's business: an object of an odd shape is refused there, or holds nothing for us.
            return obj, []
        try:
            return self._mutated(group, resource, operation, namespace, obj, item, previous, subresource)
        except Forbidden:
            raise
        except Exception:
            log.exception("%s in %s is admitted unchanged", resource, namespace)
            return obj, [FAULT]

    def _mutated(
        self,
        group: str,
        resource: str,
        operation: str,
        namespace: str,
        obj: Json,
        item: review.Object,
        previous: review.Object | None,
        subresource: str,
    ) -> tuple[Json, list[str]]:
        write = Write(
            group=group,
            resource=resource,
            operation=operation,
            namespace=namespace,
            item=item,
            old=previous,
            subresource=subresource,
            platform=is_platform(group, resource, namespace, labels_with(self._namespaces)),
        )
        found = list(examine(write, self._view, self._settings))
        changes = [one for one in found if one.new != one.old]
        late = any(one.decision.reason == reasons.NOT_READY for one in found)
        return (patch.apply(obj, changes) if changes else obj), ([NOT_READY] if late else [])


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
