"""The streams and images behind the kinds that are views of them (image-api 0.1)."""

from __future__ import annotations

from webhook.apiserver import bodies
from webhook.apiserver.ownership import Managed
from webhook.apiserver.rest import Call
from webhook.apiserver.stored import StoredRest
from webhook.errors import Json
from webhook.image import history


class Streams:
    """Reads and internal writes of streams, reads of images."""

    def __init__(self, streams: StoredRest, status: StoredRest, images: StoredRest) -> None:
        """`streams` carries the strategy of internal writes, `status` that of status writes."""
        self.rest, self.status, self.images = streams, status, images

    def load(self, namespace: str, name: str) -> Json | None:
        """The stream as it is shown, or None."""
        found = self.rest.find(namespace, name)
        return None if found is None else self.rest.strategy.decorate(found)

    def save(self, call: Call, stream: Json, managed: Managed | None = None) -> Json:
        """Store the stream over the version that it carries; create it where it carries none.

        `managed` are its managedFields from now on; None leaves them as they are.
        """
        return self.rest.save(call, stream, managed)

    def save_status(self, call: Call, stream: Json) -> Json:
        """Store the stream's status over the version that it carries; its generation stays."""
        return bodies.decoded(self.status.update(call, stream["metadata"]["name"], lambda _: stream)[0])

    def image(self, name: str) -> Json | None:
        """The Image object of that digest, or None."""
        return self.images.find("", name) if name else None

    def head_image(self, stream: Json, tag: str) -> Json | None:
        """The Image object of a tag's newest event, or None."""
        newest = history.head(stream, tag)
        return self.image(newest.get("image") or "") if newest else None


def blank(namespace: str, name: str) -> Json:
    """A stream that does not exist yet."""
    return {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"lookupPolicy": {"local": False}},
        "status": {"dockerImageRepository": ""},
    }
