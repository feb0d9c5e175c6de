"""Where a command without a server of its own gets image streams from: a file, a URL, or a kubeconfig's cluster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import click
import yaml

from webhook.cli import manifests
from webhook.errors import Json, NotFound, StatusError
from webhook.image.lookup import Stream
from webhook.kube.client import KubeClient
from webhook.kube.connection import Connection, NoConfiguration
from webhook.kube.failure import Unreachable
from webhook.view.index import Streams, View

GROUP = "image.openshift.io"
DEFAULT_NAMESPACE = "default"
_WRITE_ONE = "kubectl get imagestreams -o yaml > streams.yaml"


@dataclass(frozen=True)
class Source:
    """Streams to look names up in, and the namespace of an object that names none."""

    streams: Streams
    namespace: str


class LiveStreams:
    """The streams of a cluster; a namespace is listed when it is first asked for, and then kept."""

    ready = True

    def __init__(self, client: KubeClient, server: str) -> None:
        self._client = client
        self._server = server
        self._views: dict[str, View] = {}

    def stream(self, namespace: str, name: str) -> Stream | None:
        """The stream of that name; ClickException when the cluster does not answer."""
        if namespace not in self._views:
            self._views[namespace] = _view(self._list(namespace), self._server)
        return self._views[namespace].stream(namespace, name)

    def has_image(self, image: str, stream: Stream) -> bool:
        """Images are cluster-wide and mostly not ours to read: a tag's image is taken to exist."""
        return True

    def _list(self, namespace: str) -> list[Json]:
        path = f"/apis/{GROUP}/v1/namespaces/{quote(namespace, safe='')}/imagestreams"
        try:
            return list(self._client.list(path))
        except NotFound:
            problem = f"it does not serve {GROUP}; start one that does with imagestreams serve"
        except StatusError as error:
            problem = f"{error.message}; use an account that may list imagestreams"
        except Unreachable as error:
            problem = f"{_cause(error)}; see that it runs, at this address"
        raise click.ClickException(
            f"{self._server}: image streams of namespace {namespace} could not be read: {problem}"
            f" (or use -s with a file: {_WRITE_ONE})"
        )


def from_files(paths: Sequence[str], namespace: str | None) -> Source:
    """Streams in files that `kubectl get imagestreams -o yaml` wrote.

    Without a namespace, the one that all streams share is meant. Streams that name none are taken to be in it.
    """
    found = [one for path in paths for one in _streams(path)]
    named = {one.namespace for one in found} - {""}
    home = namespace or (named.pop() if len(named) == 1 else DEFAULT_NAMESPACE)
    return Source(_view(_placed(found, home), ", ".join(paths)), home)


def from_server(url: str, namespace: str | None, *, ca_file: str | None, token: str | None) -> Source:
    """Streams of the API server at a URL."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise click.UsageError(f"--server {url} is no URL; write it like https://127.0.0.1:8443")
    connection = Connection(server=url, ca_file=ca_file, token=token)
    return Source(LiveStreams(_client(connection), url), namespace or DEFAULT_NAMESPACE)


def from_kubeconfig(path: str | None, context: str | None, namespace: str | None) -> Source:
    """Streams of the cluster of a kubeconfig's context, by default the current one of $KUBECONFIG or ~/.kube/config."""
    from webhook.kube import connection as connections

    try:
        connection = connections.from_kubeconfig(path, context)
        home = namespace or _namespace_of(path, context)
    except (NoConfiguration, OSError, yaml.YAMLError, LookupError, TypeError, ValueError) as error:
        problem = " ".join(str(error).split()).rstrip(".")
        what = f"context {context}" if context else "a cluster to ask for image streams"
        raise click.ClickException(
            f"no access to {what}: {problem}; give -s STREAMS.yaml (from {_WRITE_ONE}), --server URL,"
            " or a --kubeconfig and --context that exist (see kubectl config get-contexts)"
        ) from None
    return Source(LiveStreams(_client(connection), connection.server), home)


def _view(streams: Iterable[Json], origin: str) -> View:
    try:
        return View.from_objects(streams)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # Streams are trusted to have the shape that an API server checks; a file can hold anything.
        raise click.ClickException(
            f"{origin}: an ImageStream in it is not of the right shape ({error}); write it anew with {_WRITE_ONE}"
        ) from None


def _client(connection: Connection) -> KubeClient:
    try:
        return KubeClient(connection)
    except OSError as error:
        raise click.ClickException(
            f"{connection.ca_file or connection.server}: the certificates cannot be used: {error};"
            " give the server's own CA with --certificate-authority"
        ) from None


def _cause(error: Unreachable) -> str:
    """What went wrong, without the layers that wrap it."""
    reason = getattr(error.__cause__, "reason", None)  # of urllib3's MaxRetryError
    return " ".join(str(reason or error).split())


def _namespace_of(path: str | None, context: str | None) -> str:
    from kubernetes import config

    contexts, current = config.list_kube_config_contexts(config_file=path)
    chosen = next((one for one in contexts if one["name"] == context), current) if context else current
    return (chosen.get("context") or {}).get("namespace") or DEFAULT_NAMESPACE


def _streams(path: str) -> list[manifests.Item]:
    manifest = manifests.read(path)
    found = [one for one in manifests.items(manifest) if one.kind == "ImageStream" and one.group in (GROUP, "")]
    if not found:
        raise click.ClickException(f"{manifest.name}: no ImageStream in it; write one with {_WRITE_ONE}")
    return found


def _placed(found: Iterable[manifests.Item], home: str) -> list[Json]:
    return [{**one.object, "metadata": {**one.metadata, "namespace": one.namespace or home}} for one in found]
