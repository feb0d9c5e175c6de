import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from webhook.storage.memory import MemoryStore
from webhook.storage.sqlite import SqliteStore
from webhook.storage.store import Create, Delete, Event, Store, Subscription, Update

STREAMS = "imagestreams.image.openshift.io"


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Writes:
    """Short forms for the writes of the tests; every create has a uid of its own."""

    streams = STREAMS

    def __init__(self) -> None:
        self._uids = itertools.count(1)

    def create(self, name: str, value: bytes = b"{}", namespace: str = "shop", resource: str = STREAMS) -> Create:
        return Create(resource, namespace, name, f"uid-{next(self._uids)}", value)

    def update(self, name: str, value: bytes, expected: int, namespace: str = "shop") -> Update:
        return Update(STREAMS, namespace, name, value, expected)

    def delete(self, name: str, expected: int | None = None, namespace: str = "shop") -> Delete:
        return Delete(STREAMS, namespace, name, expected)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def writes() -> Writes:
    return Writes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "state.db"


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, path: Path, clock: Clock) -> Iterator[Store]:
    store: Store = MemoryStore(clock) if request.param == "memory" else SqliteStore(path, clock)
    yield store
    store.close()


@pytest.fixture
def sqlite(path: Path, clock: Clock) -> Iterator[SqliteStore]:
    store = SqliteStore(path, clock)
    yield store
    store.close()


def _drain(watch: Subscription, until: int, timeout: float = 20) -> list[Event]:
    events: list[Event] = []
    while watch.position < until:
        event = watch.next(timeout)
        assert event is not None, f"nothing more after {watch.position}, expected {until}"
        events.append(event)
    return events


@pytest.fixture
def drain() -> Callable[..., list[Event]]:
    """Takes everything from a watch up to a revision, which has to be one of an event of its own."""
    return _drain
