"""The OpenAPI v3 documents of the server's group versions (api-server contract 2.5).

kubectl reads the schemas (explain, apply) and looks for PATCH operations with `fieldValidation` (create, apply).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from webhook.errors import Json
from webhook.meta import definitions as shared
from webhook.meta import nodes
from webhook.meta.resources import ResourceInfo, SubresourceInfo
from webhook.meta.schema import REF_PREFIX

PATCH_TYPES: Final = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
_BODY_TYPES: Final = ("application/json", "application/yaml")
_GVK: Final = "x-kubernetes-group-version-kind"
_ACTION: Final = "x-kubernetes-action"


def _query(name: str, description: str, type: str = "string") -> Json:
    schema = {"type": type, "uniqueItems": True}
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _path(name: str, description: str) -> Json:
    schema = {"type": "string", "uniqueItems": True}
    return {"name": name, "in": "path", "description": description, "required": True, "schema": schema}


_NAMESPACE: Final = _path("namespace", "The namespace of the objects.")
_NAME: Final = _path("name", "The name of the object.")
_PRETTY: Final = _query("pretty", "With `true` the answer is indented.")
_DRY_RUN: Final = _query("dryRun", "With `All` nothing is stored.")
_WRITING: Final = (
    _DRY_RUN,
    _query("fieldManager", "Who makes the change."),
    _query("fieldValidation", "What happens to unknown and duplicate fields: Ignore, Warn or Strict."),
)
_FORCE: Final = _query("force", "For apply patches only: take over fields of other managers.", "boolean")
_SELECTING: Final = (
    _query("labelSelector", "Only objects with such labels."),
    _query("fieldSelector", "Only objects with such fields."),
    _query("limit", "The greatest number of objects in an answer.", "integer"),
    _query("continue", "Where to continue, from the answer before."),
    _query("resourceVersion", "The version that the answer shows, or a watch starts from."),
    _query("resourceVersionMatch", "How that version is meant: Exact or NotOlderThan."),
    _query("timeoutSeconds", "When to end.", "integer"),
)
_WATCHING: Final = (
    _query("watch", "With `true` changes are streamed.", "boolean"),
    _query("allowWatchBookmarks", "With `true` a watch tells versions without changes, too.", "boolean"),
    _query("sendInitialEvents", "With `true` a watch starts with what is there.", "boolean"),
)
_DELETING: Final = (
    _DRY_RUN,
    _query("gracePeriodSeconds", "How long the object may take to end.", "integer"),
    _query("propagationPolicy", "What happens to dependents: Orphan, Background or Foreground."),
)


def document(
    resources: Sequence[ResourceInfo], definitions: Mapping[str, Json], *, patch_types: Sequence[str] = PATCH_TYPES
) -> Json:
    """The document of one group version, whose resources these are.

    `definitions` has a schema for each of their kinds, found by its group, version and kind; list kinds that it does
    not have are made. Only schemas that are referred to are part of the document.
    """
    writer = _Writer(definitions, patch_types)
    for resource in sorted(resources, key=lambda one: one.resource):
        writer.add(resource)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1"},
        "paths": dict(sorted(writer.paths.items())),
        "components": {"schemas": reachable(writer.definitions, writer.used)},
    }


def index(documents: Mapping[str, bytes]) -> Json:
    """`/openapi/v3`: where the document of each group version (`apis/image.openshift.io/v1`) is."""
    return {
        "paths": {
            root: {"serverRelativeURL": f"/openapi/v3/{root}?hash={content_hash(body)}"}
            for root, body in sorted(documents.items())
        }
    }


def content_hash(body: bytes) -> str:
    """The hash by which a document's address changes with its content."""
    return hashlib.sha512(body).hexdigest().upper()


def reachable(definitions: Mapping[str, Json], roots: Iterable[str]) -> dict[str, Json]:
    """The definitions that the roots refer to, with themselves, by name."""
    found: dict[str, Json] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = definitions[name]
            waiting.extend(_references(found[name]))
    return dict(sorted(found.items()))


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        target = node.get("$ref")
        if isinstance(target, str):
            yield target.removeprefix(REF_PREFIX)
        for inner in node.values():
            yield from _references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _references(inner)


