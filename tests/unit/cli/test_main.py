"""The command as a whole: help, and one sentence for every failure."""

from __future__ import annotations

import re
import subprocess
import sys

import click
import pytest

from webhook.cli import main as command
from webhook.cli.sections import Sectioned


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        command.main(list(arguments))
    return int(ended.value.code or 0)


def test_help_shows_examples_and_every_command(capsys):
    assert run("--help") == 0
    shown = capsys.readouterr().out
    listed = re.findall(r"^  ([a-z]+)  +[A-Z]", shown, re.MULTILINE)
    assert "imagestreams resolve -f k8s/ -s streams.yaml --diff" in shown
    assert "export KUBECONFIG=var/admin.kubeconfig" in shown
    assert sorted(listed) == command.imagestreams.list_commands(click.Context(command.imagestreams))


def test_without_a_command_the_help_is_shown_as_it_is(capsys):
    assert run() == 2
    shown = capsys.readouterr().err
    assert shown.startswith("Usage: imagestreams ")
    assert "(see imagestreams --help)" not in shown


def test_help_does_not_import_the_server():
    code = """
import sys, webhook.cli.main as command
try:
    command.main(["--help"])
except SystemExit:
    assert not {"gunicorn", "flask"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("module", ["import_image", "tag", "resolve"])
def test_a_command_for_clients_needs_nothing_of_the_server(module):
    code = f"""
import sys, webhook.cli.{module}
assert not {{"gunicorn", "flask", "kubernetes", "cryptography"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["sreve"], "No such command 'sreve'", id="a typing error"),
        pytest.param(["serve", "--listen", "localhost:https"], "no port between 0 and 65535", id="a bad address"),
        pytest.param(["serve", "--max-bulk-import", "many"], "is not a valid integer", id="a bad number"),
        pytest.param(["serve", "--import-mode", "Fast"], "'Legacy', 'PreserveOriginal'", id="a bad mode"),
        pytest.param(["serve", "--integrated-registry", "acme/php"], "is no registry; write it like", id="no registry"),
        pytest.param(["serve", "--tls-cert", "a.crt"], "--tls-cert and --tls-key belong together", id="half a pair"),
    ],
)
def test_wrong_usage_exits_2_with_one_sentence(arguments, says, capsys):
    assert run(*arguments) == 2
    shown = capsys.readouterr().err
    assert says in shown
    assert "--help" in shown
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (click.ClickException("the port is taken; choose another"), 1, "the port is taken; choose another"),
        (PermissionError(13, "Permission denied", "streams.yaml"), 1, "streams.yaml: permission denied"),
        (ZeroDivisionError("division by zero"), 1, "IMAGESTREAMS_DEBUG=1"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_a_failure_is_one_sentence(error, code, says, monkeypatch, capsys):
    def fail(*_arguments, **_options):
        raise error

    failing = click.Command("serve", callback=fail)
    monkeypatch.setattr(command.LazyGroup, "get_command", lambda *_: failing)
    monkeypatch.delenv("IMAGESTREAMS_DEBUG", raising=False)
    assert run("serve") == code
    shown = capsys.readouterr().err
    assert says in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("name", ["explain", "import", "resolve", "serve", "tag", "webhook"])
def test_the_help_of_a_command_shows_every_option_once(name, capsys):
    assert run(name, "--help") == 0
    shown = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", capsys.readouterr().out, re.MULTILINE)
    offered = command.imagestreams.get_command(click.Context(command.imagestreams), name)
    assert offered is not None
    wanted = [one.opts[-1] for one in offered.params if isinstance(one, click.Option) and not one.hidden]
    assert sorted(shown) == sorted([*wanted, "--help"])


def test_every_section_names_options_that_there_are():
    for name in ("serve", "webhook", "import", "tag", "explain", "resolve"):
        offered = command.imagestreams.get_command(click.Context(command.imagestreams), name)
        assert isinstance(offered, Sectioned)
        named = [one for names in offered.sections.values() for one in names]
        assert set(named) <= {one.name for one in offered.params}
        assert len(named) == len(set(named))


def test_the_version_is_printed(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out.startswith("imagestreams ")
