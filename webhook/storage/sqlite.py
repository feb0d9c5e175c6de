"""The store of a standalone server: one SQLite file that several processes share (api-server contract 7)."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

from webhook.storage import compaction, reading, schema
from webhook.storage.connections import Connections
from webhook.storage.store import Key, Page, Record, Records, Write
from webhook.storage.watching import Feed, Watch
from webhook.storage.writing import Writer


class SqliteStore:
    """A `Store` in a file on a local disk; raises StoreUnavailable when the file cannot be made, opened or understood.

    It may be made before a fork and used on both sides of it, but a process that forks must not have open watches or
    be in a call of the store in another thread. `clock` gives the seconds that compaction measures ages with.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        schema.prepare(path)
        self._path = path
        self._clock = clock
        self._begin()
        _stores.add(self)

    def get(self, resource: str, namespace: str, name: str) -> Record | None:
        """See `Store.get`."""
        with self._connections.one() as db:
            return reading.one(db, resource, namespace, name)

    def list(
        self, resource: str, namespace: str | None, *, limit: int = 0, after: Key | None = None, at: int | None = None
    ) -> Page:
        """See `Store.list`."""
        with self._connections.snapshot() as db:
            return reading.page(db, resource, namespace, limit=limit, after=after, at=at)

    def revision(self) -> int:
        """See `Store.revision`."""
        with self._connections.one() as db:
            return reading.revision(db)

    def commit(self, writes: Sequence[Write], dry_run: bool = False) -> Records:
        """See `Store.commit`."""
        return self._writer.commit(writes, dry_run)

    def watch(self, resource: str, namespace: str | None, after: int) -> Watch:
        """See `Store.watch`."""
        return self._feed.watch(resource, namespace, after)

    def compacted(self) -> int:
        """See `Store.compacted`."""
        with self._connections.one() as db:
            return reading.mark(db)

    def compact(self, keep_seconds: float = 600, keep_rows: int = 1000) -> int:
        """See `Store.compact`."""
        return compaction.run(self._path, self._clock(), keep_seconds, keep_rows)

    def close(self) -> None:
        """See `Store.close`."""
        self._feed.close()
        self._connections.drain()
        _stores.discard(self)

    def _begin(self) -> None:
        self._connections = Connections(self._path)
        self._feed = Feed(self._connections)
        self._writer = Writer(self._connections, self._clock, self._feed.poke)


_stores: weakref.WeakSet[SqliteStore] = weakref.WeakSet()


def _before_fork() -> None:
    for store in list(_stores):
        store._connections.drain()


def _in_child() -> None:
    # The locks and threads of the parent mean nothing here.
    for store in list(_stores):
        store._begin()


os.register_at_fork(before=_before_fork, after_in_child=_in_child)
