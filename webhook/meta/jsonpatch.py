"""JSON patch (RFC 6902), with the failures that Kubernetes clients know (api-server contract 3.7).

For Kubernetes a key that is not there is one with the value null: `replace` sets it, `test` finds null, `copy` copies
null. kube-apiserver 1.32 was the witness.
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any, Final

from jsonpatch import (
    AddOperation,
    CopyOperation,
    InvalidJsonPatch,
    JsonPatch,
    JsonPatchException,
    ReplaceOperation,
    TestOperation,
)
from jsonpointer import JsonPointerException

from webhook.errors import BadRequest, Invalid, Json, RequestEntityTooLarge
from webhook.meta import jsontext

MAX_OPERATIONS: Final = 10_000
MAX_DOCUMENT: Final = 3 * 1024 * 1024


class _Replace(ReplaceOperation):
    """Kubernetes' `replace` of a key that is not there adds it, which the RFC forbids and clients rely on."""

    def apply(self, obj: Any) -> Any:
        target, key = self.pointer.to_last(obj)
        if key is not None and isinstance(target, dict) and key not in target:
            target[key] = self.operation["value"]
            return obj
        return super().apply(obj)


class _Test(TestOperation):
    """A `test` for null is how clients ask that a key is not there."""

    def apply(self, obj: Any) -> Any:
        target, key = self.pointer.to_last(obj)
        if isinstance(target, dict) and key not in target and self.operation.get("value") is None:
            return obj
        return super().apply(obj)


class _Copy(CopyOperation):
    """Each copy can double the document, so copies have a budget as in Kubernetes."""

    def apply(self, obj: Any) -> Any:
        if len(json.dumps(obj)) > MAX_DOCUMENT:
            raise RequestEntityTooLarge(
                f"a JSON patch must not copy a document beyond {MAX_DOCUMENT} bytes", details={}
            )
        source, key = self.pointer_cls(self.operation["from"]).to_last(obj)
        if isinstance(source, dict) and key not in source:
            return AddOperation({"op": "add", "path": self.location, "value": None}).apply(obj)
        return super().apply(obj)


class _Patch(JsonPatch):
    operations = MappingProxyType({**JsonPatch.operations, "replace": _Replace, "test": _Test, "copy": _Copy})


def apply(document: Json, operations: list[Json]) -> Json:
    """The document with the operations applied, which is left as it is.

    Raises RequestEntityTooLarge above 10 000 operations, and Invalid for a failed test, a path that does not exist or
    an operation that there is not.
    """
    if len(operations) > MAX_OPERATIONS:
        allowed = f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}"
        raise RequestEntityTooLarge(allowed, details={})
    try:
        # The library changes and shares what it is given, so it gets a document of its own.
        patched = _Patch(operations).apply(json.loads(json.dumps(document)), in_place=True)
    except (JsonPatchException, InvalidJsonPatch, JsonPointerException, TypeError, AttributeError, KeyError) as error:
        raise _unprocessable() from error
    if not isinstance(patched, dict):
        raise _unprocessable()
    return patched


def parse(patch: bytes) -> list[Json]:
    """The operations of a patch's body; BadRequest for anything but a list of objects whose op and path are text."""
    try:
        operations = jsontext.loads(patch)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"error decoding patch: {error}") from error
    if not isinstance(operations, list):
        name = "object" if isinstance(operations, dict) else type(operations).__name__
        raise BadRequest(f"error decoding patch: json: cannot unmarshal {name} into Go value of type jsonpatch.Patch")
    if not all(map(_is_operation, operations)):
        raise BadRequest("error decoding patch: an operation is an object whose op and path are text")
    return operations


def _is_operation(value: Any) -> bool:
    """True for what may be one; null is an operation that says nothing, and fails when it is applied."""
    if not isinstance(value, dict):
        return value is None
    return all(isinstance(value.get(key, ""), str) for key in ("op", "path"))


def _unprocessable() -> Invalid:
    return Invalid("the server rejected our request due to an error in our request", details={})
