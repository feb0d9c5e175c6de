"""What a command reads that judges manifests: their files, and where the names in them are looked up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from webhook.cli.hosts import RegistryHost

Command = Callable[..., Any]


def options(*, streams: str, namespace: str) -> Callable[[Command], Command]:
    """The options of both on a command: `paths`, `recursive`, `streams`, `namespace` and `integrated_registry`.

    What streams and the namespace are for differs: `streams` and `namespace` are what the help says of `-s` and `-n`.
    """
    given = (
        click.option(
            "-f",
            "--filename",
            "paths",
            multiple=True,
            metavar="FILE|DIR|-",
            help="Manifests in YAML or JSON: a file, a folder, or - for standard input. May be repeated.",
        ),
        click.option("-R", "--recursive", is_flag=True, help="Look into the folders below a folder too."),
        click.option("-s", "--streams", multiple=True, metavar="FILE", help=streams),
        click.option("-n", "--namespace", metavar="NAME", help=namespace),
        click.option(
            "--integrated-registry",
            type=RegistryHost(),
            default="",
            metavar="HOST[:PORT]",
            help="The registry whose repositories are image streams, as the server was told.",
        ),
    )

    def with_inputs(command: Command) -> Command:
        for option in reversed(given):
            command = option(command)
        return command

    return with_inputs
