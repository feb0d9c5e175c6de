"""Reading an OpenAPI v3 schema: what a field is, and how lists and maps in it are merged."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Final, Literal

from webhook.errors import Json

REF_PREFIX: Final = "#/components/schemas/"

ListType = Literal["map", "set", "atomic"]


class Schema:
    """One node of a schema; `definitions` resolves its references, by name without the prefix.

    A node without a type, or with `x-kubernetes-preserve-unknown-fields`, describes anything.
    """

    def __init__(self, node: Json, definitions: Mapping[str, Json]) -> None:
        self.definitions = definitions
        self.node = _resolved(node, definitions)
        self._children: dict[str, Schema] = {}

    def __repr__(self) -> str:
        return f"Schema({self.type or 'any'}, {', '.join(self.node.get('properties', {}))})"

    @cached_property
    def type(self) -> str:
        """`object`, `array`, `string`, `integer`, `number`, `boolean`, or "" for anything."""
        return str(self.node.get("type", ""))

    @cached_property
    def format(self) -> str:
        """`date-time`, `byte`, `int64`, ... or ""."""
        return str(self.node.get("format", ""))

    @cached_property
    def preserves_unknown(self) -> bool:
        """True where fields that the schema does not name are kept."""
        return bool(self.node.get("x-kubernetes-preserve-unknown-fields"))

    @cached_property
    def is_map(self) -> bool:
        """True for an object whose keys are free and whose values are all alike, such as labels."""
        return "additionalProperties" in self.node

    def declares(self, name: str) -> bool:
        """True for a field that the schema names."""
        return name in self.node.get("properties", {})

    def child(self, name: str) -> Schema | None:
        """The schema of a field, or of a map's values; None for a field that the schema does not know."""
        known = self._children.get(name)
        if known is not None:
            return known
        node = self.node.get("properties", {}).get(name, self.node.get("additionalProperties"))
        if node is None:
            return ANYTHING if self.preserves_unknown or not self.type else None
        if not self.declares(name):
            return self.values
        return self._children.setdefault(name, Schema(node, self.definitions))

    @cached_property
    def values(self) -> Schema:
        """The schema of a map's values."""
        return Schema(self.node.get("additionalProperties") or {}, self.definitions)

    @cached_property
    def items(self) -> Schema:
        """The schema of a list's items."""
        return Schema(self.node.get("items") or {}, self.definitions)

    @cached_property
    def merge_key(self) -> str:
        """The field by which a strategic merge patch tells items of a list apart, or ""."""
        return str(self.node.get("x-kubernetes-patch-merge-key", ""))

    @cached_property
    def strategies(self) -> frozenset[str]:
        """The patch strategies: `merge`, `replace`, `retainKeys`."""
        return frozenset(str(self.node.get("x-kubernetes-patch-strategy", "")).split(",")) - {""}

    @cached_property
    def list_type(self) -> ListType:
        """How apply merges a list: as declared, else as the patch strategy says, else as a whole (contract 6.2)."""
        declared = self.node.get("x-kubernetes-list-type")
        if declared in ("map", "set", "atomic"):
            return declared  # type: ignore[no-any-return]
        if "merge" in self.strategies:
            return "map" if self.merge_key else "set"
        return "atomic"

    @cached_property
    def list_keys(self) -> tuple[str, ...]:
        """The fields that identify an item of a map list."""
        return tuple(self.node.get("x-kubernetes-list-map-keys") or ([self.merge_key] if self.merge_key else ()))

    @cached_property
    def is_atomic_map(self) -> bool:
        """True for an object that apply treats as one value."""
        return self.node.get("x-kubernetes-map-type") == "atomic"


def _resolved(node: Json, definitions: Mapping[str, Json]) -> Json:
    """The node with its reference replaced; what stands beside the reference (merge keys) wins over its target."""
    reference = node.get("$ref")
    beside = {key: value for key, value in node.items() if key not in ("$ref", "allOf")}
    if reference is None and len(node.get("allOf", ())) == 1:
        return {**_resolved(node["allOf"][0], definitions), **beside}
    if reference is None:
        return node
    return {**_resolved(definitions[reference.removeprefix(REF_PREFIX)], definitions), **beside}


ANYTHING: Final = Schema({}, {})
"""The schema of a value about which nothing is known."""
