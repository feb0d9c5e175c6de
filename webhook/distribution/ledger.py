"""When each registry may be asked next: a few times per registry, shared by the processes of a server."""

from __future__ import annotations

import fcntl
import mmap
import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SLOTS: Final = 4096
_TIMES: Final = 4
_SLOT_BYTES: Final = 8 * _TIMES


@dataclass
class Times:
    """What is remembered of one registry, in seconds of time.monotonic.

    `free` is when the budget is whole again, `closed` until when the registry asked to be left alone, `resting` until
    when it is not asked by schedule because it failed, and `failures` how often in a row it did.
    """

    free: float = 0.0
    closed: float = 0.0
    resting: float = 0.0
    failures: float = 0.0


class Ledger:
    """Times by name, in a file that several processes of one machine share; without one, in memory.

    The file has a fixed size. Two names may fall on one slot, and then share their times: that only makes them slower.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._file = -1 if file is None else os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        size = _SLOTS * _SLOT_BYTES
        if file is not None:
            # Not a hole that is filled later: a full disk would then kill the process that writes to the memory.
            os.posix_fallocate(self._file, 0, size)
        # Each time is written and read as one aligned word: whoever reads without the lock sees no half of one.
        self._times = memoryview(mmap.mmap(self._file, size)).cast("d")

    def read(self, name: str) -> Times:
        """The times of `name` as they are at this moment; waits for nobody."""
        start = _start(name)
        return Times(*self._times[start : start + _TIMES])

    @contextmanager
    def entry(self, name: str) -> Iterator[Times]:
        """The times of `name`, for this thread alone; what it changes in them is kept."""
        start = _start(name)
        with self._lock, self._locked(start):
            times = self.read(name)
            yield times
            for place, value in enumerate((times.free, times.closed, times.resting, times.failures), start):
                self._times[place] = value

    @contextmanager
    def _locked(self, start: int) -> Iterator[None]:
        if self._file < 0:
            yield
            return
        # The lock of a process that is killed goes with it.
        fcntl.lockf(self._file, fcntl.LOCK_EX, _SLOT_BYTES, start * 8)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, _SLOT_BYTES, start * 8)


def _start(name: str) -> int:
    return zlib.crc32(name.encode()) % _SLOTS * _TIMES
