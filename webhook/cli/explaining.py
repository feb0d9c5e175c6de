"""What `imagestreams explain` looks at: objects of files and of a cluster, judged as admission judges a creation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final
from urllib.parse import quote

import click

from webhook.admission import story
from webhook.admission.decide import CREATE, of_objects
from webhook.admission.exemptions import is_platform
from webhook.admission.mutate import labels_with
from webhook.admission.objects import NOTHING, Objects
from webhook.admission.policy import Policy
from webhook.admission.story import Node
from webhook.admission.verdict import reach
from webhook.cli import manifests
from webhook.cli.cluster import Cluster
from webhook.cli.stream_sources import Source
from webhook.errors import Forbidden, Invalid, Json, NotFound, StatusError
from webhook.kube.failure import Unreachable
from webhook.serving import policies

_SHORT: Final = {
    "po": "pods",
    "rc": "replicationcontrollers",
    "deploy": "deployments",
    "rs": "replicasets",
    "sts": "statefulsets",
    "ds": "daemonsets",
    "cj": "cronjobs",
    "dc": "deploymentconfigs",
    "bc": "buildconfigs",
}


IGNORED: Final = "image.openshift.io/admission", "ignore"
"""The label of an object or a namespace that the selectors of manifests/webhook leave out."""


@dataclass(frozen=True)
class Subject:
    """An object to explain; `resource` is empty for a kind whose images are not looked up."""

    group: str
    resource: str
    namespace: str
    object: Json

    @property
    def title(self) -> str:
        """`Deployment/web in namespace shop`."""
        metadata = self.object.get("metadata") or {}
        name = metadata.get("name") or metadata.get("generateName") or ""
        return f"{self.object.get('kind')}/{name} in namespace {self.namespace}"


@dataclass(frozen=True)
class Judge:
    """What decides beside the object: `labels` gives a Namespace's, `objects` what execution rules may ask for."""

    policy: Policy
    source: Source
    labels: Callable[[str], Mapping[str, str]] = field(default=lambda _: {})
    objects: Objects = NOTHING


def of_admission(policy: Policy, source: Source, where: Cluster | None) -> Judge:
    """The judge that admission is in this cluster; without one, only streams are known."""
    if where is None:
        return Judge(policy, source)

    @cache
    def namespace(name: str) -> Json | None:
        try:
            return where.client.get(f"/api/v1/namespaces/{quote(name, safe='')}")
        except (StatusError, Unreachable):
            return None

    return Judge(policy, source, labels_with(namespace), policies.objects(where.client))


def of_files(paths: Iterable[str], recursive: bool, namespace: str, policy: Policy) -> Iterator[Subject]:
    """The objects of manifests."""
    for manifest in manifests.read_all([*paths], recursive):
        for item in manifests.items(manifest):
            resource = f"{item.kind.lower()}s"
            known = resource if (item.group, resource) in policy.coverage else ""
            yield Subject(item.group, known, item.namespace or namespace, item.object)


def of_cluster(names: Iterable[str], where: Cluster, policy: Policy) -> Iterator[Subject]:
    """The objects that are named KIND/NAME, as they are stored; ClickException for what is not there."""
    for text in names:
        kind, slash, name = text.partition("/")
        if not (kind and slash and name):
            raise click.UsageError(f"{text} names no object; write KIND/NAME, such as deployment/web")
        group, resource = _resource(kind.lower(), policy)
        with where.asking() as client:
            try:
                root = "/api/v1" if not group else f"/apis/{_version(client.get(f'/apis/{group}'), group)}"
                place = f"{root}/namespaces/{quote(where.namespace, safe='')}/{resource}/{quote(name, safe='')}"
                yield Subject(group, resource, where.namespace, client.get(place))
            except NotFound:
                raise click.ClickException(
                    f"there is no {kind}/{name} in namespace {where.namespace} of {where.server}"
                ) from None


def tell(subject: Subject, judge: Judge) -> Node:
    """Its story: what admission would make of it if it were created now."""
    coverage = judge.policy.coverage.get((subject.group, subject.resource))
    if coverage is None:
        return Node(subject.title, (Node("Images of objects of this kind are not looked up."),))
    location, streams = coverage.location, judge.source.streams
    try:
        write = of_objects(
            location,
            subject.group,
            subject.resource,
            CREATE,
            subject.namespace,
            subject.object,
            kind=str(subject.object.get("kind") or ""),
            platform=is_platform(location, subject.namespace, judge.labels),
        )
        verdict = reach(write, streams, judge.policy, judge.objects)
        told = story.tell(subject.title, verdict, streams, streams.object)
        return Node(told.text, (*_kept_away(subject, judge), *told.below))
    except (Forbidden, Invalid) as error:
        return Node(subject.title, (Node(f"refused: {error.message}"),))
    except ValueError as error:
        return Node(subject.title, (Node(f"The object cannot be read: {' '.join(str(error).split())}"),))


def _kept_away(subject: Subject, judge: Judge) -> Iterator[Node]:
    """The labels for which the API server does not ask the webhook at all, if it was installed as manifests/webhook."""
    name, value = IGNORED
    own = (subject.object.get("metadata") or {}).get("labels") or {}
    for whose, labels in ("object", own), ("namespace", judge.labels(subject.namespace)):
        if labels.get(name) == value:
            yield Node(f"The {whose} has the label {name}: {value}, so manifests/webhook has nothing resolved in it.")


def _resource(kind: str, policy: Policy) -> tuple[str, str]:
    """The group and resource of `deployment`, `deployments`, `deploy` or `deployments.apps`."""
    word, _, group = kind.partition(".")
    named = _SHORT.get(word, word)
    found = [key for key in policy.coverage if key[1] in (named, f"{named}s") and group in ("", key[0])]
    if not found:
        known = ", ".join(sorted({resource for _, resource in policy.coverage}))
        raise click.UsageError(f"images of {kind} are not looked up; those of {known} are")
    # `extensions` is the old name of `apps`.
    return min(found, key=lambda key: key[0] == "extensions")


def _version(group: Json, name: str) -> str:
    preferred = (group.get("preferredVersion") or {}).get("groupVersion")
    return str(preferred or f"{name}/v1")
