"""Raw HTTP to the server: what no client library would send can be sent, and nothing is retried or hidden."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import urllib3

from tests.integration.servers import Server

Json = dict[str, Any]

STREAMS = "/apis/image.openshift.io/v1/namespaces/{}/imagestreams"
TAGS = "/apis/image.openshift.io/v1/namespaces/{}/imagestreamtags"
IMPORTS = "/apis/image.openshift.io/v1/namespaces/{}/imagestreamimports"


@dataclass(frozen=True)
class Answer:
    """Status code, headers and body of one answer."""

    code: int
    headers: urllib3.HTTPHeaderDict
    body: bytes

    @property
    def json(self) -> Json:
        """The body as JSON."""
        value: Json = json.loads(self.body)
        return value


class Api:
    """The server as its administrator sees it, over one pool of connections."""

    def __init__(self, server: Server, *, token: str | None = None) -> None:
        self.server = server
        context = ssl.create_default_context(cadata=server.authority())
        self.pool = urllib3.PoolManager(ssl_context=context, retries=False, timeout=60, maxsize=16)
        self._headers = {"Authorization": f"Bearer {server.token() if token is None else token}"}

    def call(
        self, method: str, path: str, body: object = None, content_type: str = "application/json", **more: str
    ) -> Answer:
        """One request; a body that is neither bytes nor text is sent as JSON; `Accept="*/*"` is a header."""
        content = body if isinstance(body, bytes | str | None) else json.dumps(body)
        headers = {**self._headers, **({"Content-Type": content_type} if body is not None else {}), **_named(more)}
        answer = self.pool.request(method, self.server.url + path, body=content, headers=headers)
        return Answer(answer.status, answer.headers, answer.data)

    def get(self, path: str, **headers: str) -> Answer:
        """Read."""
        return self.call("GET", path, **headers)

    def post(self, path: str, body: object) -> Answer:
        """Create."""
        return self.call("POST", path, body)

    def patch(self, path: str, body: object) -> Answer:
        """Merge patch."""
        return self.call("PATCH", path, body, "application/merge-patch+json")

    @contextmanager
    def watch(self, path: str, **headers: str) -> Iterator[Iterator[Json]]:
        """The events of a watch that is open inside the `with`, on a connection of its own."""
        named = {**self._headers, **_named(headers)}
        answer = self.pool.request("GET", self.server.url + path, headers=named, preload_content=False)
        try:
            assert answer.status == 200, answer.data
            yield (json.loads(line) for line in answer)
        finally:
            # Not given back to the pool: there is no end to read up to.
            answer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self.pool.clear()


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def stream(name: str, *, lookup: bool = False, tags: list[Json] | None = None) -> Json:
    """An ImageStream to post."""
    spec: Json = {"lookupPolicy": {"local": lookup}}
    if tags:
        spec["tags"] = tags
    return {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": name},
        "spec": spec,
    }


def import_request(
    name: str, *sources: tuple[str, str], insecure: bool = True, mode: str = "", store: bool = True
) -> Json:
    """An ImageStreamImport of (pull spec, tag) pairs."""
    policy: Json = {"insecure": insecure, **({"importMode": mode} if mode else {})}
    images = [
        {"from": {"kind": "DockerImage", "name": source}, "to": {"name": tag}, "importPolicy": policy}
        for source, tag in sources
    ]
    return {
        "kind": "ImageStreamImport",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": name},
        "spec": {"import": store, "images": images},
    }


def give(api: Api, namespace: str, name: str, tag: str, source: str, digest: str) -> None:
    """Put an imported image into a stream without any registry, as the status of an import would."""
    event = {"created": "2026-01-02T03:04:05Z", "dockerImageReference": f"{source}@{digest}", "image": digest}
    image = {
        "kind": "Image",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": digest},
        "dockerImageReference": event["dockerImageReference"],
    }
    assert api.post("/apis/image.openshift.io/v1/images", image).code in (201, 409)
    path = f"{STREAMS.format(namespace)}/{name}/status"
    status = api.get(path).json.get("status") or {}
    kept = [one for one in status.get("tags") or [] if one["tag"] != tag]
    entry = {"tag": tag, "items": [{**event, "generation": 1}]}
    answer = api.patch(path, {"status": {"tags": [*kept, entry]}})
    assert answer.code == 200, answer.body
