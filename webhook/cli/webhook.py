"""`imagestreams webhook`: options into settings and a connection, and the one line that says where the webhook is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webhook import __version__
from webhook.admission.endpoint import PATH
from webhook.cli.hosts import RegistryHost
from webhook.cli.sections import Sectioned, Sections
from webhook.cli.serve import Address
from webhook.kube import connection as connections
from webhook.kube.connection import Connection, NoConfiguration
from webhook.serving.start import start
from webhook.serving.workspace import CannotServe
from webhook.settings import DEFAULT_DATA, Settings

if TYPE_CHECKING:
    from webhook.serving.server import Program

_EXAMPLES = """
\b
Examples:
  imagestreams webhook --kubeconfig ~/.kube/config         # a laptop: https://127.0.0.1:9443/admission/mutate
  imagestreams webhook --listen 0.0.0.0:9443 --data /run/imagestreams \\
      --tls-cert /certs/tls.crt --tls-key /certs/tls.key   # in a Pod, with a Secret that is mounted
  imagestreams webhook --snapshot /var/lib/imagestreams/view
"""

_SECTIONS: Sections = {
    "The API with the image streams": ("kubeconfig", "context", "watch_images", "watch_list", "no_live_questions"),
    "Where it runs": ("data", "listen", "metrics_listen", "snapshot", "workers", "threads", "staying", "drain"),
    "Certificate": ("tls_cert", "tls_key", "certificate_secret", "webhook_configuration", "validating_configuration"),
    "What it does": ("admission_config", "integrated_registry", "strict"),
    "Other": (),
}

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(cls=Sectioned, sections=_SECTIONS, epilog=_EXAMPLES, context_settings={"show_default": True})
@click.option("--kubeconfig", type=_FILE, metavar="FILE", help="How to reach the API; in a Pod, its service account.")
@click.option("--context", metavar="NAME", help="The context of the kubeconfig, instead of its current one.")
@click.option(
    "--data",
    type=click.Path(file_okay=True, path_type=Path),
    default=DEFAULT_DATA,
    metavar="DIR",
    help="Folder for certificates and metrics.",
)
@click.option("--listen", type=Address(), default="127.0.0.1:9443", metavar="HOST:PORT", help="Where to listen.")
@click.option(
    "--metrics-listen",
    type=Address(),
    metavar="HOST:PORT",
    help="Where to serve /metrics without TLS, instead of with the rest.",
)
@click.option("--tls-cert", type=_FILE, metavar="FILE", help="Serve this certificate (PEM, with its chain).")
@click.option("--tls-key", type=_FILE, metavar="FILE", help="Its key (PEM).")
@click.option(
    "--certificate-secret",
    default="",
    show_default=False,
    metavar="NAMESPACE/NAME",
    help="Serve a certificate by an authority of our own that all copies share in this Secret, and renew it.",
)
@click.option(
    "--webhook-configuration",
    default="",
    show_default=False,
    metavar="NAME",
    help="The MutatingWebhookConfiguration that has to trust that authority.",
)
@click.option(
    "--validating-configuration",
    default="",
    show_default=False,
    metavar="NAME",
    help="The ValidatingWebhookConfiguration that has to trust it too, if there is one.",
)
@click.option(
    "--snapshot", type=_FILE, metavar="FILE", help="Keep what is known here, for a start while the API is away."
)
@click.option("--snapshot-interval", type=click.FloatRange(min=0.1), default=60.0, hidden=True)
@click.option(
    "--integrated-registry",
    type=RegistryHost(),
    default="",
    show_default=False,
    metavar="HOST[:PORT]",
    help="The registry that stands for the cluster's own in pull specs.",
)
@click.option("--watch-images", is_flag=True, help="Notice deleted Image objects, at the price of memory.")
@click.option("--watch-list", is_flag=True, help="Ask for lists as the beginning of a watch, where the API can.")
@click.option("--no-live-questions", is_flag=True, help="Never ask the API about a name that could be new.")
@click.option(
    "--admission-config",
    type=_FILE,
    metavar="FILE",
    help="What admission does: an ImagePolicyConfig (docs/admission-policy.md).",
)
@click.option("--strict", is_flag=True, help="Exactly OpenShift's behaviour, without anything done beyond it.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, metavar="N", help="Processes that answer requests.")
@click.option("--threads", type=click.IntRange(4, 4096), default=16, metavar="N", help="Threads of each.")
@click.option("--staying", is_flag=True, help="Threads stay with busy connections: less CPU, new and not the default.")
@click.option(
    "--drain",
    type=click.FloatRange(min=0),
    default=10.0,
    metavar="SECONDS",
    help="How long to answer, unready, after SIGTERM.",
)
@click.option("--socket-timeout", type=click.FloatRange(min=0.1), default=10.0, hidden=True)
def webhook(
    kubeconfig: Path | None,
    context: str | None,
    data: Path,
    listen: tuple[str, int],
    metrics_listen: tuple[str, int] | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    certificate_secret: str,
    webhook_configuration: str,
    validating_configuration: str,
    snapshot: Path | None,
    snapshot_interval: float,
    integrated_registry: str,
    watch_images: bool,
    watch_list: bool,
    no_live_questions: bool,
    admission_config: Path | None,
    strict: bool,
    workers: int,
    threads: int,
    staying: bool,
    drain: float,
    socket_timeout: float,
) -> None:
    """Run admission alone, for a cluster that serves image.openshift.io itself.

    Point a MutatingWebhookConfiguration at https://HOST:PORT/admission/mutate (manifests/webhook does). Without
    --tls-cert an authority is made in the data folder, and its ca.crt is what the configuration must trust.
    """
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key belong together: give both or neither")
    if certificate_secret and (tls_cert or not webhook_configuration or certificate_secret.count("/") != 1):
        raise click.UsageError(
            "--certificate-secret is NAMESPACE/NAME, needs --webhook-configuration and excludes --tls-cert"
        )
    if webhook_configuration and not certificate_secret:
        raise click.UsageError("--webhook-configuration says who trusts --certificate-secret: give both or neither")
    if metrics_listen == listen:
        raise click.UsageError(
            "--metrics-listen is a port of its own, without TLS; leave it out to share that of --listen"
        )
    settings = Settings(
        data=data,
        host=listen[0],
        port=listen[1],
        strict=strict,
        controllers=False,
        integrated_registry=integrated_registry,
        admission_config=admission_config,
        workers=workers,
        threads=threads,
        staying=staying,
        tls_cert=tls_cert,
        tls_key=tls_key,
        socket_timeout=socket_timeout,
        drain=drain,
        metrics_listen=metrics_listen,
        certificate_secret=certificate_secret,
        webhook_configuration=webhook_configuration,
        validating_configuration=validating_configuration,
        snapshot=snapshot,
        snapshot_interval=snapshot_interval,
        live_questions=not (no_live_questions or strict),
        watch_images=watch_images or strict,
        watch_list=watch_list,
    )
    connection = _connection(kubeconfig, context)
    try:
        start(settings, announce, lambda settings: _program(settings, connection))
    except CannotServe as error:
        raise click.ClickException(str(error)) from None


def announce(settings: Settings) -> None:
    """Say where the webhook is and what has to trust it."""
    trust = (
        ""
        if settings.tls_cert or settings.certificate_secret
        else f"; its authority is {settings.pki.resolve() / 'ca.crt'}"
    )
    click.echo(f"ImageStreams {__version__}: admission on {settings.local_server}{PATH}{trust}")


def _program(settings: Settings, connection: Connection) -> Program:
    # Imported when the place for metrics is known (webhook.serving.start).
    from webhook.serving.webhook import Webhook

    return Webhook(settings, connection)


def _connection(kubeconfig: Path | None, context: str | None) -> Connection:
    """The given kubeconfig, else the service account of this Pod, else the kubeconfig of whoever runs this."""
    in_pod = "KUBERNETES_SERVICE_HOST" in os.environ and kubeconfig is None and context is None
    try:
        return connections.in_cluster() if in_pod else connections.from_kubeconfig(_text(kubeconfig), context)
    except (NoConfiguration, OSError, LookupError, TypeError, ValueError) as error:
        problem = " ".join(str(error).split()).rstrip(".")
        raise click.ClickException(
            f"no access to an API server: {problem}; give --kubeconfig FILE, or run in a Pod with a service account"
        ) from None


def _text(path: Path | None) -> str | None:
    return str(path) if path is not None else None
