"""What the server says about itself: discovery, OpenAPI, version; made once, served from memory (contract 2)."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from flask import Response

from webhook import __version__
from webhook.apiserver import discovery, openapi, openapi_v2, sandbox_schema
from webhook.apiserver.discovery import AggregatedVersion
from webhook.apiserver.handlers import PATCH_TYPES
from webhook.errors import Json
from webhook.image import schema as image_schema
from webhook.image.group import GROUP
from webhook.meta import negotiation
from webhook.meta.resources import ResourceInfo

_OPENAPI_V2 = {"swagger": "2.0", "info": {"title": "imagestreams", "version": "v1"}, "paths": {}}
_PROTOBUF = "com.github.proto-openapi.spec.v2"
# Kubernetes' own version whose API machinery is followed here; clients compare it with theirs.
_KUBERNETES = ("1", "34")
_ROOTS: Final = ("/api", "/apis")
_SHAPES: Final[tuple[AggregatedVersion | None, ...]] = ("v2", "v2beta1", None)
_YEAR: Final = timedelta(days=365)


class Documents:
    """The documents by path; `find` answers only GET and HEAD."""

    def __init__(self, resources: list[ResourceInfo]) -> None:
        self._groups = {(path, asked): _groups(resources, path, asked) for path in _ROOTS for asked in _SHAPES}
        self._plain: dict[str, Json] = {"/": discovery.root_paths(resources), "/version": version()}
        for root, members in discovery.group_versions(resources).items():
            group, number = members[0].group, members[0].version
            self._plain[f"/{root}"] = discovery.api_resource_list(resources, group, number) or {}
            if group:
                self._plain[f"/apis/{group}"] = discovery.api_group(resources, group) or {}
        documents = {root: self._document(members) for root, members in discovery.group_versions(resources).items()}
        self._openapi = {root: _encoded(one) for root, one in documents.items()}
        self._plain["/openapi/v3"] = openapi.index(self._openapi)
        self._hashes = {root: openapi.content_hash(body) for root, body in self._openapi.items()}
        self._openapi_v2 = openapi_v2.document(documents.values(), with_schemas=frozenset({GROUP}))

    def _document(self, members: list[ResourceInfo]) -> Json:
        is_image = members[0].group == GROUP
        definitions = image_schema.DEFINITIONS if is_image else sandbox_schema.DEFINITIONS
        return openapi.document(members, definitions, patch_types=PATCH_TYPES)

    def find(self, method: str, path: str, headers: Mapping[str, str], wanted: str = "") -> Response | None:
        """The document at a path, or None where there is none; `wanted` is the hash of the one that is asked for."""
        if method not in ("GET", "HEAD"):
            return None
        path = path.rstrip("/") or "/"
        if path in _ROOTS:
            asked = discovery.aggregated_version(headers.get("Accept"))
            content_type = negotiation.JSON if asked is None else discovery.content_type(asked)
            return _tagged(self._groups[path, asked], headers, content_type)
        if path == "/openapi/v2":
            return self._version_2(headers)
        if path.startswith("/openapi/v3/"):
            return self._version_3(path.removeprefix("/openapi/v3/"), headers, wanted)
        found = self._plain.get(path)
        return None if found is None else _json(found)

    def _version_3(self, root: str, headers: Mapping[str, str], wanted: str) -> Response | None:
        """The document of a group version: for a year where its hash was asked for, also for a wrong one if not."""
        body = self._openapi.get(root)
        if body is None:
            return None
        response = _tagged(body, headers, negotiation.JSON)
        if wanted == self._hashes[root]:
            response.headers["Cache-Control"] = "public, immutable"
            response.expires = datetime.now(UTC) + _YEAR
        return response

    def _version_2(self, headers: Mapping[str, str]) -> Response:
        """Protobuf for kubectl, which asks for nothing else; an empty document for everybody else (contract 2.6)."""
        if _PROTOBUF in headers.get("Accept", ""):
            return _tagged(self._openapi_v2, headers, f"application/{_PROTOBUF}.v1.0+protobuf")
        return _json(dict(_OPENAPI_V2))


def _groups(resources: list[ResourceInfo], path: str, asked: AggregatedVersion | None) -> bytes:
    """`/api` tells of the core group, `/apis` of all others."""
    core = path == "/api"
    if asked is not None:
        return _encoded(discovery.aggregated([one for one in resources if bool(one.group) != core], asked))
    return _encoded(discovery.api_versions(resources) if core else discovery.api_group_list(resources))


def version() -> Json:
    """`/version`, in the shape that clients parse."""
    major, minor = _KUBERNETES
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"v{major}.{minor}.0+imagestreams-{__version__}",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": "cpython",
        "platform": f"linux/{platform.machine()}",
    }


def _json(body: Json) -> Response:
    return Response(_encoded(body), 200, content_type=negotiation.JSON)


def _encoded(body: Json) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _tagged(body: bytes, headers: Mapping[str, str], content_type: str) -> Response:
    tag = discovery.etag(body)
    fresh = headers.get("If-None-Match") == tag
    response = Response(b"" if fresh else body, 304 if fresh else 200, content_type=content_type)
    response.headers["ETag"] = tag
    response.headers["Vary"] = "Accept"
    response.headers["Cache-Control"] = "public"
    return response
