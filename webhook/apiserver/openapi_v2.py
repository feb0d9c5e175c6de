"""The OpenAPI v2 document as protobuf: the only form in which kubectl before 1.27 asks what a server supports.

It reads from it whether a kind knows `dryRun` and `fieldValidation`, and the schemas for apply and explain. The fields
are numbered as in gnostic's OpenAPIv2.proto; only what kubectl reads is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from webhook.errors import Json

_V3_REF: Final = "#/components/schemas/"
_V2_REF: Final = "#/definitions/"
_LENGTH_DELIMITED: Final = 2


def document(documents: Iterable[Json], *, with_schemas: frozenset[str]) -> bytes:
    """The v2 document of several v3 documents; schemas only of the groups in `with_schemas`, and what they refer to.

    kubectl before 1.24 takes a schema to be complete and refuses fields that are not in it, so that a schema that is
    meant to be open must not be told here. Nor is `required` told: what the server fills in would be asked of users.
    """
    every = list(documents)
    paths = b"".join(_message(2, _named(path, _path_item(item))) for path, item in _paths(every))
    schemas = b"".join(_message(1, _named(name, _schema(one))) for name, one in _schemas(every, with_schemas))
    info = _text(1, "imagestreams") + _text(2, "v1")
    return _text(1, "2.0") + _message(2, info) + _message(8, paths) + _message(9, schemas)


def _paths(documents: Iterable[Json]) -> Iterator[tuple[str, Json]]:
    """All but namespaces: where those know a parameter, kubectl lists custom resource definitions for other kinds."""
    every = ((path, item) for one in documents for path, item in one["paths"].items() if "patch" in item)
    return ((path, item) for path, item in every if not _is_of_namespace(item["patch"]))


def _is_of_namespace(operation: Json) -> bool:
    kind = operation.get("x-kubernetes-group-version-kind") or {}
    return (kind.get("group"), kind.get("kind")) == ("", "Namespace")


def _schemas(documents: Iterable[Json], groups: frozenset[str]) -> Iterator[tuple[str, Json]]:
    told: dict[str, Json] = {}
    for one in documents:
        known: Mapping[str, Json] = one["components"]["schemas"]
        wanted = [name for name, schema in known.items() if _groups(schema) & groups]
        while wanted:
            name = wanted.pop()
            if name not in told:
                told[name] = known[name]
                wanted += _references(known[name])
    return iter(sorted(told.items()))


def _groups(schema: Json) -> set[str]:
    return {kind["group"] for kind in schema.get("x-kubernetes-group-version-kind", ())}


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"].removeprefix(_V3_REF)] if isinstance(value.get("$ref"), str) else []
        return own + [found for one in value.values() for found in _references(one)]
    return [found for one in value for found in _references(one)] if isinstance(value, list) else []


def _path_item(item: Json) -> bytes:
    operation = item["patch"]
    named = [*item.get("parameters", ()), *operation.get("parameters", ())]
    parameters = b"".join(_message(8, _parameter(one)) for one in named if one.get("in") == "query")
    return _message(8, parameters + _extensions(13, operation))


def _parameter(parameter: Json) -> bytes:
    """ParametersItem > Parameter > NonBodyParameter > QueryParameterSubSchema."""
    kind = parameter.get("schema", {}).get("type", "string")
    content = _text(2, "query") + _text(4, parameter["name"]) + _text(6, kind)
    return _message(1, _message(2, _message(3, content)))


def _schema(schema: Json) -> bytes:
    whole = schema.get("allOf")
    reference = schema.get("$ref") or (whole[0].get("$ref") if whole else None)
    described = _text(4, schema.get("description", ""))
    if reference:
        return _text(1, reference.replace(_V3_REF, _V2_REF)) + described + _extensions(31, schema)
    parts = [_text(2, schema.get("format", "")), described]
    if isinstance(schema.get("additionalProperties"), dict):
        parts.append(_message(21, _message(1, _schema(schema["additionalProperties"]))))
    if schema.get("type"):
        parts.append(_message(22, _text(1, schema["type"])))
    if schema.get("items"):
        parts.append(_message(23, _message(1, _schema(schema["items"]))))
    if schema.get("properties"):
        fields = b"".join(_message(1, _named(name, _schema(one))) for name, one in schema["properties"].items())
        parts.append(_message(25, fields))
    return b"".join([*parts, _extensions(31, schema)])


def _extensions(number: int, schema: Json) -> bytes:
    """NamedAny > Any.yaml; JSON is YAML."""
    return b"".join(
        _message(number, _named(name, _text(2, json.dumps(value))))
        for name, value in schema.items()
        if name.startswith("x-kubernetes-")
    )


def _named(name: str, value: bytes) -> bytes:
    return _text(1, name) + _message(2, value)


def _text(number: int, value: str) -> bytes:
    return _message(number, value.encode()) if value else b""


def _message(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
