"""The kinds that are only views of a stream and its Images, put together (image-api 2.12, 3.1, 4.1, 4.3)."""

from __future__ import annotations

from collections.abc import Callable

from webhook.errors import Json, NotFound
from webhook.image import defaults, digest, history, names, pullspec, tags

GROUP = "image.openshift.io"
API_VERSION = f"{GROUP}/v1"

FindImage = Callable[[str], Json | None]
"""An Image by its name, None when there is none."""

_SCHEMA2 = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG_TYPES = {
    _SCHEMA2: "application/vnd.docker.container.image.v1+json",
    "application/vnd.oci.image.manifest.v1+json": "application/vnd.oci.image.config.v1+json",
}
_LAYERS_ORDER = "image.openshift.io/dockerLayersOrder"
_CONTENT = ("kind", "apiVersion", "dockerImageManifest", "dockerImageConfig")


def stream_tag(stream: Json, tag: str, image: Json | None, *, for_write: bool = False) -> Json:
    """The ImageStreamTag of `tag`; without an Image it names only the image and its address.

    Raises NotFound when the tag has no event with an image, unless it answers a write: that shows an empty image.
    """
    metadata = stream.get("metadata") or {}
    event = history.head(stream, tag)
    if event is None or not event.get("image"):
        if not for_write:
            raise NotFound.of("imagestreamtags", GROUP, names.join(metadata.get("name") or "", tag))
        event = history.event(metadata.get("creationTimestamp") or "", "", "", 0)
    spec_tag = tags.spec_tag(stream, tag)
    annotations = (spec_tag or {}).get("annotations") or {}
    conditions = (history.entry(stream, tag) or {}).get("conditions") or []
    local = ((stream.get("spec") or {}).get("lookupPolicy") or {}).get("local")
    view: Json = {
        "kind": "ImageStreamTag",
        "apiVersion": API_VERSION,
        "metadata": _tag_metadata(metadata, tag, event, annotations),
        "tag": defaults.tag_output(spec_tag) if spec_tag is not None else None,
        "generation": event.get("generation") or 0,
        "lookupPolicy": {"local": bool(local)},
    }
    if conditions:
        view["conditions"] = conditions
    return {**view, "image": _tag_image(stream, tag, event, image, annotations)}


def stream_image(stream: Json, identity: str, image: Json) -> Json:
    """The ImageStreamImage under the id that was asked for; the Image keeps its own reference."""
    source, metadata = stream.get("metadata") or {}, image.get("metadata") or {}
    shown: Json = {"name": f"{source.get('name') or ''}@{identity}", "namespace": source.get("namespace") or ""}
    if metadata.get("creationTimestamp"):
        shown["creationTimestamp"] = metadata["creationTimestamp"]
    if source.get("annotations"):
        shown["annotations"] = source["annotations"]
    return {"kind": "ImageStreamImage", "apiVersion": API_VERSION, "metadata": shown, "image": _embedded(image)}


def image_tag(stream: Json, tag: str, image: Json | None, *, for_write: bool = False) -> Json:
    """The ImageTag of `tag`: spec and history as they are, the Image when it is known.

    Raises NotFound when neither spec nor status has the tag, unless it answers a write.
    """
    metadata = stream.get("metadata") or {}
    name = names.join(metadata.get("name") or "", tag)
    spec_tag, entry = tags.spec_tag(stream, tag), history.entry(stream, tag)
    if spec_tag is None and entry is None and not for_write:
        raise NotFound.of("imagetags", GROUP, name)
    event = history.head(stream, tag)
    return {
        "kind": "ImageTag",
        "apiVersion": API_VERSION,
        "metadata": {**metadata, "name": name},
        "spec": defaults.tag_output(spec_tag) if spec_tag is not None else None,
        "status": defaults.entry_output(entry) if entry is not None else None,
        "image": _tag_image(stream, tag, event, image, {}) if event is not None and image is not None else None,
    }


