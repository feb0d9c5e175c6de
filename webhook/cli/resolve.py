"""The command `imagestreams resolve`: manifests in, the same manifests with their images resolved out."""

from __future__ import annotations

import click

from webhook.admission.policy import Policy
from webhook.cli import manifests, report, resolution, stream_sources

_EXAMPLES = """
\b
Examples:
  kubectl get imagestreams -o yaml > streams.yaml
  imagestreams resolve -f deploy.yaml -s streams.yaml         # no cluster needed
  imagestreams resolve -f k8s/ -R -s streams.yaml --explain   # what is decided, and why
  imagestreams resolve -f deploy.yaml --diff                  # asks the cluster of the current context
  imagestreams resolve -f deploy.yaml --diff | patch -p1      # change the file itself
  helm template . | imagestreams resolve -f - --require | kubectl apply -f -
"""


@click.command(epilog=_EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-f",
    "--filename",
    "paths",
    multiple=True,
    required=True,
    metavar="FILE|DIR|-",
    help="Manifests in YAML or JSON: a file, a folder, or - for standard input. May be repeated.",
)
@click.option("-R", "--recursive", is_flag=True, help="Look into the folders below a folder too.")
@click.option(
    "-s",
    "--streams",
    multiple=True,
    metavar="FILE",
    help="Take image streams from what kubectl get imagestreams -o yaml wrote; no cluster is asked.",
)
@click.option("--server", metavar="URL", help="Ask this API server for image streams.")
@click.option("--token", envvar="IMAGESTREAMS_TOKEN", show_envvar=True, help="Bearer token for --server.")
@click.option("--certificate-authority", metavar="FILE", help="What the certificate of --server is checked against.")
@click.option("--kubeconfig", metavar="FILE", help="Ask the cluster of this kubeconfig.")
@click.option("--context", "context", metavar="NAME", help="Ask the cluster of this context; else of the current one.")
@click.option(
    "-n", "--namespace", metavar="NAME", help="Where objects go that name no namespace; else the context's or streams'."
)
@click.option(
    "--integrated-registry",
    default="",
    metavar="HOST[:PORT]",
    help="The registry whose repositories are image streams, as the server was told.",
)
@click.option("--diff", is_flag=True, help="Print a unified diff instead of the manifests.")
@click.option(
    "--explain", is_flag=True, help="Print for each image what was decided and why, instead of the manifests."
)
@click.option(
    "--require", is_flag=True, help="Fail with exit code 1, and print no manifests, if a short name stays unresolved."
)
@click.pass_context
def resolve(
    ctx: click.Context,
    paths: tuple[str, ...],
    recursive: bool,
    streams: tuple[str, ...],
    server: str | None,
    token: str | None,
    certificate_authority: str | None,
    kubeconfig: str | None,
    context: str | None,
    namespace: str | None,
    integrated_registry: str,
    diff: bool,
    explain: bool,
    require: bool,
) -> None:
    """Print manifests with their image names resolved, every other byte as it was.

    Short names (php:8.2) become what the cluster would run: the image of that tag of the image stream in the object's
    namespace, by digest. What is resolved is what admission resolves when the object is created. A value behind a YAML
    alias is rewritten at its anchor if all its uses agree, and left as it is otherwise.
    """
    if diff and explain:
        raise click.UsageError("--diff and --explain both print instead of the manifests; give one of them")
    _check_input(paths, streams)
    _check_source(ctx, bool(streams), bool(server))
    # Files first: what is wrong there needs no cluster to be seen.
    read = manifests.read_all(paths, recursive)
    if streams:
        source = stream_sources.from_files(streams, namespace)
    elif server:
        source = stream_sources.from_server(server, namespace, ca_file=certificate_authority, token=token)
    else:
        source = stream_sources.from_kubeconfig(kubeconfig, context, namespace)
    policy = Policy(integrated_registry)
    _print([resolution.resolve(one, source, policy) for one in read], diff=diff, explain=explain, require=require)


def _check_input(paths: tuple[str, ...], streams: tuple[str, ...]) -> None:
    if [*paths, *streams].count("-") > 1:
        raise click.UsageError("standard input (-) can be read once; give the other one as a file")


def _check_source(ctx: click.Context, from_file: bool, from_server: bool) -> None:
    """At most one place for streams, and no options that belong to another."""
    given = {name for name, value in ctx.params.items() if value and _on_command_line(ctx, name)}
    if from_file and from_server:
        raise click.UsageError("-s and --server both say where image streams are; give one of them")
    for name in ("kubeconfig", "context"):
        if name in given and (from_file or from_server):
            raise click.UsageError(f"--{name} says where image streams are, as -s and --server do; give one of them")
    for name in ("token", "certificate_authority"):
        if name in given and not from_server:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --server; a kubeconfig holds its own")


def _on_command_line(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def _print(resolutions: list[resolution.Resolution], *, diff: bool, explain: bool, require: bool) -> None:
    findings = [finding for one in resolutions for finding in one.findings]
    unresolved = [one for one in findings if one.unresolved]
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
