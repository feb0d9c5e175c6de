"""Which tags were pushed, by what registries say when somebody pushes: each in a format of its own.

Read are the events of the CNCF distribution (docker-registry, GitLab), Harbor's webhook in both of
its formats, and Docker Hub's webhook. Formats are told apart by their shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from webhook.errors import Json
from webhook.image.reference import InvalidReference, Reference, parse

_HARBOR_PUSHES = frozenset({"PUSH_ARTIFACT", "pushImage", "harbor.artifact.pushed"})


class UnknownFormat(ValueError):
    """The body is no notification of a kind that is known."""


class Push(NamedTuple):
    """One tag of one repository in the spelling that compares: Docker Hub is `docker.io`, and port 443 is not said."""

    registry: str
    repository: str
    tag: str


def pushes(body: Any) -> frozenset[Push]:
    """The tags that a notification, decoded from JSON, says were pushed; UnknownFormat for anything else.

    What is no push, has no tag (layers, images of a manifest list) or is not spelled as it should be is left out.
    """
    if isinstance(body, dict):
        for key, read in _FORMATS.items():
            if key in body:
                return frozenset(read(body))
    raise UnknownFormat("the body is no notification of the CNCF distribution, of Harbor or of Docker Hub")


def of_reference(reference: Reference) -> Push:
    """What a push of exactly this image would be."""
    full = reference.with_client_defaults()
    return _push(full.registry, full.repository_name(), full.tag)


def named(push: Push, registry: str) -> Push:
    """The same push, to the registry under another of its names."""
    return _push(registry, push.repository, push.tag)


def _distribution(body: Json) -> Iterator[Push]:
    for event in _list(body.get("events")):
        target, request = _dict(event.get("target")), _dict(event.get("request"))
        host = _text(request.get("host")) or _host(_text(target.get("url")))
        if event.get("action") == "push":
            yield from _known(host, _text(target.get("repository")), _text(target.get("tag")))


def _harbor(body: Json) -> Iterator[Push]:
    # The second format is that of CloudEvents.
    data = _dict(body.get("event_data") or body.get("data"))
    if _text(body.get("type")) not in _HARBOR_PUSHES:
        return
    for resource in _list(data.get("resources")):
        try:
            reference = parse(_text(resource.get("resource_url")))
        except InvalidReference:
            continue
        yield from _known(reference.registry, reference.repository_name(), _text(resource.get("tag")) or reference.tag)


def _docker_hub(body: Json) -> Iterator[Push]:
    repository, tag = _dict(body.get("repository")), _dict(body.get("push_data")).get("tag")
    yield from _known("docker.io", _text(repository.get("repo_name")), _text(tag))


_FORMATS = {"events": _distribution, "event_data": _harbor, "specversion": _harbor, "push_data": _docker_hub}
"""The key by which each format is known."""


def _known(registry: str, repository: str, tag: str) -> Iterator[Push]:
    if registry and repository and tag:
        yield _push(registry, repository, tag)


def _push(registry: str, repository: str, tag: str) -> Push:
    registry = registry.lower().removesuffix(":443")
    hub = Reference(registry, name=repository)
    if hub.is_hub:
        namespace, slash, name = repository.partition("/")
        split = replace(hub, namespace=namespace, name=name) if slash else hub
        full = replace(split, registry="docker.io").with_client_defaults()
        return Push(full.registry, full.repository_name(), tag)
    return Push(registry, repository, tag)


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _list(value: Any) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
