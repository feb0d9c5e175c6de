"""A value that is read from files: read again when they change, kept when the new content cannot be used."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Unusable(Exception):
    """Why files cannot be used, as one sentence without their content, which may be secret."""


class Reloading(Generic[T]):
    """The newest usable value of some files; safe to share between threads.

    `load` raises Unusable, which the constructor passes on. `files` names what to look at, and may name other files
    each time.
    """

    def __init__(self, load: Callable[[], T], files: Callable[[], Iterable[Path]]) -> None:
        self._load, self._files = load, files
        self._lock = threading.Lock()
        self._stamp = self._look()
        self._value = load()

    def current(self) -> T:
        """The value; costs one stat call a file while nothing changes."""
        stamp = self._look()
        if stamp != self._stamp:
            with self._lock:
                if stamp != self._stamp:
                    self._reload(stamp)
        return self._value

    def _reload(self, stamp: tuple[object, ...]) -> None:
        # The stamp is taken even on failure: one warning a change, not one a look.
        self._stamp = stamp
        try:
            self._value = self._load()
        except Unusable as error:
            _log.warning("A changed file is not used, what was read before is kept: %s.", error)

    def _look(self) -> tuple[object, ...]:
        try:
            return tuple((path, _stamp(path)) for path in self._files())
        except Unusable as error:
            return (str(error),)


def read(path: Path, limit: int = 1024 * 1024) -> bytes:
    """The content of a file of at most `limit` bytes; raises Unusable."""
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise Unusable(f"{path} cannot be read ({(error.strerror or str(error)).lower()})") from None
    if len(content) > limit:
        raise Unusable(f"{path} has more than {limit} bytes")
    return content


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino, stat.st_size
