"""One run of `imagestreams resolve`: from its options to resolved manifests, with or without a lock file."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from webhook.admission import policy
from webhook.admission.configuration import ImagePolicyConfig
from webhook.cli import lock, report, resolution, stream_sources
from webhook.cli.cluster import Access
from webhook.cli.lock import Lock
from webhook.cli.manifests import Manifest
from webhook.cli.resolution import Finding, Resolution
from webhook.cli.stream_sources import Source


@dataclass(frozen=True)
class Options:
    """What decides the outcome: where streams come from, the lock file, and what counts as a failure."""

    access: Access = field(default_factory=Access)
    namespace: str | None = None
    streams: tuple[str, ...] = ()
    integrated_registry: str = ""
    require: bool = False
    lock: Path | None = None
    update_lock: bool = False


def run(options: Options, manifests: Iterable[Manifest]) -> list[Resolution]:
    """The manifests resolved; ClickException for what cannot be read, reached, or is not in the lock file.

    A lock file that exists is all that is read, unless it is to be renewed.
    """
    locked = lock.read(options.lock) if options.lock and options.lock.exists() and not options.update_lock else None
    source = functools.cache(lambda: _source(options, locked))
    rules = policy.of(ImagePolicyConfig(), options.integrated_registry)
    resolutions = [resolution.resolve(one, source, rules) for one in manifests]
    findings = [finding for one in resolutions for finding in one.findings]
    if locked is not None:
        _check(locked, findings, options.lock)
    elif options.lock is not None and not (options.require and unresolved(findings)):
        _write(options.lock, lock.made_of(source(), sorted({(one.stream, one.tag) for one in findings if one.stream})))
    return resolutions


def unresolved(findings: Iterable[Finding]) -> list[Finding]:
    """Those of names that should have been looked up and stayed as they were."""
    return [one for one in findings if one.unresolved]


def _source(options: Options, locked: Lock | None) -> Source:
    if locked is not None:
        return locked.source(options.namespace)
    if options.streams:
        return stream_sources.from_files(options.streams, options.namespace)
    return stream_sources.from_cluster(options.access, options.namespace)


def _check(locked: Lock, findings: Sequence[Finding], path: Path | None) -> None:
    unknown = [one for one in findings if one.stream and lock.key(one.stream, one.tag) not in locked.images]
    if unknown:
        raise click.ClickException(report.not_locked(unknown, str(path)))


def _write(path: Path, content: Lock) -> None:
    if lock.write(path, content):
        click.echo(f"imagestreams: {path}: {len(content.images)} names locked", err=True)
