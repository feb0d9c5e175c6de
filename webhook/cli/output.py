"""Objects for programs: `-o json`, `-o yaml` and `-o name`, as kubectl prints them."""

from __future__ import annotations

import json
from typing import Final

import click
import yaml

from webhook.errors import Json

FORMATS: Final = ("json", "yaml", "name")


def show(obj: Json, form: str) -> None:
    """Print one object of the image API; several become a stream of YAML documents."""
    if form == "json":
        click.echo(json.dumps(obj, indent=4))
    elif form == "yaml":
        click.echo("---\n" + yaml.safe_dump(obj, allow_unicode=True, width=2**31), nl=False)
    else:
        group = str(obj["apiVersion"]).partition("/")[0]
        click.echo(f"{obj['kind'].lower()}.{group}/{obj['metadata']['name']}")
