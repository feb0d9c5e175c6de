"""The command `imagestreams explain`: why each image of an object becomes what it becomes, or stays."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from webhook.admission.configuration import InvalidConfiguration
from webhook.admission.policy import Policy
from webhook.admission.policy_file import PolicyFile
from webhook.cli import cluster, explaining, inputs, stream_sources, tree
from webhook.cli.cluster import Access
from webhook.cli.sections import Sectioned
from webhook.cli.stream_sources import Source

_EXAMPLES = """
\b
Examples:
  imagestreams explain deployment/web                         # as it is stored, in the current namespace
  imagestreams explain pod/web cronjob/nightly -n shop
  imagestreams explain -f deploy.yaml                         # as it would be created now
  imagestreams explain -f deploy.yaml -s streams.yaml         # no cluster needed
"""


@click.command(cls=Sectioned, sections=cluster.SECTIONS, epilog=_EXAMPLES)
@click.argument("names", nargs=-1, metavar="[KIND/NAME]...")
@inputs.options(
    streams="Take image streams from what kubectl get imagestreams -o yaml wrote.",
    namespace="Where objects are, or go if they do not say.",
)
@cluster.options
@click.option(
    "--admission-config",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The configuration of admission, as the server was given it.",
)
@click.option(
    "-o", "--output", type=click.Choice(["tree", "json"]), default="tree", help="For people, or for programs."
)
@click.option("--strict", is_flag=True, help="As a server does that was started with --strict.")
def explain(
    names: tuple[str, ...],
    paths: tuple[str, ...],
    recursive: bool,
    streams: tuple[str, ...],
    namespace: str | None,
    integrated_registry: str,
    admission_config: Path | None,
    output: str,
    strict: bool,
    access: Access,
) -> None:
    """Say why each image of an object becomes what it becomes, or stays as it is written.

    Objects are judged as admission judges them when they are created now. Of an object that is stored already, the
    annotation image.openshift.io/resolved-images tells what its images were before, and which tags they came from.
    """
    if bool(names) == bool(paths):
        raise click.UsageError("give either objects as KIND/NAME, or files with -f")
    policy = _policy(admission_config, integrated_registry, strict)
    source = _source(streams, access, namespace)
    where = cluster.connect(access, namespace) if names or not streams else None
    judge = explaining.of_admission(policy, source, where)
    if where is not None and names:
        subjects = explaining.of_cluster(names, where, policy)
    else:
        subjects = explaining.of_files(paths, recursive, source.namespace, policy)
    stories = (explaining.tell(subject, judge) for subject in subjects)
    if output == "json":
        click.echo(msgspec.json.format(msgspec.json.encode([*stories]), indent=2))
        return
    for one in stories:
        click.echo(tree.drawn(one), nl=False)


def _policy(path: Path | None, integrated_registry: str, strict: bool) -> Policy:
    try:
        return PolicyFile(path, integrated_registry, strict=strict).current()
    except InvalidConfiguration as error:
        raise click.ClickException(f"{path} cannot be used as --admission-config: {error}") from None


def _source(streams: tuple[str, ...], access: Access, namespace: str | None) -> Source:
    if streams:
        return stream_sources.from_files(streams, namespace)
    return stream_sources.from_cluster(access, namespace)
