import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from webhook.storage import schema
from webhook.storage.sqlite import SqliteStore
from webhook.storage.store import Busy, Missing, StoreUnavailable


def test_a_corrupt_file_is_one_clear_sentence(path):
    path.parent.mkdir()
    path.write_bytes(b"this is not a database, " * 500)
    with pytest.raises(StoreUnavailable, match="damaged or not a database of this server: restore a backup"):
        SqliteStore(path)


def test_a_file_damaged_in_use_is_found_by_the_next_read(sqlite, path, writes):
    sqlite.commit([writes.create(f"stream-{index}", bytes(3000)) for index in range(50)])
    sqlite.close()
    path.write_bytes(path.read_bytes()[:8192] + os.urandom(100_000))
    with pytest.raises(StoreUnavailable, match="damaged"):
        SqliteStore(path).list(writes.streams, None)


def test_a_folder_that_cannot_be_written_is_one_clear_sentence(tmp_path):
    (tmp_path / "var").write_text("a file, not a folder")
    with pytest.raises(StoreUnavailable, match=r"cannot open or write .*state\.db: check that its folder"):
        SqliteStore(tmp_path / "var" / "state.db")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_one_clear_sentence(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreUnavailable, match="cannot open or write"):
        SqliteStore(tmp_path / "state.db")


def test_a_file_of_a_newer_version_is_refused(sqlite, path):
    sqlite.close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreUnavailable, match="written by a newer version"):
        SqliteStore(path)


def test_the_file_is_readable_by_its_owner_alone(sqlite, path, writes):
    sqlite.commit([writes.create("php")])
    assert {file.stat().st_mode & 0o077 for file in path.parent.iterdir()} == {0}


def test_a_writer_that_holds_the_file_too_long_makes_the_others_busy(sqlite, path, writes, monkeypatch):
    monkeypatch.setattr(schema, "PATIENCE_SECONDS", 0.05)
    sqlite._connections.drain()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy, match="locked by other processes"):
        sqlite.commit([writes.create("php")])
    other.execute("ROLLBACK")
    other.close()
    assert sqlite.commit([writes.create("php")])[0].rv == 2


def test_in_a_group_of_commits_each_gets_its_own_answer(sqlite, writes):
    plans = {
        "first": [writes.create("php")],
        "mistaken": [writes.create("perl"), writes.create("ruby", object())],
        "refused": [writes.update("go", b"1", 2)],
        "last": [writes.create("node")],
    }
    with ThreadPoolExecutor(len(plans)) as pool:
        with sqlite._writer._turn:
            answers = {name: pool.submit(sqlite.commit, plan) for name, plan in plans.items()}
            while len(sqlite._writer._waiting) < len(plans):
                pass
        errors = {name: type(answer.exception()) for name, answer in answers.items()}
    assert errors == {
        "first": type(None),
        "mistaken": sqlite3.ProgrammingError,
        "refused": Missing,
        "last": type(None),
    }
    assert [record.name for record in sqlite.list(writes.streams, None).records] == ["node", "php"]
    assert sqlite.revision() == 3


FULL_DISK = """
import resource, sys
from pathlib import Path
from webhook.storage.sqlite import SqliteStore
from webhook.storage.store import Create, StoreUnavailable

store = SqliteStore(Path(sys.argv[1]))
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
written = 0
try:
    while True:
        store.commit([Create("pods", "shop", f"pod-{written}", "uid", bytes(50_000))])
        written += 1
except StoreUnavailable as error:
    print(error)
assert len(store.list("pods", "shop").records) == written > 0
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
store.commit([Create("pods", "shop", f"pod-{written}", "uid", b"{}")])
assert store.revision() == written + 2
print("recovered")
"""


def test_a_full_disk_is_one_clear_sentence_and_the_store_recovers_when_there_is_space(path):
    done = subprocess.run([sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, cwd=Path.cwd())
    assert done.stderr == ""
    sentence, recovered = done.stdout.splitlines()
    assert "is full or failing: free some space" in sentence
    assert recovered == "recovered"
