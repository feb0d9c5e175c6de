"""Where a command without a server of its own gets image streams from: files, or a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import click

from webhook.cli import cluster, manifests
from webhook.cli.cluster import DEFAULT_NAMESPACE, GROUP, Access, Cluster
from webhook.errors import Json, NotFound, StatusError
from webhook.image import lookup
from webhook.image.lookup import Stream
from webhook.kube.failure import Unreachable
from webhook.view.index import Streams

_WRITE_ONE = "kubectl get imagestreams -o yaml > streams.yaml"


class Known(Streams, Protocol):
    """Streams to look names up in, of which each can be asked for as the API has it."""

    def object(self, namespace: str, name: str) -> Json | None:
        """The ImageStream of that name, if it is known as an object."""


@dataclass(frozen=True)
class Source:
    """Streams to look names up in, and the namespace of an object that names none."""

    streams: Known
    namespace: str


class GivenStreams:
    """Streams that were read; every image that a tag names is taken to exist, since Images are rarely ours to read."""

    ready = True

    def __init__(self, objects: Iterable[Json], origin: str) -> None:
        self._objects: dict[tuple[str, str], Json] = {}
        self._records: dict[tuple[str, str], Stream] = {}
        self.add(objects, origin)

    def add(self, objects: Iterable[Json], origin: str) -> None:
        """Know these too; ClickException, naming `origin`, for one that no API server would have written."""
        try:
            for one in objects:
                key = one["metadata"]["namespace"], one["metadata"]["name"]
                self._objects[key], self._records[key] = one, lookup.record(one)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise click.ClickException(
                f"{origin}: an ImageStream in it is not of the right shape ({error}); write it anew with {_WRITE_ONE}"
            ) from None

    def stream(self, namespace: str, name: str) -> Stream | None:
        """The stream of that name."""
        return self._records.get((namespace, name))

    def object(self, namespace: str, name: str) -> Json | None:
        """The stream of that name, as the API has it."""
        return self._objects.get((namespace, name))

    def has_image(self, _pull_spec: str, _stream: Stream, /) -> bool:
        """Always."""
        return True


class LiveStreams(GivenStreams):
    """The streams of a cluster; a namespace is listed when it is first asked for, and then kept."""

    def __init__(self, where: Cluster) -> None:
        super().__init__((), where.server)
        self._where = where
        self._listed: set[str] = set()

    def stream(self, namespace: str, name: str) -> Stream | None:
        """The stream of that name; ClickException when the cluster does not answer."""
        if namespace not in self._listed:
            self.add(self._list(namespace), self._where.server)
            self._listed.add(namespace)
        return super().stream(namespace, name)

    def _list(self, namespace: str) -> list[Json]:
        try:
            return list(self._where.client.list(cluster.path(namespace, "imagestreams")))
        except NotFound:
            problem = f"it does not serve {GROUP}; start one that does with imagestreams serve"
        except StatusError as error:
            problem = f"{error.message}; use an account that may list imagestreams"
        except Unreachable as error:
            problem = f"{cluster.cause(error)}; see that it runs, at this address"
        raise click.ClickException(
            f"{self._where.server}: image streams of namespace {namespace} could not be read: {problem}"
            f" (or use -s with a file: {_WRITE_ONE})"
        )


def from_files(paths: Sequence[str], namespace: str | None) -> Source:
    """Streams in files that `kubectl get imagestreams -o yaml` wrote.

    Without a namespace, the one that all streams share is meant. Streams that name none are taken to be in it.
    """
    found = [one for path in paths for one in _streams(path)]
    named = {one.namespace for one in found} - {""}
    home = namespace or (named.pop() if len(named) == 1 else DEFAULT_NAMESPACE)
    return Source(GivenStreams(_placed(found, home), ", ".join(paths)), home)


def from_cluster(access: Access, namespace: str | None) -> Source:
    """Streams of the cluster that the options mean."""
    where = cluster.connect(access, namespace, otherwise=f"-s STREAMS.yaml (from {_WRITE_ONE}), ")
    return Source(LiveStreams(where), where.namespace)


def _streams(path: str) -> list[manifests.Item]:
    manifest = manifests.read(path)
    found = [one for one in manifests.items(manifest) if one.kind == "ImageStream" and one.group in (GROUP, "")]
    if not found:
        raise click.ClickException(f"{manifest.name}: no ImageStream in it; write one with {_WRITE_ONE}")
    return found


def _placed(found: Iterable[manifests.Item], home: str) -> list[Json]:
    return [{**one.object, "metadata": {**one.metadata, "namespace": one.namespace or home}} for one in found]
