"""`imagestreams serve`: options into settings, and the one line that says where the server is."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import get_args

import click

from webhook import __version__
from webhook.cli.hosts import RegistryHost
from webhook.cli.sections import Sectioned, Sections
from webhook.meta import durations
from webhook.serving import listening
from webhook.serving.start import start
from webhook.serving.workspace import CannotServe
from webhook.settings import (
    DEFAULT_DATA,
    DEFAULT_IMPORT_RATE,
    DEFAULT_MAX_BULK_IMPORT,
    DEFAULT_REGISTRY_CONCURRENCY,
    DEFAULT_REGISTRY_RATE,
    SHORTEST_IMPORT_INTERVAL,
    ImportMode,
    Settings,
)

_EXAMPLES = """
\b
Examples:
  imagestreams serve                                       # a laptop: https://127.0.0.1:8443, data in ./var
  imagestreams serve --listen 0.0.0.0:443 --data /var/lib/imagestreams
  imagestreams serve --integrated-registry registry.example.com:5000
  imagestreams serve --strict --no-controllers             # exactly OpenShift's API, nothing else
"""

_SECTIONS: Sections = {
    "Where it runs": ("data", "listen", "workers", "threads", "tls_cert", "tls_key"),
    "What it does": ("no_controllers", "push_notifications", "admission_config", "strict"),
    "Names of images": ("integrated_registry", "public_registry"),
    "Imports": ("import_mode", "import_interval", "import_rate", "max_bulk_import"),
    "Registries": (
        "registries",
        "registry_credentials",
        "registry_ca",
        "certs_dir",
        "registry_rate",
        "registry_concurrency",
    ),
    "Other": (),
}


class Address(click.ParamType[tuple[str, int]]):
    """HOST:PORT."""

    name = "host:port"

    def convert(
        self, value: str | tuple[str, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """The host and the port; a usage error otherwise."""
        if isinstance(value, tuple):
            return value
        try:
            return listening.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Duration(click.ParamType[float]):
    """Seconds, or a time such as 90s, 15m or 1h30m."""

    name = "time"

    def __init__(self, shortest: float) -> None:
        self._shortest = shortest

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds; a usage error otherwise."""
        if isinstance(value, float):
            return value
        try:
            seconds = durations.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds < self._shortest:
            self.fail(f"{value} is shorter than {self._shortest:g} s", param, ctx)
        return seconds


_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_PATH = click.Path(path_type=Path)


