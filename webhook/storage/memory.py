"""A store in plain Python: the oracle of the storage tests, and the quickest store for the tests of others."""

from __future__ import annotations

import bisect
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from webhook.storage import outcome
from webhook.storage.store import EMPTY_REVISION, Compacted, Event, Key, Page, Record, Records, Write

_State = dict[tuple[str, str, str], Record]


class _Entry(NamedTuple):
    event: Event
    previous: int
    at: float


class MemoryStore:
    """A `Store` for one process. `clock` gives the seconds that compaction measures ages with."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._state: _State = {}
        self._log: list[_Entry] = []
        self._revision = EMPTY_REVISION
        self._mark = 0

    def get(self, resource: str, namespace: str, name: str) -> Record | None:
        """See `Store.get`."""
        with self._changed:
            return self._state.get((resource, namespace, name))

    def list(
        self, resource: str, namespace: str | None, *, limit: int = 0, after: Key | None = None, at: int | None = None
    ) -> Page:
        """See `Store.list`."""
        with self._changed:
            rv = self._revision if at is None else at
            state = self._state_at(rv)
        rest = sorted(
            (record for record in state.values() if _wanted(record, resource, namespace, after)),
            key=lambda record: (record.namespace, record.name),
        )
        records = rest[:limit] if limit else rest
        remaining = len(rest) - len(records)
        last = (records[-1].namespace, records[-1].name) if remaining else None
        return Page(records, rv, last, remaining)

    def revision(self) -> int:
        """See `Store.revision`."""
        with self._changed:
            return self._revision

    def commit(self, writes: Sequence[Write], dry_run: bool = False) -> Records:
        """See `Store.commit`."""
        with self._changed:
            state = dict(self._state)
            answers: Records = []
            changes: list[_Entry] = []
            now = self._clock()
            for write in writes:
                key = (write.resource, write.namespace, write.name)
                current = state.get(key)
                event = outcome.of(write, current, self._revision + len(changes) + 1)
                answers.append(outcome.answer(event, current, dry_run=dry_run))
                if event is not None:
                    changes.append(_Entry(event, current.rv if current else 0, now))
                    _apply(state, event)
            if changes and not dry_run:
                self._state = state
                self._log += changes
                self._revision += len(changes)
                self._changed.notify_all()
            return answers

    def watch(self, resource: str, namespace: str | None, after: int) -> _Subscription:
        """See `Store.watch`."""
        with self._changed:
            self._check(after)
        return _Subscription(self, resource, namespace, after)

    def compacted(self) -> int:
        """See `Store.compacted`."""
        with self._changed:
            return self._mark

    def compact(self, keep_seconds: float = 600, keep_rows: int = 1000) -> int:
        """See `Store.compact`."""
        cutoff = self._clock() - keep_seconds
        with self._changed:
            old = next((index for index, entry in enumerate(self._log) if entry.at > cutoff), len(self._log))
            old = max(min(old, len(self._log) - keep_rows), 0)
            if old:
                self._mark = self._log[old - 1].event.record.rv
                del self._log[:old]
            return old

    def close(self) -> None:
        """See `Store.close`."""

    def _check(self, rv: int) -> None:
        if rv < self._mark:
            raise Compacted(rv, self._mark)

    def _state_at(self, rv: int) -> _State:
        self._check(rv)
        state = dict(self._state)
        for event, previous, _ in reversed(self._since(rv)):
            record = event.record
            key = (record.resource, record.namespace, record.name)
            if event.old is None:
                del state[key]
            else:
                state[key] = record._replace(rv=previous, value=event.old)
        return state

    def _since(self, rv: int) -> Sequence[_Entry]:
        return self._log[bisect.bisect_right(self._log, rv, key=lambda entry: entry.event.record.rv) :]


class _Subscription:
    def __init__(self, store: MemoryStore, resource: str, namespace: str | None, after: int) -> None:
        self._store = store
        self._resource = resource
        self._namespace = namespace
        self._position = after
        self._closed = False

    @property
    def position(self) -> int:
        return self._position

    def next(self, timeout: float) -> Event | None:
        changed = self._store._changed
        deadline = time.monotonic() + timeout
        with changed:
            while not self._closed:
                event = self._pull()
                if event is not None:
                    return event
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                changed.wait(left)
        return None

    def close(self) -> None:
        with self._store._changed:
            self._closed = True
            self._store._changed.notify_all()

    def _pull(self) -> Event | None:
        self._store._check(self._position)
        for event, _, _ in self._store._since(self._position):
            self._position = event.record.rv
            if _wanted(event.record, self._resource, self._namespace, None):
                return event
        return None


def _wanted(record: Record, resource: str, namespace: str | None, after: Key | None) -> bool:
    return (
        record.resource == resource
        and (namespace is None or record.namespace == namespace)
        and (after is None or (record.namespace, record.name) > after)
    )


def _apply(state: _State, event: Event) -> None:
    record = event.record
    key = (record.resource, record.namespace, record.name)
    if event.type == "DELETED":
        del state[key]
    else:
        state[key] = record
