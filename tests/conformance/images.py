"""The images that the recorded conversations import: every byte is fixed, so the digests are as recorded."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

from demo.registry_images import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Catalogue,
    Image,
    digest_of,
)

_CREATED = "2024-01-02T03:04:05Z"


def catalogue() -> Catalogue:
    """What the registries hold: repository → tag → image."""
    php = {
        version: _image(f"php {version}", layers=2, Labels={"version": version}, ExposedPorts={"8080/tcp": {}})
        for version in ("7.4", "8.1", "8.2")
    }
    mysql_environment = ["PATH=/usr/bin", "MYSQL_MAJOR=8"]
    app = {version: _image(f"app {version}") for version in ("v1", "v2")}
    return {
        "library/php": {**php, "latest": php["8.2"]},
        "library/mysql": {
            "latest": _image("mysql 8", Env=mysql_environment, Entrypoint=["/entry"], User="1001"),
            "5.7": _image("mysql 5.7"),
        },
        "team/app": {**app, "stable": app["v1"], "latest": app["v2"]},
        "team/oci": {"latest": _image("oci app", oci=True)},
        "team/multi": {
            "latest": _index([_image("multi", name) for name in ("amd64", "arm64", "s390x")]),
            "oci": _index([_image("multi oci", name, oci=True) for name in ("amd64", "arm64")], oci=True),
            "noamd": _index([_image("noamd", name) for name in ("arm64", "s390x")]),
        },
        "team/many": {f"t{number:02d}": _image(f"many {number}") for number in range(12)},
        "single": {"latest": _image("single")},
    }


def _image(text: str, architecture: str = "amd64", *, oci: bool = False, layers: int = 1, **config: Any) -> Image:
    packed = [_layer(f"f{number}.txt", f"{text} layer {number}\n") for number in range(layers)]
    content = {
        "architecture": architecture,
        "os": "linux",
        "created": _CREATED,
        "author": "fixtures",
        "config": {"Env": ["PATH=/usr/bin"], "Cmd": ["/hello"], "Labels": {"text": text}, **config},
        "rootfs": {"type": "layers", "diff_ids": [digest_of(gzip.decompress(layer)) for layer in packed]},
        "history": [{"created": _CREATED, "created_by": f"COPY layer {number}"} for number in range(layers)],
    }
    configuration = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    media_type = OCI_MANIFEST if oci else DOCKER_MANIFEST
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": _descriptor(configuration, OCI_CONFIG if oci else DOCKER_CONFIG),
        "layers": [_descriptor(layer, OCI_LAYER if oci else DOCKER_LAYER) for layer in packed],
    }
    blobs = {digest_of(blob): blob for blob in (*packed, configuration)}
    return Image(_written(manifest), media_type, blobs, architecture=architecture)


def _index(children: Sequence[Image], *, oci: bool = False) -> Image:
    media_type = OCI_INDEX if oci else DOCKER_LIST
    manifests = [
        {
            **_descriptor(child.manifest, child.media_type),
            "platform": {"architecture": child.architecture, "os": "linux"},
        }
        for child in children
    ]
    manifest = {"schemaVersion": 2, "mediaType": media_type, "manifests": manifests}
    return Image(_written(manifest), media_type, children=tuple(children))


def _layer(name: str, text: str) -> bytes:
    archive, packed = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text.encode()))
    # Not gzip.compress(): its header depends on the version of Python.
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=6, mtime=0) as zipped:
        zipped.write(archive.getvalue())
    return packed.getvalue()


def _descriptor(content: bytes, media_type: str) -> Mapping[str, object]:
    return {"mediaType": media_type, "size": len(content), "digest": digest_of(content)}


def _written(manifest: object) -> bytes:
    return json.dumps(manifest, indent=3).encode()
