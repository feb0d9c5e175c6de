import threading

import pytest

from webhook.storage import watching
from webhook.storage.sqlite import SqliteStore
from webhook.storage.store import Compacted, Event


def test_a_watch_tells_every_change_in_order(store, writes, drain):
    watch = store.watch(writes.streams, "shop", store.revision())
    (php,) = store.commit([writes.create("php", b"1")])
    (new,) = store.commit([writes.update("php", b"2", php.rv)])
    (gone,) = store.commit([writes.delete("php")])
    assert drain(watch, gone.rv) == [
        Event("ADDED", php, None),
        Event("MODIFIED", new, b"1"),
        Event("DELETED", gone, b"2"),
    ]
    watch.close()


def test_a_watch_from_an_earlier_revision_replays_what_came_since(store, writes, drain):
    for name in "abc":
        store.commit([writes.create(name)])
    watch = store.watch(writes.streams, "shop", 2)
    assert [event.record.name for event in drain(watch, 4)] == ["b", "c"]
    watch.close()


def test_a_watch_from_the_future_says_nothing_until_then(store, writes, drain):
    watch = store.watch(writes.streams, "shop", 3)
    store.commit([writes.create(name) for name in "abc"])
    assert [event.record.name for event in drain(watch, 4)] == ["c"]
    watch.close()


def test_changes_of_other_resources_and_namespaces_are_not_told(store, writes, drain):
    watch = store.watch(writes.streams, "shop", 1)
    store.commit([writes.create("a", namespace="blog"), writes.create("a", resource="pods"), writes.create("a")])
    assert [event.record.rv for event in drain(watch, 4)] == [4]
    watch.close()


def test_a_watch_of_all_namespaces_hears_all(store, writes, drain):
    watch = store.watch(writes.streams, None, 1)
    store.commit([writes.create("a", namespace="blog"), writes.create("a")])
    assert [event.record.namespace for event in drain(watch, 3)] == ["blog", "shop"]
    watch.close()


def test_nothing_to_tell_is_none(store, writes):
    watch = store.watch(writes.streams, None, 1)
    assert watch.next(0.01) is None
    assert watch.next(0) is None
    watch.close()


def test_the_position_of_an_idle_watch_follows_the_changes_of_others(sqlite, writes, drain):
    idle, busy = sqlite.watch(writes.streams, "shop", 1), sqlite.watch("pods", None, 1)
    sqlite.commit([writes.create("a", resource="pods")])
    drain(busy, 2)
    assert idle.next(0) is None
    assert idle.position == 2
    idle.close()
    busy.close()


def test_the_position_never_passes_an_event_that_was_not_taken(store, writes):
    store.commit([writes.create("a"), writes.create("b")])
    watch = store.watch(writes.streams, None, 1)
    watch.next(5)
    assert watch.position == 2
    watch.close()


def test_closing_ends_a_wait_in_another_thread(store, writes):
    watch = store.watch(writes.streams, None, 1)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(watch.next(60)))
    thread.start()
    watch.close()
    watch.close()
    thread.join(10)
    assert answers == [None]


def test_an_aborted_commit_is_not_told(store, writes, drain):
    watch = store.watch(writes.streams, None, 1)
    store.commit([writes.create("dry")], dry_run=True)
    (real,) = store.commit([writes.create("real")])
    assert [event.record.name for event in drain(watch, real.rv)] == ["real"]
    watch.close()


def test_a_watch_that_compaction_overtakes_is_told_so(store, writes):
    store.commit([writes.create(name) for name in "abc"])
    watch = store.watch(writes.streams, None, 1)
    store.compact(keep_seconds=0, keep_rows=0)
    with pytest.raises(Compacted):
        watch.next(5)
    watch.close()


def test_a_slow_watch_gets_from_the_log_what_memory_has_let_go(sqlite, writes, drain, monkeypatch):
    monkeypatch.setattr(watching, "_RECENT_EVENTS", 5)
    slow, quick = sqlite.watch(writes.streams, None, 1), sqlite.watch(writes.streams, None, 1)
    for index in range(250):
        sqlite.commit([writes.create(f"stream-{index}"), writes.create(f"pod-{index}", resource="pods")])
    assert len(drain(quick, 500)) == 250
    assert [event.record.rv for event in drain(slow, 500)] == list(range(2, 502, 2))
    slow.close()
    quick.close()


def test_the_newest_changes_in_memory_are_bounded_by_their_size(sqlite, writes, drain, monkeypatch):
    monkeypatch.setattr(watching, "_RECENT_BYTES", 1000)
    watch = sqlite.watch(writes.streams, None, 1)
    for index in range(20):
        sqlite.commit([writes.create(f"stream-{index}", bytes(300))])
    drain(watch, 21)
    assert len(sqlite._feed._recent) <= 3
    watch.close()


def test_watches_of_one_process_share_the_event(sqlite, writes, drain):
    first, second = sqlite.watch(writes.streams, None, 1), sqlite.watch(writes.streams, None, 1)
    probe = sqlite.watch("pods", None, 1)
    sqlite.commit([writes.create("php"), writes.create("a", resource="pods")])
    drain(probe, 3)
    assert first.next(5) is second.next(5)
    for watch in (first, second, probe):
        watch.close()


def test_the_thread_that_follows_the_log_ends_with_the_last_watch(sqlite, writes):
    sqlite.watch(writes.streams, None, 1).close()
    (thread,) = sqlite._feed._threads
    thread.join(10)
    assert not thread.is_alive()


def test_a_watch_after_a_pause_in_watching_misses_nothing(sqlite, writes, drain):
    sqlite.watch(writes.streams, None, 1).close()
    sqlite.commit([writes.create("a")])
    watch = sqlite.watch(writes.streams, None, 1)
    sqlite.commit([writes.create("b")])
    assert [event.record.name for event in drain(watch, 3)] == ["a", "b"]
    watch.close()


def test_a_write_through_another_store_of_the_same_file_is_heard(sqlite, path, writes, drain):
    watch = sqlite.watch(writes.streams, None, 1)
    other = SqliteStore(path)
    (php,) = other.commit([writes.create("php")])
    assert drain(watch, php.rv) == [Event("ADDED", php, None)]
    watch.close()
    other.close()


def test_many_threads_writing_are_heard_completely(sqlite, writes, drain):
    watch = sqlite.watch(writes.streams, None, 1)
    threads = [
        threading.Thread(target=lambda n=n: [sqlite.commit([writes.create(f"{n}-{i}")]) for i in range(40)])
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    assert [event.record.rv for event in drain(watch, 321)] == list(range(2, 322))
    for thread in threads:
        thread.join()
    watch.close()
