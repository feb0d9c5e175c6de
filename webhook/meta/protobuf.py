"""Bodies in Kubernetes' protobuf, as the objects that the same client would have sent as JSON.

`kubernetes.binpb` describes the messages (decision 0008) and holds Go's conventions for JSON: the key of a field where
it is not its name, `,inline` for a message whose fields stand beside its own, and implicit presence for a field that Go
leaves out of JSON while it is zero. The protobuf library is loaded with the first body that needs it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from webhook.errors import BadRequest, Json
from webhook.meta import jsontext, timestamps

MEDIA_TYPE: Final = "application/vnd.kubernetes.protobuf"
DESCRIPTORS: Final = Path(__file__).with_name("kubernetes.binpb")
INLINE: Final = ",inline"
PACKAGES: Final = {
    "v1": "k8s.io.api.core.v1",
    "apps/v1": "k8s.io.api.apps.v1",
    "autoscaling/v1": "k8s.io.api.autoscaling.v1",
    "batch/v1": "k8s.io.api.batch.v1",
    "meta.k8s.io/v1": "k8s.io.apimachinery.pkg.apis.meta.v1",
}
"""Group version → package of its messages."""
ENVELOPE: Final = "k8s.io.apimachinery.pkg.runtime.Unknown"
_DELETE_OPTIONS: Final = "DeleteOptions"
_MAGIC: Final = b"k8s\0"


def is_read(api_version: str) -> bool:
    """Whether the kinds of a group version may be sent as protobuf."""
    return api_version in PACKAGES


def decode(body: bytes, api_version: str, kind: str) -> Json:
    """The object in a body, whose envelope may leave out what kind it is; BadRequest for anything else.

    What the envelope says comes first: it is the caller who finds out whether that is the `kind` which was expected.
    """
    from google.protobuf.message import DecodeError

    try:
        envelope = message(ENVELOPE).FromString(_enveloped(body))
        version, named = envelope.typeMeta.apiVersion or api_version, envelope.typeMeta.kind or kind
        obj = _fields(_kind(version, named).FromString(_raw(envelope)))
    except (DecodeError, ValueError, OverflowError, OSError, RecursionError) as error:
        # Not the text of other errors, which may quote a secret.
        why = error if isinstance(error, _Unreadable) else "the message does not decode"
        raise BadRequest(f"the object provided is unrecognized (must be of type {kind}): {why}") from error
    return {"apiVersion": version, "kind": named, **obj}


class _Unreadable(ValueError):
    """What is wrong with an envelope, in a clause."""


def _enveloped(body: bytes) -> bytes:
    if not body.startswith(_MAGIC):
        raise _Unreadable("protobuf begins with the bytes 6b 38 73 00")
    return body[len(_MAGIC) :]


def _raw(envelope: Any) -> bytes:
    if envelope.contentEncoding or envelope.contentType not in ("", MEDIA_TYPE):
        raise _Unreadable("its envelope holds another format")
    raw: bytes = envelope.raw
    return raw


def _kind(api_version: str, kind: str) -> Any:
    # Every group has the options of deletions.
    package = PACKAGES["meta.k8s.io/v1"] if kind == _DELETE_OPTIONS else PACKAGES.get(api_version, "")
    try:
        return message(f"{package}.{kind}")
    except KeyError:
        raise _Unreadable("its envelope names no kind that is served") from None


@cache
def _pool() -> Any:
    from google.protobuf.descriptor_pb2 import FileDescriptorSet
    from google.protobuf.descriptor_pool import DescriptorPool

    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()).file:
        pool.Add(file)
    return pool


def message(name: str) -> Any:
    """The class of a message by its full name; KeyError for one that is not described."""
    from google.protobuf.message_factory import GetMessageClass

    return GetMessageClass(_pool().FindMessageTypeByName(name))


def _fields(message: Any) -> Json:
    """The fields as Go's JSON has them; null stands for nothing, and is left out."""
    found: Json = {}
    for field, value in message.ListFields():
        if field.json_name == INLINE:
            found.update(_fields(value))
        elif (converted := _field(field, value)) is not None:
            found[field.json_name] = converted
    return found


def _field(field: Any, value: Any) -> Any:
    if not field.is_repeated:
        return _value(field, value)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        inner = field.message_type.fields_by_name["value"]
        return {key: _value(inner, value[key]) for key in value}
    return [_value(field, one) for one in value]


def _value(field: Any, value: Any) -> Any:
    if field.type == field.TYPE_BYTES:
        return base64.b64encode(value).decode()
    if field.message_type is None:
        return value
    convert: Callable[[Any], Any] = SPECIAL.get(field.message_type.full_name, _fields)
    return convert(value)


def _int_or_string(value: Any) -> Any:
    return value.strVal if value.type else value.intVal


def _quantity(value: Any) -> str:
    return value.string or "0"


def _time(value: Any) -> str | None:
    """Go writes the zero time as an empty message, and as null."""
    return timestamps.format(datetime.fromtimestamp(value.seconds, UTC)) if value.ListFields() else None


def _fields_v1(value: Any) -> Any:
    """JSON within the message; what surrounds it is as deep as its types."""
    if not value.Raw:
        return None
    fields = jsontext.loads(value.Raw)
    jsontext.check_depth(fields)
    return fields


SPECIAL: Final[dict[str, Callable[[Any], Any]]] = {
    "k8s.io.apimachinery.pkg.api.resource.Quantity": _quantity,
    "k8s.io.apimachinery.pkg.apis.meta.v1.FieldsV1": _fields_v1,
    "k8s.io.apimachinery.pkg.apis.meta.v1.Time": _time,
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": _int_or_string,
}
"""Messages that are not objects in JSON."""
