"""Generic verbs over one stored kind: a strategy says what is special about it, the store keeps it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from webhook.apiserver import bodies, deletion, metadata
from webhook.apiserver.bodies import Shown
from webhook.apiserver.deletion import DeleteOptions
from webhook.apiserver.ownership import Managed, Ownership, settled
from webhook.apiserver.reading import ReadRest
from webhook.apiserver.rest import Call, Gone, Transform
from webhook.apiserver.strategy import Strategy
from webhook.errors import (
    AlreadyExists,
    Conflict,
    FieldError,
    Findings,
    Invalid,
    Json,
    NotFound,
    details_of,
)
from webhook.meta import names
from webhook.meta.resources import ResourceInfo
from webhook.storage.store import Create, Delete, Missing, Record, Stale, Store, Taken, Update

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
_REPEATED = (
    ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject"
    " such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}"
)
# A try fails because another writer was faster. kube-apiserver has no limit; more than these cannot write at a time.
TRIES = 200
_GENERATED_NAMES = 8
# From the stored object to the new one and its managedFields; None for those: as after any update.
Step = Callable[[Json], tuple[Json, Managed | None]]
Written = TypeVar("Written")


class StoredRest(ReadRest):
    """All verbs over one kind in the store. Writes are optimistic: read, compute, write if unchanged, else again."""

    def __init__(
        self,
        info: ResourceInfo,
        store: Store,
        strategy: Strategy,
        *,
        unconditional_update: bool = False,
        tracked: bool = True,
        **more: Any,
    ) -> None:
        """`tracked` is False for writes of the server's own, which change nothing about who owns which field."""
        super().__init__(info, store, strategy, **more)
        self.unconditional_update = unconditional_update
        has_status = any(one.name == "status" for one in info.subresources)
        self.ownership = (
            Ownership(self.schema, self.api_version, self.subresource, has_status, strategy.blank)
            if tracked and self.schema
            else None
        )

    def create(self, call: Call, obj: Json) -> Shown:
        """Store a new object; a generated name is tried again where it is taken."""
        return self._created(call, obj, None)

    def create_all(self, call: Call, objs: Sequence[Json]) -> list[Json]:
        """Store new objects that have names of their own in one commit: all of them, or none and AlreadyExists."""
        new = [self._prepared_for_create(call, obj, None) for obj in objs]
        try:
            return [bodies.decoded(one) for one in self._commit_creates(call, new)]
        except Taken as taken:
            raise self._taken(call.namespace, taken.name, generated=False) from taken

    def _created(self, call: Call, obj: Json, managed: Managed | None) -> Shown:
        generated = not obj["metadata"].get("name") and bool(obj["metadata"].get("generateName"))
        for left in reversed(range(_GENERATED_NAMES if generated else 1)):
            new = self._prepared_for_create(call, obj, managed)
            try:
                return self._commit_creates(call, [new])[0]
            except Taken as taken:
                if not left:
                    raise self._taken(call.namespace, new["metadata"]["name"], generated=generated) from taken
        raise AssertionError("unreachable: the last try returns or raises")

    def _prepared_for_create(self, call: Call, obj: Json, managed: Managed | None) -> Json:
        new = self.strategy.default(_with_owners_once(call, obj))
        if managed is None and self.ownership is not None:
            managed = self.ownership.created(call, new)
        new = metadata.for_create(new)
        name = new["metadata"].get("name", "")
        findings = self._name_findings(name, call.namespace)
        if findings and not name:
            raise Invalid.of(self.kind, self.info.group, name, findings)
        findings = self.strategy.prefix_findings(new["metadata"].get("generateName") or "") + findings
        new, more = self.strategy.prepare_for_create(call, new)
        findings += names.object_meta_findings(new["metadata"]) + more
        if findings:
            raise Invalid.of(self.kind, self.info.group, name, findings)
        return metadata.with_managed_fields(new, managed)

    def _name_findings(self, name: str, namespace: str) -> Findings:
        if not name:
            return [FieldError.required("metadata.name", "name or generateName is required")]
        return self.strategy.name_findings(name, namespace)

    def _commit_creates(self, call: Call, objs: Sequence[Json]) -> list[Shown]:
        metas = [obj["metadata"] for obj in objs]
        writes = [
            Create(self.key, call.namespace, meta["name"], meta["uid"], self.layout.encode(obj))
            for meta, obj in zip(metas, objs, strict=True)
        ]
        records = self.store.commit(writes, dry_run=call.dry_run)
        return [self.strategy.view(obj) for obj in objs] if call.dry_run else [self.show(record) for record in records]

    def _taken(self, namespace: str, name: str, *, generated: bool) -> AlreadyExists:
        there = self.find(namespace, name)
        deleted = there is not None and "deletionTimestamp" in there["metadata"]
        message = f'{"object is being deleted: " if deleted else ""}{self.key} "{name}" already exists'
        details = details_of(self.info.resource, self.info.group, name)
        if not generated:
            return AlreadyExists(message, details=details)
        why = "the server was not able to generate a unique name for the object"
        return AlreadyExists(f"{message}, {why}", details={**details, "retryAfterSeconds": 1})

    def update(self, call: Call, name: str, transform: Transform) -> tuple[Shown, bool]:
        """Replace the object by what `transform` makes of it; again where somebody else was faster.

        A transform that sets a resource version itself means exactly that version: then a Conflict is final.
        """
        return self._replaced(call, name, lambda old: (transform(self.strategy.view(old)), None)), False

    def apply(self, call: Call, name: str, config: Json, *, force: bool) -> tuple[Shown, bool]:
        """Apply what one manager wants to the object; True where that created it (contract 6.2)."""
        ownership = self.ownership
        if ownership is None:
            return super().apply(call, name, config, force=force)
        config = ownership.checked(config, name)

        def merged(old: Json) -> tuple[Json, Managed | None]:
            live = self.strategy.default(self.strategy.view(old))
            return ownership.applied(call, live, old, config, force)

        for left in reversed(range(TRIES)):
            if self.subresource or self.store.get(self.key, call.namespace, name) is not None:
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
            return bodies.decoded(self._created(call, obj, managed))
        return bodies.decoded(self._replaced(call, obj["metadata"]["name"], lambda _: (obj, managed)))

    def _replaced(self, call: Call, name: str, step: Step) -> Shown:
        def replace(record: Record) -> Shown:
            old = self.raw(record)
            new = self._prepared_for_update(call, *step(old), old)
            return self.show(record) if _same(new, old) else self._commit_update(call, new, record)

        return self._tried(call.namespace, name, replace)

    def _tried(self, namespace: str, name: str, write: Callable[[Record], Written]) -> Written:
        """What `write` makes of the newest record, again where somebody else was faster."""
        for left in reversed(range(TRIES)):
            try:
                return write(self.existing(namespace, name))
            except Stale as stale:
                if not left:
                    raise Conflict.of(self.info.resource, self.info.group, name, MODIFIED) from stale
            except Missing as missing:
                raise NotFound.of(self.info.resource, self.info.group, name) from missing
        raise AssertionError("unreachable: the last try returns or raises")

    def _prepared_for_update(self, call: Call, new: Json, managed: Managed | None, old: Json) -> Json:
        name = old["metadata"]["name"]
        asked = metadata.version_of(new)
        if not asked and not self.unconditional_update:
            must = FieldError(
                "metadata.resourceVersion", "FieldValueInvalid", "Invalid value: 0: must be specified for an update"
            )
            raise Invalid.of(self.info.resource, self.info.group, name, [must])
        if asked and asked != int(old["metadata"]["resourceVersion"]):
            raise Conflict.of(self.info.resource, self.info.group, name, MODIFIED)
        self._check_uid(new, old)
        new = self.strategy.default(_with_owners_once(call, new))
        if managed is None and self.ownership is not None:
            managed = self.ownership.updated(call, self.strategy.default(self.strategy.view(old)), new, old)
        immutable = metadata.immutable_findings(new, old)
        new, findings = self.strategy.prepare_for_update(call, metadata.for_update(new, old), old)
        general = names.object_meta_findings(new["metadata"]) + metadata.finalizer_findings(new, old)
        findings = immutable + general + findings
        if findings:
            raise Invalid.of(self.kind, self.info.group, name, findings)
        # What the server itself writes leaves the managers as they are.
        return settled(metadata.with_managed_fields(new, managed), old)

    def _check_uid(self, new: Json, old: Json) -> None:
        """A Conflict, as a failed precondition, where another object of that name is meant (contract 3.6)."""
        name, uid, before = old["metadata"]["name"], new["metadata"].get("uid"), old["metadata"]["uid"]
        if uid and uid != before:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {before}"
            raise Conflict.of(self.info.resource, self.info.group, name, why)

    def _commit_update(self, call: Call, new: Json, old: Record) -> Shown:
        if metadata.is_finished(new):
            self.store.commit([Delete(self.key, old.namespace, old.name, old.rv)], dry_run=call.dry_run)
            return self.strategy.view(new)
        write = Update(self.key, old.namespace, old.name, self.layout.encode(new), old.rv)
        record = self.store.commit([write], dry_run=call.dry_run)[0]
        if call.dry_run:
            return self.strategy.view({**new, "metadata": {**new["metadata"], "resourceVersion": str(old.rv)}})
        return self.show(record)

    def delete(self, call: Call, name: str, options: DeleteOptions) -> Shown | Gone:
        """Delete the object, or mark it where finalizers hold it."""
        within = Call(call.user, call.namespace, dry_run=call.dry_run or options.dry_run)
        return self._tried(call.namespace, name, lambda record: self._deleted(within, record, options))

    def _deleted(self, call: Call, record: Record, options: DeleteOptions) -> Shown | Gone:
        old = self.raw(record)
        deletion.check_preconditions(old, options, self.kind, self.info.group)
        finalizers = deletion.finalizers_after(old, options, collectable=self.strategy.collectable)
        if not finalizers:
            self.store.commit([Delete(self.key, record.namespace, record.name, record.rv)], dry_run=call.dry_run)
            return Gone(old["metadata"]["uid"])
        marked = deletion.marked(old, finalizers)
        return self.show(record) if _same(marked, old) else self._commit_update(call, marked, record)


class StatusRest(StoredRest):
    """The `/status` of a stored kind: the same objects, read and written by another strategy."""

    subresource = "status"

    @property
    def verbs(self) -> tuple[str, ...]:
        """A status is read and replaced, never created."""
        return ("get", "patch", "update")


def _with_owners_once(call: Call, obj: Json) -> Json:
    obj, repeated = metadata.with_owners_once(obj)
    if repeated and _REPEATED.format(", ".join(repeated)) not in call.warnings:
        call.warnings.append(_REPEATED.format(", ".join(repeated)))
    return obj


def _same(new: Json, old: Json) -> bool:
    meta = {**new["metadata"], "resourceVersion": old["metadata"]["resourceVersion"]}
    return {**new, "metadata": meta} == old
