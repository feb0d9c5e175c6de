"""What a store promises: the values it takes and gives, its errors, and the `Store` protocol.

    StorageError
    ├── Taken               create of a name that exists
    ├── Missing             update or delete of a name that does not exist
    ├── Stale               the expected resource version is not the stored one
    ├── Compacted           the history asked for has been thrown away; list again
    ├── Overflow            a watcher was too slow for its queue; resume from its position
    └── StoreUnavailable    the storage itself fails: disk, permissions, a corrupt file
        └── Busy            other writers held the storage for too long; try again

Resource versions are one strictly increasing sequence over all resources. It starts at 1 for an empty store, because
"0" has a meaning of its own in the API (api-server contract 7.2). Values are JSON bytes without
`metadata.resourceVersion`: the version is the record's. Cluster-scoped objects have the namespace "".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias

Key: TypeAlias = tuple[str, str]
"""Namespace and name: the order of lists and the place where a page ends."""

EventType: TypeAlias = Literal["ADDED", "MODIFIED", "DELETED"]

EMPTY_REVISION = 1
"""The revision of a store that was never written to; the first write gets the next one."""


class StorageError(Exception):
    """Any refusal or failure of a store."""


class ObjectError(StorageError):
    """A write that the state of its object forbids; nothing of its commit was written."""

    def __init__(self, resource: str, namespace: str, name: str) -> None:
        where = f"{namespace}/{name}" if namespace else name
        super().__init__(f"{resource} {where}: {type(self).__doc__}")
        self.resource = resource
        self.namespace = namespace
        self.name = name


class Taken(ObjectError):
    """The name is already in use."""


class Missing(ObjectError):
    """There is no such object."""


class Stale(ObjectError):
    """The stored resource version is another than the expected one."""


class Compacted(StorageError):
    """The history after `asked` is incomplete: everything up to `mark` was compacted."""

    def __init__(self, asked: int, mark: int) -> None:
        super().__init__(f"resource version {asked} is older than the compaction at {mark}")
        self.asked = asked
        self.mark = mark


class Overflow(StorageError):
    """A watcher fell behind a bounded queue. The stores here replay from the log instead and never raise it."""


class StoreUnavailable(StorageError):
    """The storage cannot be used; the message is one sentence for the operator."""


class Busy(StoreUnavailable):
    """Other processes kept the storage locked for longer than the patience of this one."""


class Record(NamedTuple):
    """One object at one version."""

    resource: str
    namespace: str
    name: str
    rv: int
    uid: str
    value: bytes


class Event(NamedTuple):
    """One change. `record.rv` is the version of the change; a DELETED record has the last value."""

    type: EventType
    record: Record
    old: bytes | None


Records: TypeAlias = list[Record]


class Page(NamedTuple):
    """Part of a list at `rv`. `next` is the `after` of the following page, None when this one is the last."""

    records: Records
    rv: int
    next: Key | None
    remaining: int


class Create(NamedTuple):
    """Store a new object; raises Taken."""

    resource: str
    namespace: str
    name: str
    uid: str
    value: bytes


class Update(NamedTuple):
    """Replace the value of an object; raises Missing, Stale. Equal bytes change nothing, not even the version."""

    resource: str
    namespace: str
    name: str
    value: bytes
    expected_rv: int


class Delete(NamedTuple):
    """Remove an object, at any version when `expected_rv` is None; raises Missing, Stale."""

    resource: str
    namespace: str
    name: str
    expected_rv: int | None


Write: TypeAlias = Create | Update | Delete


class Subscription(Protocol):
    """The changes of one watch, in order, each once."""

    @property
    def position(self) -> int:
        """The resource version up to which everything of interest was handed out by `next`."""

    def next(self, timeout: float) -> Event | None:
        """The next change; None after `timeout` seconds or once closed.

        Raises Compacted, Overflow, StoreUnavailable.
        """

    def close(self) -> None:
        """End the watch; a waiting `next` returns None. May be called twice and from another thread."""


class Store(Protocol):
    """Objects with optimistic locking, consistent lists, and a log to watch; for any number of threads."""

    def get(self, resource: str, namespace: str, name: str) -> Record | None:
        """The object, or None."""

    def list(
        self, resource: str, namespace: str | None, *, limit: int = 0, after: Key | None = None, at: int | None = None
    ) -> Page:
        """Objects ordered by namespace and name: of one namespace, or of all when it is None.

        `limit` 0 means no limit; `after` starts behind that key; `at` shows the state of that revision (the newest
        state when it lies in the future). Raises Compacted when `at` is older than the compaction mark.
        """

    def revision(self) -> int:
        """The resource version of the newest change, at least 1."""

    def commit(self, writes: Sequence[Write], dry_run: bool = False) -> Records:
        """Apply all writes or none, in order, and return one record each: what is stored, or what was deleted.

        A deleted record has the version of its deletion. A dry run checks and answers the same but keeps nothing; its
        records have the version that they had before, 0 for a create.
        Raises Taken, Missing, Stale, StoreUnavailable.
        """

    def watch(self, resource: str, namespace: str | None, after: int) -> Subscription:
        """Every change later than the revision `after`, which may lie in the future; raises Compacted."""

    def compacted(self) -> int:
        """The compaction mark: lists at, and watches from, an older revision are refused."""

    def compact(self, keep_seconds: float = 600, keep_rows: int = 1000) -> int:
        """Forget changes older than both limits; the number forgotten."""

    def close(self) -> None:
        """Release everything; the store is not used afterwards."""
