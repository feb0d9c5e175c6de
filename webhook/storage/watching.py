"""Who has to hear of which change? One reader of the log per process, which wakes the watches that are concerned.

A watch pulls: from the newest changes, which all watches share in memory, or from the log when it is further behind. So
a slow client costs no memory and loses nothing until compaction overtakes it (api-server contract 4.6, 7.5).
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from contextlib import closing

from webhook.storage import reading, schema
from webhook.storage.connections import Connections
from webhook.storage.store import Event, StoreUnavailable

_POLL_SECONDS = 0.01
_BATCH = 100
_RECENT_EVENTS = 2000
_RECENT_BYTES = 16 << 20


class Feed:
    """The newest changes of the log. A thread follows it while anybody watches, and only then."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._watches: set[Watch] = set()
        self._running = False
        self._threads: list[threading.Thread] = []
        self._recent: deque[Event] = deque()
        self._bytes = 0
        # `_recent` holds every change later than `_start`, up to `_head`.
        self._start = self._head = 0

    def watch(self, resource: str, namespace: str | None, after: int) -> Watch:
        """See `Store.watch`."""
        with self._connections.snapshot() as db:
            reading.check(db, after)
            newest = reading.revision(db)
        watch = Watch(self, resource, namespace, after)
        with self._lock:
            self._watches.add(watch)
            if not self._running:
                self._restart(newest)
        return watch

    def poke(self) -> None:
        """Look now: this process has just written."""
        self._wake.set()

    def close(self) -> None:
        """End all watches and wait for the thread, which still has the file open."""
        with self._lock:
            watches = list(self._watches)
            threads = list(self._threads)
        for watch in watches:
            watch.close()
        for thread in threads:
            thread.join()

    def leave(self, watch: Watch) -> None:
        """Stop waking a watch."""
        with self._lock:
            self._watches.discard(watch)
        self._wake.set()

    def since(self, watch: Watch, position: int) -> tuple[list[Event], int] | None:
        """The recent changes for a watch and the revision that they reach to; None: too far back, ask the log."""
        with self._lock:
            if position < self._start:
                return None
            found: list[Event] = []
            for event in reversed(self._recent):
                if event.record.rv <= position:
                    break
                if watch.wants(event):
                    found.append(event)
            found.reverse()
            return found, max(self._head, position)

    def replay(self, watch: Watch, position: int) -> tuple[list[Event], int]:
        """The same from the log, a batch at most; raises Compacted."""
        with self._connections.snapshot() as db:
            reading.check(db, position)
            batch = reading.events(db, position, _BATCH, watch.resource)
            reached = batch[-1].record.rv if len(batch) == _BATCH else reading.revision(db)
        return [event for event in batch if watch.wants(event)], max(reached, position)

    def _restart(self, head: int) -> None:
        self._recent.clear()
        self._bytes = 0
        self._start = self._head = head
        self._running = True
        # One that was told to end may need a moment to close the file.
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        self._threads.append(threading.Thread(target=self._follow, name="storage-feed", daemon=True))
        self._threads[-1].start()

    def _follow(self) -> None:
        try:
            with schema.translated(self._connections.path), closing(schema.connect(self._connections.path)) as db:
                self._poll(db)
        except Exception as error:
            self._fail(error)

    def _poll(self, db: sqlite3.Connection) -> None:
        seen = None
        while self._goes_on():
            # The version is read before the log: a commit in between is then seen as another version next time.
            (version,) = db.execute("PRAGMA data_version").fetchone()
            if version != seen:
                self._read(db)
                seen = version
            self._wake.wait(_POLL_SECONDS)
            self._wake.clear()

    def _goes_on(self) -> bool:
        with self._lock:
            self._running = bool(self._watches)
            return self._running

    def _read(self, db: sqlite3.Connection) -> None:
        more = True
        while more:
            db.execute("BEGIN")
            mark = reading.mark(db)
            events = reading.events(db, max(self._head, mark), _BATCH)
            db.execute("COMMIT")
            with self._lock:
                if mark > self._head:
                    # This process slept while another compacted; the watches find out when they ask the log.
                    self._skip_to(mark)
                self._append(events)
                self._trim()
                for watch in self._watches:
                    if any(watch.wants(event) for event in events):
                        watch.ready.set()
            more = len(events) == _BATCH

    def _skip_to(self, mark: int) -> None:
        self._recent.clear()
        self._bytes = 0
        self._start = self._head = mark
        for watch in self._watches:
            watch.ready.set()

    def _append(self, events: list[Event]) -> None:
        for event in events:
            self._recent.append(event)
            self._bytes += _size(event)
            self._head = event.record.rv

    def _trim(self) -> None:
        while len(self._recent) > _RECENT_EVENTS or self._bytes > _RECENT_BYTES:
            event = self._recent.popleft()
            self._bytes -= _size(event)
            self._start = event.record.rv

    def _fail(self, error: Exception) -> None:
        with self._lock:
            self._running = False
            watches = list(self._watches)
            self._watches.clear()
        for watch in watches:
            watch.fail(error)


class Watch:
    """A `Subscription`."""

    def __init__(self, feed: Feed, resource: str, namespace: str | None, after: int) -> None:
        self.resource = resource
        self.ready = threading.Event()
        self._feed = feed
        self._namespace = namespace
        self._reached = after
        self._pending: deque[Event] = deque()
        self._closed = False
        self._error: Exception | None = None

    def wants(self, event: Event) -> bool:
        """Is the change one of those watched?"""
        record = event.record
        return record.resource == self.resource and self._namespace in (None, record.namespace)

    @property
    def position(self) -> int:
        """See `Subscription.position`."""
        return self._pending[0].record.rv - 1 if self._pending else self._reached

    def next(self, timeout: float) -> Event | None:
        """See `Subscription.next`."""
        deadline = time.monotonic() + timeout
        while not self._closed:
            # Cleared before looking: what arrives after the look sets it again.
            self.ready.clear()
            if self._error is not None:
                raise StoreUnavailable(str(self._error)) from self._error
            self._fill()
            if self._pending:
                return self._pending.popleft()
            if not self.ready.wait(max(deadline - time.monotonic(), 0)) and time.monotonic() >= deadline:
                return None
        return None

    def close(self) -> None:
        """See `Subscription.close`."""
        self._closed = True
        self.ready.set()
        self._feed.leave(self)

    def fail(self, error: Exception) -> None:
        """End the watch with an error: the log can no longer be followed."""
        self._error = error
        self.ready.set()

    def _fill(self) -> None:
        while not self._pending and not self._closed:
            found = self._feed.since(self, self._reached)
            if found is not None:
                self._pending.extend(found[0])
                self._reached = found[1]
                return
            events, self._reached = self._feed.replay(self, self._reached)
            self._pending.extend(events)


def _size(event: Event) -> int:
    # A deletion has the same value twice, which is one object in memory; counting it twice does no harm.
    return len(event.record.value) + len(event.old or b"")
