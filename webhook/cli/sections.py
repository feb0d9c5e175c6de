"""The options of a command in sections, so that `--help` reads as a page and not as a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

Sections = Mapping[str, tuple[str, ...]]
"""Titles in their order, each with the names of its parameters; the one without names has all that no other names."""


class Sectioned(click.Command):
    """A command whose help shows its options by section."""

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
