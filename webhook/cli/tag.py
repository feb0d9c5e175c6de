"""The command `imagestreams tag`: tags of image streams made, moved and deleted, as `oc tag` does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import click

from webhook.cli import cluster, tag_request
from webhook.cli.cluster import Access, Cluster
from webhook.cli.output import FORMATS, show
from webhook.cli.sections import Sectioned
from webhook.cli.tag_request import CannotTag, Destination, Flags, Source
from webhook.errors import Conflict, Forbidden, Json, MethodNotAllowed, NotFound, StatusError

_EXAMPLES = """
\b
Examples:
  imagestreams tag quay.io/acme/php:8.2 php:8.2 --scheduled   # a container image, followed from now on
  imagestreams tag php:8.2 php:prod                           # what php:8.2 is now
  imagestreams tag php:8.2 php:stable --alias                 # whatever php:8.2 will be
  imagestreams tag openshift/ruby@sha256:6b64… shop/ruby:tip  # one image
  imagestreams tag php:8.1 -d                                 # delete a tag
"""
_ATTEMPTS: Final = 5
_POLICIES: Final = {"source": "Source", "local": "Local"}
T = TypeVar("T")


@click.command(cls=Sectioned, sections=cluster.SECTIONS, epilog=_EXAMPLES)
@click.argument("arguments", nargs=-1, required=True, metavar="SOURCE DEST...")
@click.option(
    "--source",
    "kind",
    type=click.Choice(list(tag_request.KINDS), case_sensitive=False),
    help="What SOURCE is; else a registry in it makes it a container image, @ an image and : a tag of a stream.",
)
@click.option("-d", "--delete", is_flag=True, help="Delete these tags; then there is no SOURCE.")
@click.option("--alias", is_flag=True, help="Follow SOURCE, a tag of the same image stream, from now on.")
@click.option("--reference", is_flag=True, help="Only point at SOURCE: nothing is imported, nothing is looked up.")
@click.option("--scheduled", is_flag=True, help="Look at the registry again and again.")
@click.option("--insecure", is_flag=True, help="Accept any certificate of the registry, and plain HTTP.")
@click.option(
    "--reference-policy",
    type=click.Choice(list(_POLICIES), case_sensitive=False),
    default="source",
    help="Pull from where the image is (source), or through the integrated registry (local).",
)
@click.option(
    "--import-mode",
    type=click.Choice(["Legacy", "PreserveOriginal"]),
    help="Of a manifest list: the image of one platform (Legacy), or the whole list.",
)
@click.option("-n", "--namespace", metavar="NAME", help="Where names without a namespace lie; else the context's.")
@click.option("-o", "--output", "form", type=click.Choice(FORMATS), help="Print the tags instead of a sentence.")
@cluster.options
def tag(
    arguments: tuple[str, ...],
    kind: str | None,
    delete: bool,
    alias: bool,
    reference: bool,
    scheduled: bool,
    insecure: bool,
    reference_policy: str,
    import_mode: str | None,
    namespace: str | None,
    form: str | None,
    access: Access,
) -> None:
    """Tag an image of an image stream, or of a registry, into one or more image streams.

    SOURCE is a tag (php:8.2) or an image (php@sha256:…) of a stream, or a container image (quay.io/acme/php:8.2). Each
    DEST is [NAMESPACE/]STREAM:TAG; a stream that does not exist is made.
    """
    flags = Flags(alias, reference, scheduled, insecure, _POLICIES[reference_policy], import_mode or "Legacy")
    if delete:
        _check_deletion(kind, flags, import_mode)
    elif len(arguments) < 2:
        raise click.UsageError("give a SOURCE and at least one DEST, or -d with the tags to delete")
    where = cluster.connect(access, namespace)
    try:
        if delete:
            _delete(where, [tag_request.destination(one, where.namespace, new=False) for one in arguments])
        else:
            _tag(where, arguments[0], kind, arguments[1:], flags, form)
    except CannotTag as error:
        raise click.UsageError(str(error)) from None


def _check_deletion(kind: str | None, flags: Flags, import_mode: str | None) -> None:
    if flags.alias:
        raise click.UsageError("--alias and --delete exclude each other")
    if kind or flags.scheduled or flags.insecure or flags.reference or import_mode:
        raise click.UsageError("--delete takes nothing but the tags to delete")


def _delete(where: Cluster, destinations: list[Destination]) -> None:
    for one in destinations:
        with where.asking() as client:
            client.delete(cluster.path(one.namespace, "imagestreamtags", one.name))
        click.echo(f"Deleted tag {one.namespace}/{one.name}.")


def _tag(
    where: Cluster, text: str, kind: str | None, destinations: tuple[str, ...], flags: Flags, form: str | None
) -> None:
    source = tag_request.source(text, kind, where.namespace)
    targets = [tag_request.destination(one, where.namespace) for one in destinations]
    tag_request.check(source, targets, flags)
    shown = source.reference.exact()
    if source.kind == tag_request.STREAM_TAG and not flags.alias:
        source = _pinned(where, source)
        shown = source.reference.exact()
    for one in targets:
        result = _put(where, one, tag_request.body(source, one, flags))
        if form:
            show(result, form)
        else:
            click.echo(_sentence(one.shown(where.namespace), shown, flags))
    if source.kind == tag_request.DOCKER_IMAGE and not (form or flags.reference):
        first = targets[0]
        click.echo(
            f"next: kubectl get imagestreamtag {first.name} -n {first.namespace}  # once it is imported", err=True
        )


def _pinned(where: Cluster, source: Source) -> Source:
    stream = _stream(where, source)
    try:
        return tag_request.pinned(source, stream)
    except CannotTag as error:
        # The command is well-formed: it is the stream that does not allow it.
        raise click.ClickException(str(error)) from None


def _stream(where: Cluster, source: Source) -> Json:
    name, namespace = source.reference.name, source.reference.namespace
    try:
        with where.asking() as client:
            return client.get(cluster.path(namespace, "imagestreams", name))
    except NotFound as error:
        raise click.ClickException(cluster.absent(error, where, f"image stream {namespace}/{name}")) from None


def _put(where: Cluster, to: Destination, body: Json) -> Json:
    """Replace the tag, or make it where there is none or where it may only be made (image-api 9)."""
    with where.asking() as client:
        one = cluster.path(to.namespace, "imagestreamtags", to.name)
        every = cluster.path(to.namespace, "imagestreamtags")
        try:
            return _persistent(lambda: client.update(one, body))
        except (NotFound, MethodNotAllowed, Forbidden) as refused:
            try:
                return _persistent(lambda: client.create(every, body))
            except StatusError as error:
                # That it exists says less than why it could not be changed.
                raise (refused if error.code == Conflict.code else error) from None


def _persistent(write: Callable[[], T]) -> T:
    """The result of a write that names no version: a conflict only means that somebody was faster."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return write()
        except Conflict:
            continue
    return write()


def _sentence(tag: str, source: str, flags: Flags) -> str:
    if flags.alias:
        return f"Tag {tag} set up to track {source}."
    return f"Tag {tag} set to import {source} periodically." if flags.scheduled else f"Tag {tag} set to {source}."
