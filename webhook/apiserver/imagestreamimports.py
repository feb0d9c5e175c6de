"""`imagestreamimports`: a command that fetches images and writes what it found into a stream (image-api 5)."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

from webhook.apiserver.reading import objects
from webhook.apiserver.rest import Call, Rest, Selection
from webhook.apiserver.stored import StoredRest
from webhook.apiserver.streams import Streams
from webhook.distribution.credentials import is_pull_secret
from webhook.errors import AlreadyExists, Conflict, Forbidden, InternalError, Invalid, Json, NotFound, TooManyRequests
from webhook.image import allowlist, defaults, validation
from webhook.image.allowlist import AllowList
from webhook.importer import answer, results
from webhook.importer.engine import Importer
from webhook.importer.fetched import Fetched
from webhook.meta import timestamps
from webhook.meta.resources import ResourceInfo
from webhook.meta.selectors import FieldSelector, LabelSelector

GROUP = "image.openshift.io"
_OVER_LIMIT = "exceeds the maximum limit"
# All other writers wait for a commit.
_IMAGES_PER_COMMIT = 100
_SERVERS = ("uid", "creationTimestamp")
_NEVER_ANSWERED = ("managedFields", "deletionTimestamp", "deletionGracePeriodSeconds")


class ImageStreamImportRest(Rest):
    """POST only; answers 201 even where every image failed."""

    has_table = False

    def __init__(
        self,
        info: ResourceInfo,
        streams: Streams,
        secrets: StoredRest,
        importer: Importer,
        import_mode: str,
        *,
        retrying: bool,
        at_once: int,
        schema: Any,
        allowed: Callable[[], AllowList],
    ) -> None:
        """`allowed` is the allow-list of this moment. It counts for everybody here. `at_once` imports may be under way.

        OpenShift exempts who may create images; without authorization that would be everybody, and the list nothing.
        """
        self.info, self.streams, self.secrets = info, streams, secrets
        self.importer, self.import_mode, self.schema = importer, import_mode, schema
        self.retrying = retrying
        self._allowed = allowed
        self._at_once, self._places = at_once, threading.BoundedSemaphore(at_once)

    def create(self, call: Call, obj: Json) -> Json:
        """Fetch, then store images and stream in the versions that were read at the start."""
        request = defaults.import_request({**obj, "status": {}}, self.import_mode)
        name = request["metadata"].get("name") or ""
        if not name and request["metadata"].get("generateName"):
            raise InternalError.of("metadata.name was not generated")
        findings = validation.import_request(request) or allowlist.import_findings(request, self._allowed())
        if findings:
            raise Invalid.of(self.kind, GROUP, name, findings)
        stream = self._target(call, request, name)
        fetched = self._fetched(request, stream, pull_secrets(self.secrets, call))
        outcome = results.apply(request, fetched, stream, timestamps.now(), retrying=self.retrying)
        status = outcome.status
        if request["spec"].get("import"):
            stored = self._store_images(call, outcome.images)
            saved = stream if outcome.stream is None else self._store_stream(call, outcome.stream, stream)
            status = answer.with_stored(status, request["spec"], stored)
            if saved is not None:
                status = {"import": _nested(saved), **status}
        said = defaults.said(request["metadata"])
        meta = {key: value for key, value in said.items() if key not in _NEVER_ANSWERED}
        meta |= {"uid": str(uuid.uuid4()), "creationTimestamp": timestamps.now()}
        return {**request, "metadata": meta, "status": status}

    def _fetched(self, request: Json, stream: Json | None, secrets: list[Json]) -> Fetched:
        """What the registries give; TooManyRequests where too many threads wait for registries already."""
        if not self._places.acquire(blocking=False):
            raise TooManyRequests(f"this process makes {self._at_once} imports, as many as it may: try again later")
        try:
            return self.importer.fetch(request, stream, secrets)
        finally:
            self._places.release()

    def _target(self, call: Call, request: Json, name: str) -> Json | None:
        """The stream as it is; the version that the request names must be its own (image-api 5.2, 12.1, 12.2)."""
        stream = self.streams.load(call.namespace, name)
        asked = request["metadata"].get("resourceVersion")
        if not asked:
            return stream
        if stream is None:
            raise NotFound.of("imagestreamimports", GROUP, name)
        current = stream["metadata"]["resourceVersion"]
        if asked != current:
            why = f'the image stream was updated from "{asked}" to "{current}"'
            raise Conflict.of("imagestream", GROUP, name, why)
        return stream

    def _store_images(self, call: Call, images: list[Json]) -> dict[str, Json]:
        """The Images by name, with the metadata they are stored with."""
        within = Call(call.user, "", dry_run=call.dry_run)
        stored: dict[str, Json] = {}
        for start in range(0, len(images), _IMAGES_PER_COMMIT):
            stored |= self._store_chunk(within, images[start : start + _IMAGES_PER_COMMIT])
        return {_name(image): {**image, "metadata": stored[_name(image)]} for image in images}

    def _store_chunk(self, call: Call, images: list[Json]) -> dict[str, Json]:
        """The metadata of the Images by name."""
        while True:
            known = {_name(image): found for image in images if (found := self._known(image))}
            new = [self._typed(image) for image in images if _name(image) not in known]
            if not new:
                return known
            try:
                return known | {_name(image): image["metadata"] for image in self.streams.images.create_all(call, new)}
            except AlreadyExists:
                # Another import was faster with one of them at least, which is found there now, or is gone again.
                continue

    def _known(self, image: Json) -> Json | None:
        """The metadata that is shown of an image which is there already: its own, and no version (image-api 12.10)."""
        found = self.streams.image(_name(image))
        return found and {**image["metadata"], **{key: found["metadata"][key] for key in _SERVERS}}

    def _typed(self, image: Json) -> Json:
        return {"kind": "Image", "apiVersion": self.api_version, **image}

    def _store_stream(self, call: Call, new: Json, old: Json | None) -> Json:
        try:
            return self.streams.save(call, new)
        except (Invalid, Forbidden) as refused:
            if old is not None and _OVER_LIMIT in refused.message:
                self.streams.save(call, results.refused(old, new, refused.status(), timestamps.now()))
            raise


def _name(obj: Json) -> str:
    return str(obj["metadata"]["name"])


def _nested(obj: Json) -> Json:
    return {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}


def pull_secrets(secrets: StoredRest, call: Call) -> list[Json]:
    """The registry credentials of the namespace, as Secrets (image-api 2.13)."""
    everything = Selection(LabelSelector.parse(""), FieldSelector.parse("", set()))
    found = objects(secrets.list(Call(call.user, call.namespace), everything))
    return [one for one in found if is_pull_secret(one)]
