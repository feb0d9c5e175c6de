"""The words in which schemas are written: one short function per kind of OpenAPI v3 node."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from webhook.errors import Json
from webhook.meta.schema import REF_PREFIX


def string(description: str, **more: Any) -> Json:
    """A text."""
    return {"description": description, "type": "string", **more}


def integer(description: str, **more: Any) -> Json:
    """A whole number of 64 bits."""
    return {"description": description, "type": "integer", "format": "int64", **more}


def boolean(description: str) -> Json:
    """True or false."""
    return {"description": description, "type": "boolean"}


def time(description: str) -> Json:
    """An RFC 3339 time."""
    return string(description, format="date-time")


def binary(description: str) -> Json:
    """Bytes, in base64."""
    return string(description, format="byte")


def reference(definition: str, description: str = "", **more: Any) -> Json:
    """A value of another definition; the description goes beside the reference, where `kubectl explain` finds it."""
    target = {"$ref": REF_PREFIX + definition}
    if not description and not more:
        return target
    text = {"description": description} if description else {}
    return {**text, "allOf": [target], **more}


def array(items: Json, description: str, *, merge_key: str = "", strategy: str = "", **more: Any) -> Json:
    """A list; with a merge key it behaves as a map of its items."""
    node = {"description": description, "type": "array", "items": items, **more}
    if merge_key:
        node["x-kubernetes-patch-merge-key"] = merge_key
    if merge_key or strategy:
        node["x-kubernetes-patch-strategy"] = strategy or "merge"
    return node


def mapping(values: Json, description: str) -> Json:
    """An object with free keys. Its values' schema is never a boolean: controllers dereference it (contract 2.5)."""
    return {"description": description, "type": "object", "additionalProperties": values}


def opaque(description: str, **more: Any) -> Json:
    """An object that is kept as it is."""
    return {"description": description, "type": "object", "x-kubernetes-preserve-unknown-fields": True, **more}


def structure(description: str, properties: Json, *, required: Iterable[str] = (), **more: Any) -> Json:
    """An object with known fields."""
    node = {"description": description, "type": "object", "properties": properties, **more}
    if required:
        node["required"] = list(required)
    return node


def kind(
    description: str,
    group: str,
    version: str,
    name: str,
    properties: Json,
    *,
    required: Iterable[str] = (),
    **more: Any,
) -> Json:
    """An object with apiVersion, kind and metadata; clients find it by its group, version and kind."""
    fields = {
        **_TYPE_FIELDS,
        "metadata": reference(OBJECT_META, "Name, labels and what else all objects have."),
        **properties,
    }
    gvk = {"x-kubernetes-group-version-kind": [{"group": group, "kind": name, "version": version}]}
    return structure(description, fields, required=required, **more, **gvk)


def list_of(group: str, version: str, name: str, definition: str) -> Json:
    """The list kind of a kind."""
    fields = {
        **_TYPE_FIELDS,
        "metadata": reference(LIST_META, "The version of the list, and where to continue it."),
        "items": array(reference(definition), "The objects."),
    }
    gvk = {"x-kubernetes-group-version-kind": [{"group": group, "kind": f"{name}List", "version": version}]}
    return structure(f"A list of {name} objects.", fields, required=("items",), **gvk)


OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
LIST_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"

_TYPE_FIELDS: Json = {
    "apiVersion": string("The group and version of the object's schema, such as image.openshift.io/v1."),
    "kind": string("The kind of the object, in CamelCase."),
}
