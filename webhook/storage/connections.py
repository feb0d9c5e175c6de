"""Which connection may this thread use now? A pool of idle connections to one SQLite file."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from webhook.storage import schema

_MAX_IDLE = 8


class Connections:
    """Opens connections when they are needed and keeps a few.

    SQLite keeps locks per process: a connection must not cross a fork, not even to be closed in the child. Idle ones
    are therefore closed in the parent, before the fork (`drain`).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[sqlite3.Connection]:
        """A connection outside of any transaction, for this thread until the block ends; raises StoreUnavailable."""
        with schema.translated(self.path):
            with self._lock:
                db = self._idle.pop() if self._idle else None
            if db is None:
                db = schema.connect(self.path)
            try:
                yield db
                if db.in_transaction:
                    db.rollback()
            except BaseException:
                # After a failure its state is uncertain, and a new one costs less than a wrong one.
                db.close()
                raise
            self._put_back(db)

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection whose statements all see the same state."""
        with self.one() as db:
            db.execute("BEGIN")
            yield db
            db.execute("COMMIT")

    def drain(self) -> None:
        """Close all idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for db in idle:
            db.close()

    def _put_back(self, db: sqlite3.Connection) -> None:
        with self._lock:
            if len(self._idle) < _MAX_IDLE:
                self._idle.append(db)
                return
        db.close()
