"""What `imagestreams import` asks of the server, decided from the stream as it is, as `oc import-image` decides it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from webhook.errors import Json
from webhook.image import repository, tagging, tags
from webhook.image.names import DEFAULT_TAG
from webhook.image.reference import InvalidReference, parse


class CannotImport(ValueError):
    """The stream, or that there is none, does not allow this; the message is one sentence with a way out."""


@dataclass(frozen=True)
class Wanted:
    """The command line: STREAM[:TAG] in parts, and its options. None leaves a policy as the tag has it."""

    stream: str
    tag: str
    target: str
    source: str = ""
    every: bool = False
    confirm: bool = False
    scheduled: bool | None = None
    insecure: bool | None = None
    reference_policy: str | None = None
    import_mode: str | None = None


@dataclass(frozen=True)
class Plan:
    """The images or the repository that are to be imported, as the `spec` of an ImageStreamImport has them."""

    stream: str
    images: tuple[Json, ...] = ()
    repository: Json | None = None


def target(text: str, every: bool) -> tuple[str, str]:
    """Stream and tag of a STREAM[:TAG], or of a pull spec from which a new stream takes its name and its image."""
    if "/" not in text:
        name, _, tag = text.partition(":")
        digest = "@" in text
    else:
        try:
            parsed = parse(text)
        except InvalidReference as error:
            raise CannotImport(f"{text} is no image stream and no image: {error}") from None
        name, tag, digest = parsed.name, parsed.tag, bool(parsed.id)
    if digest:
        raise CannotImport(f"{text} names one image, which does not change: use imagestreams tag")
    if not name:
        raise CannotImport(f"{text} must be of the form STREAM[:TAG]")
    if tag and every:
        raise CannotImport(f"{text} names a tag, and --all means all of them: give one of the two")
    return name, tag or ("" if every else DEFAULT_TAG)


def plan(wanted: Wanted, stream: Json | None) -> Plan:
    """What to import into the stream, which is None if it does not exist; raises CannotImport."""
    if stream is None:
        return _new(wanted)
    return _all(wanted, stream) if wanted.every else _one(wanted, stream)


def groups(whole: Plan, size: int) -> Iterator[Plan]:
    """The plan in parts of `size` images, so that each answer is news; a repository stays one."""
    if whole.repository is not None:
        yield whole
        return
    for start in range(0, len(whole.images), size):
        yield replace(whole, images=whole.images[start : start + size])


def request(part: Plan, namespace: str, version: str, *, store: bool) -> Json:
    """The ImageStreamImport of a part; `version` is the stream's, empty if there is none. Without `store` a preview."""
    spec: Json = {"import": store}
    if part.images:
        spec["images"] = list(part.images)
    if part.repository is not None:
        spec["repository"] = part.repository
    metadata = {"name": part.stream, "namespace": namespace, **({"resourceVersion": version} if version else {})}
    return {
        "kind": "ImageStreamImport",
        "apiVersion": "image.openshift.io/v1",
        "metadata": metadata,
        "spec": spec,
    }


def _new(wanted: Wanted) -> Plan:
    if not wanted.confirm:
        raise CannotImport(f"there is no image stream {wanted.stream}: add --confirm to create it")
    source = wanted.source or wanted.target
    if wanted.every:
        return Plan(wanted.stream, repository=_repository(wanted, source, {}))
    return Plan(wanted.stream, (_image(wanted, {}, {"name": wanted.tag}, source),))


def _all(wanted: Wanted, stream: Json) -> Plan:
    """Every tag that comes from a registry, or, where a repository is named, every tag that it has."""
    known = repository.name(stream)
    source = wanted.source or known
    if source:
        if source != known and not wanted.confirm:
            now = f"imports {known}" if known else "imports no whole repository"
            raise CannotImport(f"image stream {wanted.stream} {now}: add --confirm to import all tags of {source}")
        return Plan(wanted.stream, repository=_repository(wanted, source, stream))
    found = [one for one in tags.spec_tags(stream) if _origin(one) and not one.get("reference")]
    if not found:
        raise CannotImport(
            f"image stream {wanted.stream} has no tags that come from a registry: add --from REPOSITORY --confirm"
        )
    return Plan(wanted.stream, tuple(_image(wanted, stream, one, _origin(one)) for one in found))


def _one(wanted: Wanted, stream: Json) -> Plan:
    tag, existing = _followed(stream, wanted.tag)
    if existing is None:
        source = wanted.source or (repository.name(stream) if tag == DEFAULT_TAG else "")
        if not source:
            followed = f", which {wanted.tag} follows" if tag != wanted.tag else ""
            raise CannotImport(
                f"image stream {wanted.stream} has no tag {tag}{followed}: add --from IMAGE to create it"
            )
        return Plan(wanted.stream, (_image(wanted, stream, {"name": tag}, source),))
    origin = _origin(existing)
    if not origin:
        kind = (existing.get("from") or {}).get("kind") or "a pushed image"
        raise CannotImport(
            f"tag {tag} of image stream {wanted.stream} comes from {kind}, not from a registry:"
            " change its source with imagestreams tag"
        )
    if wanted.source not in ("", origin):
        raise CannotImport(
            f"tag {tag} of image stream {wanted.stream} comes from {origin}:"
            f" change its source with imagestreams tag --source=docker {wanted.source} {wanted.stream}:{tag}"
        )
    return Plan(wanted.stream, (_image(wanted, stream, existing, origin),))


def _followed(stream: Json, tag: str) -> tuple[str, Json | None]:
    """The tag that is meant after all aliases within the stream, and its spec."""
    asked, seen = tag, {tag}
    while (found := tags.spec_tag(stream, tag)) is not None:
        further = tagging.alias_target(stream, found)
        if further is None:
            break
        if further in seen:
            raise CannotImport(f"tag {asked} follows itself: change its source with imagestreams tag")
        seen.add(further)
        tag = further
    return tag, found


def _origin(tag: Json) -> str:
    source = tag.get("from") or {}
    return (source.get("name") or "") if source.get("kind") == "DockerImage" else ""


def _image(wanted: Wanted, stream: Json, tag: Json, source: str) -> Json:
    return {
        "from": {"kind": "DockerImage", "name": source},
        "to": {"name": tag["name"]},
        "importPolicy": _policy(wanted, stream, tag.get("importPolicy") or {}),
        "referencePolicy": {"type": wanted.reference_policy} if wanted.reference_policy else {},
    }


def _repository(wanted: Wanted, source: str, stream: Json) -> Json:
    return {
        "from": {"kind": "DockerImage", "name": source},
        "importPolicy": _policy(wanted, stream, {}),
        "referencePolicy": {"type": wanted.reference_policy} if wanted.reference_policy else {},
    }


def _policy(wanted: Wanted, stream: Json, existing: Json) -> Json:
    """The import writes its policy into the tag (image-api 5.7), so that what is not said has to be repeated."""
    usual = existing.get("insecure") or repository.is_insecure(stream)
    policy = {
        "insecure": usual if wanted.insecure is None else wanted.insecure,
        "scheduled": existing.get("scheduled") if wanted.scheduled is None else wanted.scheduled,
        "importMode": wanted.import_mode or existing.get("importMode"),
    }
    return {key: value for key, value in policy.items() if value}
