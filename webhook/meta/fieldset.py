"""Sets of fields of an object, as managedFields write them down (FieldsV1, api-server contract 6.2).

A field is a path of elements, spelled as in FieldsV1: `f:spec`, `k:{"name":"v1"}` (an item of a list that is a map),
`v:"a"` (an item of a set), `i:0`. A set is a frozenset of such paths, so that `|`, `&` and `-` are Python's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from webhook.errors import Json

Path = tuple[str, ...]
FieldSet = frozenset[Path]

NOTHING: Final[FieldSet] = frozenset()
_MEMBER: Final = "."
_MAX_DEPTH: Final = 200


def field(name: str) -> str:
    """The element of a named field."""
    return f"f:{name}"


def item(keys: Json) -> str:
    """The element of an item of a map list, by the fields that identify it."""
    return f"k:{_canonical(keys)}"


def member(value: Any) -> str:
    """The element of an item of a set."""
    return f"v:{_canonical(value)}"


def encode(fields: Iterable[Path]) -> Json:
    """The set as FieldsV1; a field that has members below itself carries `"."`."""
    root: Json = {}
    members = sorted(fields)
    for path in members:
        node = root
        for element in path:
            node = node.setdefault(element, {})
    for path in members:
        node = root
        for element in path:
            node = node[element]
        if node:
            node[_MEMBER] = {}
    return _sorted(root)


def decode(tree: Any) -> FieldSet:
    """The set that FieldsV1 describes; ValueError for anything else."""
    found: set[Path] = set()
    level: list[tuple[Path, Any]] = [((), tree)]
    while level:
        path, node = level.pop()
        if not isinstance(node, dict) or len(path) > _MAX_DEPTH:
            raise ValueError(f"not a FieldsV1 object at {text(path) or 'the root'}")
        if path and (not node or _MEMBER in node):
            found.add(path)
        level += [((*path, _checked(key)), below) for key, below in node.items() if key != _MEMBER]
    return frozenset(found)


def text(path: Path) -> str:
    """The path as Kubernetes prints it, such as `.spec.tags[name="v1"].from`."""
    return "".join(_printed(element) for element in path)


def _checked(element: Any) -> str:
    kind, _, rest = str(element).partition(":")
    if kind == "f":
        return str(element)
    value = json.loads(rest)
    if kind == "k" and isinstance(value, dict):
        return item(value)
    if kind == "v":
        return member(value)
    if kind == "i" and isinstance(value, int):
        return f"i:{value}"
    raise ValueError(f"unknown path element {element!r}")


def _printed(element: str) -> str:
    kind, _, rest = element.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "k":
        keys = json.loads(rest)
        return "[" + ",".join(f"{key}={_canonical(value)}" for key, value in keys.items()) + "]"
    return f"[={rest}]" if kind == "v" else f"[{rest}]"


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _sorted(node: Json) -> Json:
    return {key: _sorted(node[key]) for key in sorted(node)}
