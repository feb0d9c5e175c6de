"""Which image objects are refused, finding by finding (image-api 2.2, 4.2, 5.1)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from webhook.errors import FieldError, Json
from webhook.image import names, reference, tags
from webhook.meta.names import object_meta_findings

_KINDS = ("DockerImage", "ImageStreamImage", "ImageStreamTag")
_IMPORT_MODES = ("", "Legacy", "PreserveOriginal")
_OCI_DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]{32,512}")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}")


def stream(obj: Json, old: Json | None = None) -> list[FieldError]:
    """The findings on an ImageStream, all but those on its name (`names.stream_name_problems`).

    `old` is what is stored: references in the status that it has already are not read again, for what earlier writes
    brought in must not stop this one.
    """
    findings = _repository((obj.get("spec") or {}).get("dockerImageRepository") or "")
    for tag in tags.spec_tags(obj):
        findings += tag_reference(tag, f"spec.tags[{tag.get('name') or ''}]")
    return findings + status_update(obj, old)


def status_update(obj: Json, old: Json | None = None) -> list[FieldError]:
    """The findings on a stream's history, the part that a write to `/status` can bring."""
    before = (item for entry in tags.status_tags(old or {}) for item in entry.get("items") or [])
    known = {item.get("dockerImageReference") or "" for item in before}
    findings = []
    for entry in tags.status_tags(obj):
        for index, item in enumerate(entry.get("items") or []):
            text = item.get("dockerImageReference") or ""
            path = f"status.tags[{entry.get('tag') or ''}].items[{index}].dockerImageReference"
            if text not in known:
                findings += _parsed(path, text)
    return findings


def tag_reference(tag: Json, path: str) -> list[FieldError]:
    """The findings on a spec tag that stands at `path` (`spec.tags[latest]`, `tag`, `spec`)."""
    findings = _source(tag, path) if tag.get("from") is not None else []
    policy = (tag.get("referencePolicy") or {}).get("type") or ""
    if policy not in ("Source", "Local"):
        findings.append(
            FieldError.invalid(f"{path}.referencePolicy.type", policy, 'valid values are "Source", "Local"')
        )
    return findings + _import_mode(tag, path)


def image(obj: Json, path: str = "") -> list[FieldError]:
    """The findings on an Image; `path` is where it is embedded, such as `image.`."""
    findings = []
    text = obj.get("dockerImageReference") or ""
    if not text:
        findings.append(FieldError.required(f"{path}dockerImageReference"))
    else:
        findings += _parsed(f"{path}dockerImageReference", text)
    manifests = obj.get("dockerImageManifests") or []
    layers = obj.get("dockerImageLayers") or []
    for index, one in enumerate(manifests):
        findings += _manifest(one, f"{path}dockerImageManifests[{index}]")
    if manifests and layers:
        text = "dockerImageLayers should not be set when dockerImageManifests is set"
        findings.append(FieldError.invalid(f"{path}dockerImageLayers", layers, text))
    return findings


def import_request(isi: Json) -> list[FieldError]:
    """The findings on an ImageStreamImport, after its defaults are filled in.

    The limit on the length of namespace and name counts only once the stream is written, as does the reference policy.
    """
    metadata, spec = isi.get("metadata") or {}, isi.get("spec") or {}
    prefix = names.stream_form_problems(metadata.get("generateName") or "valid")
    findings = [replace(one, field="metadata.generateName") for one in prefix]
    findings += names.stream_form_problems(metadata.get("name") or "") + object_meta_findings(metadata)
    images, repository = spec.get("images") or [], spec.get("repository")
    if not images and repository is None:
        text = "you must specify at least one image or a repository import"
        findings.append(FieldError.invalid("spec.images", None, text))
    for index, one in enumerate(images):
        path = f"spec.images[{index}]"
        findings += _imported_image(one, path)
        if not _asks_everything(one):
            findings += _import_mode(one, path)
    if repository is not None:
        findings += _imported_repository(repository) + _import_mode(repository, "spec.repository")
    return findings


