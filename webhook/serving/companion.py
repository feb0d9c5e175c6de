"""One more process in the server's tree, beside the workers: started again when it dies, stopped with the rest."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from typing import Final, NoReturn

_log = logging.getLogger(__name__)

Stopping = Callable[[], bool]
Work = Callable[[Stopping], None]

_PAUSE: Final = 5.0
"""Seconds between two starts: work that fails at once must not fill the machine."""


class Companion:
    """A forked child that runs `work(stopping)`; `ended(pid)` is told when it is gone."""

    def __init__(self, name: str, work: Work, ended: Callable[[int], None] = lambda _pid: None) -> None:
        self._name = name
        self._work = work
        self._ended = ended
        self._pid = 0
        self._next_start = 0.0

    def ensure(self) -> None:
        """Start it if it does not run; to be called again and again, and cheap when there is nothing to do."""
        if self._pid and not self._gone():
            return
        if self._pid:
            _log.warning("The process for %s ended and is started again.", self._name)
            self._ended(self._pid)
            self._pid = 0
        if time.monotonic() >= self._next_start:
            self._next_start = time.monotonic() + _PAUSE
            self._pid = self._start()

    def ask_to_stop(self) -> None:
        """Tell it to end, without waiting."""
        self._signal(signal.SIGTERM)

    def finish(self, seconds: float) -> None:
        """Wait for its end, and force it after `seconds`."""
        until = time.monotonic() + seconds
        while self._pid and not self._gone():
            if time.monotonic() > until:
                self._signal(signal.SIGKILL)
                until = float("inf")
            time.sleep(0.02)
        self._pid = 0

    def _signal(self, number: signal.Signals) -> None:
        if self._pid and not self._gone():
            os.kill(self._pid, number)

    def _gone(self) -> bool:
        # gunicorn reaps every child of the master, this one too: then there is no such child any more.
        try:
            return os.waitpid(self._pid, os.WNOHANG)[0] != 0
        except ChildProcessError:
            return True

    def _start(self) -> int:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._live(parent)
        return pid

    def _live(self, parent: int) -> NoReturn:
        # A plain flag: a threading.Event set in a signal handler can deadlock with the thread that waits for it.
        asked = False

        def ask(*_: object) -> None:
            nonlocal asked
            asked = True

        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH):
            signal.signal(number, signal.SIG_IGN)
        for number in (signal.SIGCHLD, signal.SIGQUIT, signal.SIGABRT, signal.SIGTTIN, signal.SIGTTOU):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, ask)
        status = 0
        try:
            self._work(lambda: asked or os.getppid() != parent)
        except BaseException:
            _log.exception("The process for %s failed.", self._name)
            status = 1
        finally:
            # Not sys.exit: the master's stack and exit handlers are not this process's.
            logging.shutdown()
            os._exit(status)
