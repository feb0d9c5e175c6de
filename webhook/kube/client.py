"""A client for any Kubernetes API, speaking JSON about paths; it knows no kinds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

import msgspec
import urllib3

from webhook.errors import Json
from webhook.kube import connection as connections
from webhook.kube import failure
from webhook.kube.connection import Connection
from webhook.kube.decoding import OBJECTS, Decoding, Page
from webhook.kube.watch import Watch

T = TypeVar("T")
Query = str | int | bool | None

MERGE_PATCH = "application/merge-patch+json"
PAGE = 500
_JSON = "application/json"
# What a server that cannot shorten objects ignores (api-server contract 5.2).
_METADATA = f"{_JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1,{_JSON}"
_METADATA_LIST = f"{_JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{_JSON}"
_CONNECT_SECONDS, _READ_SECONDS = 5.0, 30.0
# Servers send a bookmark about once a minute: longer silence is a dead peer.
_WATCH_SILENCE_SECONDS = 150.0
# A kept-alive connection may be cut just as it is used again; urllib3 repeats only idempotent requests.
_RETRY = urllib3.Retry(total=1, redirect=0, status=0, other=0)


class KubeClient:
    """Requests to one API server; safe to share between threads, not across fork.

    Every method raises a `StatusError` for what the server refuses and `Unreachable` when there is no answer.
    """

    def __init__(self, connection: Connection, *, user_agent: str = "imagestreams", connections: int = 8) -> None:
        self._connection = connection
        self._base = connection.server.rstrip("/")
        self._headers = {"User-Agent": user_agent}
        self._pool = _pool(connection, connections)

    @classmethod
    def from_kubeconfig(cls, path: str | None = None, context: str | None = None) -> Self:
        """A client for a kubeconfig's context."""
        return cls(connections.from_kubeconfig(path, context))

    @classmethod
    def in_cluster(cls) -> Self:
        """A client under this Pod's service account."""
        return cls(connections.in_cluster())

    def get(self, path: str, **query: Query) -> Json:
        """One object, or one list as the server sends it."""
        return self._json("GET", path, query=query)

    def read(self, path: str, decoding: Decoding[T], *, deadline: float) -> T:
        """One object, asked for once and given up after `deadline` seconds."""
        return decoding.item(self._send("GET", path, query={}, read_timeout=deadline, patient=False).data)

    def pages(
        self, path: str, decoding: Decoding[T], *, limit: int = PAGE, metadata_only: bool = False, **query: Query
    ) -> Iterator[Page[T]]:
        """A list in pages; raises `Expired` when it takes longer than the server remembers."""
        accept = _METADATA_LIST if metadata_only else _JSON
        token: str | None = ""
        while token is not None:
            asked = {**query, "limit": limit, "continue": token or None}
            page = decoding.page(self._send("GET", path, query=asked, accept=accept).data)
            token = (page.metadata and page.metadata.token) or None
            yield page

    def list(self, path: str, *, limit: int = PAGE, **query: Query) -> Iterator[Json]:
        """The objects of a list, page by page."""
        for page in self.pages(path, OBJECTS, limit=limit, metadata_only=False, **query):
            yield from page.items or ()

    def watch(
        self,
        path: str,
        decoding: Decoding[T],
        *,
        resource_version: str,
        timeout_seconds: int,
        metadata_only: bool = False,
        **query: Query,
    ) -> Watch[T]:
        """Events after `resource_version`, with bookmarks."""
        query = {
            **query,
            "watch": True,
            "allowWatchBookmarks": True,
            "resourceVersion": resource_version or None,
            "timeoutSeconds": timeout_seconds,
        }
        silence = min(_WATCH_SILENCE_SECONDS, timeout_seconds + _READ_SECONDS)
        accept = _METADATA if metadata_only else _JSON
        return Watch(self._send("GET", path, query=query, accept=accept, stream=True, read_timeout=silence), decoding)

    def create(self, path: str, body: Json, *, read_timeout: float = _READ_SECONDS, **query: Query) -> Json:
        """POST; `read_timeout` is in seconds, for commands that the server works on before it answers."""
        return self._json("POST", path, query=query, body=_encode(body), read_timeout=read_timeout)

    def update(self, path: str, body: Json, **query: Query) -> Json:
        """PUT."""
        return self._json("PUT", path, query=query, body=_encode(body))

    def patch(self, path: str, body: Any, content_type: str = MERGE_PATCH, **query: Query) -> Json:
        """PATCH; `body` is a JSON value, or the patch's bytes."""
        patch = body if isinstance(body, bytes) else _encode(body)
        return self._json("PATCH", path, query=query, body=patch, content_type=content_type)

    def delete(self, path: str, body: Json | None = None, **query: Query) -> Json:
        """DELETE; `body` holds DeleteOptions."""
        return self._json("DELETE", path, query=query, body=None if body is None else _encode(body))

    def close(self) -> None:
        """Closes idle connections."""
        self._pool.clear()

    def _json(self, method: str, path: str, **more: Any) -> Json:
        answer = self._send(method, path, **more)
        try:
            decoded = msgspec.json.decode(answer.data)
        except (ValueError, RecursionError) as error:
            raise failure.Unreachable(f"{method} {path}: the answer is not JSON: {error}") from error
        if not isinstance(decoded, dict):
            raise failure.Unreachable(f"{method} {path}: the answer is not an object")
        return decoded

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Query],
        body: bytes | None = None,
        content_type: str = _JSON,
        accept: str = _JSON,
        stream: bool = False,
        read_timeout: float = _READ_SECONDS,
        patient: bool = True,
    ) -> urllib3.BaseHTTPResponse:
        headers = {**self._headers, "Accept": accept, **self._connection.headers()}
        if body is not None:
            headers["Content-Type"] = content_type
        try:
            answer = self._pool.request(
                method,
                self._url(path, query),
                body=body,
                headers=headers,
                preload_content=not stream,
                timeout=_patient(read_timeout) if patient else urllib3.Timeout(total=read_timeout),
                retries=_RETRY if patient else False,
                redirect=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise failure.Unreachable(f"{method} {path}: {failure.reason(error)}") from error
        if answer.status >= 300:
            raise failure.of_answer(answer.status, answer.data)
        return answer

    def _url(self, path: str, query: dict[str, Query]) -> str:
        given = {key: _text(value) for key, value in query.items() if value is not None}
        return f"{self._base}{path}" + (f"?{urlencode(given)}" if given else "")


def _pool(connection: Connection, connections: int) -> urllib3.PoolManager:
    options: dict[str, Any] = {"num_pools": 2, "maxsize": connections, "ssl_context": connection.ssl_context()}
    if connection.server_name:
        options |= {"server_hostname": connection.server_name, "assert_hostname": connection.server_name}
    if not connection.verify:
        options |= {"cert_reqs": "CERT_NONE"}
    return urllib3.PoolManager(**options)


def _patient(read_timeout: float) -> urllib3.Timeout:
    return urllib3.Timeout(connect=_CONNECT_SECONDS, read=read_timeout)


def _encode(body: Any) -> bytes:
    return msgspec.json.encode(body)


def _text(value: Query) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
