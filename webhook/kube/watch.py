"""One open watch: the lines of a response as (type, object) pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

import msgspec
import urllib3

from webhook.errors import Json
from webhook.kube import failure


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The complete, non-blank lines in a stream of chunks; an unfinished last line is dropped."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line.strip())


def event(line: bytes) -> tuple[str, Json]:
    """One line as (type, object); raises the error that an ERROR event carries (api-server contract 4.2)."""
    try:
        decoded = msgspec.json.decode(line)
        kind, item = decoded["type"], decoded["object"]
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise failure.Unreachable(f"not a watch event: {error}") from error
    if kind == "ERROR":
        raise failure.of_status(item if isinstance(item, dict) else {})
    return kind, item


class Watch:
    """Events of one watch request; iterate once, in one thread, then `close`."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    def __iter__(self) -> Iterator[tuple[str, Json]]:
        try:
            yield from map(event, lines(self._response.stream(1 << 16)))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise failure.Unreachable(str(error)) from error

    def interrupt(self) -> None:
        """Wakes a thread that waits in the iteration; may be called from any other."""
        # Closed or released in the meantime: then nobody waits.
        with suppress(ValueError, RuntimeError, OSError):
            self._response.shutdown()

    def close(self) -> None:
        """Gives the connection up; a watch is never read to its end for reuse."""
        self._response.close()
