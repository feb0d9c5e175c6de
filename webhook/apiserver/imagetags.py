"""`imagetags`: a tag of a stream with its whole history, also where there is no image yet (image-api 4.3)."""

from __future__ import annotations

from typing import Any

from webhook.apiserver.imagestreamtags import ImageStreamTagRest
from webhook.apiserver.reading import objects
from webhook.apiserver.rest import Call, Listing, Selection
from webhook.apiserver.tagforms import GROUP, ImageTagForm
from webhook.errors import FieldError, Findings, Invalid, Json, NotFound
from webhook.image import assemble, defaults, names, tags, validation

_ONLY_SPEC = "may not update fields other than spec"


class ImageTagRest(ImageStreamTagRest):
    """All verbs of image tags; writes go the way of image stream tags."""

    # Conflicts are the caller's: there is no second try (image-api 4.3).
    waits = ()
    plural = "ImageTags"
    duplicate = "imagetags"
    part = "spec"
    form_of = ImageTagForm

    def get(self, call: Call, name: str) -> Json:
        """The tag, if spec or status has it; a deleted Image is shown as none."""
        stream_name, tag = names.split_tag_strict(name, self.plural)
        stream = self.streams.load(call.namespace, stream_name)
        if stream is None:
            raise NotFound.of(self.info.resource, GROUP, stream_name)
        return assemble.image_tag(stream, tag, self.streams.head_image(stream, tag))

    def list(self, call: Call, selection: Selection) -> Listing:
        """Every tag of spec or status, without the Image objects."""
        found = self.streams.rest.list(call, Selection(selection.labels, selection.fields))
        items = []
        for stream in objects(found):
            known = {one["name"] for one in tags.spec_tags(stream)} | {one["tag"] for one in tags.status_tags(stream)}
            items += [assemble.image_tag(stream, tag, None) for tag in sorted(known)]
        return Listing([one for one in items if selection.fields.matches(self.selectable(one))], None)

    def split_new(self, obj: Json) -> tuple[str, str]:
        """Stream and tag of the name of a new image tag, whose spec must name the same tag."""
        name = obj["metadata"].get("name") or ""
        stream, _, tag = name.partition(":")
        spec = obj.get("spec")
        findings: Findings = []
        if spec is None:
            findings = [FieldError.required("spec", "spec is a required field during creation")]
        elif not tag or (spec.get("name") or tag) != tag:
            findings = [FieldError.invalid("spec.name", spec.get("name") or "", "must match image tag name")]
        if findings:
            raise Invalid.of(self.kind, GROUP, name, findings)
        return stream, tag

    def wanted(self, obj: Json, tag: str) -> Json | None:
        """The spec tag that a body asks for."""
        given = obj.get("spec")
        return None if given is None else defaults.tag_reference({**given, "name": tag}, self.import_mode)

    def create_findings(self, obj: Json, wanted: Json | None) -> Findings:
        """The rules of spec tags, below `spec`."""
        return [] if wanted is None else validation.tag_reference(wanted, "spec")

    def with_tag(self, stream: Json, tag: str, new: Json, old: Json) -> Json:
        """The stream with the spec tag as the client wants it; null takes it out and leaves the history."""
        name = old["metadata"]["name"]
        wanted = self.wanted(new, tag)
        findings = self.metadata_findings(new["metadata"], old["metadata"])
        if not _same_status(new, old):
            findings.append(FieldError.invalid("status", "", _ONLY_SPEC))
        findings += self.create_findings(new, wanted)
        if findings:
            raise Invalid.of(self.kind, GROUP, name, findings)
        return tags.without_spec_tag(stream, tag) if wanted is None else tags.with_spec_tag(stream, wanted)

    def metadata_findings(self, new: Json, old: Json) -> Findings:
        """What is wrong with the metadata of an update: all of it is the stream's."""
        return [] if _same_metadata(new, old) else [FieldError.invalid("metadata", "", _ONLY_SPEC)]

    def view(self, stream: Json, tag: str, image: Json | None) -> Json:
        """The image tag of a stream, as writes see and answer it."""
        return assemble.image_tag(stream, tag, image, for_write=True)


def _same_metadata(new: Json, old: Json) -> bool:
    """A body may leave out what it does not know; managed fields never count (image-api 12.21)."""
    ignored = ("name", "namespace", "resourceVersion", "managedFields")
    given = {key: value for key, value in new.items() if key not in ignored and value}
    return all(old.get(key) == value for key, value in given.items())


def _same_status(new: Json, old: Json) -> bool:
    given: Any = new.get("status")
    return not given or given == old.get("status")
