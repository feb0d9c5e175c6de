"""Objects under a schema, field by field: which fields one has, how two differ, merging and removing (contract 6.2).

Follows the algorithm of Kubernetes' structured-merge-diff (Apache-2.0) for one version of one schema.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from webhook.errors import Json
from webhook.meta import fieldset
from webhook.meta.fieldset import FieldSet, Path
from webhook.meta.schema import ANYTHING, Schema

Form = Literal["map", "list", "leaf"]


class _Absent:
    """Not there; null is something else."""


_ABSENT: Final = _Absent()


@dataclass(frozen=True)
class Comparison:
    """The fields that only the new object has, that have another value there, and that only the old one has."""

    added: FieldSet
    modified: FieldSet
    removed: FieldSet

    @property
    def taken(self) -> FieldSet:
        """What the new object sets."""
        return self.added | self.modified


def problems(value: Any, schema: Schema, path: Path = ()) -> Iterator[str]:
    """Why an object cannot be applied: unknown fields, and items of lists that cannot be told apart."""
    form = _form(schema, value)
    if isinstance(value, dict):
        for name, inner in value.items():
            child = schema.child(name)
            below = (*path, fieldset.field(name))
            if child is None:
                yield f"{fieldset.text(below)}: field not declared in schema"
            else:
                yield from problems(inner, child, below)
    elif form == "list" and value:
        yield from _item_problems(value, schema, path)
        for one in value:
            yield from problems(one, schema.items, (*path, _element(one, schema)))
    elif isinstance(value, list) and schema.type:
        for index, one in enumerate(value):
            yield from problems(one, schema.items, (*path, f"i:{index}"))


def _item_problems(items: list[Any], schema: Schema, path: Path) -> Iterator[str]:
    counted = Counter(_element(one, schema) for one in items)
    for index, one in enumerate(items):
        if schema.list_type == "map" and isinstance(one, dict) and not _keys(one, schema):
            missing = schema.list_keys[0]
            why = f'associative list with keys has an element that omits key field "{missing}"'
            yield f"{fieldset.text(path)}: element {index}: {why} (and doesn't have default value)"
    for element, count in counted.items():
        if count > 1:
            yield f"{fieldset.text(path)}: duplicate entries for key {fieldset.text((element,))}"


def field_set(value: Any, schema: Schema) -> FieldSet:
    """The fields that an object has."""
    found: set[Path] = set()
    _collect((), value, schema, found)
    return frozenset(found)


def _collect(path: Path, value: Any, schema: Schema, found: set[Path]) -> None:
    form = _form(schema, value)
    if form == "leaf":
        found.add(path)
    elif form == "map":
        for name, inner in (value or {}).items():
            below = (*path, fieldset.field(name))
            _collect(below, inner, _child(schema, name), found)
            if inner is None or inner == {} or not schema.declares(name):
                found.add(below)
    else:
        for one in value or ():
            below = (*path, _element(one, schema))
            _collect(below, one, schema.items, found)
            found.add(below)


def compare(old: Any, new: Any, schema: Schema) -> Comparison:
    """How the new object differs; a part that appears or disappears counts with all its containers."""
    added: set[Path] = set()
    modified: set[Path] = set()
    removed: set[Path] = set()
    _Comparing(added, modified, removed).walk((), old, new, schema)
    return Comparison(frozenset(added), frozenset(modified), frozenset(removed))


@dataclass
class _Comparing:
    added: set[Path]
    modified: set[Path]
    removed: set[Path]

    def walk(self, path: Path, old: Any, new: Any, schema: Schema) -> None:
        forms = {_form(schema, one) for one in (old, new) if one is not _ABSENT}
        for form in forms:
            if form == "leaf" or not (_filled(old, form) or _filled(new, form)):
                self._leaf(path, old, new)
            elif form == "map":
                self._map(path, old, new, schema)
            else:
                self._list(path, old, new, schema)
        if old is _ABSENT:
            self.added.add(path)
        elif new is _ABSENT:
            self.removed.add(path)

    def _leaf(self, path: Path, old: Any, new: Any) -> None:
        if old is not _ABSENT and new is not _ABSENT and not _equal(old, new):
            self.modified.add(path)

    def _map(self, path: Path, old: Any, new: Any, schema: Schema) -> None:
        left, right = _as(dict, old), _as(dict, new)
        for name in {**left, **right}:
            below = (*path, fieldset.field(name))
            self.walk(below, left.get(name, _ABSENT), right.get(name, _ABSENT), _child(schema, name))

    def _list(self, path: Path, old: Any, new: Any, schema: Schema) -> None:
        left, right = _indexed(_as(list, old), schema), _indexed(_as(list, new), schema)
        for element in {**left, **right}:
            before, after = left.get(element, []), right.get(element, [])
            below = (*path, element)
            if len(before) < 2 and len(after) < 2:
                self.walk(below, before[0] if before else _ABSENT, after[0] if after else _ABSENT, schema.items)
            elif not before:
                self.added.add(below)
            elif not after:
                self.removed.add(below)
            elif before != after:
                self.modified.add(below)


def merge(live: Any, config: Any, schema: Schema) -> Any:
    """The live object with what the config sets; `config` has no `problems`."""
    if config is _ABSENT or live is _ABSENT:
        return live if config is _ABSENT else config
    form = _form(schema, config)
    if form == "leaf" or form != _form(schema, live) or not (live or config):
        return config
    if form == "map":
        left, right = _as(dict, live), _as(dict, config)
        return {
            name: merge(left.get(name, _ABSENT), right.get(name, _ABSENT), _child(schema, name))
            for name in {**left, **right}
        }
    return _interleaved(_as(list, live), _as(list, config), schema)


def _interleaved(live: list[Any], config: list[Any], schema: Schema) -> list[Any]:
    """Live order, but shared items in the config's order, and new items where the config has them."""
    left, right = [_element(one, schema) for one in live], [_element(one, schema) for one in config]
    old, new = _indexed(live, schema), dict(zip(right, config, strict=True))
    shared = iter([element for element in right if element in old])
    upcoming = next(shared, None)
    merged: list[Any] = []
    done: set[str] = set()
    i = j = 0

    def both(element: str) -> Any:
        done.add(element)
        before = old.get(element, [])
        return merge(before[0] if len(before) == 1 else _ABSENT, new[element], schema.items)

    while i < len(left) or j < len(right):
        if i < len(left) and j < len(right):
            if left[i] == right[j]:
                merged.append(both(left[i]))
                i, j, upcoming = i + 1, j + 1, next(shared, None)
                continue
            if left[i] in new and upcoming is not None and upcoming != left[i]:
                i += 1
                continue
        if i < len(left):
            if left[i] not in new:
                merged.append(live[i])
                i += 1
                continue
            if left[i] in done:
                i += 1
        if j < len(right):
            merged.append(both(right[j]))
            if upcoming == right[j]:
                upcoming = next(shared, None)
            j += 1
    return merged


