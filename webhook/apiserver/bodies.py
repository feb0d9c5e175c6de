"""How objects are kept: as the bytes that are sent, so that a read decodes and encodes nothing.

The value of a record is one line of rules and one of JSON, the object as it is shown:

    ["v1","registry:5000",""]
    {"kind":"ImageStream","apiVersion":"image.openshift.io/v1","metadata":{"resourceVersion":"","name":"php",…},…}

What is shown may depend on settings (image-api 2.4), and the rules name those that it was made with. Under the same
rules the answer is a splice: the version, which only the store knows, goes into its empty place. Under others the
object is made anew from what was stored, so that nothing stale is ever shown; its next write brings it up to date.

A value of a single line is an object as it was stored: of an earlier version of this server, or one that cannot be
found again in what is shown of it, as a stream whose `/status` was given another repository (image-api 12.32).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, overload

import msgspec

from webhook.errors import Json
from webhook.storage.store import Record

Change = Callable[[Json], Json]
Pieces: TypeAlias = list[bytes]
"""JSON in pieces, to be joined once."""

_NEWLINE = b"\n"
_FIRST = ("kind", "apiVersion", "metadata")


class Encoded:
    """One object as it is answered: its bytes, and its fields for those who look into it."""

    __slots__ = ("_head", "_tail", "_version")

    def __init__(self, head: bytes, version: int, tail: bytes) -> None:
        """`head` is what stands before the place of the version, `tail` what stands behind."""
        self._head, self._version, self._tail = head, version, tail

    def whole(self) -> Pieces:
        """The object on its own."""
        return [self._head, b"%d" % self._version, self._tail]

    def decoded(self) -> Json:
        """The object, for the caller to change."""
        obj: Json = msgspec.json.decode(b"".join(self.whole()))
        return obj


Shown: TypeAlias = Json | Encoded
"""An object as it is answered: made for this answer, or encoded when it was written."""


class Collected(Sequence[Encoded]):
    """The objects of a page: one by one for those who look at them, all at once for those who only send them."""

    def __init__(self, layout: Layout, show: Change, records: Sequence[Record]) -> None:
        self._layout, self._show, self._records = layout, show, records

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, index: int) -> Encoded: ...
    @overload
    def __getitem__(self, index: slice) -> Collected: ...
    def __getitem__(self, index: int | slice) -> Encoded | Collected:
        if isinstance(index, slice):
            return Collected(self._layout, self._show, self._records[index])
        return self._layout.shown(self._records[index], self._show)

    def items(self) -> Pieces:
        """The objects without their kind and apiVersion, each behind a comma."""
        return self._layout.items(self._records, self._show)


def decoded(shown: Shown) -> Json:
    """The object that is shown, for the caller to change."""
    return shown.decoded() if isinstance(shown, Encoded) else shown


def whole(shown: Shown) -> Pieces:
    """An object on its own."""
    return shown.whole() if isinstance(shown, Encoded) else [msgspec.json.encode(shown)]


def listed(envelope: Json, items: Sequence[Shown]) -> Pieces:
    """A list, given what stands around its items."""
    encoded = items.items() if isinstance(items, Collected) else [_item(decoded(one)) for one in items]
    # Each item begins with the comma before it.
    return [msgspec.json.encode(envelope)[:-1], b',"items":[', *(one[1:] for one in encoded[:1]), *encoded[1:], b"]}"]


def _item(obj: Json) -> bytes:
    return b"," + msgspec.json.encode({key: value for key, value in obj.items() if key not in ("kind", "apiVersion")})


def decode(record: Record) -> Json:
    """The object in a record, whatever the rules that it was written under, with its resource version."""
    obj: Json = msgspec.json.decode(_json(record.value))
    obj["metadata"]["resourceVersion"] = str(record.rv)
    return obj


class Layout:
    """The bytes of one kind.

    `show` makes the object that is shown of the one that is stored, and `restore` the other way round; `rules` names
    everything else that `show` depends on.
    """

    def __init__(self, kind: str, api_version: str, rules: tuple[str, ...], show: Change, restore: Change) -> None:
        self._rules = msgspec.json.encode(rules) + _NEWLINE
        # As msgspec writes it: names of kinds and groups have nothing to escape.
        self._head = f'{{"kind":"{kind}","apiVersion":"{api_version}","metadata":{{"resourceVersion":"'.encode()
        self._prefix = self._rules + self._head
        self._show, self._restore = show, restore

    def encode(self, obj: Json) -> bytes:
        """The value for an object as it is stored; its resource version, which the store gives, is left out."""
        meta = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
        stored = {**obj, "metadata": meta}
        shown = self._show(stored)
        return self._value(shown) if self._restore(shown) == stored else msgspec.json.encode(stored)

    def stored(self, record: Record) -> Json:
        """The object as it was stored, with its resource version."""
        obj = decode(record)
        return self._restore(obj) if _NEWLINE in record.value else obj

    def shown(self, record: Record, show: Change | None = None) -> Encoded:
        """The object as it is shown; `show` where an endpoint shows what was stored in its own way."""
        value = record.value
        if not value.startswith(self._prefix):
            value = self._made_anew(record, show or self._show)
        return Encoded(self._head, record.rv, value[len(self._prefix) :])

    def items(self, records: Sequence[Record], show: Change) -> Pieces:
        """See `Collected.items`: in one go, as lists are long."""
        prefix, skipped = self._prefix, len(self._prefix)
        pieces: Pieces = []
        for record in records:
            value = record.value
            if not value.startswith(prefix):
                value = self._made_anew(record, show)
            pieces.append(b',{"metadata":{"resourceVersion":"%d' % record.rv)
            pieces.append(value[skipped:])
        return pieces

    def thin(self, record: Record, decoder: msgspec.json.Decoder[Any]) -> Json:
        """Of the object as it is shown, only what the decoder's type has."""
        if record.value.startswith(self._prefix):
            obj: Json = decoder.decode(_json(record.value))
            return obj
        return self.shown(record).decoded()

    def _made_anew(self, record: Record, show: Change) -> bytes:
        return self._value(show(self.stored(record)))

    def _value(self, shown: Json) -> bytes:
        first = {key: shown[key] for key in _FIRST if key in shown}
        meta = {"resourceVersion": "", **shown["metadata"]}
        return self._rules + msgspec.json.encode({**first, **shown, "metadata": {**meta, "resourceVersion": ""}})


def _json(value: bytes) -> memoryview:
    # Within a line of JSON every newline is escaped.
    return memoryview(value)[value.find(_NEWLINE) + 1 :]
