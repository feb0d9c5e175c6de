"""What an ImageStreamImport answers about each image that was asked for (image-api 5.3 and 5.6)."""

from __future__ import annotations

from collections.abc import Mapping

from webhook.errors import Json
from webhook.image import manifest as manifests
from webhook.importer import failures
from webhook.importer.fetched import SUCCESS, Fetched, FetchedImage, FetchedRepository


def status(spec: Json, fetched: Fetched) -> Json:
    """The `status` of an import with this `spec`, without `import`."""
    storing = bool(spec.get("import"))
    images = [
        _image_status(one, two, storing) for one, two in zip(spec.get("images") or [], fetched.images, strict=True)
    ]
    found: Json = {"images": images} if images else {}
    if fetched.repository is not None:
        found["repository"] = _repository_status(spec["repository"], fetched.repository, storing)
    return found


def with_stored(status: Json, spec: Json, stored: Mapping[str, Json]) -> Json:
    """The status with the Images that this import was to store as it stored them, by name.

    Give one that had been there before as it was fetched, with the uid of the stored one but not its version (section
    12, item 10). Images of one digest all show the first of them. An entry without a target is not stored.
    """

    def one(entry: Json) -> Json:
        after = dict(entry)
        if "image" in entry:
            after["image"] = stored.get(_name(entry["image"]), entry["image"])
        if "manifests" in entry:
            after["manifests"] = [stored.get(_name(member), member) for member in entry["manifests"]]
        return after

    after = dict(status)
    if "images" in after:
        pairs = zip(spec["images"], after["images"], strict=True)
        after["images"] = [one(entry) if wanted.get("to") else entry for wanted, entry in pairs]
    if "images" in after.get("repository", {}):
        repository = after["repository"]
        after["repository"] = {**repository, "images": [one(entry) for entry in repository["images"]]}
    return after


def _name(image: Json) -> str:
    return str(image["metadata"]["name"])


def _image_status(spec: Json, found: FetchedImage, storing: bool) -> Json:
    stored = storing and bool(spec.get("to"))
    return _entry(found, bare=stored or not spec.get("includeManifest"), bare_members=stored)


def _repository_status(spec: Json, found: FetchedRepository, storing: bool) -> Json:
    if found.failure is not None:
        return {"status": found.failure}
    failed = sum(one.image is None for one in found.images)
    bare = storing or not spec.get("includeManifest")
    status: Json = {"status": failures.some_failed(failed) if failed else dict(SUCCESS)}
    if found.images:
        status["images"] = [_entry(one, bare=bare, bare_members=storing) for one in found.images]
    if found.additional_tags:
        status["additionalTags"] = list(found.additional_tags)
    return status


def _entry(found: FetchedImage, *, bare: bool, bare_members: bool) -> Json:
    entry: Json = {"status": found.failure or dict(SUCCESS)}
    if found.image is not None:
        entry["image"] = manifests.without_content(found.image) if bare else found.image
    if found.manifests:
        entry["manifests"] = [manifests.without_content(one) if bare_members else one for one in found.manifests]
    if found.tag:
        entry["tag"] = found.tag
    return entry
