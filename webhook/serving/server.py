"""gunicorn as this server runs it: threads over HTTP/1.1, bounded TLS, and a stop within five seconds."""

from __future__ import annotations

import mmap
import os
import queue
import signal
import ssl
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from prometheus_client import multiprocess as shared

from webhook.serving.companion import Companion, Stopping, Work
from webhook.serving.health import WsgiApp
from webhook.serving.identity import pre_request
from webhook.serving.logs import ServerLogger
from webhook.serving.memory import keep_freed
from webhook.serving.roll import Roll
from webhook.serving.staying import StayingWorker
from webhook.serving.worker import Worker
from webhook.serving.workspace import authority, serving_pair
from webhook.settings import Settings
from webhook.tls.context import ReloadingContext

_GRACE: Final = 3
"""Seconds for open requests when the server stops; with all else it must stay under five."""

_TICK: Final = 0.05


@dataclass(frozen=True)
class Life:
    """What a worker knows of its own life and of its siblings'."""

    stopping: Stopping
    ready: Callable[[], None]
    all_ready: Callable[[], bool]
    draining: Callable[[], bool] = lambda: False


class Program(Protocol):
    """What a server runs."""

    def application(self, life: Life) -> WsgiApp:
        """The WSGI application of one worker, made in the worker: threads and files are its own."""

    @property
    def background(self) -> Work | None:
        """What runs once per server in a process of its own, if anything."""


class Server(BaseApplication):  # type: ignore[misc]
    """One server: `run()` returns only by SystemExit."""

    def __init__(self, settings: Settings, program: Program) -> None:
        self._settings = settings
        self._program = program
        self._roll = Roll(settings.workers)
        self._worker: Any = None
        # One byte that the master writes and the workers read.
        self._drains = mmap.mmap(-1, 1)
        own = ReloadingContext(authority(settings).server, settings.socket_timeout)
        shown = serving_pair(settings)
        given = shown != authority(settings).server
        self._tls = ReloadingContext(shown, settings.socket_timeout, own) if given else own
        super().__init__()

    def load_config(self) -> None:
        """gunicorn's settings; those that are not its defaults are for contract 1.7."""
        for name, value in {**self._sizes(), **self._protocol(), **self._hooks()}.items():
            self.cfg.set(name, value)

    def _sizes(self) -> dict[str, Any]:
        settings = self._settings
        return {
            "bind": f"[{settings.host}]:{settings.port}"
            if ":" in settings.host
            else f"{settings.host}:{settings.port}",
            "workers": settings.workers,
            "worker_class": StayingWorker if settings.staying else Worker,
            "threads": settings.threads,
            "worker_connections": settings.threads + 2000,
            "reuse_port": True,
            # Above the 90 s after which kube-apiserver drops idle connections: never be the first to close.
            "keepalive": 120,
            "graceful_timeout": _GRACE,
            "timeout": 60,
            "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,
            "control_socket_disable": True,
            "proc_name": "imagestreams",
            "logger_class": ServerLogger,
        }

    def _protocol(self) -> dict[str, Any]:
        return {
            "http_protocols": "h1",
            "limit_request_line": 0,
            # Users have hundreds of groups, each a header line; 0 would not lift the size limit but restore 8190.
            "limit_request_fields": 4096,
            "limit_request_field_size": 16384,
            # Not "drop": X-Remote-Extra-* may contain underscores. `identity` drops the others itself.
            "header_map": "dangerous",
            # Nothing that a client says about schemes and proxies is believed.
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            # Only says "TLS": the context comes from the hook. The own pair is always there.
            "certfile": str(authority(self._settings).server.certificate),
            "keyfile": str(authority(self._settings).server.key),
        }

    def _hooks(self) -> dict[str, Any]:
        return {
            "ssl_context": self._context,
            "pre_request": self._pre_request,
            "pre_fork": self._pre_fork,
            "post_fork": self._post_fork,
            "child_exit": self._child_exit,
        }

    def _context(self, _config: object, _default: object) -> ssl.SSLContext:
        return self._tls.current()

    def _pre_request(self, worker: Any, request: Any) -> None:
        pre_request(worker, request)
        if self._drains[0]:
            # The answer says "Connection: close": clients that keep connections must go elsewhere.
            request.force_close()

    def _pre_fork(self, _server: object, worker: Any) -> None:
        worker.roll_slot = self._roll.enter()

    def _post_fork(self, _server: object, worker: Any) -> None:
        self._worker = worker
        keep_freed()

    def _child_exit(self, _server: object, worker: Any) -> None:
        self._roll.leave(worker.roll_slot)
        forget_metrics(worker.pid)

    def load(self) -> WsgiApp:
        """The application; gunicorn calls this in each worker."""
        worker = self._worker
        life = Life(
            # An orphan must end too, and gunicorn leaves `alive` as it is then.
            stopping=lambda: not worker.alive or os.getppid() != worker.ppid,
            ready=lambda: self._roll.ready(worker.roll_slot),
            all_ready=self._roll.complete,
            draining=lambda: bool(self._drains[0]),
        )
        return self._program.application(life)

    def run(self) -> None:
        """Serve until a signal ends it."""
        work = self._program.background
        companion = Companion("background work", work, forget_metrics) if work is not None else None
        _Master(self, companion, self._drain).run()

    def _drain(self, asked: Callable[[], bool]) -> None:
        """Answer for a while, unready, until it is over or `asked` says that somebody insists."""
        self._drains[0] = 1
        until = time.monotonic() + self._settings.drain
        while time.monotonic() < until and not asked():
            time.sleep(_TICK)


class _Master(Arbiter):  # type: ignore[misc]
    """gunicorn's master process, with one companion beside its workers."""

    def __init__(self, app: Server, companion: Companion | None, drain: Callable[[Callable[[], bool]], None]) -> None:
        self._companion = companion
        self._drain = drain
        super().__init__(app)

    def manage_workers(self) -> None:
        """Called each second: see to the companion too."""
        super().manage_workers()
        if self._companion is not None:
            self._companion.ensure()

    def handle_term(self) -> None:
        """Asked to stop by an orchestrator, which needs time to tell everybody: drain first."""
        self._drain(self._insisted)
        super().handle_term()

    def _insisted(self) -> bool:
        try:
            return self.SIG_QUEUE.get_nowait() in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
        except queue.Empty:
            return False

    def stop(self, graceful: bool = True) -> None:
        """Stop everything at the same time, so that the waits do not add up."""
        if self._companion is not None:
            self._companion.ask_to_stop()
        super().stop(graceful)
        if self._companion is not None:
            self._companion.finish(0.5)

    def handle_hup(self) -> None:
        """A closed terminal ends the server; elsewhere the workers are replaced, as gunicorn does it."""
        if sys.stdin is not None and sys.stdin.isatty():
            raise StopIteration
        super().handle_hup()


def forget_metrics(pid: int) -> None:
    """Drop the gauges of a process that is gone."""
    if Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")).is_dir():
        shared.mark_process_dead(pid)  # type: ignore[no-untyped-call]
