"""Commands whose options stand in sections, so that `--help` reads as a page, and whose switches are kubectl's."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import click

Sections = Mapping[str, tuple[str, ...]]
"""Titles in their order, each with the names of its parameters; the one without names has all that no other names."""


class Sectioned(click.Command):
    """A command whose help shows its options by section, and whose switches may be given as `--insecure=true`."""

    def __init__(self, *arguments: Any, sections: Sections, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.sections = sections

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections that have options to show."""
        shown = {
            param.name: record
            for param in self.get_params(ctx)
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx))
        }
        named = {name for names in self.sections.values() for name in names}
        rest = tuple(name for name in shown if name not in named)
        for title, names in self.sections.items():
            records = [shown[name] for name in names or rest if name in shown]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; a switch with a value, as scripts for kubectl and oc write it, becomes one without."""
        end = args.index("--") if "--" in args else len(args)
        switches = {name: one for one in self.get_params(ctx) if _is_switch(one) for name in one.opts}
        plain = [part for one in args[:end] for part in _plain(one, switches)]
        return super().parse_args(ctx, [*plain, *args[end:]])


def _is_switch(param: click.Parameter) -> bool:
    return isinstance(param, click.Option) and param.is_flag and isinstance(param.type, click.types.BoolParamType)


def _plain(argument: str, switches: Mapping[str, click.Parameter]) -> list[str]:
    """The argument without its value: the switch, its opposite, or nothing where it has none."""
    name, given, value = argument.partition("=")
    if given and name in switches:
        with suppress(click.BadParameter):
            return [name] if click.BOOL.convert(value, None, None) else switches[name].secondary_opts[:1]
    return [argument]