def _imported_image(one: Json, path: str) -> list[FieldError]:
    """A wrong kind hides what else is wrong with source and target."""
    source = one.get("from") or {}
    text = source.get("name") or ""
    if source.get("kind") != "DockerImage":
        return [FieldError.invalid(f"{path}.from.kind", source.get("kind") or "", "only DockerImage is supported")]
    findings = []
    if not text:
        findings.append(FieldError.required(f"{path}.from.name"))
    elif not _asks_everything(one):
        findings += _parsed(f"{path}.from.name", text)
    target = one.get("to")
    if target is not None and not target.get("name"):
        findings.append(FieldError.invalid(f"{path}.to.name", "", "the name of the target tag must be specified"))
    return findings


def _asks_everything(one: Json) -> bool:
    """`*`, an old spelling that is let through: it fails later, by itself, as this one image."""
    source = one.get("from") or {}
    return (source.get("kind"), source.get("name")) == ("DockerImage", "*")


def _imported_repository(repository: Json) -> list[FieldError]:
    source = repository.get("from") or {}
    text = source.get("name") or ""
    if source.get("kind") != "DockerImage":
        kind = source.get("kind") or ""
        return [FieldError.invalid("spec.repository.from.kind", kind, "only DockerImage is supported")]
    path = "spec.repository.from.name"
    if not text:
        return [FieldError.required(path, "container image references require a name")]
    try:
        parsed = reference.parse(text)
    except reference.InvalidReference as error:
        return [FieldError.invalid(path, text, str(error))]
    if parsed.tag or parsed.id:
        return [FieldError.invalid(path, text, "you must specify an image repository, not a tag or ID")]
    return []


def _repository(text: str) -> list[FieldError]:
    if not text:
        return []
    path = "spec.dockerImageRepository"
    try:
        parsed = reference.parse(text)
    except reference.InvalidReference as error:
        return [FieldError.invalid(path, text, str(error))]
    findings = []
    if parsed.tag:
        findings.append(FieldError.invalid(path, text, "the repository name may not contain a tag"))
    if parsed.id:
        findings.append(FieldError.invalid(path, text, "the repository name may not contain an ID"))
    return findings


def _source(tag: Json, path: str) -> list[FieldError]:
    source = tag["from"]
    text, kind = source.get("name") or "", source.get("kind") or ""
    findings = [] if text else [FieldError.required(f"{path}.from.name")]
    if kind == "DockerImage":
        return findings + (_parsed(f"{path}.from.name", text) if text else [])
    if kind not in _KINDS:
        findings.append(
            FieldError.required(f"{path}.from.kind", f"valid values are {', '.join(repr(one) for one in _KINDS)}")
        )
    elif (tag.get("importPolicy") or {}).get("scheduled"):
        text = "only tags pointing to Docker repositories may be scheduled for background import"
        findings.append(FieldError.invalid(f"{path}.importPolicy.scheduled", True, text))
    return findings


def _import_mode(obj: Json, path: str) -> list[FieldError]:
    mode: Any = (obj.get("importPolicy") or {}).get("importMode") or ""
    if mode in _IMPORT_MODES:
        return []
    text = "invalid import mode, valid modes are '', 'Legacy', 'PreserveOriginal'"
    return [FieldError.invalid(f"{path}.importPolicy.importMode", mode, text)]


def _parsed(path: str, text: str) -> list[FieldError]:
    try:
        reference.parse(text)
    except reference.InvalidReference as error:
        return [FieldError.invalid(path, text, str(error))]
    return []


def _manifest(one: Json, path: str) -> list[FieldError]:
    findings = []
    if not _OCI_DIGEST.fullmatch(one.get("digest") or ""):
        text = "digest does not conform with OCI image specification"
        findings.append(FieldError.invalid(f"{path}.digest", one.get("digest") or "", text))
    if not _MEDIA_TYPE.fullmatch(one.get("mediaType") or ""):
        text = "media type does not conform to RFC6838"
        findings.append(FieldError.invalid(f"{path}.mediaType", one.get("mediaType") or "", text))
    for key in ("architecture", "os"):
        if not one.get(key):
            findings.append(FieldError.required(f"{path}.{key}"))
    if (one.get("manifestSize") or 0) < 0:
        findings.append(FieldError.invalid(f"{path}.size", one["manifestSize"], "manifest size cannot be negative"))
    return findings
