"""How far a long command is: one line that is drawn again and again on a terminal, a line for each step elsewhere."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, TextIO

_CLEAR: Final = "\r\x1b[K"
_PAUSE: Final = 0.1

Describe = Callable[[float], str]
"""Seconds since the start → the line."""


class Progress:
    """Steps of one command on `out`; `describe` gives the line of the moment, for a terminal only."""

    def __init__(
        self, out: TextIO, describe: Describe, *, terminal: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out, self._describe, self._terminal, self._clock = out, describe, terminal, clock
        self._begun = clock()
        self._ended = threading.Event()
        # Not the thread that waits for the server: it must be free to hear Ctrl-C.
        self._drawing = threading.Thread(target=self._draw_until_ended, name="progress", daemon=True)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        if self._terminal:
            self._drawing.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._terminal:
            self._drawing.join()
            self._write(_CLEAR)

    def step(self, line: str) -> None:
        """One more step is done; `line` says which, where lines stay."""
        if self._terminal:
            self.draw()
        else:
            self._write(line + "\n")

    def draw(self) -> None:
        """Show the line of the moment."""
        # A line that wraps could not be wiped.
        width = shutil.get_terminal_size().columns - 1
        self._write(_CLEAR + self._describe(self._clock() - self._begun)[:width])

    def _draw_until_ended(self) -> None:
        while not self._ended.wait(_PAUSE):
            self.draw()

    def _write(self, text: str) -> None:
        with self._lock:
            self._out.write(text)
            self._out.flush()
