"""The gap between "create stream" and "create pod": one bounded question to the API about a name that could be new.

A watch brings a new stream within milliseconds, but a script creates both within fewer. Only names that the view does
not know are ever asked for, and whatever goes wrong, the answer is the view's: there is no such stream.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol
from urllib.parse import quote

from cachetools import TTLCache

from webhook.errors import NotFound
from webhook.image import lookup
from webhook.image.lookup import ImageStream, Stream
from webhook.kube.decoding import Decoding
from webhook.view.index import Streams

log = logging.getLogger(__name__)

DEADLINE: Final = 0.3
"""Seconds for an answer: a tenth of what an API server waits for a webhook by default here."""
_REMEMBERED: Final = 5.0
"""Seconds in which a name is asked for once, whatever the answer was."""
_PER_NAMESPACE: Final = 3
"""Questions per namespace and second, and questions at the same time."""
_REST: Final = 10.0
"""Seconds without questions after one that was not answered: an API that is down must not cost every Pod 300 ms."""
_MOST_NAMES: Final = 10_000

_UNKNOWN: Final = Stream()

FOUND, ABSENT, FAILED, LIMITED = OUTCOMES = "found", "absent", "failed", "limited"


class Reads(Protocol):
    """The part of a `KubeClient` that is needed."""

    def read(self, path: str, decoding: Decoding[ImageStream], *, deadline: float) -> ImageStream:
        """One object within `deadline` seconds."""


class LiveView:
    """A view that asks the API about names it does not know; `observe` is told each outcome."""

    def __init__(
        self,
        view: Streams,
        client: Reads,
        *,
        observe: Callable[[str], None] = lambda _outcome: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._view = view
        self._client = client
        self._observe = observe
        self._clock = clock
        self._decoding = Decoding(ImageStream)
        self._lock = threading.Lock()
        self._answers: TTLCache[tuple[str, str], Stream | None] = TTLCache(_MOST_NAMES, _REMEMBERED, clock)
        self._asked: TTLCache[tuple[str, int], int] = TTLCache(_MOST_NAMES, 2.0, clock)
        self._asking = 0
        self._rest_until = 0.0

    @property
    def ready(self) -> bool:
        """Whether the view is: questions do not stand in for it."""
        return self._view.ready

    def stream(self, namespace: str, name: str) -> Stream | None:
        """The stream of that name; one that the view knows costs nothing."""
        found = self._view.stream(namespace, name)
        if found is not None or not self._view.ready:
            return found
        key = (namespace, name)
        with self._lock:
            # Asked once, as an answer may grow too old between two looks.
            known = self._answers.get(key, _UNKNOWN)
            if known is not _UNKNOWN:
                return known
            if not self._may_ask(namespace):
                self._observe(LIMITED)
                return None
            # Whoever comes while the question is out does not wait for it.
            self._answers[key] = None
            self._asking += 1
        try:
            answer = self._ask(namespace, name)
        finally:
            with self._lock:
                self._asking -= 1
        if answer is not None:
            with self._lock:
                self._answers[key] = answer
        # What the watch brought in the meantime is at least as new.
        return self._view.stream(namespace, name) or answer

    def has_image(self, pull_spec: str, stream: Stream, /) -> bool:
        """Whether the Image object of a tag of `stream` exists, as far as the view knows."""
        return self._view.has_image(pull_spec, stream)

    def _may_ask(self, namespace: str) -> bool:
        """Called with the lock."""
        now = self._clock()
        second = (namespace, int(now))
        asked = self._asked.get(second, 0)
        if asked >= _PER_NAMESPACE or self._asking >= _PER_NAMESPACE or now < self._rest_until:
            return False
        self._asked[second] = asked + 1
        return True

    def _ask(self, namespace: str, name: str) -> Stream | None:
        path = f"/apis/image.openshift.io/v1/namespaces/{quote(namespace, safe='')}/imagestreams/{quote(name, safe='')}"
        try:
            found = lookup.record(self._client.read(path, self._decoding, deadline=DEADLINE))
        except NotFound:
            self._observe(ABSENT)
            return None
        except Exception as error:
            log.warning("image stream %s/%s could not be asked for: %s", namespace, name, error)
            self._rest_until = self._clock() + _REST
            self._observe(FAILED)
            return None
        self._observe(FOUND)
        return found
