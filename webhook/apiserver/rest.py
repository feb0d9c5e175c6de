"""What a resource offers to the generic verbs: the one interface between handlers and kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from webhook.apiserver.bodies import Shown
from webhook.apiserver.deletion import DeleteOptions
from webhook.errors import Json, MethodNotAllowed, StatusError, UnsupportedMediaType, qualified
from webhook.meta.identity import User
from webhook.meta.resources import ResourceInfo
from webhook.meta.selectors import FieldSelector, LabelSelector

# From the object as it is (None: there is none) to the object as it should be.
Transform = Callable[[Json | None], Json]
# The Table cells of one object.
Cells = list[Any]
Row = Callable[[Json], Cells]


@dataclass
class Call:
    """One request as the kinds see it: who asks, how to write, and the warnings to send along."""

    user: User
    namespace: str = ""
    dry_run: bool = False
    field_manager: str = ""
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Selection:
    """Which objects of a collection, and which page of them."""

    labels: LabelSelector
    fields: FieldSelector
    limit: int = 0
    after: tuple[str, str] | None = None
    at: int | None = None

    @property
    def selects(self) -> bool:
        """True where some objects of the collection may be left out."""
        return bool(self.labels) or bool(self.fields)


class Listing(NamedTuple):
    """One page of a collection."""

    items: Sequence[Shown]
    revision: int | None
    after: tuple[str, str] | None = None
    remaining: int | None = None


class Gone(NamedTuple):
    """What a deletion reports of an object that is no more; `uid` is empty where its kind reports none."""

    uid: str = ""


class Rest:
    """A resource: the verbs that its `info` names, and a 405 for all others.

    `schema` is None where bodies are taken as they come. Objects returned are complete, with apiVersion, kind and
    resourceVersion; they are the caller's to change.
    """

    info: ResourceInfo
    subresource = ""
    schema: Any = None
    unconditional_update = False
    # False for commands, whose answers have no rows (image-api 12.11).
    has_table = True
    fields: frozenset[str] = frozenset({"metadata.name", "metadata.namespace"})
    columns: list[Json] | None = None
    _row: Row | None = None

    @property
    def kind(self) -> str:
        """The kind of the objects."""
        return self.info.kind

    @property
    def api_version(self) -> str:
        """The group and version of the objects."""
        return f"{self.info.group}/{self.info.version}" if self.info.group else self.info.version

    @property
    def verbs(self) -> tuple[str, ...]:
        """The verbs that this resource or subresource has."""
        return self.info.verbs

    def create(self, call: Call, obj: Json) -> Shown:
        """Store a new object; `obj` has passed decoding and agrees with the URL."""
        raise self._no("create")

    def get(self, call: Call, name: str) -> Shown:
        """One object, or NotFound."""
        raise self._no("get")

    def list(self, call: Call, selection: Selection) -> Listing:
        """One page of the objects that are selected, ordered by namespace and name."""
        raise self._no("list")

    def update(self, call: Call, name: str, transform: Transform) -> tuple[Shown, bool]:
        """Replace an object by what `transform` makes of it; True where that created it."""
        raise self._no("update")

    def apply(self, call: Call, name: str, config: Json, *, force: bool) -> tuple[Shown, bool]:
        """Server-side apply; True where that created the object. Only for kinds that keep track of managers."""
        name = qualified(self.info.resource, self.info.group)
        raise UnsupportedMediaType(
            f"server-side apply is not supported on {name}: use another type of patch", details={}
        )

    def delete(self, call: Call, name: str, options: DeleteOptions) -> Shown | Gone:
        """Delete one object; the object itself where it has to wait for finalizers."""
        raise self._no("delete")

    def selectable(self, obj: Json) -> Mapping[str, str]:
        """The values that field selectors compare."""
        meta = obj["metadata"]
        return {"metadata.name": meta["name"], "metadata.namespace": meta.get("namespace", "")}

    def row(self, obj: Json) -> Cells | None:
        """The Table cells of one object; None for the fallback of name and age."""
        return None if self._row is None else self._row(obj)

    def _no(self, verb: str) -> StatusError:
        name = qualified(self.info.resource, self.info.group)
        return MethodNotAllowed(f'{verb} is not supported on resources of kind "{name}"', details={})
