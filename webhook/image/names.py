"""Composite names: `stream:tag` and `stream@image`, and which names a stream may have (image-api 1.4)."""

from __future__ import annotations

import re

from webhook.errors import BadRequest, FieldError, StatusError

DEFAULT_TAG = "latest"
STREAM_PATTERN = "[a-z0-9]+(?:[._-][a-z0-9]+)*"
_STREAM_NAME = re.compile(STREAM_PATTERN)
_MAX_REPOSITORY = 255


def split_tag_strict(name: str, kind_plural: str = "ImageStreamTags") -> tuple[str, str]:
    """Stream and tag of the name of an existing `ImageStreamTags` or `ImageTags` object; BadRequest otherwise."""
    stream, _, tag = name.partition(":")
    if not stream or not tag or ":" in tag or "@" in name:
        raise BadRequest(f"{kind_plural} must be retrieved with <name>:<tag>")
    return stream, tag


def split_tag_create(name: str) -> tuple[str, str]:
    """Stream and tag of a name that is being created: the first colon splits, an empty tag is `latest`.

    A name without a colon is an untyped failure with code 500, as clients of the original know it.
    """
    stream, colon, tag = name.partition(":")
    if not colon:
        raise StatusError(f'"{name}" must be of the form <stream_name>:<tag>')
    return stream, tag or DEFAULT_TAG


def join(stream: str, tag: str) -> str:
    """The name of a tag's object; an empty tag is `latest`."""
    return f"{stream}:{tag or DEFAULT_TAG}"


def split_image(name: str) -> tuple[str, str]:
    """Stream and image id of an ImageStreamImage's name; BadRequest otherwise."""
    stream, _, identity = name.partition("@")
    if not stream or not identity or "@" in identity:
        raise BadRequest("ImageStreamImages must be retrieved with <name>@<id>")
    return stream, identity


def stream_name_problems(name: str, namespace: str) -> list[FieldError]:
    """The findings on `metadata.name` of a stream."""
    findings = stream_form_problems(name)
    if len(namespace) + 1 + len(name) > _MAX_REPOSITORY:
        findings.append(_invalid(name, "'namespace/name' cannot be longer than 255 characters"))
    return findings


def stream_form_problems(name: str) -> list[FieldError]:
    """The findings on `metadata.name` of an import, which may be long as long as no stream is written (12.5)."""
    if not name:
        return [FieldError.required("metadata.name", "name or generateName is required")]
    if name in (".", ".."):
        return [_invalid(name, f"may not be '{name}'")]
    texts = [f"may not contain '{one}'" for one in "/%" if one in name]
    if not texts and not _STREAM_NAME.fullmatch(name):
        texts = [f'must match "{STREAM_PATTERN}"']
    return [_invalid(name, text) for text in texts]


def _invalid(name: str, text: str) -> FieldError:
    return FieldError.invalid("metadata.name", name, text)
