"""From an object to the rewrites of its images: what is looked at, what is left alone, what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

import msgspec

from webhook.admission import enforce, exemptions, images, reasons, review
from webhook.admission.images import DOCKER_IMAGE, Image
from webhook.admission.locations import EPHEMERAL, Location, Path
from webhook.admission.objects import NOTHING, Objects
from webhook.admission.policy import Coverage, Policy
from webhook.admission.resolve import STREAM_IMAGE, Decision, resolve_object
from webhook.errors import Forbidden, Invalid, Json, details_of, qualified
from webhook.view.index import Streams

CREATE, UPDATE = exemptions.CREATE, exemptions.UPDATE

_NOTHING_WHOLE: Final[Json] = {}


class Write(msgspec.Struct, frozen=True):
    """One write of an object: where it goes, and the fields of it that matter.

    `platform` says that the namespace belongs to the platform, so that nothing is looked up in it. `whole` and
    `whole_old` are the objects as they came, for resources with paths of their own; `labels` are the object's where the
    policy skips objects by label.
    """

    group: str
    resource: str
    operation: str
    namespace: str
    item: review.Object
    old: review.Object | None = None
    name: str = ""
    subresource: str = ""
    platform: bool = False
    kind: str = ""
    whole: Json = _NOTHING_WHOLE
    whole_old: Json = _NOTHING_WHOLE
    labels: Mapping[str, str] = {}


class Rewrite(msgspec.Struct, frozen=True):
    """One value of an object, what takes its place, and why; `new` is None where the value is removed.

    A value that stays has `new == old`. `place` names a container or volume for good, while its index may change; it is
    empty elsewhere. `beside` marks what changes only because the image beside it does. `namespace` is that of a build's
    object reference.
    """

    path: Path
    old: str
    new: str | None
    decision: Decision
    place: str = ""
    beside: bool = False
    namespace: str = ""


def of_objects(
    location: Location,
    group: str,
    resource: str,
    operation: str,
    namespace: str,
    obj: Json,
    old: Json | None = None,
    **more: Any,
) -> Write:
    """The write of an object in memory; raises ValueError for one of an odd shape."""
    read = review.read_metadata if location.images else review.read
    return Write(
        group=group,
        resource=resource,
        operation=operation,
        namespace=namespace,
        item=read(obj),
        old=None if old is None else read(old),
        whole=obj,
        whole_old=old or _NOTHING_WHOLE,
        labels=review.labels(obj),
        **more,
    )


def examine(write: Write, view: Streams, policy: Policy, objects: Objects = NOTHING) -> list[Rewrite]:
    """Every image of the object with its decision; nothing for kinds that are not looked up.

    Raises Forbidden for the refusal of objects without a template (image-api 12.14), and Invalid where the policy
    refuses an image.
    """
    coverage = policy.coverage.get((write.group, write.resource))
    if coverage is None:
        return []
    enforced = policy.required or bool(coverage.rules)
    reason = exemptions.of_object(write, coverage.location, policy, enforced=enforced)
    if reason is None:
        _refuse_without_template(write, coverage.location)
    found = list(islice(_images(write.item, write.whole, write, coverage, policy), policy.max_images + 1))
    if len(found) > policy.max_images:
        if enforced and reason is None:
            raise _too_many(write, policy)
        return [Rewrite(found[0].path, found[0].name, found[0].name, Decision(reasons.TOO_MANY_IMAGES))]
    if reason is not None:
        return [_rewrite(one, Decision(reason, one.name, kind=one.kind), False) for one in found]
    force = _asks(write.item, coverage.location)
    looked = _decided(found, write, coverage, view, policy, objects, force)
    if enforced:
        refused = enforce.findings(looked, write, coverage, policy, objects, force=force)
        if refused:
            raise Invalid.of(write.kind, write.group, _name(write), refused)
    return looked


def _refuse_without_template(write: Write, location: Location) -> None:
    if not location.refused_without_template or (write.item.spec and write.item.spec.template):
        return
    name = _name(write)
    raise Forbidden(
        f'{qualified(write.resource, write.group)} "{name}" is forbidden: unable to apply image policy against objects'
        f" of type {location.refused_without_template}: No list of images available for this object",
        details=details_of(write.resource, write.group, name),
    )


def _too_many(write: Write, policy: Policy) -> Forbidden:
    name = _name(write)
    return Forbidden(
        f'{qualified(write.resource, write.group)} "{name}" is forbidden: it has more than {policy.max_images} images',
        details=details_of(write.resource, write.group, name),
    )


def _name(write: Write) -> str:
    return (write.item.metadata and write.item.metadata.name) or write.name


def _images(item: review.Object, whole: Json, write: Write, coverage: Coverage, policy: Policy) -> Iterator[Image]:
    ephemeral = write.subresource == EPHEMERAL and policy.ephemeral_containers
    return images.find(item, whole, coverage.location, volumes=policy.image_volumes, ephemeral=ephemeral)


def _asks(item: review.Object, location: Location) -> bool:
    """Whether the object or its pod template carries the annotation (admission A.6.1)."""
    template, _ = images.template(item, location)
    return _is_annotated(item.metadata) or _is_annotated(template)


def _is_annotated(metadata: review.Meta | None) -> bool:
    return metadata is not None and metadata.annotations is not None and metadata.annotations.resolve_names == "*"


def _stored(write: Write, coverage: Coverage, policy: Policy, force: bool) -> dict[str, str]:
    """Key → image of what is stored and not looked at again.

    Nothing when the annotation came or went: then every container counts as new (admission A.5, image-api 12.16). What
    a build starts from does not.
    """
    if write.operation != UPDATE or write.old is None:
        return {}
    if not coverage.location.builds and _asks(write.old, coverage.location) != force:
        return {}
    found: dict[str, str] = {}
    for image in islice(_images(write.old, write.whole_old, write, coverage, policy), policy.max_images):
        # Init containers come first, and the first of a name counts.
        found.setdefault(image.key, image.name)
    return found


def _decided(
    found: list[Image], write: Write, coverage: Coverage, view: Streams, policy: Policy, objects: Objects, force: bool
) -> list[Rewrite]:
    location = coverage.location
    stored = _stored(write, coverage, policy, force)
    writes = coverage.local_names and not (location.frozen and write.operation == UPDATE)
    exempt = exemptions.by_label(write, policy) or (None if coverage.resolves else reasons.NOT_LOOKED_UP)
    skips_some = policy.skips_some
    looked: list[Rewrite] = []
    for image in found:
        reason = reasons.UNCHANGED if stored.get(image.key) == image.name else exempt
        if reason is None and (image.never_pulled or skips_some):
            reason = exemptions.of_image(image, policy)
        if reason is None:
            decision = _resolved(image, write.namespace, force, coverage, view, policy, objects)
        else:
            decision = Decision(reason, image.name, kind=image.kind)
        one = _rewrite(image, decision, writes)
        looked.append(one)
        # Also where the text is the same: the name of an ImageStreamImage may read like the pull spec of its image.
        if (image.kind != DOCKER_IMAGE or image.namespace) and writes and decision.image:
            looked += _beside(image, decision)
    return looked


def _resolved(
    image: Image, namespace: str, force: bool, coverage: Coverage, view: Streams, policy: Policy, objects: Objects
) -> Decision:
    decision = resolve_object(
        image.kind, image.name, image.namespace, namespace, force, view, policy.integrated_registry
    )
    if coverage.everything:
        decision = _everything(decision, image, objects)
    return _with_tag(decision) if policy.keep_tag else decision


def _everything(decision: Decision, image: Image, objects: Objects) -> Decision:
    """The decision of a policy that rewrites whatever resolves, not only local names (admission A.7)."""
    pull_spec = decision.pull_spec
    if decision.reason == reasons.STREAM_REFERENCE and image.kind == STREAM_IMAGE:
        pull_spec = objects.stream_image(decision.stream, image.name.partition("@")[2])
    if decision.reason not in (reasons.INTEGRATED, reasons.STREAM_REFERENCE) or not pull_spec:
        return decision
    return msgspec.structs.replace(decision, reason=reasons.RESOLVED, image=pull_spec)


def _with_tag(decision: Decision) -> Decision:
    repository, at, digest = (decision.image or "").partition("@")
    if decision.reason != reasons.RESOLVED or not at or not decision.tag:
        return decision
    return msgspec.structs.replace(decision, image=f"{repository}:{decision.tag}@{digest}")


def _rewrite(image: Image, decision: Decision, writes: bool) -> Rewrite:
    new = decision.image if writes and decision.image else image.name
    place = image.key if image.container else ""
    return Rewrite(image.path, image.name, new, decision, place, namespace=image.namespace)


def _beside(image: Image, decision: Decision) -> Iterator[Rewrite]:
    """What changes with the image of a build: the kind beside it becomes DockerImage, and the namespace goes."""
    beside = image.path[:-1]
    if image.kind != DOCKER_IMAGE:
        yield Rewrite((*beside, "kind"), image.kind, DOCKER_IMAGE, decision, beside=True)
    if image.namespace:
        yield Rewrite((*beside, "namespace"), image.namespace, None, decision, beside=True)
