"""Generic verbs over one stored kind: a strategy says what is special about it, the store keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from webhook.apiserver import deletion, metadata
from webhook.apiserver.deletion import DeleteOptions
from webhook.apiserver.ownership import Managed, Ownership, settled
from webhook.apiserver.rest import Call, Listing, Rest, Row, Selection, Transform
from webhook.errors import (
    AlreadyExists,
    Conflict,
    Expired,
    FieldError,
    Findings,
    Invalid,
    Json,
    NotFound,
    qualified,
)
from webhook.meta import names
from webhook.meta.resources import ResourceInfo
from webhook.storage.store import Compacted, Create, Delete, Key, Missing, Page, Record, Stale, Store, Taken, Update

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
_TRIES = 5
_GENERATED_NAMES = 8
_SEARCH_PAGE = 500
Objects = list[Json]
_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list"
    " without the continue parameter."
)


class Strategy:
    """What is special about one stored kind: defaults, server-owned fields, rules. Pure but for `call`'s lookups."""

    collectable = True
    # The fields that an object of this kind has when nobody said anything about it.
    blank: Mapping[str, Json] = {}

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
        """The object as it is shown."""
        return obj

    def selectable(self, obj: Json) -> Mapping[str, str]:
        """Values for field selectors beyond name and namespace."""
        return {}

    def name_findings(self, name: str, namespace: str) -> Findings:
        """What is wrong with a name."""
        return names.path_segment_findings(name, "metadata.name")


