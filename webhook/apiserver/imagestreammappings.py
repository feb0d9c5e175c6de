"""`imagestreammappings`: a push as its registry reports it, an Image and the tag that it goes on (image-api 4.4)."""

from __future__ import annotations

from typing import Any

from webhook.apiserver.rest import Call, Rest
from webhook.apiserver.stored import TRIES
from webhook.apiserver.streams import Streams
from webhook.errors import AlreadyExists, Conflict, FieldError, Findings, Invalid, Json, NotFound, ServerTimeout
from webhook.image import defaults, history, tagging, validation
from webhook.meta import timestamps
from webhook.meta.resources import ResourceInfo

GROUP = "image.openshift.io"
_MANAGED = "openshift.io/image.managed"


class ImageStreamMappingRest(Rest):
    """POST only; answers a Status."""

    def __init__(self, info: ResourceInfo, streams: Streams, integrated: str, *, schema: Any) -> None:
        self.info, self.streams, self.integrated, self.schema = info, streams, integrated, schema

    def create(self, call: Call, obj: Json) -> Json:
        """Store the Image and put it on top of the tag's history; the stream must exist."""
        name = obj["metadata"].get("name") or ""
        mapping = self._defaulted(obj, name, call.namespace)
        findings = _findings(mapping, name)
        if findings:
            raise Invalid.of(self.kind, GROUP, name, findings)
        stream = self.streams.load(call.namespace, name)
        if stream is None:
            raise NotFound.of(self.info.resource, GROUP, name)
        reference = self._store_image(call, mapping["image"], stream)
        self._push(call, stream, mapping["tag"], reference, mapping["image"]["metadata"]["name"])
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    def _defaulted(self, obj: Json, name: str, namespace: str) -> Json:
        image = {key: value for key, value in (obj.get("image") or {}).items() if key != "signatures"}
        image["metadata"] = {**(image.get("metadata") or {})}
        if not image.get("dockerImageReference") and self.integrated and image["metadata"].get("name"):
            image["dockerImageReference"] = f"{self.integrated}/{namespace}/{name}@{image['metadata']['name']}"
        image = {"kind": "Image", "apiVersion": self.api_version, **image}
        return {**obj, "image": defaults.image(image)}

    def _store_image(self, call: Call, image: Json, stream: Json) -> str:
        """The reference for the history: a managed image that was known before is pulled through this stream."""
        reference = str(image["dockerImageReference"])
        try:
            self.streams.images.create(Call(call.user, "", dry_run=call.dry_run), image)
        except AlreadyExists:
            repository = stream["status"].get("dockerImageRepository")
            if (image["metadata"].get("annotations") or {}).get(_MANAGED) == "true" and repository:
                return f"{repository}@{image['metadata']['name']}"
        return reference

    def _push(self, call: Call, stream: Json, tag: str, reference: str, image: str) -> None:
        """Written like a status: the stream's generation stays. Again where somebody else wrote another tag."""
        before = history.head(stream, tag)
        # OpenShift has ten tries, and loses pushes of more than that at a time.
        for _ in range(TRIES):
            generation = stream["metadata"].get("generation") or 0
            event = history.event(timestamps.now(), reference, image, generation)
            pushed, changed = history.record(stream, tag, event)
            if not changed:
                return
            try:
                self.streams.save_status(call, tagging.follow_aliases(pushed, {tag}))
            except Conflict:
                stream = self._again(call, stream, tag, before)
                continue
            return
        raise ServerTimeout.of(self.info.resource, GROUP, "create")

    def _again(self, call: Call, stream: Json, tag: str, before: Json | None) -> Json:
        name = stream["metadata"]["name"]
        fresh = self.streams.load(call.namespace, name)
        if fresh is None:
            raise NotFound.of(self.info.resource, GROUP, name)
        if _points_at(history.head(fresh, tag)) != _points_at(before):
            raise Conflict.of(self.info.resource, GROUP, name, f"the tag {tag} was updated meanwhile")
        return fresh


def _points_at(event: Json | None) -> tuple[str, str] | None:
    return None if event is None else (event.get("image") or "", event.get("dockerImageReference") or "")


def _findings(mapping: Json, name: str) -> Findings:
    findings: Findings = []
    if not name:
        findings.append(FieldError.required("metadata.name", "name or generateName is required"))
    if not mapping.get("tag"):
        findings.append(FieldError.required("tag"))
    if not mapping["image"]["metadata"].get("name"):
        findings.append(FieldError.required("image.metadata.name", "name or generateName is required"))
    return findings + validation.image(mapping["image"], "image.")
