"""A registry on the command line: HOST[:PORT], as it stands before the first slash of an image's name."""

from __future__ import annotations

import click

from webhook.image.reference import InvalidReference, parse


class RegistryHost(click.ParamType[str]):
    """HOST[:PORT] of a registry; empty for none."""

    name = "host[:port]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text; a usage error if image names that begin with it would not be in that registry."""
        if value and not _is_host(value):
            self.fail(f"{value!r} is no registry; write it like registry.example.com:5000", param, ctx)
        return value


def _is_host(text: str) -> bool:
    try:
        return parse(f"{text}/namespace/name").registry == text
    except InvalidReference:
        return False
