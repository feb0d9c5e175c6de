import pytest

from webhook.storage.store import Missing, Stale, StorageError, Taken


def test_the_revision_of_an_empty_store_is_one(store):
    assert store.revision() == 1


def test_the_first_write_is_later_than_the_revision_of_the_empty_store(store, writes):
    (php,) = store.commit([writes.create("php")])
    assert php.rv == store.revision() == 2


def test_what_was_created_is_read_back_with_its_version(store, writes):
    (php,) = store.commit([writes.create("php", b'{"kind":"ImageStream"}')])
    assert store.get(writes.streams, "shop", "php") == php
    assert (php.rv, php.uid, php.value) == (2, "uid-1", b'{"kind":"ImageStream"}')


def test_an_absent_object_is_none(store, writes):
    assert store.get(writes.streams, "shop", "php") is None


def test_a_cluster_scoped_object_has_the_empty_namespace(store, writes):
    (image,) = store.commit([writes.create("sha256:0a", namespace="", resource="images.image.openshift.io")])
    assert store.get("images.image.openshift.io", "", "sha256:0a") == image


def test_the_same_name_in_another_namespace_or_resource_is_another_object(store, writes):
    store.commit([writes.create("php")])
    store.commit([writes.create("php", namespace="blog"), writes.create("php", resource="pods")])
    assert store.revision() == 4


def test_an_update_keeps_the_uid(store, writes):
    (old,) = store.commit([writes.create("php")])
    (new,) = store.commit([writes.update("php", b'{"a":1}', old.rv)])
    assert new == old._replace(rv=3, value=b'{"a":1}')


def test_an_update_with_equal_bytes_changes_nothing(store, writes):
    (old,) = store.commit([writes.create("php")])
    assert store.commit([writes.update("php", old.value, old.rv)]) == [old]
    assert store.revision() == old.rv


def test_a_deletion_answers_the_last_value_at_a_version_of_its_own(store, writes):
    (old,) = store.commit([writes.create("php", b'{"a":1}')])
    assert store.commit([writes.delete("php", old.rv)]) == [old._replace(rv=3)]
    assert store.get(writes.streams, "shop", "php") is None


def test_a_name_can_be_used_again_after_its_deletion(store, writes):
    store.commit([writes.create("php")])
    store.commit([writes.delete("php")])
    (again,) = store.commit([writes.create("php")])
    assert (again.rv, again.uid) == (4, "uid-2")


@pytest.mark.parametrize(
    ("build", "error"),
    [
        pytest.param(lambda w: w.create("php"), Taken, id="create of a name in use"),
        pytest.param(lambda w: w.update("php", b"1", 99), Stale, id="update from an old version"),
        pytest.param(lambda w: w.update("php", b"{}", 99), Stale, id="update with equal bytes from an old version"),
        pytest.param(lambda w: w.update("ruby", b"1", 2), Missing, id="update of nothing"),
        pytest.param(lambda w: w.delete("php", 1), Stale, id="delete of an old version"),
        pytest.param(lambda w: w.delete("ruby"), Missing, id="delete of nothing"),
    ],
)
def test_a_refused_write_takes_its_whole_commit_with_it(store, writes, build, error):
    (php,) = store.commit([writes.create("php")])
    with pytest.raises(error) as caught:
        store.commit([writes.create("before"), build(writes), writes.create("behind")])
    assert isinstance(caught.value, StorageError)
    assert caught.value.namespace == "shop"
    assert store.list(writes.streams, None).records == [php]
    assert store.revision() == php.rv


def test_several_writes_of_one_commit_get_successive_versions(store, writes):
    records = store.commit([writes.create(name) for name in ("php", "ruby", "perl")])
    assert [record.rv for record in records] == [2, 3, 4]


def test_a_commit_sees_its_own_earlier_writes(store, writes):
    records = store.commit([writes.create("php"), writes.update("php", b"1", 2), writes.delete("php", 3)])
    assert [record.rv for record in records] == [2, 3, 4]
    assert store.get(writes.streams, "shop", "php") is None


def test_an_empty_commit_is_nothing(store):
    assert store.commit([]) == []
    assert store.revision() == 1


def test_a_dry_run_keeps_nothing_and_leaves_no_gap(store, writes):
    (php,) = store.commit([writes.create("php")])
    planned = [writes.create("ruby"), writes.update("php", b"1", php.rv)]
    assert [record.value for record in store.commit(planned, dry_run=True)] == [b"{}", b"1"]
    assert store.list(writes.streams, None).records == [php]
    assert store.commit([writes.create("perl")])[0].rv == php.rv + 1


def test_a_dry_run_never_shows_a_version_that_nobody_stored(store, writes):
    (php,) = store.commit([writes.create("php")])
    planned = [writes.create("ruby"), writes.update("php", b"1", php.rv)]
    assert [record.rv for record in store.commit(planned, dry_run=True)] == [0, php.rv]
    assert store.commit([writes.delete("php")], dry_run=True) == [php]


def test_a_dry_run_is_refused_like_the_real_thing(store, writes):
    store.commit([writes.create("php")])
    with pytest.raises(Taken):
        store.commit([writes.create("php")], dry_run=True)
