"""Whose fields are whose, in what is stored: managedFields around the writes of one kind (contract 6.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from webhook.apiserver.rest import Call
from webhook.errors import BadRequest, FieldError, Invalid, Json, Untyped
from webhook.meta import decode, fieldcompare, managedfields, timestamps
from webhook.meta.managedfields import Actor, Entries
from webhook.meta.schema import Schema

APPLY_TYPE = "application/apply-patch+yaml"
# The value of metadata.managedFields.
Managed = list[Json]
_NOTHING: tuple[Any, ...] = (None, "", [], {})
_ALWAYS = ("apiVersion", "kind", "metadata")


@dataclass(frozen=True)
class Ownership:
    """How one resource, or its `/status`, keeps track of the managers of its fields.

    What an endpoint does not write, nobody comes to own through it: the status, or everything but the status. The
    exception are fields that every object has (`blank`): nobody owns them for creating an object in which they are as
    in every other, and an update that leaves out those of the status counts as setting them so (image-api 12.27).
    """

    schema: Schema
    api_version: str
    subresource: str = ""
    has_status: bool = False
    blank: Mapping[str, Json] = field(default_factory=dict)

    def created(self, call: Call, obj: Json) -> Managed:
        """managedFields of a new object, as its creator sent it: those that it brings along, and its creator's."""
        brought = self._entries({"metadata": {}}, obj)
        return managedfields.encode(self._first(obj, self._actor(call), brought))

    def updated(self, call: Call, live: Json, new: Json, stored: Json) -> Managed:
        """managedFields after any write but an apply; `new` is what the client wants, before the strategy's say.

        An object without managedFields stays without.
        """
        entries = self._entries(stored, None if self.subresource else new)
        if not entries:
            return []
        written = self._with_blank_status(self._written(new, live), new)
        return managedfields.encode(self._updated(self._actor(call), live, written, entries))

    def applied(self, call: Call, live: Json | None, stored: Json, config: Json, force: bool) -> tuple[Json, Managed]:
        """The object with the config applied, and its managedFields; `live` is None for one that is to be created.

        A uid must be that of the live object; a resource version means nothing where there is none.
        """
        self._check_uid(config, live)
        now = timestamps.now()
        entries = [] if live is None else self._entries(stored, None)
        if live is not None and not entries:
            entries = self._first(live, self._named(managedfields.BEFORE_FIRST_APPLY))
        base = live
        if base is None:
            base = {key: config[key] for key in ("apiVersion", "kind")}
            config = {**config, "metadata": {k: v for k, v in config["metadata"].items() if k != "resourceVersion"}}
        new, after = managedfields.apply(
            {"metadata": {}, **base}, self._own(config), entries, self._actor(call), self.schema, now, force=force
        )
        return new, managedfields.encode(after)

    def checked(self, config: Json, name: str) -> Json:
        """The config of an apply without nulls; Untyped for one that does not fit its schema (contract 6.2)."""
        meta = config.get("metadata") or {}
        where = f"{meta.get('namespace') or ''}/{name}; {self.api_version}, Kind={config['kind']}"
        problem = next(fieldcompare.problems(config, self.schema), None)
        if problem:
            raise Untyped(f"failed to create typed patch object ({where}): {problem}")
        try:
            return decode.prune(config, self.schema)[0]
        except BadRequest as error:
            raise Untyped(f"failed to create typed patch object ({where}): {error}") from error

    def _check_uid(self, config: Json, live: Json | None) -> None:
        uid = config["metadata"].get("uid")
        if uid and (live is None or uid != live["metadata"].get("uid")):
            finding = FieldError.invalid("metadata.uid", uid, "field is immutable")
            group = self.api_version.rpartition("/")[0]
            raise Invalid.of(config["kind"], group, config["metadata"].get("name", ""), [finding])

    def _first(self, obj: Json, actor: Actor, entries: Entries | None = None) -> Entries:
        """The entries of an object that was not there, or that nobody owned: all of it is the actor's."""
        present = [key for key in ("metadata", "spec", "status") if isinstance(obj.get(key), dict)]
        blank: Json = {key: self.blank.get(key, {}) for key in present}
        return self._updated(actor, blank, self._written(obj, blank), entries or [])

    def _updated(self, actor: Actor, live: Json, new: Json, entries: Entries) -> Entries:
        # Empty labels are not stored, so that whoever left them so no longer owns any.
        new = {**new, "metadata": {key: value for key, value in new["metadata"].items() if value not in _NOTHING}}
        return managedfields.update(live, new, entries, actor, self.schema, timestamps.now())

    def _actor(self, call: Call) -> Actor:
        return self._named(call.field_manager or "unknown")

    def _named(self, manager: str) -> Actor:
        return Actor(manager, self.api_version, self.subresource)

    def _own(self, config: Json) -> Json:
        """The part of a config that this endpoint writes."""
        if self.subresource:
            meta = {key: config["metadata"][key] for key in ("name", "resourceVersion") if key in config["metadata"]}
            return {key: config[key] for key in (*_ALWAYS, "status") if key in config} | {"metadata": meta}
        return {key: value for key, value in config.items() if not (self.has_status and key == "status")}

    def _written(self, new: Json, live: Json) -> Json:
        """The new object as far as this endpoint writes it, and the live one beyond."""
        if not (self.subresource or self.has_status):
            return new
        ours, others = (new, live) if self.subresource else (live, new)
        kept = {key: value for key, value in others.items() if key != "status"}
        return {**kept, "status": ours["status"]} if "status" in ours else kept

    def _with_blank_status(self, written: Json, new: Json) -> Json:
        given = new.get("status") or {}
        sent = {key: given.get(key, nothing) for key, nothing in self.blank.get("status", {}).items()}
        return {**written, "status": {**(written.get("status") or {}), **sent}} if sent else written

    def _entries(self, stored: Json, new: Json | None) -> Entries:
        """The entries to start from: a client may replace those that are stored by others, or by none."""
        before = stored["metadata"].get("managedFields") or []
        given = None if new is None else new["metadata"].get("managedFields")
        if given in ([], [{}]):
            return []
        try:
            return managedfields.decode(given or before)
        except (ValueError, RecursionError):
            return managedfields.decode(before)


def check_config(config: Json, api_version: str, kind: str) -> None:
    """A BadRequest where the body of an apply is not an object of this kind, or says who owns what."""
    version, given = config.get("apiVersion") or "", config.get("kind") or ""
    if (version, given) != (api_version, kind):
        shown = version if version else "/"
        raise BadRequest(f"invalid object type: {shown}, Kind={given}")
    if not isinstance(config.get("metadata"), dict):
        raise BadRequest("metadata must be an object")
    if config["metadata"].get("managedFields") is not None:
        raise BadRequest("metadata.managedFields must be nil")


def settled(new: Json, old: Json) -> Json:
    """The new object with the old managedFields, where they differ in nothing but times and so does the object."""
    meta, before = new["metadata"], old["metadata"]
    left, right = _timeless(meta.get("managedFields")), _timeless(before.get("managedFields"))
    if left != right or "managedFields" not in meta:
        return new
    same = {**meta, "managedFields": before["managedFields"], "resourceVersion": before["resourceVersion"]}
    same_object = {**new, "metadata": same} == old
    return {**new, "metadata": {**meta, "managedFields": before["managedFields"]}} if same_object else new


def _timeless(entries: Any) -> list[Json]:
    found = [{key: value for key, value in one.items() if key != "time"} for one in entries or ()]
    return sorted(found, key=lambda one: (one["operation"], one["manager"], one.get("subresource", "")))
