"""The view on disk: what a worker serves after a restart while the API is away (architecture, admission).

One file, replaced in one step: a line of JSON that says what it is, records as MessagePack in chunks with their length
before them, and a checksum over everything. A file that is torn, of another format or of another API server is no
snapshot: the view then waits for its first list.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec

from webhook.image.lookup import Stream
from webhook.view.index import Collection, View

log = logging.getLogger(__name__)

_FORMAT: Final = "imagestreams-view/1"
_CHUNK: Final = 500
"""Streams encoded at once: half a millisecond in which no other thread of the worker runs."""
_HASH_BYTES: Final = 32
_LENGTH_BYTES: Final = 4
_MOST_CHUNK: Final = 1 << 30


class _Header(msgspec.Struct):
    format: str
    server: str
    position: str
    taken: str


class _Entry(msgspec.Struct, array_like=True, gc=False):
    namespace: str
    name: str
    stream: Stream


class Restored(NamedTuple):
    """A snapshot's contents: the streams, the resource version to go on from, and when it was taken."""

    streams: Collection
    position: str
    taken: str


class Snapshot:
    """The snapshot of one API server's streams in the file `path`; `server` tells servers apart."""

    def __init__(self, path: Path, server: str) -> None:
        self.path = path
        self._server = server

    def save(self, view: View, taken: str = "") -> None:
        """Write everything that the view knows; OSError if that fails, with the old snapshot still in place."""
        # The position first: changes that come in between are in the records and are read once more.
        header = _Header(_FORMAT, self._server, str(view.position or ""), taken)
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                _write(file, header, view)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        finally:
            draft.unlink(missing_ok=True)

    def load(self) -> Restored | None:
        """What was saved; None, with a line in the log, if there is nothing that can be used."""
        try:
            with self.path.open("rb") as file:
                return self._read(file)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            log.warning("the snapshot %s is not used: %s", self.path, error)
            return None

    def _read(self, file: BinaryIO) -> Restored:
        line = file.readline(1 << 16)
        header = msgspec.json.decode(line, type=_Header)
        if header.format != _FORMAT:
            raise ValueError(f"its format is {header.format[:40]!r}, not {_FORMAT}")
        if header.server != self._server:
            raise ValueError(f"it is of {header.server[:200]}")
        streams: Collection = {}
        for entry in _entries(file, line):
            streams.setdefault(entry.namespace, {})[entry.name] = _shared(entry.stream)
        return Restored(streams, header.position, header.taken)


def _write(file: BinaryIO, header: _Header, view: View) -> None:
    checksum = hashlib.blake2b(digest_size=_HASH_BYTES)
    encode = msgspec.msgpack.Encoder().encode

    def put(content: bytes) -> None:
        checksum.update(content)
        file.write(content)

    put(msgspec.json.encode(header) + b"\n")
    everything = view.streams()
    while chunk := [_Entry(*one) for one in islice(everything, _CHUNK)]:
        encoded = encode(chunk)
        put(len(encoded).to_bytes(_LENGTH_BYTES) + encoded)
    put(bytes(_LENGTH_BYTES))
    file.write(checksum.digest())


def _entries(file: BinaryIO, header: bytes) -> Iterator[_Entry]:
    """The records; ValueError at the end if the checksum is wrong, so use nothing before."""
    checksum = hashlib.blake2b(header, digest_size=_HASH_BYTES)
    decoder = msgspec.msgpack.Decoder(list[_Entry])
    while True:
        prefix = file.read(_LENGTH_BYTES)
        size = int.from_bytes(prefix)
        content = file.read(size) if size < _MOST_CHUNK else b""
        if len(prefix) < _LENGTH_BYTES or len(content) < size:
            raise ValueError("it breaks off")
        checksum.update(prefix + content)
        if not size:
            break
        yield from decoder.decode(content)
    if file.read() != checksum.digest():
        raise ValueError("its checksum is wrong")


def _shared(stream: Stream) -> Stream:
    """With the names of tags, which streams have in common, in memory once."""
    tags = {sys.intern(tag): pull_spec for tag, pull_spec in stream.tags.items()}
    return msgspec.structs.replace(stream, tags=tags)
