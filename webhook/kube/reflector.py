"""Keeps a copy of one collection current: list, then watch, then resume or list again."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Generic, Protocol, TypeVar

from webhook.errors import Expired, StatusError, TooManyRequests
from webhook.kube.client import PAGE, KubeClient, Query
from webhook.kube.decoding import BOOKMARK, OBJECTS, Change, Decoding, Page
from webhook.kube.failure import Unreachable
from webhook.kube.watch import Watch

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.8, 30.0
_SHORTEST_WATCH, _LONGEST_WATCH = 300, 600
# A watch that ends sooner and without an event would make a busy loop.
_VERY_SHORT_SECONDS = 1.0

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Sink(Protocol[T_contra]):
    """Where the objects go; called by one thread, in order."""

    def replace(self, objects: Iterable[T_contra], position: str) -> None:
        """The whole collection, as of `position` if that is known by now.

        What is not among the objects is gone, but only if the iteration does not raise.
        """

    def apply(self, kind: str, item: T_contra) -> None:
        """One change: ADDED, MODIFIED or DELETED."""

    def advance(self, position: str) -> None:
        """Everything up to this resource version has been delivered."""


class Reflector(Generic[T]):
    """Feeds a `Sink` from `path`, for ever; failures are retried with jittered backoff.

    `synced` is set after the first complete list. `position` is the resource version up to which everything has been
    delivered; set before the start, it is where the first watch resumes. `heard` is the wall-clock time at which the
    server last said anything, 0 before. `metadata_only` asks for objects without their contents; `watch_list` asks for
    the list as the beginning of the watch, and for pages if the server does not know how.
    """

    def __init__(
        self,
        client: KubeClient,
        path: str,
        sink: Sink[T],
        decoding: Decoding[T] | None = None,
        *,
        page: int = PAGE,
        metadata_only: bool = False,
        watch_list: bool = False,
        query: dict[str, Query] | None = None,
        pause: Callable[[float], object] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.synced = threading.Event()
        self.position = ""
        self.heard = 0.0
        self.sink = sink
        self._client, self._path = client, path
        self.decoding: Decoding[Any] = decoding or OBJECTS
        self._page, self._query = page, query or {}
        self._metadata_only = metadata_only
        self._watch_list = watch_list
        self._stopping = threading.Event()
        self._pause = pause or self._stopping.wait
        self._rng = rng or random.Random()
        self._failures = 0
        self._watch: Watch[T] | None = None

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
            if self.position:
                self._follow(self.position)
            elif self._watch_list:
                self._list_by_watch()
            else:
                self._list()
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
        pages = self._client.pages(
            self._path, self.decoding, limit=self._page, metadata_only=self._metadata_only, **self._query
        )
        first = next(pages)
        position = (first.metadata and first.metadata.version) or ""
        if not position:
            raise Unreachable("the list has no resource version to watch from")
        self.sink.replace(_objects(chain([first], pages)), position)
        self._reached(position)
        self.synced.set()

    def _list_by_watch(self) -> None:
        try:
            self._follow("", sendInitialEvents=True, resourceVersionMatch="NotOlderThan")
        finally:
            if not self.position and not self._stopping.is_set():
                # Refused, not understood or broken off: pages are what every server has.
                self._watch_list = False

    def _follow(self, position: str, **query: Query) -> None:
        seconds = self._rng.randint(_SHORTEST_WATCH, _LONGEST_WATCH)
        begun, before = time.monotonic(), self.heard
        watch = self._client.watch(
            self._path,
            self.decoding,
            resource_version=position,
            timeout_seconds=seconds,
            metadata_only=self._metadata_only,
            **self._query,
            **query,
        )
        self._watch = watch
        try:
            # Not when stopped before there was a watch to interrupt.
            if not self._stopping.is_set():
                self._read(iter(watch), initial=not position)
        finally:
            self._watch = None
            watch.close()
        if self.heard == before and time.monotonic() - begun < _VERY_SHORT_SECONDS:
            self._fail(Unreachable("the watch ended at once"))

    def _read(self, changes: Iterator[Change[T]], *, initial: bool) -> None:
        if initial:
            end: list[str] = []
            self.sink.replace(_initial(changes, end), "")
            self._reached(end[0])
            self.synced.set()
        for change in changes:
            if self._stopping.is_set():
                return
            if change.item is not None:
                self.sink.apply(change.kind, change.item)
            self._reached(change.version or self.position)

    def _reached(self, position: str) -> None:
        self.position = position
        self.heard = time.time()
        self.sink.advance(position)
        self._failures = 0

    def _fail(self, error: Exception) -> None:
        if self._stopping.is_set():
            return
        self._failures += 1
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self._failures)
        seconds = self._rng.uniform(_FIRST_PAUSE, longest)
        log.warning("%s: %s; again in %.1f s", self._path, error, seconds)
        self._pause(seconds)


def _objects(pages: Iterable[Page[T]]) -> Iterator[T]:
    for page in pages:
        yield from page.items or ()


def _initial(changes: Iterator[Change[T]], end: list[str]) -> Iterator[T]:
    """The objects that a watch begins with; the resource version that they are current at goes into `end`."""
    for change in changes:
        if change.initial_end:
            end.append(change.version)
            return
        if change.kind == BOOKMARK:
            break
        if change.item is not None:
            yield change.item
    raise Unreachable("the watch did not begin with the whole list")
