"""`imagestreamtags`: a tag of a stream with its newest image, read from the stream, written into it (image-api 3)."""

from __future__ import annotations

import time
from typing import Any

from webhook.apiserver.deletion import DeleteOptions
from webhook.apiserver.ownership import Ownership
from webhook.apiserver.reading import objects
from webhook.apiserver.rest import Call, Gone, Listing, Rest, Row, Selection, Transform
from webhook.apiserver.streams import Streams, blank
from webhook.apiserver.tagforms import GROUP, StreamTagForm, annotations_findings
from webhook.apiserver.tagownership import TagOwnership
from webhook.errors import (
    AlreadyExists,
    BadRequest,
    Conflict,
    FieldError,
    Findings,
    Invalid,
    Json,
    NotFound,
    ServerTimeout,
)
from webhook.image import assemble, defaults, history, names, printing, tags, validation
from webhook.meta.resources import ResourceInfo

_CREATE_TRIES = 10
# Seconds before each further try of an unconditional update (image-api 3.5).
_UPDATE_WAITS = (0.01, 0.05, 0.25)


class ImageStreamTagRest(Rest):
    """All verbs of image stream tags."""

    unconditional_update = True
    waits: tuple[float, ...] = _UPDATE_WAITS
    plural = "ImageStreamTags"
    # The resource of a 409 is spelled in the singular here (image-api 0.2).
    duplicate = "imagestreamtag"
    # The field that holds the spec tag.
    part = "tag"
    form_of: type[StreamTagForm] = StreamTagForm

    def __init__(self, info: ResourceInfo, streams: Streams, import_mode: str, *, schema: Any, row: Row) -> None:
        self.info, self.streams, self.import_mode = info, streams, import_mode
        self.schema, self.columns, self._row = schema, printing.columns(info.kind), row
        self.form = self.form_of(import_mode)
        self.ownership = TagOwnership(schema, self.api_version, info.resource, self.form)

    def get(self, call: Call, name: str) -> Json:
        """The tag with its Image; NotFound where stream, event or Image is missing (image-api 3.2)."""
        stream_name, tag = names.split_tag_strict(name, self.plural)
        stream = self.streams.load(call.namespace, stream_name)
        if stream is None:
            raise NotFound.of("imagestreamtags", GROUP, stream_name)
        newest = history.head(stream, tag)
        if newest is None or not newest.get("image"):
            raise NotFound.of("imagestreamtags", GROUP, name)
        image = self.streams.image(newest["image"])
        if image is None:
            raise NotFound.of("imagestreamtags", GROUP, newest["image"])
        return assemble.stream_tag(stream, tag, image)

    def list(self, call: Call, selection: Selection) -> Listing:
        """Every tag that has an image, without the Image objects; one page, whatever the limit (image-api 3.3).

        Field selectors choose among the streams first, as in the original: `metadata.name` selects nothing.
        """
        found = self.streams.rest.list(call, Selection(selection.labels, selection.fields))
        items = []
        for stream in objects(found):
            for entry in tags.status_tags(stream):
                newest = (entry.get("items") or [{}])[0]
                if newest.get("image"):
                    items.append(assemble.stream_tag(stream, entry["tag"], None))
        return Listing([one for one in items if selection.fields.matches(self.selectable(one))], None)

    def create(self, call: Call, obj: Json) -> Json:
        """A new spec tag, with its stream where that is missing; 409 where the spec tag exists (image-api 3.4)."""
        name = obj["metadata"].get("name") or ""
        stream_name, tag = self.split_new(obj)
        wanted = self.wanted(obj, tag)
        findings = self.create_findings(obj, wanted)
        if findings:
            raise Invalid.of(self.kind, GROUP, name, findings)
        for _ in range(_CREATE_TRIES):
            stream = self.streams.load(call.namespace, stream_name) or blank(call.namespace, stream_name)
            if tags.spec_tag(stream, tag) is not None:
                raise AlreadyExists.of(self.duplicate, GROUP, name)
            changed = tags.with_spec_tag(stream, wanted) if wanted else stream
            try:
                saved = self.streams.save(call, changed, self.ownership.updated(call, stream, changed, tag))
            except (AlreadyExists, Conflict):
                continue
            return self.view(saved, tag, self.streams.head_image(saved, tag))
        raise ServerTimeout.of(self.info.resource, GROUP, "create")

    def split_new(self, obj: Json) -> tuple[str, str]:
        """Stream and tag of the name of a new object."""
        return names.split_tag_create(obj["metadata"].get("name") or "")

    def view(self, stream: Json, tag: str, image: Json | None) -> Json:
        """The tag of a stream, as writes see and answer it: also without an image."""
        return assemble.stream_tag(stream, tag, image, for_write=True)

    def wanted(self, obj: Json, tag: str) -> Json | None:
        """The spec tag that a body asks for."""
        given = obj.get("tag")
        return None if given is None else defaults.tag_reference({**given, "name": tag}, self.import_mode)

    def create_findings(self, obj: Json, wanted: Json | None) -> Findings:
        """What is wrong with a new tag."""
        if wanted is None:
            return []
        findings = validation.tag_reference(wanted, "tag")
        return findings + annotations_findings(wanted.get("annotations"), obj["metadata"].get("annotations"))

    def update(self, call: Call, name: str, transform: Transform) -> tuple[Json, bool]:
        """Replace the spec tag, creating tag and stream as needed; blind without a resource version (image-api 3.5)."""
        stream_name, tag = names.split_tag_strict(name, self.plural)
        waits = iter(self.waits)
        while True:
            stream = self.streams.load(call.namespace, stream_name)
            base = stream or blank(call.namespace, stream_name)
            old = self.view(base, tag, None)
            new = transform(old)
            asked = new["metadata"].get("resourceVersion") or ""
            self._check_version(asked, stream, name)
            changed = self.with_tag(base, tag, new, old)
            try:
                saved = self.streams.save(call, changed, self.ownership.updated(call, base, changed, tag))
            except (Conflict, AlreadyExists):
                wait = next(waits, None)
                if asked or wait is None:
                    raise
                time.sleep(wait)
                continue
            shown = self.view(saved, tag, self.streams.head_image(saved, tag))
            return shown, tags.spec_tag(base, tag) is None

    def apply(self, call: Call, name: str, config: Json, *, force: bool) -> tuple[Json, bool]:
        """Apply what one manager wants of the tag, creating tag and stream as needed (contract 6.2, image-api 12.20).

        A tag of which nobody wants anything any more leaves the spec; its history stays.
        """
        stream_name, tag = names.split_tag_strict(name, self.plural)
        config = Ownership(self.schema, self.api_version).checked(config, name)
        applicable = self.form.applicable(config)
        asked = config["metadata"].get("resourceVersion") or ""
        for left in reversed(range(_CREATE_TRIES)):
            stream = self.streams.load(call.namespace, stream_name)
            base = stream or blank(call.namespace, stream_name)
            self._check_version(asked, stream, name)
            new, managed = self.ownership.applied(call, base, tag, applicable, force)
            changed = self._with_applied(base, tag, config, new)
            try:
                saved = self.streams.save(call, changed, managed)
            except (AlreadyExists, Conflict):
                if asked or not left:
                    raise
                continue
            is_new = tags.spec_tag(base, tag) is None and tags.spec_tag(saved, tag) is not None
            return self.view(saved, tag, self.streams.head_image(saved, tag)), stream is None or is_new
        raise AssertionError("unreachable: the last try returns or raises")

    def _with_applied(self, stream: Json, tag: str, config: Json, new: Json) -> Json:
        """The stream with what an apply left of the tag; Invalid where the config has other metadata."""
        given = self.form.spec_of(new)
        wanted = None if given is None else defaults.tag_reference({**given, "name": tag}, self.import_mode)
        old = self.view(stream, tag, None)
        findings = [] if wanted is None else validation.tag_reference(wanted, self.part)
        findings += self.metadata_findings({**old["metadata"], **config["metadata"]}, old["metadata"])
        if findings:
            raise Invalid.of(self.kind, GROUP, old["metadata"]["name"], findings)
        return tags.without_spec_tag(stream, tag) if wanted is None else tags.with_spec_tag(stream, wanted)

    def metadata_findings(self, new: Json, old: Json) -> Findings:
        """What is wrong with the metadata of an update: all but annotations belong to the stream."""
        if _same_but_annotations(new, old):
            return []
        why = "may not update fields other than metadata.annotations"
        return [FieldError.invalid("metadata", new["name"], why)]

    def _check_version(self, asked: str, stream: Json | None, name: str) -> None:
        if not asked:
            return
        if stream is None:
            raise NotFound.of(self.info.resource, GROUP, name)
        current = stream["metadata"]["resourceVersion"]
        if asked != current:
            why = f"another caller has updated the resource version to {current}"
            raise Conflict.of(self.info.resource, GROUP, name, why)

    def with_tag(self, stream: Json, tag: str, new: Json, old: Json) -> Json:
        """The stream with what the client changed; Invalid where that is more than tag and annotations."""
        annotations = new["metadata"].get("annotations") or None
        wanted = self.wanted(new, tag)
        findings = self._update_findings(new, old, wanted)
        if findings:
            raise Invalid.of(self.kind, GROUP, old["metadata"]["name"], findings)
        existing = tags.spec_tag(stream, tag)
        source = wanted if wanted is not None else existing
        if source is None:
            where = f"{stream['metadata']['namespace']}/{stream['metadata']['name']}"
            raise BadRequest(f"imagestreamtag {tag} is not a spec tag in imagestream {where}, cannot be updated")
        return tags.with_spec_tag(stream, {**source, "annotations": annotations})

    def _update_findings(self, new: Json, old: Json, wanted: Json | None) -> Findings:
        findings = self.metadata_findings(new["metadata"], old["metadata"])
        if wanted is not None:
            findings += validation.tag_reference(wanted, "tag")
        return findings

    def delete(self, call: Call, name: str, options: DeleteOptions) -> Gone:
        """Remove the tag from spec and status; its images stay (image-api 3.6)."""
        stream_name, tag = names.split_tag_strict(name, self.plural)
        dry = Call(call.user, call.namespace, dry_run=call.dry_run or options.dry_run)
        for _ in range(_CREATE_TRIES):
            stream = self.streams.load(call.namespace, stream_name)
            if stream is None:
                raise NotFound.of(self.info.resource, GROUP, stream_name)
            if options.uid is not None and options.uid != stream["metadata"]["uid"]:
                raise Conflict.of(self.info.resource, GROUP, name, "the UID precondition was not met")
            if tags.spec_tag(stream, tag) is None and tags.status_tag(stream, tag) is None:
                raise NotFound.of(self.info.resource, GROUP, name)
            try:
                self.streams.save(dry, tags.without_tag(stream, tag), self.ownership.removed(stream, tag))
            except Conflict:
                continue
            except NotFound:
                return Gone()
            return Gone()
        raise ServerTimeout.of(self.info.resource, GROUP, "delete")


def _same_but_annotations(new: Json, old: Json) -> bool:
    """Server-owned parts that differ are reset silently; labels may be left out by clients that do not know them."""
    ignored = ("annotations", "creationTimestamp", "resourceVersion", "selfLink", "managedFields")
    left = {key: value for key, value in new.items() if key not in ignored and value}
    right = {key: value for key, value in old.items() if key not in ignored and value}
    left.setdefault("uid", right.get("uid"))
    if "labels" not in left and "labels" in right:
        left["labels"] = right["labels"]
    return {k: v for k, v in left.items() if v} == right
