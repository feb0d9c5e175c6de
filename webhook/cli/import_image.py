"""The command `imagestreams import`: tags of an image stream imported now, as `oc import-image` does it."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import click

from webhook.cli import cluster, import_report, import_request, import_result
from webhook.cli.cluster import Access, Cluster
from webhook.cli.import_request import CannotImport, Plan, Wanted
from webhook.cli.import_result import Result
from webhook.cli.output import FORMATS, show
from webhook.cli.progress import Progress
from webhook.cli.sections import Sectioned
from webhook.errors import Conflict, Json, NotFound, TooManyRequests

_EXAMPLES = """
\b
Examples:
  imagestreams import php --from quay.io/acme/php:8.2 --confirm    # a new stream with the tag latest
  imagestreams import php                                          # look at the source of php:latest again
  imagestreams import php:8.2 --from quay.io/acme/php:8.2 --scheduled
  imagestreams import php --all                                    # every tag of the stream
  imagestreams import php --all --from quay.io/acme/php --confirm  # every tag of the repository
"""
_POLICIES: Final = {"source": "Source", "local": "Local"}
# So many tags in one request: few enough for progress to be seen, enough for the server to fetch side by side.
_GROUP: Final = 5
_ATTEMPTS: Final = 5
# The server answers within 50 seconds (image-api 5).
_IMPORT_SECONDS: Final = 60.0


@click.command("import", cls=Sectioned, sections=cluster.SECTIONS, epilog=_EXAMPLES)
@click.argument("target", metavar="STREAM[:TAG]")
@click.option("--from", "source", default="", metavar="IMAGE", help="Import from here; else from where the tag says.")
@click.option("--confirm", is_flag=True, help="Create the stream, or change the repository that it imports.")
@click.option("--all", "every", is_flag=True, help="All tags of the stream, or with --from of the repository.")
@click.option("--scheduled/--no-scheduled", default=None, help="Look at the registry again and again.")
@click.option("--insecure/--no-insecure", default=None, help="Accept any certificate of the registry, and plain HTTP.")
@click.option(
    "--reference-policy",
    type=click.Choice(list(_POLICIES), case_sensitive=False),
    help="Pull from where the image is (source), or through the integrated registry (local).",
)
@click.option(
    "--import-mode",
    type=click.Choice(["Legacy", "PreserveOriginal"]),
    help="Of a manifest list: the image of one platform (Legacy), or the whole list.",
)
@click.option("--dry-run", is_flag=True, help="Fetch, and change nothing.")
@click.option("-n", "--namespace", metavar="NAME", help="Where the stream lies; else the context's namespace.")
@click.option("-o", "--output", "form", type=click.Choice(FORMATS), help="Print the stream instead of a table.")
@cluster.options
def import_image(
    target: str,
    source: str,
    confirm: bool,
    every: bool,
    dry_run: bool,
    reference_policy: str | None,
    namespace: str | None,
    form: str | None,
    access: Access,
    **policy: Any,
) -> None:
    """Import images from a registry into an image stream, now.

    The server fetches what the registry says of each tag, not the layers. A policy that is not given stays as the tag
    has it. Fails with exit code 1 if a tag could not be imported.
    """
    where = cluster.connect(access, namespace)
    try:
        stream, tag = import_request.target(target, every)
        wanted = Wanted(
            stream,
            tag,
            target,
            source,
            every,
            confirm,
            reference_policy=_POLICIES[reference_policy] if reference_policy else None,
            **policy,
        )
        before = _stream(where, stream)
        plan = import_request.plan(wanted, before)
    except CannotImport as error:
        raise click.ClickException(str(error)) from None
    answers, found = _run(where, plan, before, dry_run)
    _print(answers[-1], found, form, dry_run)
    import_report.tell_more(answers[-1], found, where, stream)
    if failed := [one for one in found if one.failed]:
        raise click.ClickException(import_report.complaint(failed, len(found), where, stream))


def _stream(where: Cluster, name: str) -> Json | None:
    with where.asking() as client:
        try:
            return client.get(cluster.path(where.namespace, "imagestreams", name))
        except NotFound as error:
            if not cluster.names_an_object(error):
                raise click.ClickException(cluster.absent(error, where, f"image stream {name}")) from None
            return None


def _run(where: Cluster, plan: Plan, before: Json | None, dry_run: bool) -> tuple[list[Json], list[Result]]:
    """The answers of the server and the results of all tags; one request after the other, each news for the display."""
    answers: list[Json] = []
    found: list[Result] = []
    version = _version(before)
    parts = list(import_request.groups(plan, len(plan.images) if dry_run else _GROUP))

    def line(seconds: float) -> str:
        return import_report.progress(plan, found, seconds)

    with Progress(sys.stderr, line, terminal=sys.stderr.isatty()) as progress:
        for part in parts:
            answer = _post(where, part, version, store=not dry_run)
            version = _version((answer.get("status") or {}).get("import")) or version
            answers.append(answer)
            new = import_result.results(answer, before)
            found += new
            # A single request is followed by the table at once.
            for one in new if len(parts) > 1 else ():
                progress.step(import_report.step(plan.stream, one, dry_run))
    return answers, found


def _post(where: Cluster, part: Plan, version: str, *, store: bool) -> Json:
    """The answered import; a stream that changed meanwhile or a busy server are no reason to give up."""
    path = cluster.path(where.namespace, "imagestreamimports")
    for attempt in range(_ATTEMPTS):
        request = import_request.request(part, where.namespace, version, store=store)
        try:
            with where.asking() as client:
                return client.create(path, request, read_timeout=_IMPORT_SECONDS)
        except Conflict:
            if attempt == _ATTEMPTS - 1:
                raise
            version = _version(_stream(where, part.stream))
        except TooManyRequests as busy:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(int((busy.details or {}).get("retryAfterSeconds") or 0))
    raise AssertionError("the last attempt returns or raises")


def _version(stream: Json | None) -> str:
    return str(((stream or {}).get("metadata") or {}).get("resourceVersion") or "")


def _print(answer: Json, found: Sequence[Result], form: str | None, dry_run: bool) -> None:
    stored = (answer.get("status") or {}).get("import")
    if form is None:
        click.echo(import_result.table(found, datetime.now(UTC), dry_run=dry_run), nl=False)
    elif stored is None:
        show(answer, form)
    else:
        show({"kind": "ImageStream", "apiVersion": "image.openshift.io/v1", **stored}, form)
