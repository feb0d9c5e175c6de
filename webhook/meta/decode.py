"""From the bytes of a request to an object: decoding, strict findings, and pruning (contract 3.2, 3.3)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, Final

import yaml

from webhook.errors import BadRequest, Json, UnsupportedMediaType
from webhook.meta import jsontext, protobuf, timestamps
from webhook.meta.duplicates import Duplicates, joined
from webhook.meta.schema import Schema

_JSON: Final = "application/json"
_YAML: Final = "application/yaml"
_ACCEPTED: Final = (_JSON, _YAML)
_SHOWN_BYTES: Final = 30

_TYPE_NAMES: Final[dict[type, str]] = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "bool",
    int: "number",
    float: "number",
}
_PYTHON_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


def media_type(content_type: str | None) -> str:
    """The bare media type of a Content-Type header; nothing means JSON."""
    return (content_type or "").partition(";")[0].strip().lower() or _JSON


def decode(
    body: bytes, content_type: str | None = None, *, kind: str = "", api_version: str = ""
) -> tuple[Json, list[str]]:
    """The object in a body, and a finding for each key that occurs twice (the last one wins).

    Null is an object without fields. Raises UnsupportedMediaType, or BadRequest for what is not an object; `kind` is
    what its text says was expected. Protobuf is read only of the kinds of an `api_version` that have it.
    """
    form = media_type(content_type)
    accepted = (*_ACCEPTED, protobuf.MEDIA_TYPE) if protobuf.is_read(api_version) else _ACCEPTED
    if form not in accepted:
        text = "the body of the request was in an unknown format - accepted media types include"
        raise UnsupportedMediaType(f"{text}: {', '.join(accepted)}")
    if form == protobuf.MEDIA_TYPE:
        return protobuf.decode(body, api_version, kind), []
    seen = Duplicates()
    try:
        value = _parsed(body, form, seen)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise _unreadable(kind, _one_line(error), body) from error
    value = {} if value is None else value
    if not isinstance(value, dict):
        raise _unreadable(kind, f"json: cannot unmarshal {_type_name(value)} into an object", body)
    return value, seen.findings(value)


def _parsed(body: bytes, form: str, seen: Duplicates) -> Any:
    """JSON is also good YAML, and much faster to read as what it is; a brace may also begin other YAML."""
    if form == _JSON:
        return _load_json(body, seen)
    if body.lstrip()[:1] in (b"{", b"["):
        try:
            return _load_json(body, seen)
        except json.JSONDecodeError:
            seen.objects.clear()
    value = _load_yaml(body, seen)
    jsontext.check_text(value)
    return value


def _load_json(body: bytes, seen: Duplicates) -> Any:
    if not body.strip():
        raise ValueError("unexpected end of JSON input")
    value = jsontext.loads(body, object_pairs_hook=seen.pairs)
    jsontext.check_depth(value)
    return value


class _JsonLikeLoader(yaml.SafeLoader):
    """YAML restricted to what JSON can say: times stay text, and aliases (which may explode) are refused."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not supported")
        return super().compose_node(parent, index)


# Dates and times stay the text that they are in JSON.
_JsonLikeLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _load_yaml(body: bytes, seen: Duplicates) -> Any:
    loader = _JsonLikeLoader(body)
    try:
        node = loader.get_single_node()
        return None if node is None else _plain(loader, node, seen, jsontext.MAX_DEPTH)
    finally:
        loader.dispose()


def _plain(loader: _JsonLikeLoader, node: yaml.Node, seen: Duplicates, depth: int) -> Any:
    if not depth:
        raise ValueError("exceeded max depth")
    if isinstance(node, yaml.MappingNode):
        return seen.pairs((_key(key), _plain(loader, value, seen, depth - 1)) for key, value in node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, seen, depth - 1) for item in node.value]
    value = loader.construct_object(node)
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return value
    raise ValueError(f"{node.value!r} cannot be expressed in JSON")


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError("a key that is not a text cannot be expressed in JSON")
    return str(node.value)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _unreadable(kind: str, why: str, body: bytes) -> BadRequest:
    expected = f" (must be of type {kind})" if kind else ""
    start = body[:_SHOWN_BYTES].decode(errors="replace")
    shown = "<empty>" if not body else start if len(body) <= _SHOWN_BYTES else f"{start} ..."
    text = (
        f"the object provided is unrecognized{expected}: couldn't get version/kind; json parse error: {why} ({shown})"
    )
    return BadRequest(text)


