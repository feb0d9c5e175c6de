"""The SQLite file: how it is made, opened and checked, and what its errors mean to an operator.

`log` is every change, its number the resource version; `cur` is the newest state, kept by the same transactions
(api-server contract 7.2). The statements stay within SQLite 3.37.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from webhook.storage import lock
from webhook.storage.store import EMPTY_REVISION, Busy, StoreUnavailable

VERSION = 2
PATIENCE_SECONDS = 10.0

CREATED, UPDATED, DELETED = 0, 1, 2

# With row ids: without them a row of more than a kilobyte takes a page of its own, and lists take twice as long.
_CURRENT = """
CREATE TABLE cur(
  res TEXT, ns TEXT, name TEXT,
  rv INTEGER NOT NULL, uid TEXT NOT NULL, obj BLOB NOT NULL,
  PRIMARY KEY(res, ns, name));
"""

# `at` stands before the values: a scan for ages then never reads their overflow pages.
# The sequence starts above 0: a watch from the revision of an empty list must see the first write.
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE meta(k TEXT PRIMARY KEY, v) WITHOUT ROWID;
CREATE TABLE log(
  rv INTEGER PRIMARY KEY AUTOINCREMENT,
  res TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL,
  op INTEGER NOT NULL, prev_rv INTEGER, at REAL NOT NULL, uid TEXT NOT NULL,
  obj BLOB, old BLOB);
CREATE INDEX log_res ON log(res, rv);
{_CURRENT}
INSERT INTO sqlite_sequence(name, seq) VALUES ('log', {EMPTY_REVISION});
INSERT INTO meta(k, v) VALUES ('compact_rev', 0);
PRAGMA user_version = {VERSION};
COMMIT;
"""

_FROM_VERSION_1 = f"""
BEGIN IMMEDIATE;
ALTER TABLE cur RENAME TO before;
{_CURRENT}
INSERT INTO cur SELECT res, ns, name, rv, uid, obj FROM before ORDER BY res, ns, name;
DROP TABLE before;
PRAGMA user_version = {VERSION};
COMMIT;
"""

# synchronous=FULL: an acknowledged write survives a power cut, as it does in etcd.
# The limit gives the disk back after a burst of writes, without a checkpoint that blocks writers.
# The cache (KiB if negative) holds what a list of some thousand streams reads.
_CONNECTION = """
PRAGMA synchronous = FULL;
PRAGMA journal_size_limit = 16777216;
PRAGMA cache_size = -8192;
"""

_FULL = "the disk under {path} is full or failing: free some space"
_CORRUPT = "{path} is damaged or not a database of this server: restore a backup, or move the file away to start empty"
_UNWRITABLE = "cannot open or write {path}: check that its folder exists and belongs to the user of the server"
_SENTENCES = {
    "SQLITE_FULL": _FULL,
    "SQLITE_IOERR": _FULL,
    "SQLITE_CORRUPT": _CORRUPT,
    "SQLITE_NOTADB": _CORRUPT,
    "SQLITE_CANTOPEN": _UNWRITABLE,
    "SQLITE_READONLY": _UNWRITABLE,
    "SQLITE_PERM": _UNWRITABLE,
    "SQLITE_AUTH": _UNWRITABLE,
}


def prepare(path: Path) -> None:
    """Make the file if missing and check that it is ours, leaving no connection open; raises StoreUnavailable."""
    _make(path)
    with translated(path), closing(connect(path)) as db:
        if _version(db) < VERSION:
            # Switching to WAL does not wait for others, so one process alone does it.
            with lock.take(path.with_name(path.name + ".lock"), wait=True):
                _create(db)
        if _version(db) > VERSION:
            raise StoreUnavailable(f"{path} was written by a newer version of this server: use that version, or a copy")


def connect(path: Path) -> sqlite3.Connection:
    """An open connection in explicit transaction mode, to be used by one thread at a time."""
    db = sqlite3.connect(path, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        db.executescript(_CONNECTION)
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns the errors of SQLite into StoreUnavailable and Busy; a mistake in a statement stays what it is."""
    try:
        yield
    except sqlite3.Error as error:
        raise meaning(error, path) from error


def meaning(error: sqlite3.Error, path: Path) -> Exception:
    """What to raise for an error of SQLite."""
    code = getattr(error, "sqlite_errorname", "")
    kind = "_".join(code.split("_")[:2])
    if kind in ("SQLITE_BUSY", "SQLITE_LOCKED"):
        return Busy(f"{path} was locked by other processes for {PATIENCE_SECONDS:.0f} seconds: try again")
    if kind in _SENTENCES:
        return StoreUnavailable(f"{_SENTENCES[kind].format(path=path)} ({error})")
    return error


def _make(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its side files the mode of this one.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnavailable(f"{_UNWRITABLE.format(path=path)} ({error.strerror})") from error


def _create(db: sqlite3.Connection) -> None:
    if _version(db) == 0:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(_SCHEMA)
    elif _version(db) == 1:
        db.executescript(_FROM_VERSION_1)


def _version(db: sqlite3.Connection) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)
