"""What `imagestreams import` says beside its table: how far it is, what went wrong where, and what to type next."""

from __future__ import annotations

from collections.abc import Sequence

import click

from webhook.cli import cluster, import_result, pull_secrets
from webhook.cli.cluster import Cluster
from webhook.cli.import_request import Plan
from webhook.cli.import_result import Result
from webhook.errors import Json, StatusError
from webhook.image.reference import InvalidReference, parse

_MOST_NAMES = 5
_ABOUT_ACCESS = ("Unauthorized", "Forbidden", "NotFound")
"""Reasons for which another pull secret could help: many registries hide what one may not see."""
_REMEDIES = {"HTTP response to an HTTPS client": "add --insecure if this registry is meant to have no TLS"}
"""What to do about an answer of a registry that contains these words."""


def progress(plan: Plan, found: Sequence[Result], seconds: float) -> str:
    """`php: 12 of 37 tags, 1 failed, images of 1.2 GB, 8.4 tags/s, 3.1 s`.

    The bytes are those of the images: how many the server reads from a registry, manifests mostly, it does not tell.
    """
    total = len(plan.images)
    done = f"{len(found)} of {total} tags" if total else "asking the registry for all tags"
    failed = sum(one.failed for one in found)
    size = sum(one.size for one in found)
    parts = [
        done,
        f"{failed} failed" if failed else "",
        f"images of {import_result.size(size)}" if size else "",
        f"{len(found) / seconds:.1f} tags/s" if found and seconds else "",
        f"{seconds:.1f} s",
    ]
    return f"{plan.stream}: {', '.join(filter(None, parts))}"


def step(stream: str, one: Result, dry_run: bool) -> str:
    """A line for one tag, where there is no terminal to draw on."""
    size = f" ({import_result.size(one.size)})" if one.size else ""
    return f"{stream}:{one.tag} from {one.source}: {one.outcome(dry_run)}{size}"


def complaint(failed: Sequence[Result], total: int, where: Cluster, stream: str) -> str:
    """Which tags could not be imported: host, repository, the registry's answer and the secret that was tried."""
    secrets, problem = _secrets(where, stream)
    told = [_told(one, stream, _tried(secrets, problem, one, where.namespace)) for one in failed]
    if total == 1:
        return told[0]
    return "\n  ".join([f"{len(failed)} of {total} tags of {stream} could not be imported", *told])


def _told(one: Result, stream: str, tried: str) -> str:
    remedies = [remedy for words, remedy in _REMEDIES.items() if words in one.message]
    reason = "; ".join(filter(None, [one.message, tried, *remedies]))
    return f"{stream}:{one.tag} could not be imported: {_place(one.source)}: {reason}"


def tell_more(answer: Json, found: Sequence[Result], where: Cluster, stream: str) -> None:
    """On standard error: what the registry has beyond this import, and the next command."""
    if left := import_result.not_imported(answer):
        names = ", ".join(left[:_MOST_NAMES]) + (", …" if len(left) > _MOST_NAMES else "")
        repository = answer["spec"]["repository"]
        source = repository["from"]["name"]
        insecure = " --insecure" if (repository.get("importPolicy") or {}).get("insecure") else ""
        click.echo(f"{len(left)} more tags of {source} were not imported: {names}", err=True)
        command = f"imagestreams import {stream}:{left[0]} --from {source}:{left[0]}{insecure} -n {where.namespace}"
        click.echo(f"next: {command}", err=True)
    elif command := _next(answer, found, where, stream):
        click.echo(f"next: {command}", err=True)


def _next(answer: Json, found: Sequence[Result], where: Cluster, stream: str) -> str:
    stored = (answer.get("status") or {}).get("import")
    good = next((one for one in found if not one.failed), None)
    if good is None or stored is None:
        return ""
    if not ((stored.get("spec") or {}).get("lookupPolicy") or {}).get("local"):
        patch = '{"spec":{"lookupPolicy":{"local":true}}}'
        purpose = f"so that Pods may say {stream}:{good.tag}"
        return f"kubectl patch imagestream {stream} -n {where.namespace} --type merge -p '{patch}'  # {purpose}"
    return f"kubectl get imagestreamtag {stream}:{good.tag} -n {where.namespace}"


def _secrets(where: Cluster, stream: str) -> tuple[list[Json], str]:
    """The pull secrets of the namespace, or why they cannot be read: of the stream, or if it is missing as Secrets."""
    sources = (cluster.path(where.namespace, "imagestreams", stream, "secrets"), cluster.secrets(where.namespace))
    problem = ""
    for path in sources:
        try:
            with where.asking() as client:
                # Without paging: OpenShift refuses any parameter here (docs/deviations.md).
                return list(client.get(path).get("items") or []), ""
        except StatusError as error:
            problem = f"which pull secret was tried cannot be said: {error.message}"
    return [], problem


def _tried(secrets: Sequence[Json], problem: str, one: Result, namespace: str) -> str:
    if one.status.get("reason") not in _ABOUT_ACCESS:
        return ""
    try:
        return problem or pull_secrets.tried(secrets, parse(one.source), namespace)
    except InvalidReference:
        return ""


def _place(source: str) -> str:
    try:
        reference = parse(source).with_client_defaults()
    except InvalidReference:
        return source
    if not reference.name:
        return reference.registry
    return f"{reference.registry}, repository {reference.repository_name()}"
