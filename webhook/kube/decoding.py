"""How the objects of one collection are read from lists and watches: as dicts, or only the fields that are needed.

A struct of the fields needed costs a third of the time and a tenth of the memory of a dict. One object
of an odd shape must not stop a whole collection: it is left out, with a line in the log.
"""

from __future__ import annotations

import logging
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from webhook.errors import Json
from webhook.kube import failure

log = logging.getLogger(__name__)

T = TypeVar("T")

BOOKMARK: Final = "BOOKMARK"
INITIAL_EVENTS_END: Final = "k8s.io/initial-events-end"
_ERROR: Final = "ERROR"


class Change(NamedTuple, Generic[T]):
    """One event of a watch.

    `item` is None for a bookmark and for an object that could not be read. `version` is the resource version that the
    event carries, or "". `initial_end` marks the bookmark after the last initial event (api-server contract 4.2).
    """

    kind: str
    item: T | None
    version: str = ""
    initial_end: bool = False


class ListMeta(msgspec.Struct, gc=False):
    """Metadata of a list."""

    version: str | None = msgspec.field(default=None, name="resourceVersion")
    token: str | None = msgspec.field(default=None, name="continue")


class Page(msgspec.Struct, Generic[T]):
    """One page of a list."""

    metadata: ListMeta | None = None
    items: list[T] | None = None


class _Event(msgspec.Struct, Generic[T], gc=False):
    type: str
    object: T


class Decoding(Generic[T]):
    """Reads objects as `kind`: a struct with a `metadata` that has a `resource_version`, or `dict`."""

    def __init__(self, kind: type[T]) -> None:
        self._item = msgspec.json.Decoder(kind)
        # The parameter is a value here, which a type checker cannot follow.
        self._page: msgspec.json.Decoder[Page[T]] = msgspec.json.Decoder(Page[kind])  # type: ignore[valid-type]
        self._event: msgspec.json.Decoder[_Event[T]] = msgspec.json.Decoder(_Event[kind])  # type: ignore[valid-type]

    def item(self, body: bytes) -> T:
        """One object; `Unreachable` if it cannot be read."""
        try:
            return self._item.decode(body)
        except (ValueError, RecursionError) as error:
            raise failure.Unreachable(f"not an object of this kind: {error}") from error

    def page(self, body: bytes) -> Page[T]:
        """One page of a list, without the objects that cannot be read; `Unreachable` if it is no list."""
        try:
            return self._page.decode(body)
        except msgspec.ValidationError:
            return self._careful(body)
        except (ValueError, RecursionError) as error:
            raise failure.Unreachable(f"the answer is not JSON: {error}") from error

    def event(self, line: bytes) -> Change[T]:
        """One line of a watch; raises the error that an ERROR event carries, `Unreachable` for what is no event."""
        try:
            read = self._event.decode(line)
        except msgspec.ValidationError:
            return self._odd(line)
        except (ValueError, RecursionError) as error:
            raise failure.Unreachable(f"not a watch event: {error}") from error
        if read.type in (BOOKMARK, _ERROR):
            return self._odd(line)
        return Change(read.type, read.object, _version(read.object))

    def _careful(self, body: bytes) -> Page[T]:
        try:
            raw = msgspec.json.decode(body, type=Page[msgspec.Raw])
        except (ValueError, RecursionError) as error:
            raise failure.Unreachable(f"the answer is not a list: {error}") from error
        items: list[T] = []
        for one in raw.items or ():
            try:
                items.append(self._item.decode(one))
            except (ValueError, RecursionError) as error:
                log.warning("an object of a list cannot be read and is left out: %s", error)
        return Page(raw.metadata, items)

    def _odd(self, line: bytes) -> Change[T]:
        """A bookmark, an error, or an event whose object has an odd shape."""
        try:
            decoded = msgspec.json.decode(line)
            kind, item = decoded["type"], decoded["object"]
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise failure.Unreachable(f"not a watch event: {error}") from error
        if kind == _ERROR:
            raise failure.of_status(item if isinstance(item, dict) else {})
        metadata = item.get("metadata") if isinstance(item, dict) else None
        if not isinstance(metadata, dict):
            metadata = {}
        version = str(metadata.get("resourceVersion") or "")
        if kind == BOOKMARK:
            ended = (metadata.get("annotations") or {}).get(INITIAL_EVENTS_END) == "true"
            return Change(kind, None, version, ended)
        log.warning("an object of a watch cannot be read and is left out (%s)", metadata.get("name"))
        return Change(kind, None, version)


OBJECTS: Final[Decoding[Json]] = Decoding(dict)


def _version(item: Any) -> str:
    if isinstance(item, dict):
        return str((item.get("metadata") or {}).get("resourceVersion") or "")
    metadata = item.metadata
    return (metadata and metadata.resource_version) or ""
