"""Moving an upstream tag: an image is copied within a registry, as a push to the other name would have left it."""

from __future__ import annotations

import json
import urllib.request

from demo.registry_images import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST

_MANIFESTS = ", ".join((DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX))


def copy_image(registry: str, source: str, destination: str) -> None:
    """Copy `team/app:v1` to `team/other:latest` in a registry (`host:port`, plain HTTP)."""
    (from_repository, from_tag), (to_repository, to_tag) = (name.rsplit(":", 1) for name in (source, destination))
    _copy(f"http://{registry}/v2", (from_repository, from_tag), (to_repository, to_tag))


def _copy(base: str, source: tuple[str, str], destination: tuple[str, str]) -> None:
    body, media_type = _send("GET", f"{base}/{source[0]}/manifests/{source[1]}", Accept=_MANIFESTS)
    manifest = json.loads(body)
    for child in manifest.get("manifests", ()):
        _copy(base, (source[0], child["digest"]), (destination[0], child["digest"]))
    for blob in [manifest["config"], *manifest["layers"]] if "config" in manifest else ():
        mount = f"mount={blob['digest']}&from={source[0]}"
        _send("POST", f"{base}/{destination[0]}/blobs/uploads/?{mount}", b"")
    _send("PUT", f"{base}/{destination[0]}/manifests/{destination[1]}", body, **{"Content-Type": media_type})


def _send(method: str, url: str, body: bytes | None = None, **headers: str) -> tuple[bytes, str]:
    with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=30) as answer:
        return answer.read(), answer.headers.get("Content-Type", "")