class _Writer:
    """Collects paths, and the definitions that they use."""

    def __init__(self, definitions: Mapping[str, Json], patch_types: Sequence[str]) -> None:
        self.definitions = dict(definitions)
        self.patch_types = patch_types
        self.paths: dict[str, Json] = {}
        self.used = {shared.STATUS, shared.DELETE_OPTIONS, shared.PATCH}
        self.by_kind = {
            (gvk["group"], gvk["version"], gvk["kind"]): name
            for name, node in definitions.items()
            for gvk in node.get(_GVK, ())
        }

    def add(self, resource: ResourceInfo) -> None:
        base = f"/{resource.root}" + ("/namespaces/{namespace}" if resource.namespaced else "")
        place = [_NAMESPACE] if resource.namespaced else []
        collection = f"{base}/{resource.resource}"
        self._add(collection, self._collection(resource), [*place, _PRETTY])
        self._add(f"{collection}/{{name}}", self._single(resource), [*place, _NAME, _PRETTY])
        if resource.namespaced and "list" in resource.verbs:
            everywhere = {"get": self._list(resource, "ForAllNamespaces")}
            self._add(f"/{resource.root}/{resource.resource}", everywhere, [_PRETTY])
        for sub in resource.subresources:
            self._add(f"{collection}/{{name}}/{sub.name}", self._sub(resource, sub), [*place, _NAME, _PRETTY])

    def _add(self, path: str, operations: Json, parameters: list[Json]) -> None:
        if operations:
            self.paths[path] = {**operations, "parameters": parameters}

    def _collection(self, resource: ResourceInfo) -> Json:
        operations = {}
        if "list" in resource.verbs:
            operations["get"] = self._list(resource)
        if "create" in resource.verbs:
            body = self._schema(resource, resource.kind)
            operations["post"] = _operation(resource, "create", "post", body, body, _WRITING)
        if "deletecollection" in resource.verbs:
            parameters = (*_DELETING, *_SELECTING)
            operations["delete"] = _operation(
                resource,
                "deleteCollection",
                "deletecollection",
                _ref(shared.STATUS),
                _ref(shared.DELETE_OPTIONS),
                parameters,
            )
        return operations

    def _single(self, resource: ResourceInfo) -> Json:
        operations = self._object_operations(resource, resource.verbs, resource.kind)
        if "delete" in resource.verbs:
            operations["delete"] = _operation(
                resource, "delete", "delete", _ref(shared.STATUS), _ref(shared.DELETE_OPTIONS), _DELETING
            )
        return operations

    def _sub(self, resource: ResourceInfo, sub: SubresourceInfo) -> Json:
        group = resource.group if sub.group is None else sub.group
        version = resource.version if sub.version is None else sub.version
        return self._object_operations(resource, sub.verbs, sub.kind, sub.name, (group, version))

    def _object_operations(
        self,
        resource: ResourceInfo,
        verbs: Sequence[str],
        kind: str,
        part: str = "",
        group_version: tuple[str, str] | None = None,
    ) -> Json:
        operations = {}
        schema = self._schema(resource, kind, group_version)
        suffix = part.capitalize()
        about = {_GVK: _gvk(resource, kind, group_version)}
        if "get" in verbs:
            operations["get"] = {**_operation(resource, "read", "get", schema, None, (), suffix), **about}
        if "update" in verbs:
            operations["put"] = {**_operation(resource, "replace", "put", schema, schema, _WRITING, suffix), **about}
        if "patch" in verbs:
            patch = _operation(resource, "patch", "patch", schema, None, (*_WRITING, _FORCE), suffix)
            content = {one: {"schema": _ref(shared.PATCH)} for one in self.patch_types}
            operations["patch"] = {**patch, "requestBody": {"content": content, "required": True}, **about}
        return operations

    def _list(self, resource: ResourceInfo, suffix: str = "") -> Json:
        parameters = _SELECTING + (_WATCHING if "watch" in resource.verbs else ())
        schema = self._list_schema(resource)
        return _operation(resource, "list", "list", schema, None, parameters, suffix)

    def _list_schema(self, resource: ResourceInfo) -> Json:
        key = (resource.group, resource.version, f"{resource.kind}List")
        if key not in self.by_kind:
            item = self.by_kind[resource.group, resource.version, resource.kind]
            self.by_kind[key] = f"{item}List"
            self.definitions[f"{item}List"] = nodes.list_of(resource.group, resource.version, resource.kind, item)
        return self._use(self.by_kind[key])

    def _schema(self, resource: ResourceInfo, kind: str, group_version: tuple[str, str] | None = None) -> Json:
        """The schema of a kind, if need be of the resource's own group; one that is not defined is just an object."""
        group, version = group_version or (resource.group, resource.version)
        own = self.by_kind.get((resource.group, resource.version, kind))
        name = self.by_kind.get((group, version, kind), own)
        return {"type": "object"} if name is None else self._use(name)

    def _use(self, name: str) -> Json:
        self.used.add(name)
        return _ref(name)


def _ref(name: str) -> Json:
    return {"$ref": REF_PREFIX + name}


def _gvk(resource: ResourceInfo, kind: str, group_version: tuple[str, str] | None = None) -> Json:
    group, version = group_version or (resource.group, resource.version)
    return {"group": group, "kind": kind, "version": version}


def _operation(
    resource: ResourceInfo,
    name: str,
    action: str,
    answer: Json,
    body: Json | None,
    parameters: Sequence[Json],
    suffix: str = "",
) -> Json:
    """One operation; `name` is the verb in its id, `action` the word that kubectl looks for."""
    scope = "Namespaced" if resource.namespaced and suffix != "ForAllNamespaces" else ""
    group = "".join(part.capitalize() for part in resource.group.split(".")[:1]) or "Core"
    operation: Json = {
        "tags": [f"{resource.group or 'core'}_{resource.version}"],
        "description": f"{name} {resource.kind}{' ' + suffix if suffix else ''}",
        "operationId": f"{name}{group}{resource.version.capitalize()}{scope}{resource.kind}{suffix}",
        "responses": _responses(answer, action),
        _ACTION: action,
        _GVK: _gvk(resource, resource.kind),
    }
    if parameters:
        operation["parameters"] = list(parameters)
    if body is not None:
        content = {one: {"schema": body} for one in _BODY_TYPES}
        operation["requestBody"] = {"content": content, "required": action != "delete"}
    return operation


def _responses(answer: Json, action: str) -> Json:
    content = {one: {"schema": answer} for one in _BODY_TYPES}
    codes = {"200": "OK", **({"201": "Created"} if action in ("post", "put", "patch") else {})}
    found: Json = {code: {"description": text, "content": content} for code, text in codes.items()}
    return {**found, "401": {"description": "Unauthorized"}}


def encode(body: Json) -> bytes:
    """A document as bytes, the same for the same content."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