def layers(stream: Json, images: FindImage) -> Json:
    """The ImageStreamLayers: every image of the whole history, with the members of lists, and every blob."""
    found: dict[str, Json] = {}
    blobs: dict[str, Json] = {}
    for entry in tags.status_tags(stream):
        for item in entry.get("items") or []:
            if item.get("image"):
                _add_layers(item["image"], images, found, blobs)
    return {
        "kind": "ImageStreamLayers",
        "apiVersion": API_VERSION,
        "metadata": stream.get("metadata") or {},
        "blobs": blobs,
        "images": found,
    }


def find_image(stream: Json, identity: str, images: FindImage) -> str | None:
    """The name of the image in `layers` that `identity` means; of several the first by name, None without any."""
    known = layers(stream, images)["images"]
    return min((name for name in known if digest.matches_prefix(name, identity)), default=None)


def _tag_metadata(stream: Json, tag: str, event: Json, annotations: Json) -> Json:
    """Identity and labels of the stream, time of the event, annotations of the spec tag."""
    shown: Json = {"name": names.join(stream.get("name") or "", tag), "namespace": stream.get("namespace") or ""}
    for key in ("uid", "resourceVersion", "labels"):
        if stream.get(key):
            shown[key] = stream[key]
    if event.get("created"):
        shown["creationTimestamp"] = event["created"]
    if annotations:
        shown["annotations"] = dict(annotations)
    return shown


def _tag_image(stream: Json, tag: str, event: Json, image: Json | None, annotations: Json) -> Json:
    """The image with the address that the tag's policy gives it."""
    name = event.get("image") or ""
    shown = _embedded(image or {"metadata": {"name": name} if name else {}})
    if image is not None and annotations:
        metadata = shown["metadata"]
        shown["metadata"] = {**metadata, "annotations": {**(metadata.get("annotations") or {}), **annotations}}
    address = pullspec.for_event(stream, tag, event)
    shown.pop("dockerImageReference", None)
    return {**shown, "dockerImageReference": address} if address else shown


def _embedded(image: Json) -> Json:
    """An Image inside another object: without type, raw manifest and configuration."""
    shown = {key: value for key, value in defaults.image(image).items() if key not in _CONTENT}
    return {**shown, "metadata": shown.get("metadata") or {}}


def _add_layers(name: str, images: FindImage, found: dict[str, Json], blobs: dict[str, Json]) -> None:
    if name in found:
        return
    image = images(name)
    if image is None:
        found[name] = {"imageMissing": True, "layers": None, "config": None}
        return
    media_type = image.get("dockerImageManifestMediaType") or _SCHEMA2
    data: Json = {"imageMissing": False, "layers": _layer_blobs(image, blobs), "config": None}
    found[name] = data
    blobs[name] = {"size": None, "mediaType": media_type}
    config = (image.get("dockerImageMetadata") or {}).get("Id")
    config_type = _CONFIG_TYPES.get(image.get("dockerImageManifestMediaType") or "")
    if config and config_type:
        data["config"] = config
        blobs[config] = {"size": None, "mediaType": config_type}
    members = [one.get("digest") or "" for one in image.get("dockerImageManifests") or []]
    if members:
        data["manifests"] = members
        for member in members:
            _add_layers(member, images, found, blobs)


def _layer_blobs(image: Json, blobs: dict[str, Json]) -> list[str] | None:
    """The names of the layers from the base up, each noted among the blobs."""
    entries = image.get("dockerImageLayers") or []
    annotations = (image.get("metadata") or {}).get("annotations") or {}
    if annotations.get(_LAYERS_ORDER) == "descending":
        entries = entries[::-1]
    for one in entries:
        blobs[one.get("name") or ""] = {"size": one.get("size") or 0, "mediaType": one.get("mediaType") or ""}
    return [one.get("name") or "" for one in entries] or None
