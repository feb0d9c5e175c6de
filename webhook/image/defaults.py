"""What the API fills in on decode and tidies on output (image-api 0.3, 2.1); no value of a client is overruled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from webhook.errors import Json
from webhook.image import reference, tags

LEGACY = "Legacy"
_METADATA_VERSION = "1.0"
_BLANK_METADATA: Json = {
    "kind": "DockerImage",
    "apiVersion": "image.openshift.io/1.0",
    "Id": "",
    "Created": None,
    "ContainerConfig": {},
}
_METADATA_KEYS = (
    *("Id", "Parent", "Comment", "Created", "Container", "ContainerConfig", "DockerVersion", "Author", "Config"),
    *("Architecture", "Size"),
)
_CONFIG_KEYS = (
    *("Hostname", "Domainname", "User", "Memory", "MemorySwap", "CpuShares", "Cpuset", "AttachStdin", "AttachStdout"),
    *("AttachStderr", "PortSpecs", "ExposedPorts", "Tty", "OpenStdin", "StdinOnce", "Env", "Cmd", "Dns", "Image"),
    *("Volumes", "VolumesFrom", "WorkingDir", "Entrypoint", "NetworkDisabled", "SecurityOpts", "OnBuild", "Labels"),
)


def stream(obj: Json, import_mode: str = LEGACY) -> Json:
    """An ImageStream with the defaults of its tags and its lookup policy, both tag lists canonical."""
    spec = said(obj.get("spec") or {})
    lookup = {"local": bool((spec.get("lookupPolicy") or {}).get("local"))}
    full = {**obj, "spec": {**spec, "lookupPolicy": lookup}, "status": obj.get("status") or {}}
    canonical = tags.canonical(full)
    return tags.with_spec_tags(canonical, [tag_reference(one, import_mode) for one in tags.spec_tags(canonical)])


def tag_reference(tag: Json, import_mode: str = LEGACY) -> Json:
    """A spec tag, `tag` of an ImageStreamTag or `spec` of an ImageTag: with its policies, without what says nothing."""
    kept = {key: value for key, value in tag.items() if key == "generation" or not _says_nothing(value)}
    if tag.get("from") is not None:
        # An empty source is not the same as none: it is refused.
        kept["from"] = said(tag["from"])
    return {"name": "", **policies(kept, import_mode)}


def policies(obj: Json, import_mode: str = LEGACY) -> Json:
    """An object with `importPolicy` and `referencePolicy`: where no mode and no type is said, the defaults."""
    imported, referred = obj.get("importPolicy") or {}, obj.get("referencePolicy") or {}
    return {
        **obj,
        "importPolicy": {**said(imported), "importMode": imported.get("importMode") or import_mode},
        "referencePolicy": {**referred, "type": referred.get("type") or "Source"},
    }


def stream_tag(obj: Json, import_mode: str = LEGACY) -> Json:
    """An ImageStreamTag as a client sends it."""
    tag = obj.get("tag")
    return {**obj, "tag": tag_reference(tag, import_mode) if tag is not None else None}


def image_tag(obj: Json, import_mode: str = LEGACY) -> Json:
    """An ImageTag as a client sends it."""
    spec = obj.get("spec")
    return {**obj, "spec": tag_reference(spec, import_mode) if spec is not None else None}


def import_request(isi: Json, import_mode: str = LEGACY) -> Json:
    """An ImageStreamImport: policies everywhere, and `to` from the source's own tag where it has one."""
    spec = {**(isi.get("spec") or {})}
    spec["import"] = bool(spec.get("import"))
    if spec.get("images"):
        spec["images"] = [_target(_import(one, import_mode)) for one in spec["images"]]
    if spec.get("repository") is not None:
        spec["repository"] = _import(spec["repository"], import_mode)
    return {**isi, "spec": spec}


def image(obj: Json) -> Json:
    """An Image with its Docker metadata in the one shape that is kept: known keys, in their own case (4.2, 12.22)."""
    given = obj.get("dockerImageMetadata") or {}
    known = {key: given[key] for key in _METADATA_KEYS if not _says_nothing(given.get(key))}
    for key in ("Config", "ContainerConfig"):
        if isinstance(known.get(key), dict):
            known[key] = {one: known[key][one] for one in _CONFIG_KEYS if not _says_nothing(known[key].get(one))}
    return {
        **obj,
        "dockerImageMetadata": {**_BLANK_METADATA, **known},
        "dockerImageMetadataVersion": obj.get("dockerImageMetadataVersion") or _METADATA_VERSION,
    }


def output(obj: Json) -> Json:
    """An ImageStream as it goes out: what must appear although empty, and no tag or digest on its repositories."""
    spec, status = {**(obj.get("spec") or {})}, {**(obj.get("status") or {})}
    spec["lookupPolicy"] = {"local": bool((spec.get("lookupPolicy") or {}).get("local"))}
    for part in (spec, status):
        if part.get("dockerImageRepository"):
            part["dockerImageRepository"] = _repository_only(part["dockerImageRepository"])
    status.setdefault("dockerImageRepository", "")
    if spec.get("tags"):
        spec["tags"] = [tag_output(one) for one in spec["tags"]]
    if status.get("tags"):
        status["tags"] = [entry_output(one) for one in status["tags"]]
    return {**obj, "spec": spec, "status": status}


def without_output(obj: Json) -> Json:
    """An ImageStream as it was before `output` filled in nulls."""
    spec, status = {**(obj.get("spec") or {})}, {**(obj.get("status") or {})}
    if spec.get("tags"):
        spec["tags"] = [_without_null(one, ("annotations", "generation")) for one in spec["tags"]]
    if status.get("tags"):
        status["tags"] = [_without_null(one, ("items",)) for one in status["tags"]]
    return {**obj, "spec": spec, "status": status}


def tag_output(tag: Json) -> Json:
    """A spec tag with the keys that stand even when they say nothing."""
    return {**tag, "annotations": tag.get("annotations") or None, "generation": tag.get("generation")}


def entry_output(entry: Json) -> Json:
    """A `status.tags` entry, whose items are null when it has only conditions."""
    return {**entry, "items": entry.get("items") or None}


def _without_null(obj: Json, keys: tuple[str, ...]) -> Json:
    return {key: value for key, value in obj.items() if value is not None or key not in keys}


def _import(one: Json, import_mode: str) -> Json:
    kept = {key: value for key, value in one.items() if value is not None and value is not False}
    kept["from"] = said(one.get("from") or {})
    return policies(kept, import_mode)


def said(obj: Json) -> Json:
    """The fields that say something: those that Kubernetes leaves out of an answer are gone."""
    return {key: value for key, value in obj.items() if not _says_nothing(value)}


def _says_nothing(value: Any) -> bool:
    return value is None or value is False or value in ("", 0, [], {})


def _target(image: Json) -> Json:
    """An explicit tag of the source names the target; a digest alone does not."""
    if image.get("to") is not None:
        return image
    try:
        tag = reference.parse((image.get("from") or {}).get("name") or "").tag
    except reference.InvalidReference:
        return image
    return {**image, "to": {"name": tag}} if tag else image


def _repository_only(text: str) -> str:
    try:
        parsed = reference.parse(text)
    except reference.InvalidReference:
        return text
    return replace(parsed, tag="", id="").exact() if parsed.tag or parsed.id else text
