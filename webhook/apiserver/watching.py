"""Watches: the events of one collection as lines of JSON, for as long as the client listens (api-server contract 4)."""

from __future__ import annotations

import os
import random
import select
import socket
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from cachetools import LRUCache

from webhook.apiserver import bodies, responses
from webhook.apiserver.bodies import Shown
from webhook.apiserver.handlers import selection
from webhook.apiserver.rest import Call, Selection
from webhook.apiserver.stored import StoredRest
from webhook.errors import Expired, Json, StatusError, TooManyRequests
from webhook.meta import partial
from webhook.meta.negotiation import Representation
from webhook.meta.options import ListOptions, Query, include_object
from webhook.storage.store import Compacted, Event, Overflow, Record, StorageError, Subscription

# Seconds between looks at the client, the deadline and the server's own end.
_STEP = 0.25
_BOOKMARK_EVERY = 60.0
_BOOKMARK_BEFORE_END = 2.0
_UNLIMITED = (1800, 3600)
_IN_A_CHUNK = 100
_SHARED_BYTES = 8 << 20
_RETRY_AFTER = 5
INITIAL_EVENTS_END = "k8s.io/initial-events-end"


@dataclass(frozen=True)
class Watch:
    """One watch: what is watched, in which shape, and when to stop."""

    rest: StoredRest
    call: Call
    selection: Selection
    options: ListOptions
    representation: Representation
    query: Query
    gone: ClientGone
    clock: Callable[[], float] = time.monotonic

    shared: Lines = field(default_factory=lambda: Lines())

    def lines(self) -> Iterator[bytes]:
        """The stream; its first item is empty, so that the headers leave at once."""
        try:
            yield from self._lines()
        except (Compacted, Expired) as old:
            yield _line("ERROR", Expired(str(old)).status())
        except Overflow:
            return
        except StorageError as error:
            yield _line("ERROR", StatusError(str(error)).status())

    def _lines(self) -> Iterator[bytes]:
        shaper = _Shaper(self)
        after, initial = self._start()
        # Only now, for what a client does once it has the headers must be an event.
        yield b""
        subscription = self.rest.store.watch(self.rest.key, self.call.namespace or None, after)
        try:
            for shown in initial:
                yield shaper.line("ADDED", shown)
            if self.options.send_initial_events and self.options.bookmarks:
                yield shaper.line("BOOKMARK", self._bookmark(after, initial_end=True))
            yield from self._live(subscription, shaper)
        finally:
            subscription.close()

    def _start(self) -> tuple[int, Sequence[Shown]]:
        """The revision to watch from, and what stands there for a watch that begins with the present state."""
        asked = self.options.version or 0
        wants_state = self.options.send_initial_events
        if wants_state is None:
            wants_state = asked == 0
        if not wants_state:
            return asked or self.rest.store.revision(), []
        found = self.rest.list(self.call, replace(self.selection, limit=0, after=None, at=None))
        return found.revision or 0, found.items

    def _live(self, subscription: Subscription, shaper: _Shaper) -> Iterator[bytes]:
        seconds = self.options.timeout_seconds or random.uniform(*_UNLIMITED)
        end = self.clock() + seconds
        bookmark_at = min(self.clock() + _BOOKMARK_EVERY, max(end - _BOOKMARK_BEFORE_END, self.clock()))
        while True:
            now = self.clock()
            if now >= end or self.gone():
                return
            chunk = b"".join(self._pending(subscription, min(_STEP, end - now), shaper))
            if chunk:
                yield chunk
            # Also between events: a watch that hears nothing but what its selector hides needs its version most.
            if self.options.bookmarks and (now := self.clock()) >= bookmark_at:
                last = end - _BOOKMARK_BEFORE_END
                bookmark_at = min(now + _BOOKMARK_EVERY, last) if now < last else end + 1
                yield shaper.line("BOOKMARK", self._bookmark(subscription.position))

    def _pending(self, subscription: Subscription, wait: float, shaper: _Shaper) -> Iterator[bytes]:
        """The line of the next event, and of what else has happened already: one chunk, so one write."""
        for _ in range(_IN_A_CHUNK):
            event = subscription.next(wait)
            if event is None:
                return
            line = self._event(event, shaper)
            if line is not None:
                yield line
            wait = 0

    def _event(self, event: Event, shaper: _Shaper) -> bytes | None:
        """The event as the selector sees it: an object that leaves the selection is deleted from it (contract 4.3)."""
        record = event.record
        if not self.selection.selects:
            return shaper.shared_line(event.type, record)
        old = None if event.old is None else record._replace(value=event.old)
        was = old is not None and self.rest.matches(old, self.selection)
        if event.type != "DELETED" and self.rest.matches(record, self.selection):
            return shaper.shared_line("MODIFIED" if was else "ADDED", record)
        return shaper.shared_line("DELETED", old) if was and old is not None else None

    def _bookmark(self, revision: int, *, initial_end: bool = False) -> Json:
        meta: Json = {"resourceVersion": str(revision)}
        if initial_end:
            meta["annotations"] = {INITIAL_EVENTS_END: "true"}
        return {"kind": self.rest.kind, "apiVersion": self.rest.api_version, "metadata": meta}


