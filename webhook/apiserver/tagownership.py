"""Whose fields are whose in a tag that is written as an object of its own: managedFields kept on its stream.

As `scale` does with its parent, an entry of the stream's managedFields names the resource through which it came as its
subresource, and the fields as those of the stream: `tag.from` of app:v1 is `spec.tags[name="v1"].from`. A tag's object
sees of all entries what they say about this tag.

A tag that nobody has applied stays untracked when it is written, as in OpenShift, which does not tell a stream who
wrote its tags (image-api 3.4); Kubernetes does the same with objects that have no managedFields.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from webhook.apiserver.ownership import Managed
from webhook.apiserver.rest import Call
from webhook.apiserver.tagforms import StreamTagForm
from webhook.errors import Json
from webhook.image import tags
from webhook.meta import fieldset, managedfields, timestamps
from webhook.meta.fieldset import FieldSet, Path
from webhook.meta.managedfields import Actor, Entries, Entry
from webhook.meta.schema import Schema

_RESOURCES = ("imagestreamtags", "imagetags")
_NAME = (fieldset.field("name"),)


@dataclass(frozen=True)
class TagOwnership:
    """How one of the kinds that show a tag keeps track of its managers."""

    schema: Schema
    api_version: str
    resource: str
    form: StreamTagForm

    def applied(self, call: Call, stream: Json, tag: str, config: Json, force: bool) -> tuple[Json, Managed]:
        """The tag's object with the config applied, and the stream's managedFields (contract 6.2)."""
        live, now = self.form.written(stream, tag), timestamps.now()
        stored = _entries(stream)
        entries = self._seen(stored, tag)
        if not entries:
            nobody = Actor(managedfields.BEFORE_FIRST_APPLY, self.api_version, self.resource)
            entries = managedfields.update({"metadata": {}}, live, [], nobody, self.schema, now)
        new, after = managedfields.apply(live, config, entries, self._actor(call), self.schema, now, force=force)
        return new, self._kept(stored, after, tag, self._actor(call).manager)

    def updated(self, call: Call, stream: Json, changed: Json, tag: str) -> Managed | None:
        """The stream's managedFields after any other write of the tag; None where they stay as they are."""
        stored = _entries(stream)
        if tags.spec_tag(changed, tag) is None:
            return self.removed(stream, tag)
        if not any(self._about(one, tag) and one.subresource in _RESOURCES for one in stored):
            return None
        live, new = self.form.written(stream, tag), self.form.written(changed, tag)
        entries = self._seen(stored, tag)
        after = managedfields.update(live, new, entries, self._actor(call), self.schema, timestamps.now())
        return self._kept(stored, after, tag, self._actor(call).manager)

    def removed(self, stream: Json, tag: str) -> Managed | None:
        """The stream's managedFields without a tag that is gone; None where nobody owned any of it."""
        stored = _entries(stream)
        return self._kept(stored, [], tag) if any(self._about(one, tag) for one in stored) else None

    def _actor(self, call: Call) -> Actor:
        return Actor(call.field_manager or "unknown", self.api_version, self.resource)

    def _about(self, entry: Entry, tag: str) -> FieldSet:
        item = _item(tag)
        return frozenset(path for path in entry.fields if path[: len(item)] == item)

    def _seen(self, stored: Entries, tag: str) -> Entries:
        found = (replace(one, fields=self._seen_fields(self._about(one, tag), tag)) for one in stored)
        return [one for one in found if one.fields]

    def _seen_fields(self, fields: FieldSet, tag: str) -> FieldSet:
        """The fields in the tag's object: its name is no field, and the whole counts only where nothing else does."""
        below = {path[len(_item(tag)) :] for path in fields}
        parts = below - {(), _NAME}
        return frozenset(self._moved(path, seen=True) for path in parts or below & {()})

    def _kept(self, stored: Entries, after: Entries, tag: str, writer: str = "") -> Managed:
        """What `stored` says about other fields, and what `after` says about this tag.

        Who lost all other fields of the tag, but for the writer itself, still wants that there is such a tag.
        """
        found = {}
        for one in stored:
            about = self._about(one, tag)
            wish = about & _wish(tag) if writer and (one.manager, one.subresource) != (writer, self.resource) else set()
            found[one.identity] = replace(one, fields=(one.fields - about) | wish)
        for one in after:
            before = found.get(one.identity)
            fields = self._stored_fields(one.fields, tag) | (before.fields if before else fieldset.NOTHING)
            found[one.identity] = replace(one, fields=fields)
        return managedfields.encode(one for one in found.values() if one.fields)

    def _stored_fields(self, fields: FieldSet, tag: str) -> FieldSet:
        """The fields in the stream, where whoever owns a part of a tag also owns that there is such a tag."""
        item = _item(tag)
        return frozenset((*item, *self._moved(path, seen=False)) for path in fields) | _wish(tag)

    def _moved(self, path: Path, *, seen: bool) -> Path:
        for place in self.form.places:
            source, target = (place.stored, place.seen) if seen else (place.seen, place.stored)
            if path[: len(source)] == source:
                return (*target, *path[len(source) :])
        raise ValueError(f"{fieldset.text(path)} is no part of a tag")


def _item(tag: str) -> Path:
    return (fieldset.field("spec"), fieldset.field("tags"), fieldset.item({"name": tag}))


def _wish(tag: str) -> FieldSet:
    """The fields that say that there is such a tag."""
    return frozenset([_item(tag), (*_item(tag), *_NAME)])


def _entries(stream: Json) -> Entries:
    try:
        return managedfields.decode(stream["metadata"].get("managedFields") or [])
    except (ValueError, RecursionError):
        return []
