"""Who set which fields of an object: managedFields after each write, and server-side apply (contract 6.2)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from webhook.errors import Conflict, Json
from webhook.meta import fieldset
from webhook.meta.fieldcompare import Comparison, compare, field_set, merge, remove, with_named
from webhook.meta.fieldset import NOTHING, FieldSet, Path
from webhook.meta.schema import Schema

APPLY: Final = "Apply"
UPDATE: Final = "Update"
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
BEFORE_FIRST_APPLY: Final = "before-first-apply"
_KUBECTL: Final = "kubectl"
_ANCIENT: Final = "ancient-changes"
_MAX_UPDATERS: Final = 10
_OF_THE_SERVER: Final = (
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
)
_NOBODYS: Final[FieldSet] = frozenset(
    [("f:apiVersion",), ("f:kind",), ("f:metadata",), *(("f:metadata", f"f:{name}") for name in _OF_THE_SERVER)]
)


@dataclass(frozen=True)
class Actor:
    """Who writes, through which version and subresource."""

    manager: str
    api_version: str
    subresource: str = ""


@dataclass(frozen=True)
class Entry:
    """The fields that one manager set in one manner."""

    manager: str
    operation: str
    api_version: str
    fields: FieldSet
    time: str = ""
    subresource: str = ""

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What tells entries apart; an applier is the same in every version."""
        return self.manager, self.operation, self.subresource, "" if self.operation == APPLY else self.api_version

    @property
    def described(self) -> str:
        """The manager as messages of conflicts name it."""
        quoted = json.dumps(self.manager, ensure_ascii=False)
        if self.subresource:
            quoted += f' with subresource "{self.subresource}"'
        if self.operation == APPLY:
            return quoted
        return f"{quoted} using {self.api_version}" + (f" at {self.time}" if self.time else "")


Entries = list[Entry]


class ApplyConflict(Conflict):
    """Others own what an apply would change."""

    def __init__(self, owned: list[tuple[Entry, Path]]) -> None:
        causes = [
            {
                "reason": "FieldManagerConflict",
                "message": f"conflict with {entry.described}",
                "field": fieldset.text(path),
            }
            for entry, path in owned
        ]
        super().__init__(_conflict_message(owned), details={"causes": causes})
        self.fields = frozenset(path for _, path in owned)
        self.owned = owned


def _conflict_message(owned: list[tuple[Entry, Path]]) -> str:
    if len(owned) == 1:
        entry, path = owned[0]
        return f"Apply failed with 1 conflict: conflict with {entry.described}: {fieldset.text(path)}"
    lines: list[str] = []
    last = None
    for entry, path in owned:
        if entry.identity != last:
            lines.append(f"conflicts with {entry.described}:")
        last = entry.identity
        lines.append(f"- {fieldset.text(path)}")
    return f"Apply failed with {len(owned)} conflicts: " + "\n".join(lines)


def decode(entries: Any) -> Entries:
    """The entries of `metadata.managedFields`, of those that are alike the last; ValueError where they are none."""
    if not isinstance(entries, list):
        raise ValueError("managedFields is not a list")
    decoded = [_decoded(one) for one in entries]
    return list({one.identity: one for one in decoded}.values())


def _decoded(entry: Any) -> Entry:
    if not isinstance(entry, dict) or entry.get("operation") not in (APPLY, UPDATE):
        raise ValueError("an entry's operation must be Apply or Update")
    if entry.get("fieldsType") != "FieldsV1":
        raise ValueError("an entry's fieldsType must be FieldsV1")
    texts = {key: entry.get(key) or "" for key in ("manager", "apiVersion", "time", "subresource")}
    if not all(isinstance(one, str) for one in texts.values()):
        raise ValueError("an entry's texts must be texts")
    return Entry(
        texts["manager"],
        entry["operation"],
        texts["apiVersion"],
        fieldset.decode(entry.get("fieldsV1") or {}),
        texts["time"],
        texts["subresource"],
    )


def encode(entries: Iterable[Entry]) -> list[Json]:
    """`metadata.managedFields`: appliers first, then by time and name."""
    ordered = sorted(entries, key=lambda one: (one.operation, one.time, one.manager, one.subresource))
    return [_encoded(one) for one in ordered]


def _encoded(entry: Entry) -> Json:
    found = {
        "manager": entry.manager,
        "operation": entry.operation,
        "apiVersion": entry.api_version,
        "time": entry.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fieldset.encode(entry.fields),
        "subresource": entry.subresource,
    }
    return {key: value for key, value in found.items() if value != ""}


def update(live: Json, new: Json, entries: Entries, actor: Actor, schema: Schema, now: str) -> Entries:
    """The entries after a write that is no apply: the writer owns what it changed, nobody what it took away."""
    difference = compare(_bare(live), _bare(new), schema)
    mine = Entry(actor.manager, UPDATE, actor.api_version, NOTHING, "", actor.subresource)
    mine = _found(mine, entries)
    fields = ((mine.fields - difference.removed) | difference.taken) - _NOBODYS
    time = now if difference.taken - _NOBODYS else mine.time
    return _capped(_with(replace(mine, fields=fields, time=time), entries, difference))


