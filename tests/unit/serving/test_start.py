"""The start of a server: what cannot be had is refused before anything is forked or announced."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from webhook.serving import start as starting
from webhook.serving.workspace import CannotServe
from webhook.settings import Settings


def announced(_settings: Settings) -> None:
    raise AssertionError("a server that cannot work was announced")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(starting.os, "umask", lambda _mask: 0)
    return Settings(data=tmp_path / "data", port=0)


def test_a_taken_port_for_metrics_is_refused(settings):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = replace(settings, metrics_listen=other.getsockname())
        with pytest.raises(CannotServe, match=r"is taken; .* --metrics-listen 127\.0\.0\.1:"):
            starting.start(taken, announced)


def test_a_snapshot_that_could_never_be_written_is_refused(settings, tmp_path):
    (tmp_path / "file").touch()
    nowhere = replace(settings, snapshot=tmp_path / "file" / "view")
    with pytest.raises(CannotServe, match=f"the folder of the snapshot {tmp_path}/file .* another with --snapshot"):
        starting.start(nowhere, announced)