@click.command(cls=Sectioned, sections=_SECTIONS, epilog=_EXAMPLES, context_settings={"show_default": True})
@click.option(
    "--data",
    type=click.Path(file_okay=True, path_type=Path),
    default=DEFAULT_DATA,
    metavar="DIR",
    help="Folder for the database, certificates and the administrator's kubeconfig.",
)
@click.option("--listen", type=Address(), default="127.0.0.1:8443", metavar="HOST:PORT", help="Where to listen.")
@click.option("--no-controllers", is_flag=True, help="Do not import by schedule or when a stream's spec changes.")
@click.option(
    "--integrated-registry",
    type=RegistryHost(),
    default="",
    show_default=False,
    metavar="HOST[:PORT]",
    help="The registry that stands for the cluster's own in pull specs.",
)
@click.option(
    "--public-registry",
    type=RegistryHost(),
    default="",
    show_default=False,
    metavar="HOST[:PORT]",
    help="The same registry, as seen from outside.",
)
@click.option(
    "--max-bulk-import",
    type=click.IntRange(min=-1),
    default=DEFAULT_MAX_BULK_IMPORT,
    metavar="N",
    help="Most tags that one import of a whole repository may bring; -1 for all.",
)
@click.option(
    "--import-mode",
    type=click.Choice(get_args(ImportMode)),
    default="Legacy",
    help="For tags that do not say: the image of one platform, or the whole manifest list.",
)
@click.option(
    "--admission-config",
    type=_FILE,
    metavar="FILE",
    help="What admission does: an ImagePolicyConfig (docs/admission-policy.md).",
)
@click.option(
    "--push-notifications",
    is_flag=True,
    help="Let registries tell of pushes at /notifications (docs/notifications.md).",
)
@click.option(
    "--registries",
    type=_FILE,
    metavar="FILE",
    help="Mirrors, allowed and blocked registries, egress, limits (docs/registries.md).",
)
@click.option(
    "--registry-credentials", type=_FILE, metavar="FILE", help="The server's own passwords (Docker's config.json)."
)
@click.option("--certs-dir", type=_FOLDER, metavar="DIR", help="Authorities and client certificates by registry.")
@click.option("--registry-ca", type=_PATH, metavar="PATH", help="More authorities: a PEM file, or a folder of them.")
@click.option(
    "--import-interval",
    type=Duration(SHORTEST_IMPORT_INTERVAL),
    default="15m",
    metavar="TIME",
    help="Pause between two looks at a scheduled tag, such as 90s, 15m or 1h.",
)
@click.option(
    "--import-rate",
    type=click.FloatRange(min=0.01),
    default=DEFAULT_IMPORT_RATE,
    metavar="N",
    help="Imports that the controller begins in a second, over all streams.",
)
@click.option(
    "--registry-rate",
    type=click.FloatRange(min=0.01),
    default=DEFAULT_REGISTRY_RATE,
    metavar="N",
    help="Requests to one registry in a second.",
)
@click.option(
    "--registry-concurrency",
    type=click.IntRange(min=1),
    default=DEFAULT_REGISTRY_CONCURRENCY,
    metavar="N",
    help="Requests that one process has open at one registry.",
)
@click.option("--import-retry", type=Duration(0.1), default="60s", hidden=True)
@click.option("--strict", is_flag=True, help="Exactly OpenShift's behaviour, without anything done beyond it.")
@click.option("--tls-cert", type=_FILE, metavar="FILE", help="Serve this certificate (PEM, with its chain).")
@click.option("--tls-key", type=_FILE, metavar="FILE", help="Its key (PEM).")
@click.option("--workers", type=click.IntRange(1, 64), default=2, metavar="N", help="Processes that answer requests.")
@click.option(
    "--threads", type=click.IntRange(8, 4096), default=64, metavar="N", help="Threads of each; an open watch takes one."
)
@click.option("--socket-timeout", type=click.FloatRange(min=0.1), default=10.0, hidden=True)
def serve(
    data: Path,
    listen: tuple[str, int],
    no_controllers: bool,
    integrated_registry: str,
    public_registry: str,
    max_bulk_import: int,
    import_mode: ImportMode,
    admission_config: Path | None,
    push_notifications: bool,
    registries: Path | None,
    registry_credentials: Path | None,
    certs_dir: Path | None,
    registry_ca: Path | None,
    import_interval: float,
    import_rate: float,
    import_retry: float,
    registry_rate: float,
    registry_concurrency: int,
    strict: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    workers: int,
    threads: int,
    socket_timeout: float,
) -> None:
    """Run the image API, imports and admission on this machine, until Ctrl-C or SIGTERM.

    The first start makes a certificate authority, a certificate and an administrator's token in the data folder. The
    server is ready when https://HOST:PORT/readyz answers 200.
    """
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key belong together: give both or neither")
    settings = Settings(
        data=data,
        host=listen[0],
        port=listen[1],
        strict=strict,
        controllers=not no_controllers,
        integrated_registry=integrated_registry,
        public_registry=public_registry,
        max_bulk_import=max_bulk_import,
        import_mode=import_mode,
        admission_config=admission_config,
        push_notifications=push_notifications,
        registries=registries,
        registry_credentials=registry_credentials,
        certs_dir=certs_dir,
        registry_ca=registry_ca,
        import_interval=import_interval,
        import_rate=import_rate,
        import_retry=import_retry,
        registry_rate=registry_rate,
        registry_concurrency=registry_concurrency,
        workers=workers,
        threads=threads,
        tls_cert=tls_cert,
        tls_key=tls_key,
        socket_timeout=socket_timeout,
    )
    try:
        start(settings, announce)
    except CannotServe as error:
        raise click.ClickException(str(error)) from None


def announce(settings: Settings) -> None:
    """Say where the server is and what to type next."""
    kubeconfig = shlex.quote(str(settings.kubeconfig.resolve()))
    click.echo(f"ImageStreams {__version__} on {settings.local_server}; for kubectl: export KUBECONFIG={kubeconfig}")
