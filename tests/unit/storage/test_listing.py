import pytest

from webhook.storage.store import Compacted


def names(page):
    return [f"{record.namespace}/{record.name}" for record in page.records]


def test_an_empty_list_has_a_revision(store, writes):
    page = store.list(writes.streams, "shop")
    assert (page.records, page.rv, page.next, page.remaining) == ([], 1, None, 0)


def test_lists_are_ordered_by_namespace_and_name(store, writes):
    store.commit([writes.create(name, namespace=ns) for ns, name in [("shop", "b"), ("blog", "z"), ("shop", "a-1")]])
    store.commit([writes.create("a", namespace="shop"), writes.create("a", namespace="shop-2")])
    assert names(store.list(writes.streams, None)) == ["blog/z", "shop/a", "shop/a-1", "shop/b", "shop-2/a"]


def test_a_list_is_of_one_resource_and_namespace(store, writes):
    store.commit([writes.create("php"), writes.create("php", namespace="blog"), writes.create("x", resource="pods")])
    assert names(store.list(writes.streams, "shop")) == ["shop/php"]


def test_the_revision_of_a_list_is_that_of_the_newest_write_of_any_resource(store, writes):
    store.commit([writes.create("php"), writes.create("x", resource="pods")])
    assert store.list(writes.streams, "shop").rv == 3


def test_a_page_says_where_the_next_begins_and_how_much_is_left(store, writes):
    store.commit([writes.create(name) for name in "abcde"])
    page = store.list(writes.streams, "shop", limit=2)
    assert (names(page), page.next, page.remaining) == (["shop/a", "shop/b"], ("shop", "b"), 3)


def test_the_last_page_that_is_exactly_full_has_no_next(store, writes):
    store.commit([writes.create(name) for name in "ab"])
    page = store.list(writes.streams, "shop", limit=2)
    assert (page.next, page.remaining) == (None, 0)


def test_a_page_may_start_behind_a_key_that_does_not_exist(store, writes):
    store.commit([writes.create(name) for name in "ac"])
    assert names(store.list(writes.streams, "shop", after=("shop", "b"))) == ["shop/c"]


@pytest.mark.parametrize("namespace", ["shop", None], ids=["one namespace", "all namespaces"])
def test_all_pages_show_the_snapshot_of_the_first(store, writes, namespace):
    store.commit([writes.create(f"stream-{index}", f"{index}".encode()) for index in range(10)])
    before = store.list(writes.streams, namespace)
    page = store.list(writes.streams, namespace, limit=3)
    seen, step = list(page.records), 0
    while page.next:
        step += 1
        store.commit([writes.create(f"stream-{step}x"), writes.create(f"stream-{9 - step}y")])
        store.commit([writes.delete("stream-9" if step == 1 else f"stream-{9 - step}y")])
        new = store.get(writes.streams, "shop", f"stream-{step + 4}")
        store.commit([writes.update(new.name, b"new", new.rv)])
        left = 10 - len(seen)
        page = store.list(writes.streams, namespace, limit=3, after=page.next, at=page.rv)
        seen += page.records
        assert page.rv == before.rv
        assert page.remaining == left - len(page.records)
    assert step == 3
    assert seen == before.records


def test_an_object_deleted_and_made_again_is_shown_as_it_was(store, writes):
    (old,) = store.commit([writes.create("php", b"old")])
    store.commit([writes.delete("php"), writes.create("php", b"new"), writes.update("php", b"newer", 4)])
    assert store.list(writes.streams, "shop", at=old.rv).records == [old]


def test_a_state_later_than_the_newest_is_the_newest(store, writes):
    (php,) = store.commit([writes.create("php")])
    assert store.list(writes.streams, "shop", at=99).records == [php]


def test_a_state_older_than_the_compaction_is_refused(store, writes):
    store.commit([writes.create(name) for name in "abc"])
    store.compact(keep_seconds=0, keep_rows=1)
    assert store.list(writes.streams, "shop", at=3).rv == 3
    with pytest.raises(Compacted) as caught:
        store.list(writes.streams, "shop", at=2)
    assert (caught.value.asked, caught.value.mark) == (2, 3)
