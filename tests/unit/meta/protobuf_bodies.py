"""Kubernetes' protobuf written from JSON, and objects to write: the way back from `webhook.meta.protobuf`."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from webhook.errors import Json
from webhook.meta import protobuf, timestamps

_TYPES = {"Quantity": "quantity", "IntOrString": "int_or_string", "Time": "time", "FieldsV1": "fields"}
_RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_MOST_FIELDS = 4


def body(obj: Json) -> bytes:
    """The object as Kubernetes' clients send it."""
    raw = encode(class_of(obj["apiVersion"], obj["kind"])(), obj)
    envelope = protobuf.message(protobuf.ENVELOPE)(raw=raw.SerializeToString())
    envelope.typeMeta.apiVersion, envelope.typeMeta.kind = obj["apiVersion"], obj["kind"]
    return b"k8s\0" + envelope.SerializeToString()


def class_of(api_version: str, kind: str) -> Any:
    version = "meta.k8s.io/v1" if kind == "DeleteOptions" else api_version
    return protobuf.message(f"{protobuf.PACKAGES[version]}.{kind}")


def encode(message: Any, obj: Json) -> Any:
    """The message with the fields of the object; like Go it always writes those that are inlined."""
    for field in message.DESCRIPTOR.fields:
        if field.json_name == protobuf.INLINE:
            getattr(message, field.name).SetInParent()
            encode(getattr(message, field.name), obj)
        elif field.json_name in obj:
            _put(message, field, obj[field.json_name])
    return message


def _put(message: Any, field: Any, value: Any) -> None:
    place = getattr(message, field.name)
    if is_map(field):
        inner = field.message_type.fields_by_name["value"]
        for key, one in value.items():
            if inner.message_type is None:
                place[key] = _plain(inner, one)
            else:
                _fill(place[key], one)
    elif field.is_repeated and field.message_type is not None:
        for one in value:
            _fill(place.add(), one)
    elif field.is_repeated:
        place.extend(_plain(field, one) for one in value)
    elif field.message_type is not None:
        place.SetInParent()
        _fill(place, value)
    else:
        setattr(message, field.name, _plain(field, value))


def _plain(field: Any, value: Any) -> Any:
    return base64.b64decode(value) if field.type == field.TYPE_BYTES else value


def _fill(message: Any, value: Any) -> None:
    kind = _TYPES.get(message.DESCRIPTOR.name)
    if kind == "quantity":
        message.string = value
    elif kind == "time":
        message.seconds = int(timestamps.parse(value).timestamp())
    elif kind == "fields":
        message.Raw = json.dumps(value).encode()
    elif kind == "int_or_string":
        message.type = int(isinstance(value, str))
        setattr(message, "strVal" if isinstance(value, str) else "intVal", value)
    else:
        encode(message, value)


def is_map(field: Any) -> bool:
    return field.is_repeated and field.message_type is not None and field.message_type.GetOptions().map_entry


@st.composite
def objects(draw: st.DrawFn, api_version: str, kind: str) -> Json:
    """An object of a kind, a few fields at each level, with nothing in it that Go leaves out of JSON."""
    fields = draw(_fields(class_of(api_version, kind).DESCRIPTOR))
    return {"apiVersion": api_version, "kind": kind, **fields}


@st.composite
def _fields(draw: st.DrawFn, descriptor: Any) -> Json:
    chosen = draw(st.lists(st.sampled_from(list(descriptor.fields)), max_size=_MOST_FIELDS, unique_by=id))
    found: Json = {}
    for field in chosen:
        if field.json_name == protobuf.INLINE:
            found = {**draw(_fields(field.message_type)), **found}
        else:
            found[field.json_name] = draw(_values(field))
    return found


def _values(field: Any) -> st.SearchStrategy[Any]:
    if is_map(field):
        return st.dictionaries(st.text(max_size=4), _single(field.message_type.fields_by_name["value"]), min_size=1)
    if field.is_repeated:
        return st.lists(_single(field), min_size=1, max_size=2)
    values = _single(field)
    return values if field.message_type is not None or field.has_presence else values.filter(bool)


def _single(field: Any) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        kind = _TYPES.get(field.message_type.name)
        return _SPECIAL[kind] if kind else _fields(field.message_type)
    if field.type == field.TYPE_BYTES:
        return st.binary(max_size=5).map(lambda value: base64.b64encode(value).decode())
    if field.type == field.TYPE_BOOL:
        return st.booleans()
    if field.type == field.TYPE_STRING:
        return st.text(max_size=5)
    return st.integers(*_RANGES["int32" if field.type == field.TYPE_INT32 else "int64"])


_SPECIAL: dict[str, st.SearchStrategy[Any]] = {
    "quantity": st.sampled_from(["0", "100m", "1Gi", "1500M"]),
    "time": st.datetimes(datetime(1000, 1, 1), timezones=st.just(UTC)).map(timestamps.format),
    "int_or_string": st.integers(*_RANGES["int32"]) | st.text(max_size=5),
    "fields": st.just({"f:metadata": {"f:labels": {".": {}, "f:app": {}}}}),
}
