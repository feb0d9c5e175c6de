import pytest

from webhook.storage import lock
from webhook.storage.store import Compacted


def test_a_new_store_was_never_compacted(store):
    assert store.compacted() == 0


def test_compaction_keeps_the_young(store, writes, clock):
    store.commit([writes.create("a"), writes.create("b")])
    clock.now += 601
    store.commit([writes.create("c")])
    assert store.compact(keep_rows=0) == 2
    assert store.compacted() == 3


def test_compaction_keeps_the_newest(store, writes, clock):
    store.commit([writes.create(f"stream-{index}") for index in range(1005)])
    clock.now += 601
    assert store.compact() == 5
    assert store.compacted() == 6


def test_compaction_in_many_batches_forgets_everything_old(store, writes, clock):
    store.commit([writes.create(f"stream-{index}") for index in range(2500)])
    assert store.compact(keep_seconds=0, keep_rows=0) == 2500
    assert store.compacted() == store.revision() == 2501


def test_a_second_compaction_finds_nothing_left(store, writes):
    store.commit([writes.create("a")])
    store.compact(keep_seconds=0, keep_rows=0)
    assert store.compact(keep_seconds=0, keep_rows=0) == 0
    assert store.compacted() == 2


def test_compaction_loses_no_object_and_no_revision(store, writes):
    (php,) = store.commit([writes.create("php")])
    store.compact(keep_seconds=0, keep_rows=0)
    assert store.list(writes.streams, None).records == [php]
    assert store.revision() == php.rv
    assert store.commit([writes.update("php", b"1", php.rv)])[0].rv == php.rv + 1


def test_a_watch_from_before_the_compaction_is_refused(store, writes):
    store.commit([writes.create("a"), writes.create("b")])
    store.compact(keep_seconds=0, keep_rows=0)
    with pytest.raises(Compacted):
        store.watch(writes.streams, None, 2)
    store.watch(writes.streams, None, 3).close()


def test_only_one_process_compacts_at_a_time(sqlite, writes, path):
    sqlite.commit([writes.create("a")])
    with lock.take(path.with_name("state.db.compact.lock")):
        assert sqlite.compact(keep_seconds=0, keep_rows=0) == 0
    assert sqlite.compact(keep_seconds=0, keep_rows=0) == 1
