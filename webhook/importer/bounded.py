"""Many small tasks at once, for no longer than a given time."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def run(tasks: Sequence[Callable[[], T]], *, workers: int, deadline: float) -> list[T | None]:
    """The results of all tasks in their order; None for one that had not ended at `deadline` (time.monotonic).

    Tasks must not raise. A task that overstays keeps its thread, which ends with the process at the latest: a pool of
    the standard library would make both the caller and the end of the process wait for it.
    """
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, T]] = queue.SimpleQueue()
    for index in range(len(tasks)):
        todo.put(index)

    def work() -> None:
        while time.monotonic() < deadline:
            try:
                index = todo.get_nowait()
            except queue.Empty:
                return
            done.put((index, tasks[index]()))

    for number in range(min(workers, len(tasks))):
        threading.Thread(target=work, name=f"import-{number}", daemon=True).start()
    return _collect(done, len(tasks), deadline)


def _collect(done: queue.SimpleQueue[tuple[int, T]], count: int, deadline: float) -> list[T | None]:
    results: list[T | None] = [None] * count
    for _ in range(count):
        try:
            index, result = done.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        results[index] = result
    return results
