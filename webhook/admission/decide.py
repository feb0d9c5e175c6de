"""From an object to the rewrites of its images: what is looked at, what is left alone, what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import msgspec

from webhook.admission import locations, reasons, review
from webhook.admission.locations import Location, Path
from webhook.admission.resolve import DOCKER_IMAGE, Decision, resolve_object
from webhook.errors import Forbidden, Json, details_of, qualified
from webhook.view.index import Streams

CREATE, UPDATE = "CREATE", "UPDATE"


class Policy(Protocol):
    """The settings that decide; `webhook.settings.Settings` has them."""

    @property
    def integrated_registry(self) -> str:
        """The integrated registry's host[:port], or empty."""


class Write(msgspec.Struct, frozen=True):
    """One write of an object: where it goes, and the fields of it that matter.

    `platform` says that the namespace belongs to the platform, so that nothing is looked up in it.
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


class Rewrite(msgspec.Struct, frozen=True):
    """One value of an object, what takes its place, and why; `new` is None where the value is removed.

    A value that stays has `new == old`: `examine` shows it, `decide` and `rewrites` do not.
    """

    path: Path
    old: str
    new: str | None
    decision: Decision


def decide(
    group: str,
    resource: str,
    kind: str,  # noqa: ARG001 — callers name the whole thing
    operation: str,
    namespace: str,
    obj: Json,
    old: Json | None,
    view: Streams,
    settings: Policy,
    subresource: str = "",
) -> list[Rewrite]:
    """The rewrites of a whole object; the resource says where they may be, `kind` is only for the reader.

    Raises Forbidden for the one refusal there is (image-api 12.14), and ValueError for an object of an odd shape.
    Platform namespaces are the caller's business (`is_platform`).
    """
    if (group, resource) not in locations.COVERED:
        return []
    write = Write(
        group=group,
        resource=resource,
        operation=operation,
        namespace=namespace,
        item=review.read(obj),
        old=None if old is None else review.read(old),
        subresource=subresource,
    )
    return rewrites(write, view, settings)


def rewrites(write: Write, view: Streams, settings: Policy) -> list[Rewrite]:
    """Only what changes, in the order in which the fields are looked at."""
    return [one for one in examine(write, view, settings) if one.new != one.old]


def examine(write: Write, view: Streams, settings: Policy) -> Iterator[Rewrite]:
    """Every image of the object with its decision; nothing for kinds that are not looked up."""
    location = locations.COVERED.get((write.group, write.resource))
    if location is None:
        return
    force, stored = False, {}
    reason = _skipped(write, location)
    if reason is None:
        _refuse_without_template(write, location)
        force = _asks(write.item, location)
        stored = _stored(write, location, force)
    for image in _images(write.item, location):
        if reason is not None:
            yield from _rewritten(image, Decision(reason, image.name, kind=image.kind))
        elif image.container is not None and stored.get(image.container) == image.name:
            yield from _rewritten(image, Decision(reasons.UNCHANGED, image.name))
        else:
            yield from _rewritten(image, _resolve(image, write.namespace, force, view, settings))


def is_platform(group: str, resource: str, namespace: str, labels: Callable[[str], Mapping[str, str]]) -> bool:
    """Whether nothing is looked up there because of the namespace (admission A.1); `labels` gives a Namespace's."""
    location = locations.COVERED.get((group, resource))
    if location is None or not location.platform_exempt:
        return False
    if namespace in locations.PLATFORM_NAMESPACES:
        return True
    return labels(namespace).get(locations.RUN_LEVEL_LABEL) in locations.PLATFORM_RUN_LEVELS


class _Image(msgspec.Struct, frozen=True):
    """One image of an object. `path` leads to its text; `container` is None in a build."""

    path: Path
    name: str
    container: str | None = None
    kind: str = DOCKER_IMAGE
    namespace: str = ""


def _skipped(write: Write, location: Location) -> str | None:
    """Why the object as a whole is left alone, if it is (admission A.1, A.2, A.5)."""
    if write.subresource or write.operation not in (CREATE, UPDATE):
        return reasons.NOT_COVERED
    if write.platform:
        return reasons.NAMESPACE_SKIPPED
    metadata = write.item.metadata
    if metadata and any(owner.controller for owner in metadata.owner_references or ()):
        return reasons.OWNED_BY_CONTROLLER
    if location.frozen and write.operation == UPDATE:
        return reasons.TEMPLATE_IMMUTABLE
    return None


