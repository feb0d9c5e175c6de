"""The command `imagestreams resolve`, run in a folder of its own."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass

import pytest
import yaml

from tests.unit.cli.examples import a_list, put, stream
from webhook.cli.main import main


@dataclass
class Outcome:
    code: int
    out: bytes
    err: str


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with streams.yaml in it and no kubeconfig anywhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    put(tmp_path, "streams.yaml", yaml.safe_dump(a_list(stream())))
    return tmp_path


@pytest.fixture
def run(folder, capsysbinary, monkeypatch):
    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as caught:
            main(["resolve", *arguments])
        printed = capsysbinary.readouterr()
        return Outcome(caught.value.code, printed.out, printed.err.decode())

    return run


@pytest.fixture
def resolved(folder, run):
    """The text of a manifest with its images resolved from streams.yaml."""

    def resolved(text, *arguments):
        put(folder, "deploy.yaml", text)
        outcome = run("-f", "deploy.yaml", "-s", "streams.yaml", *arguments)
        assert (outcome.code, outcome.err) == (0, "")
        return outcome.out.decode()

    return resolved
