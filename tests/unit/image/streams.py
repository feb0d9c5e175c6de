"""Streams, tags and events in as few words as a test needs."""

from __future__ import annotations

from typing import Any

from webhook.errors import Json

NOW = "2026-03-01T12:00:00Z"
EARLIER = "2026-01-02T03:04:05Z"
INTEGRATED = "image-registry.openshift-image-registry.svc:5000"

AA = "sha256:" + "aa" * 32
BB = "sha256:" + "bb" * 32
CC = "sha256:" + "cc" * 32


def event(image: str, generation: int = 1, *, repository: str = "quay.io/acme/app", created: str = EARLIER) -> Json:
    return {
        "created": created,
        "dockerImageReference": f"{repository}@{image}",
        "image": image,
        "generation": generation,
    }


def tag(name: str, source: str = "", *, kind: str = "DockerImage", namespace: str = "", **more: Any) -> Json:
    made: Json = {
        "name": name,
        "importPolicy": {"importMode": "Legacy"},
        "referencePolicy": {"type": "Source"},
        **more,
    }
    if source:
        made["from"] = {"kind": kind, "name": source, **({"namespace": namespace} if namespace else {})}
    return made


def stream(
    name: str = "app",
    tags: list[Json] | None = None,
    history: dict[str, list[Json]] | None = None,
    *,
    namespace: str = "shop",
    generation: int = 1,
    **metadata: Any,
) -> Json:
    entries = [{"tag": key, "items": items} for key, items in sorted((history or {}).items())]
    return {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": name, "namespace": namespace, "generation": generation, **metadata},
        "spec": {"lookupPolicy": {"local": False}, **({"tags": tags} if tags else {})},
        "status": {
            "dockerImageRepository": f"{INTEGRATED}/{namespace}/{name}",
            **({"tags": entries} if entries else {}),
        },
    }
