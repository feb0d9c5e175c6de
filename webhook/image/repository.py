"""The repository that a stream imports as a whole: `spec.dockerImageRepository`, and how it is read."""

from __future__ import annotations

from typing import Final

from webhook.errors import Json

INSECURE_ANNOTATION: Final = "openshift.io/image.insecureRepository"


def name(stream: Json) -> str:
    """The repository as its owner wrote it; empty where there is none."""
    return (stream.get("spec") or {}).get("dockerImageRepository") or ""


def is_insecure(stream: Json) -> bool:
    """May it be read without a trusted certificate? (image-api 2.16)"""
    return ((stream.get("metadata") or {}).get("annotations") or {}).get(INSECURE_ANNOTATION) == "true"