def remove(value: Any, fields: FieldSet, schema: Schema) -> Any:
    """The object without those fields; a container that loses all its members stays, empty."""
    above = {path[:length] for path in fields for length in range(len(path))}
    return _removed((), value, fields, above, schema)


def _removed(path: Path, value: Any, fields: FieldSet, above: set[Path], schema: Schema) -> Any:
    if path not in above:
        return value
    form = _form(schema, value)
    if form == "map" and value:
        kept = {name: (*path, fieldset.field(name)) for name in value}
        return {
            name: _removed(below, value[name], fields, above, _child(schema, name))
            for name, below in kept.items()
            if below not in fields
        }
    if form == "list" and value:
        elements = [((*path, _element(one, schema)), one) for one in value]
        return [_removed(below, one, fields, above, schema.items) for below, one in elements if below not in fields]
    return value


def with_named(fields: FieldSet, schema: Schema) -> FieldSet:
    """The set and, of the containers on the way to its members, those that the schema declares as fields."""
    found = set(fields)
    seen: set[Path] = set()
    for path in fields:
        node = schema
        for length, element in enumerate(path[:-1], 1):
            kind, _, name = element.partition(":")
            if kind == "f" and node.declares(name) and path[:length] not in seen:
                found.add(path[:length])
            seen.add(path[:length])
            node = _child(node, name) if kind == "f" else node.items if kind == "k" else ANYTHING
    return frozenset(found)


def _form(schema: Schema, value: Any) -> Form:
    """How a value is looked at; null is whatever its schema says."""
    named = schema.type == "object" and value is None
    if named or (schema.type in ("object", "") and isinstance(value, dict)):
        return "leaf" if schema.is_atomic_map else "map"
    if schema.type == "array" and (value is None or isinstance(value, list)):
        return "leaf" if schema.list_type == "atomic" else "list"
    return "leaf"


def _child(schema: Schema, name: str) -> Schema:
    return schema.child(name) or ANYTHING


def _filled(value: Any, form: Form) -> bool:
    return isinstance(value, dict if form == "map" else list) and bool(value)


def _as(kind: type, value: Any) -> Any:
    return value if isinstance(value, kind) else kind()


def _keys(one: Json, schema: Schema) -> Json:
    found = {}
    for key in schema.list_keys:
        default = _child(schema.items, key).node.get("default")
        if one.get(key, default) is not None:
            found[key] = one.get(key, default)
    return found


def _element(one: Any, schema: Schema) -> str:
    if schema.list_type == "map" and isinstance(one, dict):
        return fieldset.item(_keys(one, schema))
    return fieldset.member(one)


def _indexed(items: list[Any], schema: Schema) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for one in items:
        found.setdefault(_element(one, schema), []).append(one)
    return found


def _equal(old: Any, new: Any) -> bool:
    """Equal as JSON values: Python's True is 1, JSON's is not."""
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)