class _Shaper:
    """Lines in the shape that was asked for; a Table tells its columns only once."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.columns_told = False
        wanted = watch.representation
        include = include_object(watch.query) if wanted.kind == "table" else ""
        self._shape = (watch.rest.key, wanted.kind, wanted.version, include)

    def line(self, kind: str, shown: Shown) -> bytes:
        """A line for this watch."""
        line = _line(kind, self._shaped(kind, shown))
        self.columns_told = self.columns_told or kind != "BOOKMARK"
        return line

    def shared_line(self, kind: str, record: Record) -> bytes:
        """A line for all watches that asked for the same shape: of one version there is one event of each kind."""
        key = (*self._shape, self.columns_told, kind, record.rv)
        line = self.watch.shared.get(key, lambda: self.line(kind, self.watch.rest.show(record)))
        self.columns_told = True
        return line

    def _shaped(self, kind: str, shown: Shown) -> Json | msgspec.Raw:
        wanted = self.watch.representation
        if wanted.kind == "object":
            return msgspec.Raw(b"".join(bodies.whole(shown)))
        obj = bodies.decoded(shown)
        if wanted.kind == "table" and kind == "BOOKMARK":
            shaped: Json = {"kind": "Table", "apiVersion": wanted.api_version, "metadata": obj["metadata"]}
            row = {"cells": [], "object": partial.single(obj, wanted.api_version)}
            return {**shaped, "columnDefinitions": None, "rows": [row]}
        if wanted.kind == "table":
            table = responses.as_table(self.watch.rest, [obj], _version_of(obj), wanted, self.watch.query)
            return {**table, "columnDefinitions": None} if self.columns_told else table
        return partial.single(obj, wanted.api_version)


def _line(kind: str, obj: Json | msgspec.Raw) -> bytes:
    return msgspec.json.encode({"type": kind, "object": obj}) + b"\n"


def _version_of(obj: Json) -> Json:
    return {"resourceVersion": obj["metadata"]["resourceVersion"]}


class Lines:
    """The newest lines, each made once for all watches of a worker and then shared (contract 4.7)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: LRUCache[Hashable, bytes] = LRUCache(_SHARED_BYTES, len)

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """The line of that key, made if nobody has asked for it of late."""
        with self._lock:
            line = self._lines.get(key)
        if line is None:
            line = make()
            with self._lock, suppress(ValueError):
                # One that is larger than all together is not kept.
                self._lines[key] = line
        return line


class OpenWatches:
    """The watches of one worker. Each keeps a thread, so there is a limit: others need threads too (contract 1.7)."""

    def __init__(self, limit: int) -> None:
        self.lines = Lines()
        self._limit = limit
        self._lock = threading.Lock()
        self._open = 0

    def enter(self) -> None:
        """Count one more; TooManyRequests at the limit."""
        with self._lock:
            if self._open >= self._limit:
                why = f"this process has {self._limit} open watches, as many as it may: try again later"
                raise TooManyRequests(why, retry_after=_RETRY_AFTER)
            self._open += 1

    def leave(self) -> None:
        """Count one less."""
        with self._lock:
            self._open -= 1


class ClientGone:
    """True once the client hung up or the server stops; nothing is expected of a client that watches (contract 4.7)."""

    def __init__(self, sock: Any, stopping: Callable[[], bool]) -> None:
        """`sock` is the connection, None where the server does not tell it."""
        self._stopping = stopping
        # A copy of the descriptor, for the server may close its own first; poll(), for select() stops at 1024.
        self._probe = None if sock is None else socket.socket(fileno=os.dup(sock.fileno()))
        self._poll = select.poll()
        if self._probe is not None:
            self._poll.register(self._probe, select.POLLIN | select.POLLHUP)

    def __call__(self) -> bool:
        """Look once."""
        return bool(self._poll.poll(0)) or self._stopping()

    def close(self) -> None:
        """Give the descriptor back."""
        if self._probe is not None:
            self._probe.close()


def options_for(rest: StoredRest, options: ListOptions, name: str, scope: str | None) -> Selection:
    """The selection of a watch; a watch of one object is one of its name."""
    unversioned = replace(options, resource_version="", match="", continue_token="")
    chosen = selection(rest, unversioned, scope, lambda: 0)
    return replace(chosen, fields=chosen.fields.and_equal("metadata.name", name)) if name else chosen
