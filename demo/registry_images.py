"""Small images whose every byte is fixed, and how to push them to a registry over the OCI distribution API.

As a program: `registry_images.py push URL` fills the registry, `registry_images.py digest php:8.2` says what digest
that image has, computed here and not read from any server. Nothing but the standard library is used.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import ssl
import sys
import tarfile
import urllib.request
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPResponse

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

CREATED = "2026-01-02T03:04:05Z"


@dataclass(frozen=True)
class Image:
    """A manifest (or an index of manifests) with everything that must be pushed before it."""

    manifest: bytes
    media_type: str
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    children: Sequence[Image] = ()
    architecture: str = ""

    @property
    def digest(self) -> str:
        """`sha256:…` of the manifest: the image's name."""
        return digest_of(self.manifest)


Catalogue = Mapping[str, Mapping[str, Image]]  # repository → tag → image


def digest_of(content: bytes) -> str:
    """The digest under which a registry stores these bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def build(
    text: str, *, oci: bool = False, architecture: str = "amd64", layers: int = 1, labels: dict[str, str] | None = None
) -> Image:
    """An image with one small file per layer; another text makes another digest."""
    packed = [_layer(f"{text} layer {number}\n") for number in range(layers)]
    config = {
        "architecture": architecture,
        "os": "linux",
        "created": CREATED,
        "config": {"Env": ["PATH=/usr/bin"], "Cmd": ["/hello"], "Labels": labels or {}},
        "rootfs": {"type": "layers", "diff_ids": [digest_of(gzip.decompress(one)) for one in packed]},
        "history": [{"created": CREATED, "created_by": f"COPY layer {number}"} for number in range(layers)],
    }
    content = _json(config)
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST if oci else DOCKER_MANIFEST,
        "config": _descriptor(content, OCI_CONFIG if oci else DOCKER_CONFIG),
        "layers": [_descriptor(one, OCI_LAYER if oci else DOCKER_LAYER) for one in packed],
    }
    blobs = {digest_of(one): one for one in (*packed, content)}
    return Image(_json(manifest), OCI_MANIFEST if oci else DOCKER_MANIFEST, blobs, architecture=architecture)


def index(children: Sequence[Image], *, oci: bool = False) -> Image:
    """A manifest list (or OCI index) of images for several architectures."""
    media_type = OCI_INDEX if oci else DOCKER_LIST
    manifests = [
        {
            **_descriptor(child.manifest, child.media_type),
            "platform": {"architecture": child.architecture, "os": "linux"},
        }
        for child in children
    ]
    manifest = {"schemaVersion": 2, "mediaType": media_type, "manifests": manifests}
    return Image(_json(manifest), media_type, children=tuple(children))


def catalogue() -> Catalogue:
    """What is pushed."""
    php = {version: build(f"php {version}", layers=2, labels={"version": version}) for version in ("8.1", "8.2")}
    return {
        "library/php": {**php, "latest": php["8.2"]},
        "library/nginx": {"1.27": build("nginx 1.27")},
        "team/oci": {"latest": build("an OCI image", oci=True)},
        "team/multi": {
            "latest": index([build("multi", architecture=name) for name in ("amd64", "arm64", "s390x")]),
            "oci": index([build("multi", oci=True, architecture=name) for name in ("amd64", "arm64")], oci=True),
        },
        "team/many": {f"v{number}": build(f"many {number}") for number in range(12)},
    }


class Registry:
    """A registry that can be pushed to; `login` is `user:password`, `authority` a CA file for https."""

    def __init__(self, url: str, login: str = "", authority: str = "") -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": "Basic " + b64encode(login.encode()).decode()} if login else {}
        self._tls = ssl.create_default_context(cafile=authority) if authority else None

    def push(self, repository: str, tag: str, image: Image) -> None:
        """Push the image with its blobs and children; pushing again changes nothing."""
        for child in image.children:
            self.push(repository, child.digest, child)
        for digest, content in image.blobs.items():
            upload = self._send("POST", f"/v2/{repository}/blobs/uploads/", b"", "application/octet-stream")
            location = upload.headers["Location"]
            join = "&" if "?" in location else "?"
            self._send("PUT", f"{location}{join}digest={digest}", content, "application/octet-stream")
        self._send("PUT", f"/v2/{repository}/manifests/{tag}", image.manifest, image.media_type)

    def push_all(self, images: Catalogue) -> None:
        """Push a whole catalogue."""
        for repository, tags in images.items():
            for tag, image in tags.items():
                self.push(repository, tag, image)

    def _send(self, method: str, path: str, body: bytes, media_type: str) -> HTTPResponse:
        url = path if path.startswith("http") else self._url + path
        headers = {"Content-Type": media_type, **self._headers}
        request = urllib.request.Request(url, data=body, method=method, headers=headers)
        with urllib.request.urlopen(request, context=self._tls) as answer:
            answer.read()
            return answer  # type: ignore[no-any-return]


def _layer(text: str) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        info = tarfile.TarInfo("hello.txt")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text.encode()))
    return packed.getvalue()


def _descriptor(content: bytes, media_type: str) -> dict[str, object]:
    return {"mediaType": media_type, "size": len(content), "digest": digest_of(content)}


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def main(arguments: Sequence[str]) -> int:
    """`push URL` or `digest NAME:TAG`."""
    match arguments:
        case ["push", url]:
            Registry(url).push_all(catalogue())
        case ["digest", name]:
            repository, _, tag = name.partition(":")
            known = catalogue()
            print(known.get(repository, known.get(f"library/{repository}", {}))[tag].digest)
        case _:
            print("usage: registry_images.py push URL | digest NAME:TAG", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