def identify(obj: Json, api_version: str, kind: str) -> Json:
    """The object with the apiVersion and kind of its resource, which a client may leave out; BadRequest for others."""
    given_version, given_kind = obj.get("apiVersion") or api_version, obj.get("kind") or kind
    if given_kind != kind:
        version = str(given_version).rpartition("/")[2]
        raise BadRequest(f'{given_kind} in version "{version}" cannot be handled as a {kind}: unknown conversion')
    if given_version != api_version:
        text = "does not match the expected API version"
        raise BadRequest(f"the API version in the data ({given_version}) {text} ({api_version})")
    return {**obj, "apiVersion": api_version, "kind": kind}


def prune(obj: Json, schema: Schema) -> tuple[Json, list[str]]:
    """The object without fields that its schema does not know, and a finding `unknown field "spec.tags[0].x"` for each.

    Null fields count as absent, as in Kubernetes' own decoder. Raises BadRequest for a value of the wrong type.
    """
    pruner = _Pruner()
    try:
        pruned: Json = pruner.value(obj, schema, "")
    except _WrongType as error:
        kind, version = obj.get("kind") or "object", str(obj.get("apiVersion") or "").rpartition("/")[2]
        raise BadRequest(f'{kind} in version "{version}" cannot be handled as a {kind}: {error}') from error
    return pruned, pruner.findings


class _WrongType(ValueError):
    """A value that cannot be what its schema says."""


class _Pruner:
    def __init__(self) -> None:
        self.findings: list[str] = []

    def value(self, value: Any, schema: Schema, path: str) -> Any:
        if not schema.type:
            return value
        value = _checked(value, schema, path)
        if isinstance(value, dict):
            return self.fields(value, schema, path)
        if isinstance(value, list):
            return [self.item(one, schema.items, f"{path}[{index}]") for index, one in enumerate(value)]
        return value

    def fields(self, value: Json, schema: Schema, path: str) -> Json:
        kept: Json = {}
        for key, inner in value.items():
            where = joined(path, key)
            child = schema.child(key)
            if child is None:
                self.findings.append(f'unknown field "{where}"')
            elif inner is not None or not child.type:
                kept[key] = self.value(inner, child, where)
            elif schema.is_map:
                kept[key] = _zero(child)
        return kept

    def item(self, value: Any, schema: Schema, path: str) -> Any:
        return self.value(_zero(schema) if value is None and schema.type else value, schema, path)


def _zero(schema: Schema) -> Any:
    """What null means where something has to be."""
    types = _PYTHON_TYPES[schema.type]
    return types[0]()


def _checked(value: Any, schema: Schema, path: str) -> Any:
    """The value in its canonical form: times are UTC with whole seconds."""
    expected = _PYTHON_TYPES[schema.type]
    if not isinstance(value, expected) or (isinstance(value, bool) and schema.type != "boolean"):
        raise _WrongType(f"json: cannot unmarshal {_type_name(value)} into field {path} of type {schema.type}")
    try:
        return _FORMATS[schema.format](value) if schema.format in _FORMATS else value
    except ValueError as error:
        raise _WrongType(f"{path}: {json.dumps(value, ensure_ascii=False)} is not of format {schema.format}") from error


def _int64(value: int) -> int:
    if not -(2**63) <= value < 2**63:
        raise ValueError("out of range")
    return value


def _base64(value: str) -> str:
    base64.b64decode(value.replace("\n", "").replace("\r", ""), validate=True)
    return value


def _time(value: str) -> str:
    return timestamps.format(timestamps.parse(value))


_FORMATS: Final[dict[str, Callable[[Any], Any]]] = {"int64": _int64, "byte": _base64, "date-time": _time}


def _type_name(value: Any) -> str:
    return _TYPE_NAMES.get(type(value), type(value).__name__)
