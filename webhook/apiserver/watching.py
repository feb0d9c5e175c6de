"""Watches: the events of one collection as lines of JSON, for as long as the client listens (api-server contract 4)."""

from __future__ import annotations

import os
import random
import select
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from webhook.apiserver import responses
from webhook.apiserver.handlers import selection
from webhook.apiserver.rest import Call, Selection
from webhook.apiserver.stored import StoredRest
from webhook.errors import Expired, Json, StatusError
from webhook.meta.negotiation import Representation
from webhook.meta.options import ListOptions, Query
from webhook.storage.store import Compacted, Event, Overflow, Record, StorageError, Subscription

# Seconds between looks at the client, the deadline and the server's own end.
_STEP = 0.25
_BOOKMARK_EVERY = 60.0
_BOOKMARK_BEFORE_END = 2.0
_UNLIMITED = (1800, 3600)
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

    def lines(self) -> Iterator[bytes]:
        """The stream; its first item is empty, so that the headers leave at once."""
        yield b""
        try:
            yield from self._lines()
        except (Compacted, Expired) as old:
            yield self._line("ERROR", Expired(str(old)).status())
        except Overflow:
            return
        except StorageError as error:
            yield self._line("ERROR", StatusError(str(error)).status())

    def _lines(self) -> Iterator[bytes]:
        shaper = _Shaper(self)
        after, initial = self._start()
        subscription = self.rest.store.watch(self.rest.key, self.call.namespace or None, after)
        try:
            for obj in initial:
                yield shaper.line("ADDED", obj)
            if self.options.send_initial_events and self.options.bookmarks:
                yield shaper.line("BOOKMARK", self._bookmark(after, initial_end=True))
            yield from self._live(subscription, shaper)
        finally:
            subscription.close()
            self.gone.close()

    def _start(self) -> tuple[int, list[Json]]:
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
            event = subscription.next(min(_STEP, end - now))
            line = None if event is None else self._event(event, shaper)
            if line is not None:
                yield line
            # Also between events: a watch that hears nothing but what its selector hides needs its version most.
            if self.options.bookmarks and (now := self.clock()) >= bookmark_at:
                last = end - _BOOKMARK_BEFORE_END
                bookmark_at = min(now + _BOOKMARK_EVERY, last) if now < last else end + 1
                yield shaper.line("BOOKMARK", self._bookmark(subscription.position))

    def _event(self, event: Event, shaper: _Shaper) -> bytes | None:
        """The event as the selector sees it: an object that leaves the selection is deleted from it (contract 4.3)."""
        new = None if event.type == "DELETED" else self._shown(event.record)
        previous = event.record.value if event.type == "DELETED" else event.old
        old = None
        if previous is not None and (new is None or self.selection.selects):
            old = self._shown(event.record._replace(value=previous))
        was = old is not None and self.rest.matches(old, self.selection)
        if not self.selection.selects:
            was = event.type != "ADDED"
        if new is not None and self.rest.matches(new, self.selection):
            return shaper.line("MODIFIED" if was else "ADDED", new)
        return shaper.line("DELETED", old) if was and old is not None else None

    def _shown(self, record: Record) -> Json:
        return self.rest.show(record)

    def _bookmark(self, revision: int, *, initial_end: bool = False) -> Json:
        meta: Json = {"resourceVersion": str(revision)}
        if initial_end:
            meta["annotations"] = {INITIAL_EVENTS_END: "true"}
        return {"kind": self.rest.kind, "apiVersion": self.rest.api_version, "metadata": meta}

    @staticmethod
    def _line(kind: str, obj: Json) -> bytes:
        return msgspec.json.encode({"type": kind, "object": obj}) + b"\n"


class _Shaper:
    """Lines in the shape that was asked for; a Table tells its columns only once."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.columns_told = False

    def line(self, kind: str, obj: Json) -> bytes:
        return Watch._line(kind, self._shaped(kind, obj))

    def _shaped(self, kind: str, obj: Json) -> Json:
        wanted = self.watch.representation
        if wanted.kind == "object":
            return obj
        if wanted.kind == "table" and kind == "BOOKMARK":
            shaped: Json = {"kind": "Table", "apiVersion": wanted.api_version, "metadata": obj["metadata"]}
            row = {"cells": [], "object": {"kind": "PartialObjectMetadata", "apiVersion": wanted.api_version}}
            row["object"]["metadata"] = obj["metadata"]  # type: ignore[index]
            return {**shaped, "columnDefinitions": None, "rows": [row]}
        single = replace(wanted, kind="partial") if wanted.kind == "partiallist" else wanted
        shaped = responses.represent(self.watch.rest, obj, single, self.watch.query, None)
        if wanted.kind == "table":
            if self.columns_told:
                shaped["columnDefinitions"] = None
            self.columns_told = True
        return shaped


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
