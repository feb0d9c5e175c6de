"""Keeps a copy of one collection current: list, then watch, then resume or list again."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Protocol

from webhook.errors import Expired, Json, StatusError, TooManyRequests
from webhook.kube.client import PAGE, KubeClient, Query
from webhook.kube.failure import Unreachable
from webhook.kube.watch import Watch

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.8, 30.0
_SHORTEST_WATCH, _LONGEST_WATCH = 300, 600
# A watch that ends sooner and without an event would make a busy loop.
_VERY_SHORT_SECONDS = 1.0


class Sink(Protocol):
    """Where the objects go; called by one thread, in order."""

    def replace(self, objects: Iterable[Json], position: str) -> None:
        """The whole collection; nothing may be taken over if the iteration raises."""

    def apply(self, kind: str, item: Json) -> None:
        """One change: ADDED, MODIFIED or DELETED."""

    def advance(self, position: str) -> None:
        """Everything up to this resource version has been delivered."""


class Reflector:
    """Feeds a `Sink` from `path`, for ever; failures are retried with jittered backoff.

    `synced` is set after the first complete list. `position` is the resource version up to which everything has been
    delivered. `metadata_only` asks for objects without their contents.
    """

    def __init__(
        self,
        client: KubeClient,
        path: str,
        sink: Sink,
        *,
        page: int = PAGE,
        metadata_only: bool = False,
        query: dict[str, Query] | None = None,
        pause: Callable[[float], object] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.synced = threading.Event()
        self.position = ""
        self._client, self._path, self._sink = client, path, sink
        self._page, self._query = page, query or {}
        self._metadata_only = metadata_only
        self._stopping = threading.Event()
        self._pause = pause or self._stopping.wait
        self._rng = rng or random.Random()
        self._failures = 0
        self._watch: Watch | None = None

    def start(self) -> threading.Thread:
        """Runs in a thread of its own."""
        thread = threading.Thread(target=self.run, name=f"reflector {self._path}", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Ends `run` soon, even while a watch is silent; may be called from any thread."""
        self._stopping.set()
        if (watch := self._watch) is not None:
            watch.interrupt()

    def run(self, rounds: int | None = None) -> None:
        """Lists and watches until stopped; `rounds` bounds the number of lists and watches, for tests."""
        done = 0
        while not self._stopping.is_set() and (rounds is None or done < rounds):
            done += 1
            self._round()

    def _round(self) -> None:
        try:
            if not self.position:
                self._list()
            else:
                self._follow()
        except Expired as error:
            log.info("%s: listing again: %s", self._path, error)
            self.position = ""
            self._fail(error)
        except Unreachable as error:
            self._fail(error)
        except StatusError as error:
            if error.code < 500 and error.code != TooManyRequests.code:
                # Not about load, so the position itself may be what the server dislikes.
                self.position = ""
            self._fail(error)
        except Exception as error:
            # The sink's fault. Events may be half applied: only a list makes the copy right again.
            log.exception("%s: the copy is rebuilt", self._path)
            self.position = ""
            self._fail(error)

    def _list(self) -> None:
        pages = self._client.pages(self._path, limit=self._page, metadata_only=self._metadata_only, **self._query)
        first = next(pages)
        position = str((first.get("metadata") or {}).get("resourceVersion") or "")
        if not position:
            raise Unreachable("the list has no resource version to watch from")
        self._sink.replace(_objects(chain([first], pages)), position)
        self._reached(position)
        self.synced.set()

    def _follow(self) -> None:
        seconds = self._rng.randint(_SHORTEST_WATCH, _LONGEST_WATCH)
        begun, seen = time.monotonic(), 0
        watch = self._client.watch(
            self._path,
            resource_version=self.position,
            timeout_seconds=seconds,
            metadata_only=self._metadata_only,
            **self._query,
        )
        self._watch = watch
        try:
            if self._stopping.is_set():
                # Stopped before there was a watch to interrupt.
                return
            for kind, item in watch:
                if self._stopping.is_set():
                    return
                seen += 1
                self._deliver(kind, item)
        finally:
            self._watch = None
            watch.close()
        if not seen and time.monotonic() - begun < _VERY_SHORT_SECONDS:
            self._fail(Unreachable("the watch ended at once"))

    def _deliver(self, kind: str, item: Json) -> None:
        if kind != "BOOKMARK":
            self._sink.apply(kind, item)
        self._reached(str((item.get("metadata") or {}).get("resourceVersion") or self.position))

    def _reached(self, position: str) -> None:
        self.position = position
        self._sink.advance(position)
        self._failures = 0

    def _fail(self, error: Exception) -> None:
        if self._stopping.is_set():
            return
        self._failures += 1
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self._failures)
        seconds = self._rng.uniform(_FIRST_PAUSE, longest)
        log.warning("%s: %s; again in %.1f s", self._path, error, seconds)
        self._pause(seconds)


def _objects(pages: Iterable[Json]) -> Iterator[Json]:
    for page in pages:
        yield from page.get("items") or ()
