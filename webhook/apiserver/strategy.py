"""What is special about one stored kind, as pure functions: the one thing that a new kind has to bring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from webhook.apiserver.rest import Call
from webhook.errors import Findings, Json
from webhook.meta import names


class SelectableMeta(TypedDict, total=False):
    """The metadata that selectors look at."""

    name: str
    namespace: str
    labels: dict[str, Any] | None


class Selectable(TypedDict):
    """The parts of an object that selectors look at: all that is decoded to choose among many."""

    metadata: SelectableMeta


class Strategy:
    """What is special about one stored kind: defaults, server-owned fields, rules. Pure but for `call`'s lookups."""

    collectable = True
    # The fields that an object of this kind has when nobody said anything about it.
    blank: Mapping[str, Json] = {}
    # What `decorate` depends on besides the object and this program; a change of either is a change of these.
    rules: tuple[str, ...] = ()
    # What of an object `selectable` reads, as a TypedDict.
    selected: Any = Selectable

    def default(self, obj: Json) -> Json:
        """The object with defaults, as it is after decoding."""
        return obj

    def prepare_for_create(self, call: Call, obj: Json) -> tuple[Json, Findings]:
        """The object as it will be stored, and what is wrong with it."""
        return obj, []

    def prepare_for_update(self, call: Call, new: Json, old: Json) -> tuple[Json, Findings]:
        """The object as it will be stored in place of `old`, and what is wrong with it."""
        return new, []

    def decorate(self, obj: Json) -> Json:
        """The object as it is shown, made of the one that is stored."""
        return obj

    def restore(self, obj: Json) -> Json:
        """The object as it is stored, made of the one that is shown."""
        return obj

    def view(self, obj: Json) -> Json:
        """The object as this endpoint shows it, where that is not as the resource itself does."""
        return self.decorate(obj)

    def selectable(self, obj: Json) -> Mapping[str, str]:
        """Values for field selectors beyond name and namespace."""
        return {}

    def name_findings(self, name: str, namespace: str) -> Findings:
        """What is wrong with a name."""
        return names.path_segment_findings(name, "metadata.name")

    def prefix_findings(self, prefix: str) -> Findings:
        """What is wrong with a `generateName`."""
        return []
