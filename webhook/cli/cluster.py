"""Which API server a command talks to, in which namespace, and what is said when it cannot be reached."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import quote, urlsplit

import click
import yaml
from click.core import ParameterSource
from urllib3.exceptions import HTTPError

from webhook.cli.sections import Sections
from webhook.errors import NotFound
from webhook.kube import failure
from webhook.kube.client import KubeClient
from webhook.kube.connection import Connection, NoConfiguration
from webhook.kube.failure import Unreachable

GROUP = "image.openshift.io"
API = f"/apis/{GROUP}/v1"
DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True)
class Access:
    """What the command line says of the server: a URL with its token and authority, or a kubeconfig and its context."""

    server: str | None = None
    token: str | None = None
    certificate_authority: str | None = None
    kubeconfig: str | None = None
    context: str | None = None


_OPTIONS = (
    click.option("--server", metavar="URL", help="Talk to this API server."),
    click.option("--token", envvar="IMAGESTREAMS_TOKEN", show_envvar=True, help="Bearer token for --server."),
    click.option("--certificate-authority", metavar="FILE", help="What --server's certificate is checked against."),
    click.option("--kubeconfig", metavar="FILE", help="Talk to the cluster of this kubeconfig."),
    click.option("--context", metavar="NAME", help="Talk to the cluster of this context; else of the current one."),
)

SECTIONS: Sections = {"Options": (), "The server": tuple(field.name for field in fields(Access))}
"""Where `--help` shows these options, below those of the command itself."""


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `Access` on a command, which is given them as its argument `access`.

    UsageError for options of two places at once, or of another place than the one that is named.
    """

    @functools.wraps(command)
    def with_access(*arguments: Any, **given: Any) -> Any:
        _check(bool(given["server"]))
        access = Access(**{field.name: given.pop(field.name) for field in fields(Access)})
        return command(*arguments, access=access, **given)

    for option in reversed(_OPTIONS):
        with_access = option(with_access)
    return with_access


def given(name: str) -> bool:
    """Whether an option of the running command stands on its command line, and does not come from the environment."""
    context = click.get_current_context()
    return bool(context.params.get(name)) and context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _check(by_address: bool) -> None:
    for name in ("kubeconfig", "context"):
        if by_address and given(name):
            raise click.UsageError(f"--{name} says where the server is, as --server does; give one of them")
    for name in ("token", "certificate_authority"):
        if not by_address and given(name):
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --server; a kubeconfig holds its own")


@dataclass(frozen=True)
class Cluster:
    """An API server, by which name people know it, and the namespace of what names none."""

    client: KubeClient
    server: str
    namespace: str

    @contextmanager
    def asking(self) -> Iterator[KubeClient]:
        """The client; that no answer comes is a ClickException, what the server refuses stays a StatusError."""
        try:
            yield self.client
        except Unreachable as error:
            raise click.ClickException(f"{self.server}: {cause(error)}; see that it runs, at this address") from None


def path(namespace: str, resource: str, name: str = "", subresource: str = "") -> str:
    """The path of objects of the image API: `…/namespaces/demo/imagestreams/php/secrets`."""
    parts = ["namespaces", namespace, resource, name, subresource]
    return "/".join([API, *(quote(one, safe=":@") for one in parts if one)])


def connect(access: Access, namespace: str | None, otherwise: str = "") -> Cluster:
    """The cluster that the options mean; `otherwise` is what else can be done where there is none."""
    if access.server:
        return _of_url(access.server, access, namespace)
    return _of_kubeconfig(access, namespace, otherwise)


def cause(error: Unreachable) -> str:
    """What went wrong, without the layers that wrap it."""
    wrapped = error.__cause__
    return failure.reason(wrapped) if isinstance(wrapped, HTTPError | OSError) else " ".join(str(error).split())


def secrets(namespace: str) -> str:
    """The path of a namespace's Secrets."""
    return f"/api/v1/namespaces/{quote(namespace, safe='')}/secrets"


def names_an_object(error: NotFound) -> bool:
    """Whether one object is missing, and not the API that would serve it."""
    return bool((error.details or {}).get("kind"))


def absent(error: NotFound, where: Cluster, what: str) -> str:
    """Why something was not found: the object is not there, or the whole API is not."""
    if names_an_object(error):
        return f"there is no {what} on {where.server}"
    return f"{where.server} does not serve {GROUP}; start a server that does with imagestreams serve"


def _of_url(url: str, access: Access, namespace: str | None) -> Cluster:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise click.UsageError(f"--server {url} is no URL; write it like https://127.0.0.1:8443")
    connection = Connection(server=url, ca_file=access.certificate_authority, token=access.token)
    return Cluster(_client(connection), url, namespace or DEFAULT_NAMESPACE)


def _of_kubeconfig(access: Access, namespace: str | None, otherwise: str) -> Cluster:
    from webhook.kube import connection as connections

    try:
        connection = connections.from_kubeconfig(access.kubeconfig, access.context)
        home = namespace or _namespace_of(access.kubeconfig, access.context)
    except (NoConfiguration, OSError, yaml.YAMLError, LookupError, TypeError, ValueError) as error:
        problem = " ".join(str(error).split()).rstrip(".")
        what = f"context {access.context}" if access.context else "a cluster"
        raise click.ClickException(
            f"no access to {what}: {problem}; give {otherwise}--server URL,"
            " or a --kubeconfig and --context that exist (see kubectl config get-contexts)"
        ) from None
    return Cluster(_client(connection), connection.server, home)


def _client(connection: Connection) -> KubeClient:
    try:
        return KubeClient(connection)
    except OSError as error:
        raise click.ClickException(
            f"{connection.ca_file or connection.server}: the certificates cannot be used: {error};"
            " give the server's own CA with --certificate-authority"
        ) from None


def _namespace_of(kubeconfig: str | None, context: str | None) -> str:
    from kubernetes import config

    contexts, current = config.list_kube_config_contexts(config_file=kubeconfig)
    chosen = next((one for one in contexts if one["name"] == context), current) if context else current
    return (chosen.get("context") or {}).get("namespace") or DEFAULT_NAMESPACE
