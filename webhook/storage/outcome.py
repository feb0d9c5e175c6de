"""What does a write do to the object it meets?"""

from __future__ import annotations

from webhook.storage.store import Create, Delete, Event, Missing, Record, Stale, Taken, Update, Write


def of(write: Write, current: Record | None, rv: int) -> Event | None:
    """The change that the write makes at `rv`; None when it makes none (api-server contract 3.6, 7.3).

    Raises Taken, Missing, Stale.
    """
    if isinstance(write, Create):
        return _create(write, current, rv)
    key = write.resource, write.namespace, write.name
    if current is None:
        raise Missing(*key)
    if write.expected_rv is not None and write.expected_rv != current.rv:
        raise Stale(*key)
    if isinstance(write, Delete):
        return Event("DELETED", current._replace(rv=rv), current.value)
    return _update(write, current, rv)


def answer(event: Event | None, current: Record | None, *, dry_run: bool) -> Record:
    """The record to answer a write with, given its change and the object it met."""
    if event is None:
        assert current is not None  # only an update of an object changes nothing
        return current
    if dry_run:
        # A version that nobody stored must not reach a client, who could later meet it on another object.
        return event.record._replace(rv=current.rv if current else 0)
    return event.record


def _create(write: Create, current: Record | None, rv: int) -> Event:
    if current is not None:
        raise Taken(write.resource, write.namespace, write.name)
    return Event("ADDED", Record(write.resource, write.namespace, write.name, rv, write.uid, write.value), None)


def _update(write: Update, current: Record, rv: int) -> Event | None:
    if write.value == current.value:
        return None
    return Event("MODIFIED", current._replace(rv=rv, value=write.value), current.value)
