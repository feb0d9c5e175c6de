"""Keys that occur twice in one object of a text: the last one wins, and clients are told (api-server contract 3.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from webhook.errors import Json


class Duplicates:
    """Builds objects while it collects the keys that occur twice in one of them."""

    def __init__(self) -> None:
        self.objects: list[tuple[Json, list[str]]] = []

    def pairs(self, pairs: Iterable[tuple[str, Any]]) -> Json:
        """The object of these fields, the last of each name; an `object_pairs_hook` of `json.loads`."""
        found: Json = {}
        twice = []
        for key, value in pairs:
            if key in found:
                twice.append(key)
            found[key] = value
        if twice:
            self.objects.append((found, twice))
        return found

    def findings(self, root: Any) -> list[str]:
        """`duplicate field "spec.x"` for each, in the order of the document."""
        if not self.objects:
            return []
        twice = {id(found): keys for found, keys in self.objects}
        return [
            f'duplicate field "{joined(path, key)}"'
            for path, one in _objects(root, "")
            for key in twice.get(id(one), ())
        ]


def _objects(value: Any, path: str) -> Iterable[tuple[str, Json]]:
    """All objects within a value, each with its path."""
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            yield from _objects(inner, joined(path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _objects(inner, f"{path}[{index}]")


def joined(path: str, key: str) -> str:
    """The path of a field within the object at `path`."""
    return f"{path}.{key}" if path else key
