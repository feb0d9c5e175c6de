"""JSON merge patch (RFC 7386): what is given replaces, null removes, lists are whole."""

from __future__ import annotations

from typing import Any

from webhook.errors import BadRequest, Json
from webhook.meta import jsontext
from webhook.meta.duplicates import Duplicates


def apply(document: Json, patch: bytes | Json) -> Json:
    """The document with the patch applied, which is left as it is; BadRequest for a patch that is not an object."""
    parsed = parse(patch)[0] if isinstance(patch, bytes) else patch
    merged: Json = _merged(document, parsed)
    return merged


def parse(patch: bytes) -> tuple[Json, list[str]]:
    """The object in a patch's body, and a finding for each key that occurs twice; BadRequest for anything else."""
    seen = Duplicates()
    try:
        value = jsontext.loads(patch, object_pairs_hook=seen.pairs)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"error decoding patch: {error}") from error
    if not isinstance(value, dict):
        name = {list: "array", str: "string", bool: "bool", type(None): "null"}.get(type(value), "number")
        text = f"json: cannot unmarshal {name} into Go value of type map[string]interface {{}}"
        raise BadRequest(f"error decoding patch: {text}")
    return value, seen.findings(value)


def _merged(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged
