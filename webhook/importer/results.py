"""What an import makes of its image stream: spec tags, history, conditions and the Images to store (image-api 5.7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from webhook.errors import Json
from webhook.image import history, tags
from webhook.image import manifest as manifests
from webhook.image.reference import InvalidReference, parse
from webhook.importer import answer, retries
from webhook.importer.fetched import Fetched, FetchedImage, FetchedRepository

CHECK_ANNOTATION = "openshift.io/image.dockerRepositoryCheck"


@dataclass(frozen=True)
class Outcome:
    """What to do with a finished import.

    `status` is the status of the ImageStreamImport, still without `import`. `stream` is the stream to write through
    the internal update path, which fills in the generations that are 0 and follows aliases; None when nothing is to
    be written. `images` are the Images to create, members of lists first; one that exists is kept as it is.
    `creating` says that the stream does not exist yet.
    """

    status: Json
    stream: Json | None = None
    images: list[Json] = field(default_factory=list)
    creating: bool = False


def apply(isi: Json, fetched: Fetched, stream: Json | None, now: str, *, retrying: bool = False) -> Outcome:
    """The outcome for a defaulted ImageStreamImport; `stream` is the stored one, `now` the time of the import.

    With `retrying` a failure also gets a condition that says when it is tried again, and a stream whose repository
    could not be listed does not count as checked: OpenShift would never list it again (section 12, item 36).
    """
    spec = isi["spec"]
    status = answer.status(spec, fetched)
    if not spec.get("import"):
        return Outcome(status)
    before = stream or _new_stream(isi)
    writing = _Writing(before, now, retrying=retrying)
    writing.repository(spec.get("repository"), fetched.repository)
    for one, found in zip(spec.get("images") or [], fetched.images, strict=True):
        writing.image(one, found)
    unlisted = fetched.repository is not None and fetched.repository.failure is not None
    after = _written(before, writing.stream, now, creating=stream is None, checked=not (retrying and unlisted))
    return Outcome(status, after, list(writing.images.values()), creating=stream is None)


def refused(stream: Json, proposed: Json, failure: Json, now: str) -> Json:
    """The stored stream with a condition on every tag that only the refused write would have added.

    For a write that exceeds a limit (image-api 5.7, section 12 item 12); `failure` is the Status of the refusal.
    """
    condition = _condition(failure, _generation(stream) + 1, now)
    after = stream
    for entry in tags.status_tags(proposed):
        if tags.status_tag(stream, entry["tag"]) is None:
            after = tags.with_status_tag(after, {"tag": entry["tag"], "items": None, "conditions": [condition]})
    return after


def up_to_date(stream: Json, tag: str, reference: str, digest: str) -> bool:
    """Would the import of this image write nothing? `reference` is its pull spec with the digest."""
    event = history.event("", reference, digest, 0)
    entry = history.entry(stream, tag) or {}
    known = _checked(stream) and not entry.get("conditions")
    return known and not _outdated(tags.spec_tag(stream, tag), history.head(stream, tag), event)


def known_failure(stream: Json, tag: str, failure: Json) -> bool:
    """Would this failure of an import write nothing?"""
    spec_tag, entry = tags.spec_tag(stream, tag), history.entry(stream, tag)
    return _checked(stream) and _recorded(spec_tag, entry, _condition(failure, 0, ""))


def _checked(stream: Json) -> bool:
    # Being there is what counts; an empty one asks the controller for an import, and is no change by itself.
    return CHECK_ANNOTATION in ((stream.get("metadata") or {}).get("annotations") or {})


def _recorded(spec_tag: Json | None, entry: Json | None, condition: Json) -> bool:
    known = (entry or {}).get("conditions") or []
    return any(_same(one, condition) and not _asked_again(spec_tag, one) for one in known)


def _new_stream(isi: Json) -> Json:
    metadata = {key: isi["metadata"][key] for key in ("name", "namespace") if key in isi["metadata"]}
    return {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": metadata,
        "spec": {"lookupPolicy": {"local": False}},
        "status": {"dockerImageRepository": ""},
    }


def _written(before: Json, after: Json, now: str, *, creating: bool, checked: bool) -> Json | None:
    """The stream to write: nothing when it has been checked before, or still is not, and does not change."""
    if not creating and (_checked(before) or not checked) and _meaning(after) == _meaning(before):
        return None
    if not checked:
        return after
    annotations = (before.get("metadata") or {}).get("annotations") or {}
    metadata = {**after["metadata"], "annotations": {**annotations, CHECK_ANNOTATION: now}}
    return {**after, "metadata": metadata}


class _Writing:
    """The stream on its way through the results of one request, with its tags by name: there may be thousands."""

    def __init__(self, stream: Json, now: str, *, retrying: bool) -> None:
        self._before, self._now, self._retrying = stream, now, retrying
        self._next = _generation(stream) + 1
        self._spec = {tag.get("name") or "": tag for tag in tags.spec_tags(stream)}
        self._status = {entry.get("tag") or "": entry for entry in tags.status_tags(stream)}
        self._put_spec, self._put_status = False, False
        self.images: dict[str, Json] = {}

    @property
    def stream(self) -> Json:
        """The stream with all that was written up to now."""
        after = tags.with_spec_tags(self._before, self._spec.values()) if self._put_spec else self._before
        return tags.with_status_tags(after, self._status.values()) if self._put_status else after

    def repository(self, spec: Json | None, found: FetchedRepository | None) -> None:
        """Every tag of the repository becomes a tag of the stream; one that failed only gets a condition."""
        for one in found.images if spec and found else ():
            if one.image is None:
                self._failed(one.tag, one)
            elif spec is not None:
                self._succeeded(one.tag, spec, _tagged(spec["from"]["name"], one.tag), one)

    def image(self, spec: Json, found: FetchedImage) -> None:
        """One entry of `spec.images`; without `to` it changes nothing."""
        tag = (spec.get("to") or {}).get("name")
        if not tag:
            return
        if found.image is not None:
            self._succeeded(tag, spec, spec["from"]["name"], found)
            return
        self._failed(tag, found)
        if tag not in self._spec:
            self._put(_spec_tag({"name": tag, "annotations": None}, spec, spec["from"]["name"]))

    def _failed(self, tag: str, found: FetchedImage) -> None:
        condition = _condition(found.failure or {}, self._next, self._now)
        spec_tag, entry = self._spec.get(tag), self._status.get(tag, {"tag": tag, "items": None})
        if _recorded(spec_tag, entry, condition):
            return
        conditions = [condition]
        if self._retrying:
            conditions.append(retries.announced(condition, entry, asked_again=_tag_asks(spec_tag, entry)))
        self._enter({**entry, "conditions": conditions})
        if spec_tag is not None:
            self._put({**spec_tag, "generation": 0})

    def _succeeded(self, tag: str, spec: Json, source: str, found: FetchedImage) -> None:
        if found.image is None:
            return
        image = manifests.without_content(found.image)
        name = image["metadata"]["name"]
        event = history.event(self._now, image["dockerImageReference"], name, self._next)
        spec_tag, entry = self._spec.get(tag), self._status.get(tag, {"tag": tag})
        if _outdated(spec_tag, next(iter(entry.get("items") or []), None), event):
            spec_tag = _spec_tag(spec_tag or {"name": tag, "annotations": None}, spec, source)
            entry, _ = history.push(entry, event)
            self._enter(entry)
        # In every success: an import can switch a tag to scheduled without bringing a new image.
        self._put({**(spec_tag or {}), "importPolicy": dict(spec.get("importPolicy") or {})})
        if entry.get("conditions"):
            self._enter({key: value for key, value in entry.items() if key != "conditions"})
        for one in (*found.manifests, image):
            self.images.setdefault(one["metadata"]["name"], manifests.without_content(one))

    def _put(self, spec_tag: Json) -> None:
        self._spec[spec_tag["name"]], self._put_spec = spec_tag, True

    def _enter(self, entry: Json) -> None:
        self._status[entry["tag"]], self._put_status = entry, True


def _outdated(spec_tag: Json | None, head: Json | None, event: Json) -> bool:
    """Is there something to write for this image: another one, another address, or a re-import asked for?"""
    if head is None or spec_tag is None or spec_tag.get("generation") is None:
        return True
    if any(head.get(key) != event[key] for key in ("dockerImageReference", "image")):
        return True
    return bool(spec_tag["generation"] > (head.get("generation") or 0))


def _spec_tag(before: Json, spec: Json, source: str) -> Json:
    """The spec tag after an import: a policy for references stays the one of the first import, and so does the rest."""
    after = {
        **before,
        "from": {"kind": "DockerImage", "name": source},
        "generation": 0,
        "importPolicy": dict(spec.get("importPolicy") or {}),
    }
    if not (before.get("referencePolicy") or {}).get("type"):
        after["referencePolicy"] = dict(spec.get("referencePolicy") or {"type": "Source"})
    return after


def _condition(failure: Json, generation: int, now: str) -> Json:
    condition = {"type": retries.IMPORT_SUCCESS, "status": "False", "lastTransitionTime": now}
    if failure.get("reason"):
        condition["reason"] = failure["reason"]
    condition["message"] = failure.get("message") or "unknown error prevented import"
    return {**condition, "generation": generation}


def _same(one: Json, other: Json) -> bool:
    return all((one.get(key) or "") == (other.get(key) or "") for key in ("type", "status", "reason", "message"))


def _asked_again(spec_tag: Json | None, condition: Json) -> bool:
    """Was a re-import asked for since that failure?

    OpenShift does not look, so that a tag which fails again in the same way counts as pending for ever; here the
    condition is written again and catches up (image-api section 12, item 38).
    """
    return ((spec_tag or {}).get("generation") or 0) > (condition.get("generation") or 0)


def _tag_asks(spec_tag: Json | None, entry: Json) -> bool:
    return any(_asked_again(spec_tag, known) for known in entry.get("conditions") or [])


def _tagged(name: str, tag: str) -> str:
    try:
        reference = parse(name)
    except InvalidReference:
        return f"{name}:{tag}"
    return f"{reference.as_repository().exact()}:{tag}"


def _generation(stream: Json) -> int:
    return int((stream.get("metadata") or {}).get("generation") or 0)


def _meaning(value: Any) -> Any:
    """A value without what is empty: nil, an empty list and no key mean the same to Kubernetes."""
    if isinstance(value, dict):
        found = {key: _meaning(part) for key, part in value.items()}
        return {key: part for key, part in found.items() if part not in (None, "", [], {}) and part is not False}
    if isinstance(value, list):
        return [_meaning(part) for part in value]
    return value
