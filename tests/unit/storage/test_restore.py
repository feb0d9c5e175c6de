"""A copy of the file, put back as docs/configuration.md says."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from webhook.storage.sqlite import SqliteStore
from webhook.storage.store import Compacted

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def restored(path: Path, copy: Path) -> SqliteStore:
    (statements,) = re.findall(r'^sqlite3 var/state\.db "(UPDATE[^"]+)"', PAGE.read_text(), re.MULTILINE)
    for left in path.parent.glob(f"{path.name}-*"):
        left.unlink()
    shutil.copy(copy, path)
    with closing(sqlite3.connect(path)) as db:
        db.executescript(statements)
    return SqliteStore(path)


def test_a_restored_file_has_its_objects_and_gives_no_version_twice(path, writes, tmp_path):
    copy = tmp_path / "copy.db"
    with closing(SqliteStore(path)) as store:
        store.commit([writes.create("php", b"1")])
        with closing(sqlite3.connect(path)) as db, closing(sqlite3.connect(copy)) as backup:
            db.backup(backup)
        (lost,) = store.commit([writes.create("ruby", b"1")])

    with closing(restored(path, copy)) as store:
        assert [one.name for one in store.list(writes.streams, None).records] == ["php"]
        with pytest.raises(Compacted):
            store.watch(writes.streams, None, lost.rv)
        (written,) = store.commit([writes.create("perl", b"1")])
        assert written.rv > lost.rv + 1
