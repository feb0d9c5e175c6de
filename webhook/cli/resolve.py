"""The command `imagestreams resolve`: manifests in, the same manifests with their images resolved out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from webhook.cli import cluster, inputs, krm, manifests, report, resolution, resolving
from webhook.cli.cluster import Access
from webhook.cli.resolving import Options
from webhook.cli.sections import Sectioned

_EXAMPLES = """
\b
Examples:
  kubectl get imagestreams -o yaml > streams.yaml
  imagestreams resolve -f deploy.yaml -s streams.yaml         # no cluster needed
  imagestreams resolve -f k8s/ -R -s streams.yaml --explain   # what is decided, and why
  imagestreams resolve -f deploy.yaml --diff                  # asks the cluster of the current context
  imagestreams resolve -f deploy.yaml --diff | patch -p1      # change the file itself
  helm template . | imagestreams resolve -f - --require | kubectl apply -f -
  imagestreams resolve -f k8s/ --lock images.lock             # the same digests again, wherever it runs
  kpt fn eval k8s/ --exec "imagestreams resolve"              # a KRM function
"""


@click.command(cls=Sectioned, sections=cluster.SECTIONS, epilog=_EXAMPLES)
@inputs.options(
    streams="Take image streams from what kubectl get imagestreams -o yaml wrote; no cluster is asked.",
    namespace="Where objects go that name no namespace; else the context's or streams'.",
)
@cluster.options
@click.option("--diff", is_flag=True, help="Print a unified diff instead of the manifests.")
@click.option(
    "--explain", is_flag=True, help="Print for each image what was decided and why, instead of the manifests."
)
@click.option(
    "--require", is_flag=True, help="Fail with exit code 1, and print no manifests, if a short name stays unresolved."
)
@click.option(
    "--lock",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write down what each name meant; a file that exists is all that is asked, so that digests stay the same.",
)
@click.option("--update-lock", is_flag=True, help="Look all names up again and renew the file of --lock.")
def resolve(
    paths: tuple[str, ...],
    recursive: bool,
    diff: bool,
    explain: bool,
    access: Access,
    **given: Any,
) -> None:
    """Print manifests with their image names resolved, every other byte as it was.

    Short names (php:8.2) become what the cluster would run: the image of that tag of the image stream in the object's
    namespace, by digest. What is resolved is what admission resolves when the object is created. A value behind a YAML
    alias is rewritten at its anchor if all its uses agree, and left as it is otherwise.

    Without -f it is a KRM function for kustomize and kpt: standard input holds a ResourceList, whose functionConfig may
    set the same as the options.
    """
    if diff and explain:
        raise click.UsageError("--diff and --explain both print instead of the manifests; give one of them")
    options = Options(access=access, **given)
    _check_options(paths, options)
    if paths:
        # Lazily: the first of ten thousand files is resolved before the last one is read.
        resolutions = resolving.run(options, manifests.read_all(paths, recursive))
        _print(resolutions, diff=diff, explain=explain, require=options.require)
    else:
        _function(options)


def _function(options: Options) -> None:
    """Standard input as an orchestrator gives it to a KRM function, and its answer."""
    manifest = None if sys.stdin.isatty() else manifests.read("-")
    if manifest is None or not krm.is_resource_list(manifest):
        raise click.UsageError("Missing option '-f': name manifests, or give a ResourceList on standard input")
    options = krm.configured(options, manifest)
    [resolution] = resolving.run(options, [manifest])
    click.echo(krm.output(manifest, resolution, options.require), nl=False)
    if options.require and (unresolved := resolving.unresolved(resolution.findings)):
        raise click.ClickException(report.complaint(unresolved))


def _check_options(paths: tuple[str, ...], options: Options) -> None:
    """Standard input for one thing only, and at most one place for streams."""
    if [*paths, *options.streams].count("-") > 1 or (not paths and "-" in options.streams):
        raise click.UsageError("standard input (-) can be read once; give the other one as a file")
    if options.update_lock and options.lock is None:
        raise click.UsageError("--update-lock says to renew a file; name it with --lock")
    if options.streams:
        for name in ("server", "kubeconfig", "context"):
            if cluster.given(name):
                raise click.UsageError(f"-s and --{name} both say where image streams are; give one of them")


def _print(resolutions: list[resolution.Resolution], *, diff: bool, explain: bool, require: bool) -> None:
    findings = [finding for one in resolutions for finding in one.findings]
    unresolved = resolving.unresolved(findings)
    if explain:
        click.echo(report.table(findings) if findings else "no images of a kind that is looked up\n", nl=False)
    elif diff:
        click.echo(report.diff(resolutions), nl=False)
    elif not (require and unresolved):
        # Nothing for a `kubectl apply -f -` behind it to take if the requirement is not met.
        click.echo(report.manifests(resolutions), nl=False)
    if require and unresolved:
        raise click.ClickException(report.complaint(unresolved))
    for one in unresolved:
        if not explain and one.reason in (resolution.SHARED, resolution.UNREADABLE):
            click.echo(f"imagestreams: warning: {one.file}: {one.item} {one.path}: {one.message}", err=True)
