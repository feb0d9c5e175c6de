"""The API as an administrator uses it: paths, bodies and answers in as few words as a test needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from webhook.errors import Json

GV = "/apis/image.openshift.io/v1"
INTEGRATED = "image-registry.openshift-image-registry.svc:5000"
NAMESPACE = "shop"
ADDRESS = "registry.access.redhat.com/ubi9/php-82"

PHP_82 = "sha256:2bc0b6b4e33497a0f41c5936906f3527d21b0ba10d411fcca1f420d48da9e06d"
PHP_83 = "sha256:1fc792c6ba2419ad97c47585bea281967dd1e389b3a518c7517f4fb26c6b7bdb"
LAYER = "sha256:ade62723700fc572d0bde2b82fdcfcccbf6c8d8d2a5261acf9e0848bc8a441f6"
CONFIG = "sha256:531f2a8d44d8aa7ef230119843a00e0ad48d51dd55c96d41c9158f39c98f9f74"
SCHEMA2 = "application/vnd.docker.distribution.manifest.v2+json"
GZIPPED = "application/vnd.docker.image.rootfs.diff.tar.gzip"

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


def path(resource: str, name: str = "", *, namespace: str = NAMESPACE) -> str:
    """Where a resource of the image group is; `namespace` is empty for one that has none."""
    inside = f"/namespaces/{namespace}" if namespace else ""
    return f"{GV}{inside}/{resource}" + (f"/{name}" if name else "")


def spec_tag(name: str, source: str = "", *, kind: str = "DockerImage", **more: Any) -> Json:
    return {"name": name, **({"from": {"kind": kind, "name": source}} if source else {}), **more}


def stream(name: str = "php", *tags: Json, spec: Json | None = None, **metadata: Any) -> Json:
    return {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": name, **metadata},
        "spec": {"tags": list(tags), **(spec or {})},
    }


def image(digest: str = PHP_82, **more: Any) -> Json:
    return {
        "kind": "Image",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": digest},
        "dockerImageReference": f"{ADDRESS}@{digest}",
        "dockerImageManifestMediaType": SCHEMA2,
        "dockerImageLayers": [{"name": LAYER, "size": 1234, "mediaType": GZIPPED}],
        "dockerImageMetadata": {"kind": "DockerImage", "apiVersion": "1.0", "Id": CONFIG, "Architecture": "amd64"},
        **more,
    }


def mapping(tag: str = "8.2", digest: str = PHP_82, *, name: str = "php", **more: Any) -> Json:
    return {
        "kind": "ImageStreamMapping",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": name},
        "tag": tag,
        "image": image(digest, **more),
    }


class Api:
    """A client that fails a test where an answer has another code than the test expects."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def send(self, method: str, url: str, body: Any = None, *, code: int = 200, **headers: str) -> TestResponse:
        """One request; `Content_Type="text/plain"` names a header, a body that is no JSON goes out as it is."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        answer = self.client.open(url, method=method, data=data, headers=named)
        assert answer.status_code == code, f"{method} {url}: {answer.status} {answer.get_data(as_text=True)}"
        return answer

    def get(self, url: str, *, code: int = 200, **headers: str) -> Json:
        return self._body(self.send("GET", url, code=code, **headers))

    def post(self, url: str, body: Any, *, code: int = 201) -> Json:
        return self._body(self.send("POST", url, body, code=code))

    def put(self, url: str, body: Any, *, code: int = 200) -> Json:
        return self._body(self.send("PUT", url, body, code=code))

    def patch(self, url: str, body: Any, *, code: int = 200, kind: str = MERGE) -> Json:
        return self._body(self.send("PATCH", url, body, code=code, Content_Type=kind))

    def delete(self, url: str, body: Any = None, *, code: int = 200) -> Json:
        return self._body(self.send("DELETE", url, body, code=code))

    def create(self, name: str = "php", *tags: Json, **more: Any) -> Json:
        """A new stream."""
        return self.post(path("imagestreams"), stream(name, *tags, **more))

    def push(self, tag: str = "8.2", digest: str = PHP_82, *, name: str = "php", **more: Any) -> None:
        """An image as a registry reports it."""
        self.post(path("imagestreammappings"), mapping(tag, digest, name=name, **more))

    def stream(self, name: str = "php") -> Json:
        return self.get(path("imagestreams", name))

    def watch(self, url: str, **headers: str) -> Watched:
        """An open watch; to be closed."""
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        answer = self.client.get(url, headers=named)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return Watched(answer)

    @staticmethod
    def _body(answer: TestResponse) -> Json:
        found: Json = json.loads(answer.data)
        return found


class Watched:
    """The events of an open watch, read one by one."""

    def __init__(self, answer: TestResponse) -> None:
        self.answer = answer
        self.chunks: Iterator[bytes] = iter(answer.response)  # type: ignore[arg-type]
        self.events: list[Json] = []

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self.answer.close()

    def chunk(self) -> bytes | None:
        """What is sent next; None at the end."""
        return next(self.chunks, None)

    def take(self, count: int) -> list[tuple[str, Json]]:
        """The next events as type and object."""
        lines: list[tuple[str, Json]] = []
        while len(lines) < count:
            if not self.events:
                self.events = [json.loads(line) for line in next(self.chunks).splitlines()]
            while self.events and len(lines) < count:
                event = self.events.pop(0)
                lines.append((event["type"], event["object"]))
        return lines

    def names(self, count: int) -> list[str]:
        """The next events as words, `ADDED php`."""
        return [f"{kind} {obj['metadata'].get('name', '')}".strip() for kind, obj in self.take(count)]


def causes(status: Json) -> list[tuple[str, str]]:
    """Field and message of every cause of a Status."""
    return [(one["field"], one["message"]) for one in status["details"]["causes"]]
