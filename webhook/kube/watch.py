"""One open watch: the lines of a response as changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Generic, TypeVar

import urllib3

from webhook.kube import failure
from webhook.kube.decoding import Change, Decoding

T = TypeVar("T")


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The complete, non-blank lines in a stream of chunks; an unfinished last line is dropped."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line.strip())


class Watch(Generic[T]):
    """Events of one watch request; iterate once, in one thread, then `close`."""

    def __init__(self, response: urllib3.BaseHTTPResponse, decoding: Decoding[T]) -> None:
        self._response = response
        self._decoding = decoding

    def __iter__(self) -> Iterator[Change[T]]:
        try:
            yield from map(self._decoding.event, lines(self._response.stream(1 << 16)))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise failure.Unreachable(failure.reason(error)) from error

    def interrupt(self) -> None:
        """Wakes a thread that waits in the iteration; may be called from any other."""
        # Closed or released in the meantime: then nobody waits.
        with suppress(ValueError, RuntimeError, OSError):
            self._response.shutdown()

    def close(self) -> None:
        """Gives the connection up; a watch is never read to its end for reuse."""
        self._response.close()
