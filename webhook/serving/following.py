"""How one worker's view is kept current, from its snapshot to the last event, and who is told about it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from webhook.kube.client import KubeClient
from webhook.serving.chores import Chores
from webhook.serving.health import Check, Note
from webhook.telemetry import CERTIFICATE_EXPIRY, VIEW_FROM_SNAPSHOT, VIEW_HEARD, VIEW_STREAMS
from webhook.tls.authority import expiry
from webhook.view import feed
from webhook.view.index import View
from webhook.view.namespaces import RunLevels
from webhook.view.snapshot import Snapshot

if TYPE_CHECKING:
    from webhook.serving.server import Life

_log = logging.getLogger(__name__)

_STREAMS: Final = "imagestreams"
_TICK: Final = 0.05
_REPORT: Final = 1.0
"""Seconds between two reports of gauges."""


class Following:
    """One view with its reflectors; `levels` are not followed where they are None.

    `certificate` is the file whose expiry is reported; `interval` is the seconds between two snapshots.
    """

    def __init__(
        self,
        client: KubeClient,
        view: View,
        levels: RunLevels | None,
        certificate: Path,
        *,
        snapshot: Snapshot | None = None,
        interval: float = 60.0,
        watch_list: bool = False,
    ) -> None:
        self.view = view
        self._certificate = certificate
        self._snapshot, self._interval = snapshot, interval
        self._saved = 0
        self.reflectors = feed.reflectors(client, view, levels, watch_list=watch_list)

    def start(self, life: Life, reachable: Callable[[], bool] = lambda: True) -> None:
        """Follow in threads of its own until the server stops; the API is not tried before `reachable()`."""
        self._restore()
        threading.Thread(target=self._follow, args=(life, reachable), name="view", daemon=True).start()
        if self._snapshot is not None:
            lock = self._snapshot.path.with_name(f"{self._snapshot.path.name}.lock")
            Chores(lock, self._interval, self.save).start(life.stopping)

    def save(self) -> None:
        """Write a snapshot if anything is new since the last."""
        position = self.view.position
        if self._snapshot is None or not self.view.ready or self.view.restored_from or position == self._saved:
            return
        self._snapshot.save(self.view, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
        self._saved = position

    def _restore(self) -> None:
        restored = self._snapshot.load() if self._snapshot is not None else None
        if restored is None:
            return
        self.view.restore_streams(restored.streams, restored.taken)
        self.reflectors[0].position = restored.position
        _log.info("Looking names up in the snapshot of %s until the API answers.", restored.taken)

    def _follow(self, life: Life, reachable: Callable[[], bool]) -> None:
        told = self.view.ready
        if told:
            life.ready()
        if not reachable():
            return
        for reflector in self.reflectors:
            reflector.start()
        next_report = 0.0
        while not life.stopping():
            if not told and all(one.synced.is_set() for one in self.reflectors):
                told = True
                # Whoever waits for readiness may look at the gauges next.
                self._report()
                life.ready()
                if life.all_ready():
                    _log.info("Ready.")
            if time.monotonic() >= next_report:
                next_report = time.monotonic() + _REPORT
                self._report()
            time.sleep(_TICK)
        for reflector in self.reflectors:
            reflector.stop()

    def _report(self) -> None:
        VIEW_STREAMS.labels(_STREAMS).set(len(self.view))
        VIEW_HEARD.labels(_STREAMS).set(self.reflectors[0].heard)
        VIEW_FROM_SNAPSHOT.set(1 if self.view.restored_from else 0)
        try:
            CERTIFICATE_EXPIRY.set(expiry(self._certificate).timestamp())
        except (OSError, ValueError) as error:
            _log.debug("The serving certificate cannot be read: %s", error)


def checks(view: View, life: Life, certificate: Path) -> dict[str, Check]:
    """What /readyz asks of a server whose admission has a view; a watch that is lost later does not count."""

    def synced() -> str | None:
        if not (view.ready and life.all_ready()):
            return "not every worker knows the image streams"
        return Note(f"the snapshot of {view.restored_from}") if view.restored_from else None

    def valid() -> str | None:
        until = expiry(certificate)
        return None if until > datetime.now(UTC) else f"the serving certificate expired at {until}"

    def shutdown() -> str | None:
        return "the server is stopping" if life.stopping() or life.draining() else None

    return {"view": synced, "certificate": valid, "shutdown": shutdown}
