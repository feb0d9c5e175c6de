"""How a process keeps the memory that large answers need for a moment."""

from __future__ import annotations

import ctypes
from typing import Final

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_KEPT: Final = 16 << 20
_ARENAS: Final = 2


def keep_freed() -> None:
    """Let malloc keep up to 16 MiB of what was freed, twice at most, instead of giving it back to the kernel at once.

    A list of a thousand streams takes and frees some megabytes. By default those pages are returned and faulted in
    again with each list, which costs more than reading it. Does nothing where the C library is not glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in ((_TRIM_THRESHOLD, _KEPT), (_MMAP_THRESHOLD, _KEPT), (_ARENA_MAX, _ARENAS)):
            mallopt(option, value)
