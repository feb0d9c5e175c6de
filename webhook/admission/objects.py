"""The few whole objects that a policy may need to see, which no view keeps: Images, streams and Namespaces.

Without a configuration that requires resolution or has execution rules, nothing here is ever asked.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from cachetools import TTLCache

from webhook.errors import Json, StatusError
from webhook.image import assemble, lookup, tags
from webhook.kube.failure import Unreachable
from webhook.view.direct import IMAGES, STREAMS, Load

log = logging.getLogger(__name__)

IGNORE_RULES: Final = "alpha.image.policy.openshift.io/ignore-rules"
"""The annotation of a Namespace that names the execution rules which do not hold in it."""

NAMESPACES: Final = "namespaces"
_CACHED: Final = 128
_SECONDS: Final = 60
_REST: Final = 2.0
"""Seconds without a read after one that nobody answered: an object may need a dozen, and its user waits for all."""


class Objects:
    """Reads objects by `load`; Images that are named by digest may be a minute old (admission A.6.5)."""

    def __init__(
        self, load: Load = lambda _resource, _namespace, _name: None, *, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._load = load
        self._timer = timer
        self._rest_until = 0.0
        self._images: TTLCache[str, Json] = TTLCache(_CACHED, _SECONDS, timer)
        self._lock = threading.Lock()

    def image(self, digest: str) -> Json | None:
        """The Image of that name, None if there is none or it cannot be read."""
        with self._lock:
            found = self._images.get(digest)
        return found or self._fresh(digest)

    def tag_image(self, stream_name: str, tag: str, digest: str) -> Json | None:
        """The Image of a stream's tag as its ImageStreamTag shows it: with the annotations of the spec tag.

        `stream_name` is namespace/name, here and below.
        """
        image = self._fresh(digest)
        stream = self._stream(stream_name)
        own = (tags.spec_tag(stream, tag) or {}).get("annotations") if stream else None
        if image is None or not own:
            return image
        metadata = image.get("metadata") or {}
        return {**image, "metadata": {**metadata, "annotations": {**(metadata.get("annotations") or {}), **own}}}

    def stream_image(self, stream_name: str, digest: str) -> str:
        """The pull spec of an ImageStreamImage, "" if the stream's history does not have it."""
        stream = self._stream(stream_name)
        found = None if stream is None else assemble.find_image(stream, digest, self._fresh)
        image = self._fresh(found) if found else None
        return lookup.final(image.get("dockerImageReference") or "", found) if image and found else ""

    def ignored_rules(self, namespace: str) -> frozenset[str]:
        """The execution rules that a namespace names in its annotation, as they are between the commas."""
        metadata = (self._read(NAMESPACES, "", namespace) or {}).get("metadata") or {}
        return frozenset(((metadata.get("annotations") or {}).get(IGNORE_RULES) or "").split(","))

    def _stream(self, stream_name: str) -> Json | None:
        namespace, _, name = stream_name.partition("/")
        return self._read(STREAMS, namespace, name)

    def _fresh(self, digest: str) -> Json | None:
        found = self._read(IMAGES, "", digest)
        with self._lock:
            if found is None:
                self._images.pop(digest, None)
            else:
                self._images[digest] = found
        return found

    def _read(self, resource: str, namespace: str, name: str) -> Json | None:
        if self._timer() < self._rest_until:
            return None
        try:
            return self._load(resource, namespace, name)
        except Unreachable as error:
            log.warning("%s %s cannot be read: %s", resource, name, error)
            self._rest_until = self._timer() + _REST
        except StatusError as error:
            log.warning("%s %s cannot be read: %s", resource, name, error)
        except Exception:
            log.exception("%s %s cannot be read", resource, name)
        return None


NOTHING: Final = Objects()
"""Nowhere to read from: no Image is known."""