class StoredRest(Rest):
    """All verbs over one kind in the store. Writes are optimistic: read, compute, write if unchanged, else again."""

    def __init__(
        self,
        info: ResourceInfo,
        store: Store,
        strategy: Strategy,
        *,
        schema: Any = None,
        fields: frozenset[str] = frozenset(),
        unconditional_update: bool = False,
        columns: list[Json] | None = None,
        row: Row | None = None,
        tracked: bool = True,
    ) -> None:
        """`tracked` is False for writes of the server's own, which change nothing about who owns which field."""
        self.info, self.store, self.strategy, self.schema = info, store, strategy, schema
        self.fields = Rest.fields | fields
        self.unconditional_update = unconditional_update
        self.columns, self._row = columns, row
        self.key = qualified(info.resource, info.group)
        has_status = any(one.name == "status" for one in info.subresources)
        self.ownership = (
            Ownership(schema, self.api_version, self.subresource, has_status, strategy.blank)
            if tracked and schema
            else None
        )

    # reading

    def show(self, record: Record) -> Json:
        """The object of a record, as it is shown."""
        return self.strategy.decorate(self.raw(record))

    def raw(self, record: Record) -> Json:
        """The object of a record as it was stored, with its resource version."""
        obj: Json = msgspec.json.decode(record.value)
        obj["metadata"]["resourceVersion"] = str(record.rv)
        return obj

    def find(self, namespace: str, name: str) -> Json | None:
        """One object as it was stored, or None."""
        record = self.store.get(self.key, namespace, name)
        return None if record is None else self.raw(record)

    def get(self, call: Call, name: str) -> Json:
        """One object, or NotFound."""
        return self.strategy.decorate(self._existing(call.namespace, name))

    def list(self, call: Call, selection: Selection) -> Listing:
        """A page: selectors are applied after reading, so several reads may be needed to fill it."""
        items: list[Json] = []
        after, at = selection.after, selection.at
        while True:
            page = self._page(call, selection, after, at)
            at = page.rv
            for record in page.records:
                obj = self.show(record)
                if self.matches(obj, selection):
                    items.append(obj)
                if selection.limit and len(items) == selection.limit:
                    return self._filled(items, selection, page, record)
            after = page.next
            if after is None:
                return Listing(items, page.rv)

    def _page(self, call: Call, selection: Selection, after: Key | None, at: int | None) -> Page:
        """With a selector much is read for few that match, so pages are larger then."""
        limit = max(selection.limit, _SEARCH_PAGE) if selection.limit and selection.selects else selection.limit
        try:
            return self.store.list(self.key, call.namespace or None, limit=limit, after=after, at=at)
        except Compacted as gone:
            raise Expired(_EXPIRED) from gone

    def _filled(self, items: Objects, selection: Selection, page: Page, last: Record) -> Listing:
        if page.next is None and last is page.records[-1]:
            return Listing(items, page.rv)
        remaining = None if selection.selects else page.remaining
        return Listing(items, page.rv, (last.namespace, last.name), remaining)

    def matches(self, obj: Json, selection: Selection) -> bool:
        """True where the selectors choose the object."""
        labels = obj["metadata"].get("labels") or {}
        return selection.labels.matches(labels) and selection.fields.matches(self.selectable(obj))

    def selectable(self, obj: Json) -> Mapping[str, str]:
        """The values that field selectors compare."""
        return {**super().selectable(obj), **self.strategy.selectable(obj)}

    # writing

    def create(self, call: Call, obj: Json) -> Json:
        """Store a new object; a generated name is tried again where it is taken."""
        return self._created(call, obj, None)

    def _created(self, call: Call, obj: Json, managed: Managed | None) -> Json:
        generated = not obj["metadata"].get("name") and bool(obj["metadata"].get("generateName"))
        for left in reversed(range(_GENERATED_NAMES if generated else 1)):
            new = self._prepared_for_create(call, obj, managed)
            try:
                return self._commit_create(call, new)
            except AlreadyExists as taken:
                if generated and not left:
                    taken.message += ", the server was not able to generate a unique name for the object"
                    taken.details = {**(taken.details or {}), "retryAfterSeconds": 1}
                if not left:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    def _prepared_for_create(self, call: Call, obj: Json, managed: Managed | None) -> Json:
        new = self.strategy.default(obj)
        if managed is None and self.ownership is not None:
            managed = self.ownership.created(call, new)
        new = metadata.for_create(new)
        name = new["metadata"].get("name", "")
        findings = self._name_findings(name, call.namespace)
        if findings and not name:
            raise Invalid.of(self.kind, self.info.group, name, findings)
        new, more = self.strategy.prepare_for_create(call, new)
        findings += names.object_meta_findings(new["metadata"]) + more
        if findings:
            raise Invalid.of(self.kind, self.info.group, name, findings)
        return metadata.with_managed_fields(new, managed)

    def _name_findings(self, name: str, namespace: str) -> Findings:
        if not name:
            return [FieldError.required("metadata.name", "name or generateName is required")]
        return self.strategy.name_findings(name, namespace)

    def _commit_create(self, call: Call, new: Json) -> Json:
        meta = new["metadata"]
        write = Create(self.key, call.namespace, meta["name"], meta["uid"], encode(new))
        try:
            record = self.store.commit([write], dry_run=call.dry_run)[0]
        except Taken as taken:
            raise self._taken(call.namespace, meta["name"]) from taken
        if call.dry_run:
            return self.strategy.decorate(new)
        return self.show(record)

    def _taken(self, namespace: str, name: str) -> AlreadyExists:
        error = AlreadyExists.of(self.info.resource, self.info.group, name)
        there = self.find(namespace, name)
        if there and "deletionTimestamp" in there["metadata"]:
            error.message = f"object is being deleted: {error.message}"
        return error

    def update(self, call: Call, name: str, transform: Transform) -> tuple[Json, bool]:
        """Replace the object by what `transform` makes of it; again where somebody else was faster.

        A transform that sets a resource version itself means exactly that version: then a Conflict is final.
        """
        return self._replaced(call, name, lambda old: (transform(self.strategy.decorate(old)), None)), False

    def apply(self, call: Call, name: str, config: Json, *, force: bool) -> tuple[Json, bool]:
        """Apply what one manager wants to the object; True where that created it (contract 6.2)."""
        ownership = self.ownership
        if ownership is None:
            return super().apply(call, name, config, force=force)
        config = ownership.checked(config, name)

        def merged(old: Json) -> tuple[Json, Managed | None]:
            live = self.strategy.default(self.strategy.decorate(old))
            return ownership.applied(call, live, old, config, force)

        for left in reversed(range(_TRIES)):
            if self.subresource or self.find(call.namespace, name) is not None:
                try:
                    return self._replaced(call, name, merged), False
                except NotFound:
                    if self.subresource or not left:
                        raise
                    continue
            new, managed = ownership.applied(call, None, {}, config, force)
            try:
                return self._created(call, new, managed), True
            except AlreadyExists:
                if not left:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    def save(self, call: Call, obj: Json, managed: Managed | None) -> Json:
        """Store over the version that the object carries, create where it carries none, with these managedFields."""
        if not obj["metadata"].get("resourceVersion"):
            return self._created(call, obj, managed)
        return self._replaced(call, obj["metadata"]["name"], lambda _: (obj, managed))

    def _replaced(self, call: Call, name: str, step: Callable[[Json], tuple[Json, Managed | None]]) -> Json:
        """The object after `step`, which finds the new one and its managedFields (None: as after any update)."""
        for left in reversed(range(_TRIES)):
            old = self._existing(call.namespace, name)
            new = self._prepared_for_update(call, *step(old), old)
            if _same(new, old):
                return self.strategy.decorate(old)
            try:
                return self._commit_update(call, new, old)
            except Stale as stale:
                if not left:
                    raise Conflict.of(self.info.resource, self.info.group, name, MODIFIED) from stale
            except Missing as missing:
                raise NotFound.of(self.info.resource, self.info.group, name) from missing
        raise AssertionError("unreachable: the last try returns or raises")

    def _prepared_for_update(self, call: Call, new: Json, managed: Managed | None, old: Json) -> Json:
        name = old["metadata"]["name"]
        asked = new["metadata"].get("resourceVersion") or ""
        if not asked and not self.unconditional_update:
            must = FieldError(
                "metadata.resourceVersion", "FieldValueInvalid", "Invalid value: 0: must be specified for an update"
            )
            raise Invalid.of(self.info.resource, self.info.group, name, [must])
        if asked and asked != old["metadata"]["resourceVersion"]:
            raise Conflict.of(self.info.resource, self.info.group, name, MODIFIED)
        new = self.strategy.default(new)
        if managed is None and self.ownership is not None:
            managed = self.ownership.updated(call, self.strategy.default(self.strategy.decorate(old)), new, old)
        new = metadata.for_update(new, old)
        new, findings = self.strategy.prepare_for_update(call, new, old)
        findings = names.object_meta_findings(new["metadata"]) + metadata.finalizer_findings(new, old) + findings
        if findings:
            raise Invalid.of(self.kind, self.info.group, name, findings)
        # What the server itself writes leaves the managers as they are.
        return settled(metadata.with_managed_fields(new, managed), old)

    def _commit_update(self, call: Call, new: Json, old: Json) -> Json:
        meta, version = old["metadata"], int(old["metadata"]["resourceVersion"])
        where = (self.key, meta.get("namespace", ""), meta["name"])
        if metadata.is_finished(new):
            self.store.commit([Delete(*where, version)], dry_run=call.dry_run)
            return self.strategy.decorate(new)
        record = self.store.commit([Update(*where, encode(new), version)], dry_run=call.dry_run)[0]
        if call.dry_run:
            return self.strategy.decorate({**new, "metadata": {**new["metadata"], "resourceVersion": str(version)}})
        return self.show(record)

    def delete(self, call: Call, name: str, options: DeleteOptions) -> Json | None:
        """Delete the object, or mark it where finalizers hold it."""
        dry_run = call.dry_run or options.dry_run
        for left in reversed(range(_TRIES)):
            old = self._existing(call.namespace, name)
            deletion.check_preconditions(old, options, self.kind, self.info.group)
            finalizers = deletion.finalizers_after(old, options, collectable=self.strategy.collectable)
            meta = old["metadata"]
            where, version = (self.key, meta.get("namespace", ""), meta["name"]), int(meta["resourceVersion"])
            try:
                if not finalizers:
                    self.store.commit([Delete(*where, version)], dry_run=dry_run)
                    return None
                marked = deletion.marked(old, finalizers)
                if _same(marked, old):
                    return self.strategy.decorate(old)
                record = self.store.commit([Update(*where, encode(marked), version)], dry_run=dry_run)[0]
                return self.show(record)
            except Stale as stale:
                if not left:
                    raise Conflict.of(self.info.resource, self.info.group, name, MODIFIED) from stale
            except Missing as missing:
                raise NotFound.of(self.info.resource, self.info.group, name) from missing
        raise AssertionError("unreachable: the last try returns or raises")

    def _existing(self, namespace: str, name: str) -> Json:
        obj = self.find(namespace, name)
        if obj is None:
            raise NotFound.of(self.info.resource, self.info.group, name)
        return obj


class StatusRest(StoredRest):
    """The `/status` of a stored kind: the same objects, read and written by another strategy."""

    subresource = "status"

    @property
    def verbs(self) -> tuple[str, ...]:
        """A status is read and replaced, never created."""
        return ("get", "patch", "update")


def encode(obj: Json) -> bytes:
    """The bytes that are stored: without the resource version, which the store gives."""
    meta = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
    return msgspec.json.encode({**obj, "metadata": meta})


def _same(new: Json, old: Json) -> bool:
    meta = {**new["metadata"], "resourceVersion": old["metadata"]["resourceVersion"]}
    return {**new, "metadata": meta} == old
