"""Which images an object has, and where: the table of `webhook.admission.locations` applied to one object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from webhook.admission import locations, paths, review
from webhook.admission.locations import Location, Path
from webhook.errors import Json

DOCKER_IMAGE: Final = "DockerImage"

_NEVER: Final = "Never"


class Image(msgspec.Struct, frozen=True):
    """One image of an object. `path` leads to its text.

    `key` is the same in two versions of an object where both mean the same place. `container` is the name of the
    container or volume, empty elsewhere. `kind` and `namespace` are those of a build's object reference.
    """

    path: Path
    name: str
    key: str
    container: str = ""
    never_pulled: bool = False
    kind: str = DOCKER_IMAGE
    namespace: str = ""


def find(item: review.Object, whole: Json, location: Location, *, volumes: bool, ephemeral: bool) -> Iterator[Image]:
    """The images in the order in which they are looked up (admission A.4).

    `whole` is the object as it came, read only where the location has paths. With `ephemeral`, only the ephemeral
    containers count.
    """
    if location.images:
        return _at_paths(whole, location)
    if location.builds:
        return _of_build(item)
    _, pod = template(item, location)
    if pod is None:
        return iter(())
    return _of_pod(pod, (*location.template, "spec"), volumes=volumes, ephemeral=ephemeral)


def template(item: review.Object, location: Location) -> tuple[review.Meta | None, review.PodSpec | None]:
    """Metadata and spec of the pod template; a Pod's own spec, whose metadata are the object's."""
    spec, way = item.spec, location.template
    if way == ("template",):
        return _parts(item.template)
    if spec is None or not way:
        return None, spec
    if way[1] == "jobTemplate":
        job = spec.job_template and spec.job_template.spec
        return _parts(job.template if job else None)
    return _parts(spec.template)


def _parts(found: review.Template | None) -> tuple[review.Meta | None, review.PodSpec | None]:
    return (found.metadata, found.spec) if found else (None, None)


def _of_pod(pod: review.PodSpec, base: Path, *, volumes: bool, ephemeral: bool) -> Iterator[Image]:
    if ephemeral:
        yield from _containers(pod.ephemeral_containers, (*base, "ephemeralContainers"))
        return
    yield from _containers(pod.init_containers, (*base, "initContainers"))
    yield from _containers(pod.containers, (*base, "containers"))
    if not volumes or not pod.volumes:
        return
    for index, volume in enumerate(pod.volumes):
        if volume.image is not None and volume.image.reference:
            path = (*base, "volumes", index, "image", "reference")
            name, never = volume.name or "", volume.image.pull_policy == _NEVER
            yield Image(path, volume.image.reference, f"volume/{name}", name, never)


def _containers(listed: Iterable[review.Container] | None, base: Path) -> Iterator[Image]:
    for index, one in enumerate(listed or ()):
        name = one.name or ""
        yield Image((*base, index, "image"), one.image or "", name, name, one.image_pull_policy == _NEVER)


def _of_build(item: review.Object) -> Iterator[Image]:
    spec = item.spec
    if spec is None:
        return
    for index, one in enumerate((spec.source and spec.source.images) or ()):
        yield from _reference(("spec", "source", "images", index, "from"), one, "source")
    strategy = spec.strategy or review.Strategy()
    # In the order of locations.STRATEGIES, though a build has only one.
    parts = (strategy.source_strategy, strategy.custom_strategy, strategy.docker_strategy)
    for name, part in zip(locations.STRATEGIES, parts, strict=True):
        yield from _reference(("spec", "strategy", name, "from"), part, name)


def _reference(path: Path, part: review.HasFrom | None, place: str) -> Iterator[Image]:
    origin = part and part.from_
    if origin:
        kind, namespace, name = origin.kind or "", origin.namespace or "", origin.name or ""
        yield Image((*path, "name"), name, f"{place}/{kind}/{namespace}/{name}", kind=kind, namespace=namespace)


def _at_paths(whole: Json, location: Location) -> Iterator[Image]:
    for number, steps in enumerate(location.images):
        for path, text in paths.strings(whole, steps):
            yield Image(path, text, f"{number}/{text}")
