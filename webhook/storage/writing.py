"""How do writes of many threads reach the disk? In groups that share one transaction, and so one wait for the disk."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence

from webhook.storage import outcome, reading, schema
from webhook.storage.connections import Connections
from webhook.storage.store import Event, Record, Records, StorageError, Write

_MAX_GROUP = 100

# What is wrong with one request alone; anything else is wrong with the file, and so with the whole group.
_OWN_FAULTS = (StorageError, TypeError, AttributeError, sqlite3.InterfaceError, sqlite3.ProgrammingError)


class Writer:
    """Commits for all threads of a process. The thread whose turn it is commits everything that waits, then the next.

    `clock` gives the time that a change is stored with; `wrote` is called after each commit that changed something.
    """

    def __init__(self, connections: Connections, clock: Callable[[], float], wrote: Callable[[], None]) -> None:
        self._connections = connections
        self._clock = clock
        self._wrote = wrote
        self._turn = threading.Lock()
        self._waiting: deque[_Request] = deque()

    def commit(self, writes: Sequence[Write], dry_run: bool) -> Records:
        """See `Store.commit`."""
        request = _Request(writes, dry_run)
        self._waiting.append(request)
        with self._turn:
            while not request.settled:
                self._commit_group()
        return request.result()

    def _commit_group(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MAX_GROUP))]
        try:
            with self._connections.one() as db:
                db.execute("BEGIN IMMEDIATE")
                before = reading.revision(db)
                for request in group:
                    _attempt(db, request, self._clock())
                changed = reading.revision(db) != before
                db.execute("COMMIT")
        except BaseException as error:
            # Whoever waits for this turn must not wait for ever, nor take an unwritten result for a written one.
            for request in group:
                request.fail(error)
            if not isinstance(error, Exception):
                raise
            return
        for request in group:
            request.settled = True
        if changed:
            self._wrote()


class _Request:
    def __init__(self, writes: Sequence[Write], dry_run: bool) -> None:
        self.writes = writes
        self.dry_run = dry_run
        self.settled = False
        self.records: Records = []
        self.error: BaseException | None = None

    def fail(self, error: BaseException) -> None:
        # A refusal of its own is the truth about this request, whatever happened to the others.
        self.error = self.error or error
        self.settled = True

    def result(self) -> Records:
        if self.error is not None:
            raise self.error
        return self.records


def _attempt(db: sqlite3.Connection, request: _Request, now: float) -> None:
    db.execute("SAVEPOINT request")
    try:
        request.records = [_write(db, write, now, dry_run=request.dry_run) for write in request.writes]
    except _OWN_FAULTS as error:
        request.error = error
    if request.dry_run or request.error:
        db.execute("ROLLBACK TO request")
    db.execute("RELEASE request")


def _write(db: sqlite3.Connection, write: Write, now: float, *, dry_run: bool) -> Record:
    current = reading.one(db, write.resource, write.namespace, write.name)
    event = outcome.of(write, current, reading.revision(db) + 1)
    if event is not None:
        _keep(db, event, current.rv if current else None, now)
    return outcome.answer(event, current, dry_run=dry_run)


def _keep(db: sqlite3.Connection, event: Event, previous: int | None, now: float) -> None:
    record = event.record
    key = (record.resource, record.namespace, record.name)
    op, obj = _OPERATIONS[event.type], None if event.type == "DELETED" else record.value
    db.execute(
        "INSERT INTO log(res, ns, name, op, prev_rv, at, uid, obj, old) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*key, op, previous, now, record.uid, obj, event.old),
    )
    if event.type == "DELETED":
        db.execute("DELETE FROM cur WHERE res = ? AND ns = ? AND name = ?", key)
    else:
        db.execute(
            "INSERT INTO cur(res, ns, name, rv, uid, obj) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT(res, ns, name) DO UPDATE SET rv = excluded.rv, obj = excluded.obj",
            (*key, record.rv, record.uid, record.value),
        )


_OPERATIONS = {"ADDED": schema.CREATED, "MODIFIED": schema.UPDATED, "DELETED": schema.DELETED}
