"""A tag as an object of its own, as far as clients write it: the spec tag, without what the server adds to a view.

The form of an ImageStreamTag is `{"metadata": {"name", "annotations"}, "tag": {...}}`, that of an ImageTag
`{"metadata": {"name"}, "spec": {...}}`. The name of the tag is that of the object, and not repeated inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from webhook.errors import FieldError, Findings, Invalid, Json
from webhook.image import defaults, names, tags
from webhook.meta.fieldset import Path

GROUP = "image.openshift.io"
API_VERSION = f"{GROUP}/v1"


class Place(NamedTuple):
    """Where a part of a spec tag is in the form; both paths relative."""

    seen: Path
    stored: Path


@dataclass(frozen=True)
class StreamTagForm:
    """An ImageStreamTag: the annotations of its tag are its own."""

    import_mode: str
    kind = "ImageStreamTag"
    # The first that fits a field counts; the last is that of the whole spec tag.
    places: ClassVar[tuple[Place, ...]] = (
        Place(("f:metadata", "f:annotations"), ("f:annotations",)),
        Place(("f:tag",), ()),
    )

    def written(self, stream: Json, tag: str) -> Json:
        """The form of a stream's tag."""
        shown, spec_tag = self._named(names.join(stream["metadata"]["name"], tag)), self._full(stream, tag)
        if spec_tag is None:
            return shown
        meta = {**shown["metadata"], **_unless_empty("annotations", spec_tag.get("annotations"))}
        return {**shown, "metadata": meta, "tag": _without(spec_tag, "name", "annotations")}

    def spec_of(self, form: Json) -> Json | None:
        """The spec tag of a form, but for its name; None where it has none."""
        annotations = _unless_empty("annotations", form["metadata"].get("annotations"))
        return {**form.get("tag", {}), **annotations} if "tag" in form or annotations else None

    def applicable(self, config: Json) -> Json:
        """The form of what an apply sets; what the server owns is passed over.

        Annotations may be given for the object or for its tag, and for both if they are equal (image-api 3.4).
        """
        meta, tag = config["metadata"], config.get("tag") or {}
        findings = annotations_findings(tag.get("annotations"), meta.get("annotations"))
        if meta.get("annotations") and findings:
            raise Invalid.of(self.kind, GROUP, meta["name"], findings)
        annotations = _unless_empty("annotations", meta.get("annotations") or tag.get("annotations"))
        part = {"tag": _without(tag, "name", "annotations")} if "tag" in config else {}
        return {**self._named(meta["name"]), "metadata": {"name": meta["name"], **annotations}, **part}

    def _named(self, name: str) -> Json:
        return {"apiVersion": API_VERSION, "kind": self.kind, "metadata": {"name": name}}

    def _full(self, stream: Json, tag: str) -> Json | None:
        spec_tag = tags.spec_tag(stream, tag)
        return None if spec_tag is None else defaults.tag_reference(spec_tag, self.import_mode)


@dataclass(frozen=True)
class ImageTagForm(StreamTagForm):
    """An ImageTag: all of the spec tag is its spec."""

    kind = "ImageTag"
    places: ClassVar[tuple[Place, ...]] = (Place(("f:spec",), ()),)

    def written(self, stream: Json, tag: str) -> Json:
        """The form of a stream's tag."""
        shown, spec_tag = self._named(names.join(stream["metadata"]["name"], tag)), self._full(stream, tag)
        return shown if spec_tag is None else {**shown, "spec": _without(spec_tag, "name")}

    def spec_of(self, form: Json) -> Json | None:
        """The spec tag of a form, but for its name; None where it has none."""
        return form.get("spec")

    def applicable(self, config: Json) -> Json:
        """The form of what an apply sets."""
        part = {"spec": _without(config["spec"], "name")} if "spec" in config else {}
        return {**self._named(config["metadata"]["name"]), **part}


def annotations_findings(of_tag: Json | None, of_object: Json | None) -> Findings:
    """What is wrong with annotations that stand in the tag of an ImageStreamTag (image-api 3.4)."""
    if not of_tag or of_tag == (of_object or {}):
        return []
    why = "tag annotations must not be provided or must be equal to the object meta annotations"
    return [FieldError.invalid("tag.annotations", of_tag, why)]


def _without(obj: Json, *keys: str) -> Json:
    return {key: value for key, value in obj.items() if key not in keys}


def _unless_empty(key: str, value: Json | None) -> Json:
    return {key: value} if value else {}
