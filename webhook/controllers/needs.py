"""What an image stream needs to have imported, decided from the stream alone (image-api 6.1-6.3, 6.5)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from webhook.errors import Json
from webhook.image import history, repository, tags
from webhook.image.reference import InvalidReference, parse
from webhook.importer import retries
from webhook.importer.results import CHECK_ANNOTATION


def needed(stream: Json) -> Json | None:
    """The ImageStreamImport that this stream asks for now, or None."""
    importable = [tag for tag in tags.spec_tags(stream) if _importable(tag)]
    if repository.name(stream) and not _annotations(stream).get(CHECK_ANNOTATION):
        return request(stream, importable, whole=True)
    wanting = [tag for tag in importable if _pending(stream, tag)]
    if not wanting:
        return None
    # A tag without a generation asks for nothing by itself, but comes along.
    return request(stream, [tag for tag in importable if tag in wanting or tag.get("generation") is None])


def scheduled(stream: Json) -> list[Json]:
    """The spec tags to be looked at again and again; one with a digest only until it has been imported once."""
    return [tag for tag in tags.spec_tags(stream) if _followed(stream, tag)]


def failing(stream: Json) -> list[tuple[Json, str]]:
    """The spec tags whose last import failed, each with the time since when; not those that ask for an import."""
    found = []
    for tag in tags.spec_tags(stream):
        announced = retries.condition_of(history.entry(stream, tag["name"]), retries.IMPORT_RETRY)
        if announced is not None and _importable(tag) and not _pending(stream, tag):
            found.append((tag, str(announced.get("lastTransitionTime") or "")))
    return found


def with_tags(stream: Json, asked: Json | None, names: Collection[str]) -> Json | None:
    """The request with these tags of the stream as well; the whole repository has all of them."""
    if asked is not None and "repository" in asked["spec"]:
        return asked
    chosen = {*names, *targets(asked)}
    found = [tag for tag in tags.spec_tags(stream) if tag["name"] in chosen and _importable(tag)]
    return request(stream, found) if found else None


def targets(asked: Json | None) -> set[str]:
    """The tags that a request imports by name."""
    return {image["to"]["name"] for image in asked["spec"].get("images") or []} if asked else set()


def request(stream: Json, chosen: Sequence[Json], *, whole: bool = False) -> Json:
    """The import of these spec tags, and of the `whole` repository, tied to the version of the stream."""
    metadata = {
        key: stream["metadata"][key]
        for key in ("name", "namespace", "resourceVersion", "uid")
        if stream["metadata"].get(key)
    }
    spec: Json = {"import": True}
    if whole:
        spec["repository"] = {
            "from": {"kind": "DockerImage", "name": repository.name(stream)},
            "importPolicy": {"insecure": True} if repository.is_insecure(stream) else {},
        }
    if chosen:
        spec["images"] = [_image(tag) for tag in chosen]
    return {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStreamImport",
        "metadata": metadata,
        "spec": spec,
    }


def _image(tag: Json) -> Json:
    return {
        "from": {"kind": "DockerImage", "name": tag["from"]["name"]},
        "to": {"name": tag["name"]},
        "importPolicy": dict(tag.get("importPolicy") or {}),
        "referencePolicy": dict(tag.get("referencePolicy") or {}),
    }


def _importable(tag: Json) -> bool:
    source = tag.get("from") or {}
    return source.get("kind") == "DockerImage" and bool(source.get("name")) and not tag.get("reference")


def _pending(stream: Json, tag: Json) -> bool:
    generation = tag.get("generation")
    return generation is not None and generation > _observed(stream, tag["name"])


def _observed(stream: Json, tag: str) -> int:
    """The newest generation that an import of the tag has reached, well or badly."""
    failure = retries.condition_of(history.entry(stream, tag), retries.IMPORT_SUCCESS) or {}
    return max(_head_generation(stream, tag), int(failure.get("generation") or 0))


def _head_generation(stream: Json, tag: str) -> int:
    return int((history.head(stream, tag) or {}).get("generation") or 0)


def _followed(stream: Json, tag: Json) -> bool:
    if not _importable(tag) or not (tag.get("importPolicy") or {}).get("scheduled"):
        return False
    try:
        pinned = bool(parse(tag["from"]["name"]).id)
    except InvalidReference:
        return False
    return not pinned or (tag.get("generation") or 0) > _head_generation(stream, tag["name"])


def _annotations(stream: Json) -> Json:
    return (stream.get("metadata") or {}).get("annotations") or {}
