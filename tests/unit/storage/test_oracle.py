import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from webhook.storage.memory import MemoryStore
from webhook.storage.sqlite import SqliteStore
from webhook.storage.store import Create, Delete, StorageError, Update

RESOURCES = ("imagestreams.image.openshift.io", "pods")
resources = st.sampled_from(RESOURCES)
namespaces = st.sampled_from(["", "blog", "blog-2", "shop"])
names = st.sampled_from(["app", "app-1", "app.1", "php", "ruby"])
values = st.sampled_from([b"{}", b'{"a":1}', b'{"a":2}'])


class BothStores(RuleBasedStateMachine):
    """Whatever is done, SQLite answers what the plain model answers: refusals, lists, old states and watches too."""

    @initialize()
    def start(self):
        self.folder = tempfile.TemporaryDirectory()
        self.now = 1000.0
        self.stores = (
            MemoryStore(lambda: self.now),
            SqliteStore(Path(self.folder.name) / "state.db", lambda: self.now),
        )
        self.uids = 0
        self.watches = []

    def teardown(self):
        if hasattr(self, "stores"):
            for pair in self.watches:
                self.compare_watch(pair)
            self.stores[1].close()
            self.folder.cleanup()

    def same(self, call):
        answers = [_outcome(call, store) for store in self.stores]
        assert answers[0] == answers[1]
        return answers[0]

    def write(self, data):
        key = data.draw(resources), data.draw(namespaces), data.draw(names)
        current = self.stores[0].get(*key)
        expected = data.draw(st.sampled_from([current.rv if current else 0, 1]))
        kind = data.draw(st.sampled_from(["create", "update", "delete"]))
        if kind == "create":
            self.uids += 1
            return Create(*key, f"uid-{self.uids}", data.draw(values))
        if kind == "update":
            return Update(*key, data.draw(values), expected)
        return Delete(*key, data.draw(st.sampled_from([expected, None])))

    @rule(data=st.data(), count=st.integers(1, 3), dry_run=st.sampled_from([False, False, False, True]))
    def commit(self, data, count, dry_run):
        writes = [self.write(data) for _ in range(count)]
        self.same(lambda store: store.commit(writes, dry_run=dry_run))

    @rule(resource=resources, namespace=st.none() | namespaces, limit=st.integers(0, 3), back=st.integers(0, 12))
    def walk_pages_of_the_past(self, resource, namespace, limit, back):
        at, after = max(self.stores[0].revision() - back, 1), None
        while True:
            page = self.same(
                lambda store, after=after: store.list(resource, namespace, limit=limit, after=after, at=at)
            )
            if page[0] != "value" or page[1].next is None:
                return
            after = page[1].next

    @rule(resource=resources, namespace=st.none() | namespaces, back=st.integers(0, 12))
    def watch(self, resource, namespace, back):
        after = max(self.stores[0].revision() - back, 1)
        pair = [_outcome(lambda store: store.watch(resource, namespace, after), store) for store in self.stores]
        assert pair[0][0] == pair[1][0]
        if pair[0][0] == "value":
            self.watches.append([answer[1] for answer in pair])

    @rule(keep=st.integers(0, 8), age=st.integers(0, 5))
    def compact(self, keep, age):
        # Whether a lagging watch is refused depends on how far it had read ahead, so none may lag here.
        for pair in self.watches:
            self.compare_watch(pair)
        self.watches = []
        self.same(lambda store: store.compact(keep_seconds=age, keep_rows=keep))

    @rule(seconds=st.integers(1, 3))
    def time_passes(self, seconds):
        self.now += seconds

    @invariant()
    def the_states_are_equal(self):
        if hasattr(self, "stores"):
            self.same(lambda store: (store.revision(), store.compacted()))
            for resource in RESOURCES:
                self.same(lambda store, resource=resource: store.list(resource, None))

    def compare_watch(self, pair):
        while (expected := pair[0].next(0)) is not None:
            assert pair[1].next(10) == expected
        assert pair[1].next(0) is None
        for watch in pair:
            watch.close()


def _outcome(call, store):
    try:
        return "value", call(store)
    except StorageError as error:
        return type(error).__name__, str(error)


BothStores.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestBothStores = BothStores.TestCase
