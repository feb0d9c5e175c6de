"""What an image manifest says, as the Image object that image-api 5.11 makes of it; bytes in, dicts out."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from webhook.errors import Json
from webhook.image import configuration
from webhook.image import digest as digests
from webhook.image.configuration import BadContent

DOCKER_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
DOCKER_SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"

#: What a manifest request accepts.
MEDIA_TYPES = (OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST, DOCKER_SCHEMA1_SIGNED, "application/json")

LAYERS_ORDER = "image.openshift.io/dockerLayersOrder"
_SINGLE = (DOCKER_MANIFEST, OCI_MANIFEST)
_LISTS = (DOCKER_LIST, OCI_INDEX)
_MAX_SIZE = 2**53
# File systems mount some hundreds at most.
_MAX_LAYERS = 1000
_SCHEMA1_LAYER = "application/vnd.docker.container.image.rootfs.diff+x-gtar"


@dataclass(frozen=True)
class Entry:
    """One image of a manifest list."""

    digest: str
    media_type: str
    size: int
    architecture: str = ""
    os: str = ""
    variant: str = ""


@dataclass(frozen=True)
class Single:
    """The manifest of one image. `layers` are (digest, size, media type), base first.

    Schema 1 has no config digest, and `newest`, its newest history entry, instead.
    """

    digest: str
    media_type: str
    raw: bytes
    config: str
    layers: tuple[tuple[str, int, str], ...]
    newest: Json = field(default_factory=dict)

    @property
    def lacks_sizes(self) -> bool:
        """A schema 1 manifest whose history does not say how large the layers are: the registry knows (5.11)."""
        return not self.config and not any(size for _, size, _ in self.layers)

    def with_sizes(self, sizes: Mapping[str, int]) -> Single:
        """The same with the sizes of its layers, by digest."""
        return replace(self, layers=tuple((name, sizes[name], kind) for name, _, kind in self.layers))


@dataclass(frozen=True)
class Listing:
    """A manifest list or OCI index."""

    digest: str
    media_type: str
    entries: tuple[Entry, ...]


def parse(raw: bytes, media_type: str) -> Single | Listing:
    """Read a manifest that a registry sent as `media_type`; raises BadContent.

    An unknown or missing media type means schema 1, as for every client since 2016, unless the document itself
    names one that is known.
    """
    document = configuration.read_object(raw, "manifest")
    kind = _kind(document, media_type)
    if kind in _LISTS:
        return Listing(content_digest(raw), kind, tuple(_entries(document)))
    if kind in _SINGLE:
        return _single(raw, kind, document)
    return _schema1(raw, document)


def content_digest(raw: bytes) -> str:
    """The sha256 digest of exactly these bytes."""
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def check_content(raw: bytes, digest: str) -> bool:
    """Are these the bytes that `digest` (sha256, sha384 or sha512) names?"""
    algorithm, _, expected = digest.partition(":")
    return hashlib.new(algorithm, raw).hexdigest() == expected.lower()


def signed_payload(raw: bytes) -> bytes:
    """A signed schema 1 manifest without its signatures: what its digest is computed over; other bytes unchanged."""
    document = configuration.read_object(raw, "manifest")
    signatures = document.get("signatures")
    if not isinstance(signatures, list) or not signatures:
        return raw
    try:
        header = json.loads(_base64url(signatures[0]["protected"]))
        return raw[: int(header["formatLength"])] + _base64url(header["formatTail"])
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError, binascii.Error) as error:
        raise BadContent("the signatures of the schema 1 manifest cannot be read") from error


def choose(entries: Iterable[Entry], architecture: str, os: str) -> Entry:
    """The image of a list that stands for it in mode Legacy: the wanted platform, else linux/amd64, else the first."""
    known = list(entries)
    for wanted in ((architecture, os), ("amd64", "linux")):
        for entry in known:
            if (entry.architecture, entry.os) == wanted:
                return entry
    if not known:
        raise BadContent("no manifests in manifest list")
    return known[0]


def single_image(manifest: Single, config: bytes, reference: str) -> Json:
    """The Image of one manifest and its config blob (b"" for schema 1); `reference` is its pull spec."""
    metadata = _schema1_metadata(manifest) if not manifest.config else _config_metadata(manifest, config)
    image: Json = {
        "metadata": {"name": manifest.digest, "annotations": {LAYERS_ORDER: "ascending"}},
        "dockerImageReference": reference,
        "dockerImageMetadata": metadata,
        "dockerImageMetadataVersion": "1.0",
        "dockerImageManifest": _text(manifest.raw),
        "dockerImageManifestMediaType": manifest.media_type,
    }
    if manifest.layers:
        found = [{"name": name, "size": size, "mediaType": kind} for name, size, kind in manifest.layers]
        image["dockerImageLayers"] = found
    if config:
        image["dockerImageConfig"] = _text(config)
    return image


def list_image(listing: Listing, reference: str, now: str) -> Json:
    """The Image of a whole list, in mode PreserveOriginal: its members, and no layers of its own."""
    image: Json = {
        "metadata": {"name": listing.digest},
        "dockerImageReference": reference,
        "dockerImageMetadata": configuration.document(Id=listing.digest, Created=now),
        "dockerImageMetadataVersion": "1.0",
        "dockerImageManifestMediaType": listing.media_type,
    }
    members = [_member(entry) for entry in listing.entries]
    return {**image, "dockerImageManifests": members} if members else image


def without_content(image: Json) -> Json:
    """The Image without the raw manifest and config, as it is stored (image-api 5.3)."""
    return {key: value for key, value in image.items() if key not in ("dockerImageManifest", "dockerImageConfig")}


def filled(image: Json) -> Json:
    """An Image that a client posted with its raw manifest, with layers, metadata and members read from it (4.2).

    An Image that says enough already, or whose content cannot be read, is returned as it is.
    """
    raw = image.get("dockerImageManifest")
    if not raw:
        return image
    name = (image.get("metadata") or {}).get("name", "")
    try:
        manifest = parse(raw.encode(), image.get("dockerImageManifestMediaType", ""))
        if isinstance(manifest, Listing):
            members = [_member(entry) for entry in manifest.entries]
            return {**image, "dockerImageManifestMediaType": manifest.media_type, "dockerImageManifests": members}
        if (image.get("dockerImageMetadata") or {}).get("Id") and image.get("dockerImageLayers"):
            return image
        config = image.get("dockerImageConfig", "").encode()
        if manifest.config and not config:
            return image
        read = single_image(manifest, config, image.get("dockerImageReference", ""))
    except BadContent:
        return image
    annotations = {**((image.get("metadata") or {}).get("annotations") or {}), LAYERS_ORDER: "ascending"}
    metadata = {**(image.get("metadata") or {}), "name": name, "annotations": annotations}
    return {**image, **read, "metadata": metadata}


def _kind(document: Json, media_type: str) -> str:
    sent = media_type.partition(";")[0].strip().lower()
    inner = document.get("mediaType")
    kind = sent
    if sent not in (*_SINGLE, *_LISTS):
        kind = inner if isinstance(inner, str) and inner in (*_SINGLE, *_LISTS) else DOCKER_SCHEMA1
    # The OCI's need not say what they are, but must not say otherwise.
    if inner != kind and (inner or kind in (DOCKER_MANIFEST, DOCKER_LIST)) and kind != DOCKER_SCHEMA1:
        raise BadContent(f"the manifest was sent as {kind} and says {inner or 'nothing'} of itself")
    if kind == OCI_INDEX and ("config" in document or "layers" in document):
        raise BadContent("an OCI index must not have config or layers")
    if kind == OCI_MANIFEST and "manifests" in document:
        raise BadContent("an OCI manifest must not have manifests")
    return kind


def _single(raw: bytes, kind: str, document: Json) -> Single:
    config, _, _ = _descriptor(document.get("config"), "config")
    layers = document.get("layers")
    if not isinstance(layers, list):
        raise BadContent("the manifest has no list of layers")
    _check_count(layers)
    return Single(content_digest(raw), kind, raw, config, tuple(_descriptor(one, "layer") for one in layers))


def _check_count(layers: list[Any]) -> None:
    if len(layers) > _MAX_LAYERS:
        raise BadContent(f"the manifest has {len(layers)} layers, more than the {_MAX_LAYERS} that are read")


def _entries(document: Json) -> Iterable[Entry]:
    manifests = document.get("manifests")
    if not isinstance(manifests, list):
        raise BadContent("the manifest list has no manifests")
    for one in manifests:
        digest, size, media_type = _descriptor(one, "manifest")
        platform = one.get("platform") or {}
        if not isinstance(platform, dict):
            raise BadContent("the platform of a manifest in the list is no object")
        names = {key: platform.get(key) or "" for key in ("architecture", "os", "variant")}
        if not all(isinstance(value, str) for value in names.values()):
            raise BadContent("the platform of a manifest in the list is not text")
        yield Entry(digest, media_type, size, **names)


def _descriptor(value: Any, what: str) -> tuple[str, int, str]:
    if not isinstance(value, dict):
        raise BadContent(f"the {what} of the manifest is no object")
    digest, size, kind = value.get("digest"), value.get("size", 0), value.get("mediaType", "")
    if not isinstance(digest, str) or not digests.is_digest(digest):
        raise BadContent(f"the {what} of the manifest has no valid digest")
    if not configuration.is_a(size, int) or not 0 <= size < _MAX_SIZE or not isinstance(kind, str):
        raise BadContent(f"the {what} of the manifest has no valid size or media type")
    return digest, size, kind


def _member(entry: Entry) -> Json:
    member: Json = {
        "digest": entry.digest,
        "mediaType": entry.media_type,
        "manifestSize": entry.size,
        "architecture": entry.architecture,
        "os": entry.os,
    }
    return {**member, "variant": entry.variant} if entry.variant else member


def _config_metadata(manifest: Single, config: bytes) -> Json:
    sizes = {name: size for name, size, _ in manifest.layers if name != manifest.config}
    fields = configuration.fields(configuration.read_object(config, "image configuration"))
    return configuration.document(Id=manifest.config, Size=len(config) + sum(sizes.values()), **fields)


# Schema 1: the layers stand newest first, each with the JSON of its own image.


def _schema1(raw: bytes, document: Json) -> Single:
    history, layers = document.get("history"), document.get("fsLayers")
    if document.get("schemaVersion") != 1 or not isinstance(history, list) or not isinstance(layers, list):
        raise BadContent("unsupported manifest: neither a schema 2 nor an OCI manifest, nor a schema 1 one")
    if not history or len(history) != len(layers):
        raise BadContent("the schema 1 manifest has no history, or not one entry for each layer")
    _check_count(layers)
    found = []
    for layer, entry in zip(reversed(layers), reversed(history), strict=True):
        name = layer.get("blobSum") if isinstance(layer, dict) else None
        size = _compatibility(entry).get("Size", 0)
        if not isinstance(name, str) or not digests.is_digest(name):
            raise BadContent("a layer of the schema 1 manifest has no valid digest")
        found.append((name, size if configuration.is_a(size, int) and 0 <= size < _MAX_SIZE else 0, _SCHEMA1_LAYER))
    digest = content_digest(signed_payload(raw))
    return Single(digest, DOCKER_SCHEMA1, raw, "", tuple(found), _compatibility(history[0]))


def _schema1_metadata(manifest: Single) -> Json:
    identity = manifest.newest.get("id")
    return configuration.document(
        Id=identity if isinstance(identity, str) else "",
        Size=sum({name: size for name, size, _ in manifest.layers}.values()),
        **configuration.fields(manifest.newest),
    )


def _compatibility(entry: Any) -> Json:
    text = entry.get("v1Compatibility") if isinstance(entry, dict) else None
    if not isinstance(text, str):
        raise BadContent("the history of the schema 1 manifest cannot be read")
    return configuration.read_object(text.encode(), "history entry")


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BadContent("the content is not UTF-8") from error


def _base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
