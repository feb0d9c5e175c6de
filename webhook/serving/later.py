"""What can wait a moment, so that no request does it: done once for all who asked, by a thread of its own."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable
from typing import Final

SECONDS: Final = 0.1


class Later:
    """Calls `work` a tenth of a second after it was first asked to; `work` may be called at any time, and never raises.

    Before a fork and at the end of the process it is called at once: what waits belongs to this process, and each of
    its children would see to it too.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._asked = threading.Event()
        self._thread_of = 0
        os.register_at_fork(before=work)
        atexit.register(work)

    def ask(self) -> None:
        """Have it done soon."""
        if not self._asked.is_set():
            self._asked.set()
            # A thread does not live on in a child.
            if self._thread_of != os.getpid():
                self._thread_of = os.getpid()
                threading.Thread(target=self._run, name="later", daemon=True).start()

    def _run(self) -> None:
        while self._asked.wait():
            time.sleep(SECONDS)
            self._asked.clear()
            self._work()
