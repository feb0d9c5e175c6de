"""Files of earlier versions of the server."""

import sqlite3
from contextlib import closing

import pytest

from webhook.storage.schema import VERSION
from webhook.storage.sqlite import SqliteStore

VERSION_1 = """
CREATE TABLE now(
  res TEXT, ns TEXT, name TEXT,
  rv INTEGER NOT NULL, uid TEXT NOT NULL, obj BLOB NOT NULL,
  PRIMARY KEY(res, ns, name)) WITHOUT ROWID;
INSERT INTO now SELECT * FROM cur;
DROP TABLE cur;
ALTER TABLE now RENAME TO cur;
PRAGMA user_version = 1;
"""


@pytest.fixture
def old(sqlite, path, writes):
    """The records of a file as the first version left it."""
    sqlite.commit([writes.create("ruby", bytes(3000)), writes.create("php", b"{}", namespace="office")])
    sqlite.commit([writes.update("ruby", b"[]", 2)])
    records = sqlite.list(writes.streams, None).records
    sqlite.close()
    with closing(sqlite3.connect(path)) as db:
        db.executescript(VERSION_1)
    return records


def test_a_file_of_the_first_version_keeps_everything(old, path, writes):
    with closing(SqliteStore(path)) as store:
        assert store.list(writes.streams, None).records == old
        assert [one.value for one in store.list(writes.streams, "shop", at=2).records] == [bytes(3000)]


def test_it_is_brought_up_to_date_once(old, path, writes):
    SqliteStore(path).close()
    with closing(SqliteStore(path)) as store:
        (written,) = store.commit([writes.update("ruby", b"{}", 4)])

    with closing(sqlite3.connect(path)) as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (table,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'cur'").fetchone()

    assert (version, written.rv, "WITHOUT ROWID" in table) == (VERSION, 5, False)
