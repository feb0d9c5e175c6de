"""Admission alone: image lookup for a cluster that serves image.openshift.io itself, OpenShift or another."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

from webhook.kube.client import KubeClient
from webhook.kube.connection import Connection
from webhook.serving import following, metrics, policies, reviews
from webhook.serving.cluster_certificate import ClusterCertificate
from webhook.serving.companion import Stopping, Work
from webhook.serving.following import Following
from webhook.serving.health import Environ, HealthEndpoint, StartResponse, WsgiApp
from webhook.serving.metrics import MetricsEndpoint
from webhook.serving.workspace import serving_pair
from webhook.settings import Settings
from webhook.telemetry import VIEW_QUESTIONS
from webhook.view.index import Streams, View
from webhook.view.live import OUTCOMES, LiveView
from webhook.view.namespaces import RunLevels
from webhook.view.snapshot import Snapshot

if TYPE_CHECKING:
    from webhook.serving.server import Life

_TICK: Final = 0.2
_NOT_FOUND: Final = b"404 page not found\n"


class Webhook:
    """Admission over the image streams of the API at `connection`: a `webhook.serving.server.Program`."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        # A file that cannot be used is refused here, before the fork.
        self._policy = policies.policy_file(settings)
        self._certificate = _certificate(settings, connection)
        if self._certificate is not None:
            self._certificate.start()

    def application(self, life: Life) -> WsgiApp:
        """The application of one worker, with a view and threads of its own."""
        settings = self._settings
        client = KubeClient(self._connection, user_agent="imagestreams-webhook")
        view, levels = View(with_images=settings.watch_images), RunLevels()
        certificate = serving_pair(settings).certificate
        Following(
            client,
            view,
            levels,
            certificate,
            snapshot=Snapshot(settings.snapshot, self._connection.server) if settings.snapshot else None,
            interval=settings.snapshot_interval,
            watch_list=settings.watch_list,
        ).start(life)
        streams = self._streams(view, client)
        inner: WsgiApp = _not_found
        if settings.metrics_listen is None:
            inner = MetricsEndpoint(inner, _anybody)
        ready = {**following.checks(view, life, certificate), "admission-config": policies.check(self._policy)}
        health = HealthEndpoint(inner, {"/livez": {}, "/healthz": {}, "/readyz": ready})
        policies.follow(self._policy, life.stopping)
        objects = policies.objects(client)
        return reviews.endpoint(health, streams, self._policy.current, levels.get, objects, settings.reviews)

    @property
    def background(self) -> Work | None:
        """/metrics on a port of its own and the care for the certificate, if either is wanted."""
        return self._work if self._settings.metrics_listen or self._certificate else None

    def _streams(self, view: View, client: KubeClient) -> Streams:
        if not self._settings.live_questions:
            return view
        outcomes = {one: VIEW_QUESTIONS.labels(one) for one in OUTCOMES}
        return LiveView(view, client, observe=lambda outcome: outcomes[outcome].inc())

    def _work(self, stopping: Stopping) -> None:
        listen, certificate = self._settings.metrics_listen, self._certificate
        with metrics.served(*listen) if listen else nullcontext():
            if certificate is not None:
                certificate.keep(stopping)
            while not stopping():
                time.sleep(_TICK)


def _certificate(settings: Settings, connection: Connection) -> ClusterCertificate | None:
    if not settings.certificate_secret:
        return None
    namespace, _, name = settings.certificate_secret.partition("/")
    client = KubeClient(connection, user_agent="imagestreams-webhook")
    folder = settings.cluster_certificate
    return ClusterCertificate(
        client,
        namespace,
        name,
        settings.webhook_configuration,
        folder,
        validating=settings.validating_configuration,
    )


def _anybody(_environ: Mapping[str, Any]) -> None:
    """Numbers without names: whoever reaches the port may read them."""


def _not_found(_environ: Environ, start_response: StartResponse) -> list[bytes]:
    start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", str(len(_NOT_FOUND)))])
    return [_NOT_FOUND]
