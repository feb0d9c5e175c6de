"""The same look-ups straight from a store, for a server that admits what it stores itself: always current."""

from __future__ import annotations

from collections.abc import Callable

from webhook.errors import Json
from webhook.image import lookup, pullspec
from webhook.image.lookup import Stream

Load = Callable[[str, str, str], Json | None]
"""(resource, namespace, name) → the stored object, or None; an Image's namespace is empty."""

STREAMS = "imagestreams.image.openshift.io"
IMAGES = "images.image.openshift.io"


class DirectView:
    """Reads each stream when it is asked for; `integrated` is the integrated registry's host, or empty."""

    ready = True

    def __init__(self, load: Load, integrated: str) -> None:
        self._load = load
        self._integrated = integrated

    def stream(self, namespace: str, name: str) -> Stream | None:
        """The stream of that name."""
        found = self._load(STREAMS, namespace, name)
        if found is None:
            return None
        # What is stored as the repository is irrelevant: it is computed on every read (image-api 2.4).
        configured = (found.get("spec") or {}).get("dockerImageRepository") or ""
        return lookup.record(found, pullspec.repository(namespace, name, configured, self._integrated))

    def has_image(self, image: str, _stream: Stream, /) -> bool:
        """Whether the Image object exists."""
        return self._load(IMAGES, "", image) is not None