def apply(
    live: Json, config: Json, entries: Entries, actor: Actor, schema: Schema, now: str, *, force: bool = False
) -> tuple[Json, Entries]:
    """The live object with the config applied, and who owns what then; ApplyConflict unless forced.

    What this manager applied before, and nobody else owns, goes where the config no longer has it. `live` has at
    least a name; `entries` is empty for a new object.
    """
    try:
        new, after = _applied(live, config, entries, actor, schema, now, force=force)
    except ApplyConflict as conflict:
        # kubectl takes over what it applied itself before, from the client's side.
        if actor.manager != _KUBECTL:
            raise
        left = [one for one in conflict.owned if one[1] not in _last_applied(live, schema)]
        if left:
            raise ApplyConflict(left) from None
        new, after = _applied(live, config, entries, actor, schema, now, force=True)
    if actor.manager == _KUBECTL and LAST_APPLIED in _annotations(new):
        new = _with_last_applied(new, config)
    return new, after


def _applied(
    live: Json, config: Json, entries: Entries, actor: Actor, schema: Schema, now: str, *, force: bool
) -> tuple[Json, Entries]:
    live = _bare(live)
    last = _found(Entry(actor.manager, APPLY, actor.api_version, NOTHING, "", actor.subresource), entries)
    mine = replace(last, fields=field_set(config, schema), api_version=actor.api_version)
    others = [one for one in entries if one.identity != last.identity]
    new = merge(live, config, schema)
    if last.fields:
        owned = mine.fields.union(*(one.fields for one in others))
        new = _pruned(new, last.fields, owned, schema)
    difference = compare(live, new, schema)
    conflicts = [
        (one, path)
        for one in sorted(others, key=lambda one: one.identity)
        for path in sorted(one.fields & difference.taken, key=fieldset.text)
    ]
    if conflicts and not force:
        raise ApplyConflict(conflicts)
    fields = mine.fields - _NOBODYS
    changed = fields != last.fields or difference != Comparison(NOTHING, NOTHING, NOTHING)
    mine = replace(mine, fields=fields, time=now if changed else last.time)
    return new, _with(mine, entries, difference)


def _pruned(new: Json, last: FieldSet, owned: FieldSet, schema: Schema) -> Json:
    """Without what was applied last time and is owned by nobody now; what hung below such a field may stay."""
    named = with_named(last, schema)
    everything = with_named(field_set(new, schema), schema)
    pruned = remove(new, named, schema)
    kept = with_named(field_set(pruned, schema), schema) | with_named(owned, schema)
    pruned = remove(new, everything - kept, schema)
    gone = everything - with_named(field_set(pruned, schema), schema)
    result: Json = remove(new, gone & named, schema)
    return result


def _found(wanted: Entry, entries: Entries) -> Entry:
    return next((one for one in entries if one.identity == wanted.identity), wanted)


def _with(mine: Entry, entries: Entries, difference: Comparison) -> Entries:
    lost = difference.taken | difference.removed
    others = [replace(one, fields=one.fields - lost) for one in entries if one.identity != mine.identity]
    return [one for one in (*others, mine) if one.fields]


def _capped(entries: Entries) -> Entries:
    """At most ten entries of updates: the oldest ones become one."""
    updaters = sorted((one for one in entries if one.operation == UPDATE), key=lambda one: (one.time, one.manager))
    many = len(updaters) - _MAX_UPDATERS
    if many <= 0:
        return entries
    oldest = updaters[: many + 1]
    fields = NOTHING.union(*(one.fields for one in oldest))
    ancient = Entry(_ANCIENT, UPDATE, oldest[-1].api_version, fields, oldest[-1].time)
    return [one for one in entries if one not in oldest] + [ancient]


def _bare(obj: Json) -> Json:
    meta = obj.get("metadata") or {}
    return {**obj, "metadata": {key: value for key, value in meta.items() if key != "managedFields"}}


def _annotations(obj: Json) -> Json:
    return (obj.get("metadata") or {}).get("annotations") or {}


def _last_applied(live: Json, schema: Schema) -> FieldSet:
    try:
        applied = json.loads(_annotations(live).get(LAST_APPLIED) or "")
    except (ValueError, RecursionError):
        return NOTHING
    return field_set(applied, schema) if isinstance(applied, dict) else NOTHING


def _with_last_applied(new: Json, config: Json) -> Json:
    meta = config.get("metadata") or {}
    kept = {key: value for key, value in (meta.get("annotations") or {}).items() if key != LAST_APPLIED}
    applied = {**config, "metadata": {**meta, "annotations": kept}}
    text = json.dumps(applied, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"
    annotations = {**_annotations(new), LAST_APPLIED: text}
    return {**new, "metadata": {**new["metadata"], "annotations": annotations}}
