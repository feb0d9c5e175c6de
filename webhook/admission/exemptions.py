"""What is left alone, and why: namespaces, objects that others own, kinds of writes, single images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from webhook.admission import locations, reasons, review
from webhook.admission.images import Image
from webhook.admission.locations import EPHEMERAL, Location
from webhook.admission.policy import Policy

if TYPE_CHECKING:
    from webhook.admission.decide import Write

CREATE, UPDATE = "CREATE", "UPDATE"


def is_platform(location: Location, namespace: str, labels: Callable[[str], Mapping[str, str]]) -> bool:
    """Whether nothing is looked up there because of the namespace (admission A.1); `labels` gives a Namespace's."""
    if not location.platform_exempt:
        return False
    if namespace in locations.PLATFORM_NAMESPACES:
        return True
    return labels(namespace).get(locations.RUN_LEVEL_LABEL) in locations.PLATFORM_RUN_LEVELS


def of_object(write: Write, location: Location, policy: Policy, *, enforced: bool) -> str | None:
    """Why the object as a whole is left alone, if it is (admission A.1, A.2, A.5)."""
    if write.operation not in (CREATE, UPDATE) or (write.subresource and not _adds_containers(write, policy)):
        return reasons.NOT_COVERED
    if write.platform:
        return reasons.NAMESPACE_SKIPPED
    if policy.skipped_namespaces is not None and policy.skipped_namespaces.match(write.namespace):
        return reasons.SKIPPED
    metadata = write.item.metadata
    if metadata is not None:
        if metadata.owner_references and _belongs_to_controller(write, metadata.owner_references, policy):
            return reasons.OWNED_BY_CONTROLLER
        if policy.leave_mirror_pods and metadata.annotations is not None and metadata.annotations.mirror is not None:
            return reasons.MIRROR_POD
    if location.frozen and write.operation == UPDATE and not enforced:
        return reasons.TEMPLATE_IMMUTABLE
    return None


def _adds_containers(write: Write, policy: Policy) -> bool:
    return policy.ephemeral_containers and write.subresource == EPHEMERAL and write.resource == "pods"


def _belongs_to_controller(write: Write, owners: list[review.Owner], policy: Policy) -> bool:
    """Whether another object's template is what counts.

    Controllers compare the templates that they made, never Pods: so only Pods may be changed behind a controller, and
    only if its template is none that was rewritten (practice 7, H1). No template has ephemeral containers.
    """
    controller = next((one for one in owners if one.controller), None)
    if controller is None or write.subresource:
        return False
    if policy.resolved_owners is None or (write.group, write.resource) != ("", "pods"):
        return True
    group, slash, _ = (controller.api_version or "").rpartition("/")
    return (group if slash else "", controller.kind) in policy.resolved_owners


def by_label(write: Write, policy: Policy) -> str | None:
    """Why all images of an object are left alone for its labels, if they are."""
    skipped = policy.skipped_objects is not None and policy.skipped_objects.matches(write.labels)
    return reasons.SKIPPED if skipped else None


def of_image(image: Image, policy: Policy) -> str | None:
    """Why a single image is left alone, if it is: for what it is, or where it stands."""
    if policy.leave_never_pulled and image.never_pulled:
        return reasons.NEVER_PULLED
    if policy.skipped_images is not None and policy.skipped_images.match(image.name):
        return reasons.SKIPPED
    if policy.skipped_containers is not None and policy.skipped_containers.match(image.container):
        return reasons.SKIPPED
    return None
