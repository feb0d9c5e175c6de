"""Strategic merge patch: like a merge patch, but lists are merged as their schema says (api-server contract 3.7).

Directives: `$patch: replace|delete|merge` in maps and list items, `$deleteFromPrimitiveList/<field>`,
`$setElementOrder/<field>` and `$retainKeys`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from webhook.errors import BadRequest, Invalid, Json
from webhook.meta import mergepatch
from webhook.meta.schema import ANYTHING, Schema

_PATCH: Final = "$patch"
_RETAIN_KEYS: Final = "$retainKeys"
_DELETE_FROM: Final = "$deleteFromPrimitiveList/"
_SET_ORDER: Final = "$setElementOrder/"


def apply(document: Json, patch: bytes | Json, schema: Schema) -> Json:
    """The document with the patch applied, which is left as it is.

    Raises BadRequest for a patch that is not an object or a malformed directive, and Invalid for a list item without
    its merge key or an unknown `$patch`.
    """
    parsed = mergepatch.parse(patch)[0] if isinstance(patch, bytes) else patch
    return _map(document, parsed, schema)


def _map(original: Json, patch: Json, schema: Schema) -> Json:
    directive = patch.get(_PATCH, "merge")
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != _PATCH}
    if directive == "delete":
        return {}
    if directive != "merge":
        raise _unprocessable(f"unknown patch type: {directive} in map: {json.dumps(patch)}")
    merged = _retained(original, patch)
    orders = _lists_of(patch, _SET_ORDER)
    for key, gone in _lists_of(patch, _DELETE_FROM).items():
        if isinstance(merged.get(key), list):
            merged[key] = [one for one in merged[key] if one not in gone]
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        if value is None:
            merged.pop(key, None)
            continue
        merged[key] = _value(merged.get(key), value, _child(schema, key), orders.get(key))
        if _is_deletion(value):
            del merged[key]
    for key, order in orders.items():
        if key not in patch and isinstance(merged.get(key), list):
            merged[key] = _ordered(merged[key], order, merged[key], _child(schema, key).merge_key)
    return merged


def _is_deletion(value: Any) -> bool:
    return isinstance(value, dict) and value.get(_PATCH) == "delete"


def _child(schema: Schema, key: str) -> Schema:
    return schema.child(key) or ANYTHING


def _retained(original: Json, patch: Json) -> Json:
    """The original without the keys that `$retainKeys` does not name."""
    if _RETAIN_KEYS not in patch:
        return dict(original)
    retained = patch[_RETAIN_KEYS]
    if not isinstance(retained, list):
        raise BadRequest("invalid patch format of retainKeys")
    if any(key not in retained for key, value in patch.items() if not key.startswith("$") and value is not None):
        raise _unprocessable("patch contains fields not present in retainKeys list")
    return {key: value for key, value in original.items() if key in retained}


def _lists_of(patch: Json, prefix: str) -> dict[str, list[Any]]:
    """The directives with a prefix: field → list."""
    found = {key.removeprefix(prefix): value for key, value in patch.items() if key.startswith(prefix)}
    if not all(isinstance(value, list) for value in found.values()):
        raise BadRequest(f"invalid patch format of {prefix.strip('$/')}")
    return found


def _value(original: Any, patch: Any, schema: Schema, order: list[Any] | None) -> Any:
    if isinstance(patch, dict):
        if "replace" in schema.strategies:
            return patch
        return _map(original if isinstance(original, dict) else {}, patch, schema)
    if isinstance(patch, list) and "merge" in schema.strategies:
        return _list(original if isinstance(original, list) else [], patch, schema, order)
    return patch


def _list(original: list[Any], patch: list[Any], schema: Schema, order: list[Any] | None) -> list[Any]:
    if not schema.merge_key:
        return _ordered(_union(original, patch), order if order is not None else patch, original, "")
    key, remaining = schema.merge_key, list(original)
    changes = []
    for item in patch:
        if not isinstance(item, dict):
            raise _unprocessable(f"list element types are not identical: {json.dumps(patch)}")
        if item.get(_PATCH) == "replace":
            remaining = []
        elif item.get(_PATCH) == "delete":
            gone = _identity(item, key)
            remaining = [one for one in remaining if not (isinstance(one, dict) and one.get(key) == gone)]
        else:
            changes.append(item)
    merged = _with_changes(remaining, changes, schema)
    wanted = order if order is not None else changes
    return _ordered(merged, wanted, original, key)


def _with_changes(items: list[Any], changes: list[Json], schema: Schema) -> list[Any]:
    """Items merged with the changes that have the same key, and the other changes as new items."""
    merged, key = list(items), schema.merge_key
    places = {_token(one.get(key)): index for index, one in reversed(list(enumerate(items))) if isinstance(one, dict)}
    for change in changes:
        identity = _token(_identity(change, key))
        place = places.setdefault(identity, len(merged))
        if place == len(merged):
            merged.append({})
        merged[place] = _map(merged[place], change, schema.items)
    return merged


def _identity(item: Json, key: str) -> Any:
    if key not in item:
        raise _unprocessable(f"map: {json.dumps(item)} does not contain declared merge key: {key}")
    return item[key]


def _token(value: Any) -> str:
    """A hashable stand-in for a JSON value, which tells 1 from true."""
    return json.dumps(value, sort_keys=True)


def _union(original: list[Any], patch: list[Any]) -> list[Any]:
    return list({_token(one): one for one in [*original, *patch]}.values())


def _ordered(merged: list[Any], order: Sequence[Any], original: list[Any], key: str) -> list[Any]:
    """Items that the patch names in its order; between them the others, where the original had them."""
    wanted = {token: index for index, token in reversed(list(enumerate(_keys(order, key))))}
    before = {token: index for index, token in reversed(list(enumerate(_keys(original, key))))}
    tokens = dict(enumerate(_keys(merged, key)))
    named = sorted((i for i in tokens if tokens[i] in wanted), key=lambda i: wanted[tokens[i]])
    others = [i for i in tokens if tokens[i] not in wanted]
    result = []
    while named and others:
        other, one = before.get(tokens[others[0]]), before.get(tokens[named[0]])
        first = others if other is not None and one is not None and other < one else named
        result.append(merged[first.pop(0)])
    return result + [merged[i] for i in named + others]


def _keys(items: Sequence[Any], key: str) -> list[str]:
    return [_token(one.get(key) if key and isinstance(one, dict) else one) for one in items]


def _unprocessable(why: str) -> Invalid:
    return Invalid(why, details={})