def _refuse_without_template(write: Write, location: Location) -> None:
    if not location.refused_without_template or (write.item.spec and write.item.spec.template):
        return
    name = (write.item.metadata and write.item.metadata.name) or write.name
    raise Forbidden(
        f'{qualified(write.resource, write.group)} "{name}" is forbidden: unable to apply image policy against objects'
        f" of type {location.refused_without_template}: No list of images available for this object",
        details=details_of(write.resource, write.group, name),
    )


def _asks(item: review.Object, location: Location) -> bool:
    """Whether the object or its pod template carries the annotation (admission A.6.1)."""
    template, _ = _pod(item, location)
    return any(
        metadata is not None and (metadata.annotations or {}).get(locations.RESOLVE_NAMES) == "*"
        for metadata in (item.metadata, template)
    )


def _stored(write: Write, location: Location, force: bool) -> dict[str, str]:
    """Container name → image that is stored and not looked at again.

    Nothing when the annotation came or went: then every container counts as new (admission A.5, image-api 12.16).
    """
    if write.operation != UPDATE or write.old is None or _asks(write.old, location) != force:
        return {}
    found: dict[str, str] = {}
    for image in _images(write.old, location):
        if image.container is not None:
            # Init containers come first, and the first of a name counts.
            found.setdefault(image.container, image.name)
    return found


def _pod(item: review.Object, location: Location) -> tuple[review.Meta | None, review.PodSpec | review.Spec | None]:
    """Metadata and spec of the pod template; a Pod's own spec, whose metadata are the object's."""
    spec = item.spec
    if spec is None or not location.template:
        return None, spec
    if location.template[1] == "jobTemplate":
        job = spec.job_template and spec.job_template.spec
        template = job and job.template
    else:
        template = spec.template
    return (template.metadata, template.spec) if template else (None, None)


def _images(item: review.Object, location: Location) -> Iterator[_Image]:
    if location.builds:
        yield from _build_images(item)
        return
    _, pod = _pod(item, location)
    if pod is None:
        return
    base = (*location.template, "spec")
    for field, containers in (("initContainers", pod.init_containers), ("containers", pod.containers)):
        for index, one in enumerate(containers or ()):
            yield _Image((*base, field, index, "image"), one.image or "", one.name or "")


def _build_images(item: review.Object) -> Iterator[_Image]:
    spec = item.spec
    if spec is None:
        return
    for index, one in enumerate((spec.source and spec.source.images) or ()):
        yield from _build_image(("spec", "source", "images", index, "from"), one)
    strategy = spec.strategy or review.Strategy()
    # In the order of locations.STRATEGIES, though a build has only one.
    parts = (strategy.source_strategy, strategy.custom_strategy, strategy.docker_strategy)
    for name, part in zip(locations.STRATEGIES, parts, strict=True):
        yield from _build_image(("spec", "strategy", name, "from"), part)


def _build_image(path: Path, part: review.HasFrom | None) -> Iterator[_Image]:
    origin = part and part.from_
    if origin:
        yield _Image((*path, "name"), origin.name or "", None, origin.kind or "", origin.namespace or "")


def _resolve(image: _Image, namespace: str, force: bool, view: Streams, settings: Policy) -> Decision:
    integrated = settings.integrated_registry
    return resolve_object(image.kind, image.name, image.namespace, namespace, force, view, integrated)


def _rewritten(image: _Image, decision: Decision) -> Iterator[Rewrite]:
    """What becomes of the value; in a build, the kind beside it becomes DockerImage and the namespace goes."""
    yield Rewrite(image.path, image.name, decision.image or image.name, decision)
    if image.container is not None or decision.image is None:
        return
    beside = image.path[:-1]
    if image.kind != DOCKER_IMAGE:
        yield Rewrite((*beside, "kind"), image.kind, DOCKER_IMAGE, decision)
    if image.namespace:
        yield Rewrite((*beside, "namespace"), image.namespace, None, decision)
