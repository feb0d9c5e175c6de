"""The threads of a worker: as many as there is to do, up to a bound, and fewer again when there is less.

`concurrent.futures.ThreadPoolExecutor` keeps every thread that it ever started: a few hundred watches, long gone, would
stay as a few hundred threads with their stacks for as long as the worker lives.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, Final, NamedTuple

IDLE_SECONDS: Final = 1.0


class Pool(Executor):
    """At most `most` threads; one that has had nothing to do for `idle_seconds` ends.

    Work goes to the thread that became idle last, so that the others can end even when there is always something to do.
    """

    def __init__(self, most: int, idle_seconds: float = IDLE_SECONDS) -> None:
        self._most = most
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._idle: list[_Thread] = []
        self._waiting: deque[_Job] = deque()
        self._count = 0
        self._closed = False

    @property
    def is_short_of_threads(self) -> bool:
        """Whether work waits for a thread to become idle."""
        return bool(self._waiting)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call `fn` in a thread: an idle one, a new one, or the first that becomes idle."""
        job = _Job(Future(), fn, args, kwargs)
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            if self._idle:
                self._idle.pop().give(job)
            elif self._count < self._most:
                self._count += 1
                _Thread(self, job).start()
            else:
                self._waiting.append(job)
        return job.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work and end the threads once they are idle; they are daemons, nobody waits for them."""
        with self._lock:
            self._closed = True
            if cancel_futures:
                for job in self._waiting:
                    job.future.cancel()
                self._waiting.clear()
            while self._idle:
                self._idle.pop().give(None)

    def next_job(self, thread: _Thread) -> _Job | None:
        """What an idle thread does next, waited for; None: end."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            if self._closed:
                self._count -= 1
                return None
            self._idle.append(thread)
        if not thread.wait(self._idle_seconds):
            with self._lock:
                if thread in self._idle:
                    self._idle.remove(thread)
                    self._count -= 1
                    return None
            # It was given a job between the two.
            thread.wait(None)
        return thread.job


class _Job(NamedTuple):
    future: Future[Any]
    call: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.call(*self.args, **self.kwargs)
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class _Thread(threading.Thread):
    def __init__(self, pool: Pool, job: _Job) -> None:
        super().__init__(name="pool", daemon=True)
        self.job: _Job | None = job
        self._pool = pool
        # A lock that is held means "nothing given": cheaper than an Event, which is one with more around it.
        self._given = threading.Lock()
        self._given.acquire()

    def give(self, job: _Job | None) -> None:
        self.job = job
        self._given.release()

    def wait(self, seconds: float | None) -> bool:
        return self._given.acquire(timeout=-1 if seconds is None else seconds)

    def run(self) -> None:
        while self.job is not None:
            self.job.run()
            # Not to be kept alive while this thread waits: a connection hangs on it.
            self.job = None
            self.job = self._pool.next_job(self)
