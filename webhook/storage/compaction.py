"""Which part of the log may be forgotten? What is older than ten minutes, unless it is among the newest thousand."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from webhook.storage import lock, reading, schema

_BATCH = 1000


def run(path: Path, now: float, keep_seconds: float, keep_rows: int) -> int:
    """Forget and give the number of changes forgotten: 0 as well when another process is at it (contract 7.6)."""
    try:
        held = lock.take(path.with_name(path.name + ".compact.lock"))
    except lock.InUse:
        return 0
    with held, schema.translated(path), closing(schema.connect(path)) as db:
        removed = 0
        target = _target(db, now - keep_seconds, keep_rows)
        while batch := _forget(db, target):
            removed += batch
        if removed:
            _give_back(db)
        return removed


def _target(db: sqlite3.Connection, cutoff: float, keep_rows: int) -> int:
    newest = reading.revision(db)
    young = db.execute("SELECT rv FROM log WHERE at > ? ORDER BY rv LIMIT 1", (cutoff,)).fetchone()
    by_age = young[0] - 1 if young else newest
    return max(min(by_age, newest - keep_rows), 0)


def _forget(db: sqlite3.Connection, target: int) -> int:
    db.execute("BEGIN IMMEDIATE")
    # The mark goes first and never beyond what this batch removes, so that no reader sees a log with holes.
    last = db.execute(
        "SELECT max(rv) FROM (SELECT rv FROM log WHERE rv <= ? ORDER BY rv LIMIT ?)", (target, _BATCH)
    ).fetchone()[0]
    if last is None:
        db.execute("ROLLBACK")
        return 0
    db.execute("UPDATE meta SET v = max(v, ?) WHERE k = 'compact_rev'", (last,))
    removed = db.execute("DELETE FROM log WHERE rv <= ?", (last,)).rowcount
    db.execute("COMMIT")
    return removed


def _give_back(db: sqlite3.Connection) -> None:
    # Both are a courtesy to the disk and must not make writers wait.
    db.execute("PRAGMA busy_timeout = 100")
    try:
        db.execute("PRAGMA incremental_vacuum(1000)").fetchall()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise
