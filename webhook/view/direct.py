"""The same look-ups from the store itself, for a server that has the streams: always current."""

from __future__ import annotations

from collections.abc import Callable

from webhook.errors import Json
from webhook.image import lookup, pullspec
from webhook.image.lookup import Stream
from webhook.view.index import Streams

Load = Callable[[str, str, str], Json | None]
"""(resource, namespace, name) → the stored object, or None; an Image's namespace is empty."""

Version = Callable[[str, str, str], int | None]
"""The same → the resource version, 0 where there is no such object, None where the store cannot say."""

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

    def has_image(self, pull_spec: str, _stream: Stream, /) -> bool:
        """Whether the Image object exists."""
        return self._load(IMAGES, "", lookup.image_of(pull_spec)) is not None


class CheckedView:
    """A view that the store confirms: whoever has written a stream finds it so, and few are decoded anew.

    While the store is away the view alone answers: what it knew last is better than nothing.
    """

    ready = True

    def __init__(self, view: Streams, direct: Streams, version: Version) -> None:
        self._view = view
        self._direct = direct
        self._version = version

    def stream(self, namespace: str, name: str) -> Stream | None:
        """The stream of that name."""
        version = self._version(STREAMS, namespace, name)
        if version == 0:
            return None
        known = self._view.stream(namespace, name)
        if version is None or (known is not None and known.version == version):
            return known
        return self._direct.stream(namespace, name)

    def has_image(self, pull_spec: str, stream: Stream, /) -> bool:
        """Whether the Image object exists."""
        version = self._version(IMAGES, "", lookup.image_of(pull_spec))
        return self._view.has_image(pull_spec, stream) if version is None else version > 0
