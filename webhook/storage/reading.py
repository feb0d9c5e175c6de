"""What is stored, now or at an earlier revision? The queries, each to be run inside one snapshot."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import Any

from webhook.storage.schema import CREATED, DELETED
from webhook.storage.store import Compacted, Event, EventType, Key, Page, Record

# An object that did not change since :at is still in `cur` with a version up to :at; of one that did, the first later
# change has its value at that time (api-server contract 7.4). No object is in both.
_NOW = "SELECT res, ns, name, rv, uid, obj FROM cur WHERE res = :res {keys}"
_THEN = f"""
SELECT res, ns, name, rv, uid, obj FROM cur WHERE res = :res AND rv <= :at {{keys}}
UNION ALL
SELECT res, ns, name, prev_rv, uid, old FROM log WHERE op <> {CREATED} AND rv IN (
  SELECT min(rv) FROM log WHERE res = :res AND rv > :at {{keys}} GROUP BY ns, name)
"""
_EVENTS = """
SELECT rv, res, ns, name, op, uid, obj, old FROM log WHERE {resource} rv > :after ORDER BY rv LIMIT :limit
"""
# The columns of a row are the fields of a Record: made of it as it is, for many at a time.
_record = partial(tuple.__new__, Record)
_TYPES: tuple[EventType, ...] = ("ADDED", "MODIFIED", "DELETED")


def revision(db: sqlite3.Connection) -> int:
    """The newest resource version; unlike the last row of the log it survives compaction."""
    (seq,) = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'log'").fetchone()
    return int(seq)


def mark(db: sqlite3.Connection) -> int:
    """The compaction mark."""
    (rev,) = db.execute("SELECT v FROM meta WHERE k = 'compact_rev'").fetchone()
    return int(rev)


def check(db: sqlite3.Connection, rv: int) -> None:
    """Raises Compacted when the log after `rv` is incomplete."""
    compacted = mark(db)
    if rv < compacted:
        raise Compacted(rv, compacted)


def one(db: sqlite3.Connection, resource: str, namespace: str, name: str) -> Record | None:
    """The newest version of an object."""
    query = "SELECT rv, uid, obj FROM cur WHERE res = ? AND ns = ? AND name = ?"
    row = db.execute(query, (resource, namespace, name)).fetchone()
    return Record(resource, namespace, name, *row) if row else None


def page(
    db: sqlite3.Connection, resource: str, namespace: str | None, *, limit: int, after: Key | None, at: int | None
) -> Page:
    """See `Store.list`."""
    newest = revision(db)
    if at is not None:
        check(db, at)
    rv = newest if at is None else at
    query = _query(_NOW if rv >= newest else _THEN, namespace, after)
    values: dict[str, Any] = {"res": resource, "ns": namespace, "at": rv, "limit": limit + 1 if limit else -1}
    values["after_ns"], values["after_name"] = after or ("", "")
    rows = db.execute(f"{query} ORDER BY ns, name LIMIT :limit", values).fetchall()
    if not limit or len(rows) <= limit:
        return Page(list(map(_record, rows)), rv, None, 0)
    records = list(map(_record, rows[:limit]))
    last = (records[-1].namespace, records[-1].name)
    values["after_ns"], values["after_name"] = last
    rest = _query(_NOW if rv >= newest else _THEN, namespace, last)
    (remaining,) = db.execute(f"SELECT count(*) FROM ({rest})", values).fetchone()
    return Page(records, rv, last, remaining)


def events(db: sqlite3.Connection, after: int, limit: int, resource: str | None = None) -> list[Event]:
    """The first changes later than `after`, of one resource or of all."""
    query = _EVENTS.format(resource="" if resource is None else "res = :res AND")
    rows = db.execute(query, {"res": resource, "after": after, "limit": limit})
    return [_event(*row) for row in rows]


def _query(template: str, namespace: str | None, after: Key | None) -> str:
    keys = "" if namespace is None else "AND ns = :ns "
    if after is not None:
        keys += "AND (ns, name) > (:after_ns, :after_name)"
    return template.format(keys=keys)


def _event(rv: int, res: str, ns: str, name: str, op: int, uid: str, obj: bytes | None, old: bytes | None) -> Event:
    value = old if op == DELETED else obj
    assert value is not None
    return Event(_TYPES[op], Record(res, ns, name, rv, uid, value), old)
