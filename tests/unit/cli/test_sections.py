"""Switches as scripts for kubectl and oc give them."""

import click
import pytest
from click.testing import CliRunner

from webhook.cli.sections import Sectioned


@click.command(cls=Sectioned, sections={"Options": ()})
@click.argument("names", nargs=-1)
@click.option("--confirm", is_flag=True)
@click.option("--insecure/--no-insecure", default=None)
@click.option("--source", default="")
def command(**given):
    click.echo(" ".join(f"{name}={value}" for name, value in sorted(given.items())))


@pytest.mark.parametrize(
    ("arguments", "confirm", "insecure", "names"),
    [
        pytest.param(["--confirm", "--insecure"], True, True, (), id="without values"),
        pytest.param(["--confirm=true", "--insecure=1", "a"], True, True, ("a",), id="true"),
        pytest.param(["a", "--confirm=false", "--insecure=false"], False, False, ("a",), id="false"),
        pytest.param(["--", "--confirm=true"], False, None, ("--confirm=true",), id="after the end of options"),
    ],
)
def test_a_switch_takes_a_truth(arguments, confirm, insecure, names):
    printed = CliRunner().invoke(command, arguments, standalone_mode=False).output
    assert printed == f"confirm={confirm} insecure={insecure} names={names} source=\n"


@pytest.mark.parametrize("argument", ["--confirm=maybe", "--no-insecure=true", "--other=true"])
def test_what_is_no_truth_or_no_switch_is_wrong_usage(argument):
    assert CliRunner().invoke(command, [argument]).exit_code == 2


def test_an_option_keeps_its_value():
    assert "source=true" in CliRunner().invoke(command, ["--source=true"]).output
