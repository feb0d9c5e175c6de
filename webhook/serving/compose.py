"""The parts of the standalone server put together: the one place that knows all of them."""

from __future__ import annotations

import functools
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from webhook.admission.mutate import Mutator
from webhook.admission.objects import Objects
from webhook.admission.policy_file import PolicyFile
from webhook.apiserver import bodies
from webhook.apiserver.app import create_app
from webhook.controllers import imports
from webhook.distribution import access
from webhook.errors import Json
from webhook.importer import setup
from webhook.kube.client import KubeClient
from webhook.kube.connection import Connection
from webhook.meta.identity import User
from webhook.reloading import Unusable
from webhook.serving import following, notifications, policies, reviews
from webhook.serving.chores import Chores
from webhook.serving.companion import Stopping, Work
from webhook.serving.following import Following
from webhook.serving.health import Check, HealthEndpoint, WsgiApp
from webhook.serving.identity import BearerToken
from webhook.serving.metrics import MetricsEndpoint
from webhook.serving.workspace import CannotServe, authority, hosts, serving_pair
from webhook.settings import Settings
from webhook.storage.sqlite import SqliteStore
from webhook.storage.store import StorageError, Store
from webhook.tls.authority import LOOPBACK_NAME
from webhook.view.direct import CheckedView, DirectView
from webhook.view.index import View

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
        # Files that cannot be used are refused here, before the fork.
        SqliteStore(settings.database).close()
        self._policy = policies.policy_file(settings)
        if settings.notification_token is not None:
            notifications.TokenFile(settings.notification_token).ensure()
        try:
            access.of(settings)
        except Unusable as error:
            raise CannotServe(str(error)) from None

    def application(self, life: Life) -> WsgiApp:
        """The application of one worker, with a view and threads of its own."""
        settings = self._settings
        store = SqliteStore(settings.database)
        kept = Following(
            self._client("imagestreams-view"),
            View(),
            None,
            serving_pair(settings).certificate,
            watch_list=settings.watch_list,
        )
        kept.start(life, lambda: wait_until_listening(settings, life.stopping))
        Chores(settings.data / "chores.lock", settings.compaction_interval, lambda: _chores(settings, store)).start(
            life.stopping
        )
        policies.follow(self._policy, life.stopping)
        served = application(settings, store, kept.view, BearerToken(self._token), life, self._policy)
        return self._notified(served, life)

    @property
    def background(self) -> Work | None:
        """The import controller, unless it is switched off."""
        return self._import if self._settings.controllers else None

    def _import(self, stopping: Stopping) -> None:
        if not wait_until_listening(self._settings, stopping):
            return
        # It waits for an event; what stops a process here is a signal, which only a poll can hear.
        stop = threading.Event()
        client = self._client("imagestreams-controllers", self._settings.imports_in_flight)
        parts = (client, stop, self._settings, setup.importer(self._settings))
        working = threading.Thread(target=imports.run, args=parts, name="imports", daemon=True)
        working.start()
        while working.is_alive() and not stopping():
            time.sleep(_TICK)
        stop.set()
        working.join(1)

    def _notified(self, served: WsgiApp, life: Life) -> WsgiApp:
        client, settings = self._client("imagestreams-notifications"), self._settings
        listening = functools.partial(wait_until_listening, settings, life.stopping)
        return notifications.accepting(
            served, settings.notification_token, client, life.stopping, listening, setup.budget(settings)
        )

    def _client(self, user_agent: str, connections: int = 8) -> KubeClient:
        return KubeClient(loopback(self._settings, self._token), user_agent=user_agent, connections=connections)


def application(
    settings: Settings,
    store: Store,
    view: View,
    authenticate: Authenticate,
    life: Life,
    policy: PolicyFile,
) -> WsgiApp:
    """The layers of one worker, outermost first: admission, health, metrics, API."""

    def load(resource: str, namespace: str, name: str) -> Json | None:
        return _stored(store, resource, namespace, name)

    def namespaces(name: str) -> Json | None:
        return load("namespaces", "", name)

    def version(resource: str, namespace: str, name: str) -> int | None:
        try:
            found = store.get(resource, namespace, name)
        except StorageError:
            return None
        return 0 if found is None else found.rv

    # A view alone would lag behind the last write.
    streams, objects = CheckedView(view, DirectView(load, settings.integrated_registry), version), Objects(load)
    mutate = Mutator(streams, policy.current, namespaces, objects)
    app = create_app(store, settings, authenticate=authenticate, mutate=mutate, stopping=life.stopping)
    inner = HealthEndpoint(MetricsEndpoint(app, authenticate), checks(settings, store, view, life, policy))
    return reviews.endpoint(inner, streams, policy.current, namespaces, objects, settings.reviews)


def checks(settings: Settings, store: Store, view: View, life: Life, policy: PolicyFile) -> dict[str, dict[str, Check]]:
    """What each health path asks, in order; /livez needs nothing but the worker itself."""

    def ping() -> None:
        return None

    def storage() -> None:
        store.revision()

    live: dict[str, Check] = {"ping": ping}
    stored = {**live, "storage": storage}
    admits = following.checks(view, life, serving_pair(settings).certificate)
    configured = {"admission-config": policies.check(policy)}
    return {"/livez": live, "/healthz": stored, "/readyz": {**stored, **configured, **admits}}


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


def _chores(settings: Settings, store: Store) -> None:
    store.compact()
    if authority(settings).ensure(hosts(settings)):
        _log.info("The server's own certificate was renewed.")


def _stored(store: Store, resource: str, namespace: str, name: str) -> Json | None:
    found = store.get(resource, namespace, name)
    return None if found is None else bodies.decode(found)
