"""The parts of the standalone server put together: the one place that knows all of them."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from webhook.admission.decide import Rewrite
from webhook.admission.endpoint import AdmissionEndpoint
from webhook.admission.mutate import Mutator
from webhook.apiserver import bodies
from webhook.apiserver.app import create_app
from webhook.controllers import imports
from webhook.errors import Json
from webhook.kube.client import KubeClient
from webhook.kube.connection import Connection
from webhook.kube.reflector import Reflector
from webhook.meta.identity import User
from webhook.serving.chores import Chores
from webhook.serving.companion import Stopping, Work
from webhook.serving.health import Check, HealthEndpoint, WsgiApp
from webhook.serving.identity import BearerToken
from webhook.serving.metrics import MetricsEndpoint
from webhook.serving.workspace import authority, hosts, serving_pair
from webhook.settings import Settings
from webhook.storage.sqlite import SqliteStore
from webhook.storage.store import Store
from webhook.telemetry import ADMISSION_IMAGES, ADMISSION_REVIEWS, CERTIFICATE_EXPIRY
from webhook.tls.authority import LOOPBACK_NAME, expiry
from webhook.view import feed
from webhook.view.direct import DirectView
from webhook.view.index import View
from webhook.view.namespaces import RunLevels

if TYPE_CHECKING:
    from webhook.serving.server import Life

_log = logging.getLogger(__name__)

_TICK: Final = 0.05

Authenticate = Callable[[Mapping[str, Any]], User]


class Standalone:
    """All parts over one SQLite file: a `webhook.serving.server.Program`."""

    def __init__(self, settings: Settings, token: str) -> None:
        self._settings = settings
        self._token = token
        # A file that cannot be used is refused here, before the fork.
        SqliteStore(settings.database).close()

    def application(self, life: Life) -> WsgiApp:
        """The application of one worker, with a view and threads of its own."""
        store = SqliteStore(self._settings.database)
        view, levels = View(with_images=True), RunLevels()
        self._keep(store, feed.reflectors(self._client("imagestreams-view"), view, levels), life)
        return application(self._settings, store, view, levels, BearerToken(self._token), life)

    @property
    def background(self) -> Work | None:
        """The import controller, unless it is switched off."""
        return self._import if self._settings.controllers else None

    def _import(self, stopping: Stopping) -> None:
        if not wait_until_listening(self._settings, stopping):
            return
        # It waits for an event; what stops a process here is a signal, which only a poll can hear.
        stop = threading.Event()
        client = self._client("imagestreams-controllers")
        working = threading.Thread(target=imports.run, args=(client, stop), name="imports", daemon=True)
        working.start()
        while working.is_alive() and not stopping():
            time.sleep(_TICK)
        stop.set()
        working.join(1)

    def _client(self, user_agent: str) -> KubeClient:
        return KubeClient(loopback(self._settings, self._token), user_agent=user_agent)

    def _keep(self, store: Store, reflectors: Sequence[Reflector], life: Life) -> None:
        settings = self._settings
        threading.Thread(target=_follow, args=(settings, reflectors, life), name="view", daemon=True).start()
        Chores(settings.data / "chores.lock", settings.compaction_interval, lambda: _chores(settings, store)).start(
            life.stopping
        )


def application(
    settings: Settings, store: Store, view: View, levels: RunLevels, authenticate: Authenticate, life: Life
) -> WsgiApp:
    """The layers of one worker, outermost first: health, metrics, admission, API."""

    def load(resource: str, namespace: str, name: str) -> Json | None:
        return _stored(store, resource, namespace, name)

    def namespaces(name: str) -> Json | None:
        return load("namespaces", "", name)

    # Workloads that are stored here are admitted against the store itself: a view would lag behind the last write.
    mutate = Mutator(DirectView(load, settings.integrated_registry), settings, namespaces)
    app = create_app(store, settings, authenticate=authenticate, mutate=mutate, stopping=life.stopping)
    admission = AdmissionEndpoint(app.wsgi_app, view, settings, namespaces=levels.get, observe=observe)
    app.wsgi_app = admission  # type: ignore[method-assign]
    return HealthEndpoint(MetricsEndpoint(app, authenticate), checks(store, view, life))


def checks(store: Store, view: View, life: Life) -> dict[str, dict[str, Check]]:
    """What each health path asks, in order; /livez needs nothing but the worker itself."""

    def ping() -> None:
        return None

    def storage() -> None:
        store.revision()

    def synced() -> str | None:
        return None if view.ready and life.all_ready() else "not every worker has listed the image streams"

    def shutdown() -> str | None:
        return "the server is stopping" if life.stopping() else None

    return {
        "/livez": {"ping": ping},
        "/healthz": {"ping": ping, "storage": storage},
        "/readyz": {"ping": ping, "storage": storage, "view": synced, "shutdown": shutdown},
    }


def observe(outcome: str, images: Sequence[Rewrite], _seconds: float) -> None:
    """Count one review and what was decided about its images."""
    ADMISSION_REVIEWS.labels(outcome).inc()
    for image in images:
        ADMISSION_IMAGES.labels(image.decision.reason).inc()


def loopback(settings: Settings, token: str) -> Connection:
    """How the server's own parts reach its API, whatever certificate clients see."""
    certificate = str(authority(settings).certificate)
    return Connection(settings.local_server, ca_file=certificate, token=token, server_name=LOOPBACK_NAME)


def wait_until_listening(settings: Settings, stopping: Stopping) -> bool:
    """Wait for the first worker that accepts connections; False when the server stops before."""
    host = settings.local_server.removeprefix("https://").rpartition(":")[0].strip("[]")
    while not stopping():
        try:
            socket.create_connection((host, settings.port), timeout=1).close()
        except OSError:
            time.sleep(_TICK)
        else:
            return True
    return False


def _follow(settings: Settings, reflectors: Sequence[Reflector], life: Life) -> None:
    """Keep the view current, tell when it is, and end its watches when the server stops."""
    CERTIFICATE_EXPIRY.set(expiry(serving_pair(settings).certificate).timestamp())
    if not wait_until_listening(settings, life.stopping):
        return
    for reflector in reflectors:
        reflector.start()
    while not life.stopping() and not all(one.synced.is_set() for one in reflectors):
        time.sleep(_TICK)
    if not life.stopping():
        life.ready()
        if life.all_ready():
            _log.info("Ready.")
    while not life.stopping():
        time.sleep(_TICK)
    for reflector in reflectors:
        reflector.stop()


def _chores(settings: Settings, store: Store) -> None:
    store.compact()
    if authority(settings).ensure(hosts(settings)):
        _log.info("The server's own certificate was renewed.")


def _stored(store: Store, resource: str, namespace: str, name: str) -> Json | None:
    found = store.get(resource, namespace, name)
    return None if found is None else bodies.decode(found)
