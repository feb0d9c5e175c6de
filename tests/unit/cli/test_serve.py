"""`imagestreams serve`: options become settings, refusals become sentences."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from webhook.cli import serve as command
from webhook.serving.workspace import CannotServe
from webhook.settings import Settings


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    seen: list[Settings] = []
    monkeypatch.setattr(command, "start", lambda settings, _announce: seen.append(settings))
    return seen


def test_without_options_the_defaults_are_the_settings(started):
    CliRunner().invoke(command.serve, [])
    assert started == [Settings()]


def test_every_option_reaches_the_settings(started):
    options = "--data d --listen [::1]:9443 --no-controllers --integrated-registry r:5000 --public-registry p:5000"
    more = "--max-bulk-import -1 --import-mode PreserveOriginal --push-notifications --strict"
    last = "--tls-cert c --tls-key k --workers 1 --threads 8"
    imports = "--import-interval 1h30m --import-rate 5 --registry-rate 2.5 --registry-concurrency 3"
    CliRunner().invoke(command.serve, f"{options} {more} {imports} {last}".split())
    assert started == [
        Settings(
            data=Path("d"),
            host="::1",
            port=9443,
            strict=True,
            controllers=False,
            integrated_registry="r:5000",
            public_registry="p:5000",
            max_bulk_import=-1,
            import_mode="PreserveOriginal",
            push_notifications=True,
            import_interval=5400.0,
            import_rate=5.0,
            registry_rate=2.5,
            registry_concurrency=3,
            workers=1,
            threads=8,
            tls_cert=Path("c"),
            tls_key=Path("k"),
        )
    ]


@pytest.mark.parametrize(
    ("interval", "said"), [("14s", "14s is shorter than 15 s"), ("often", "'often' is no duration such as 90s")]
)
def test_an_interval_that_cannot_be_is_wrong_usage(started, interval, said):
    result = CliRunner().invoke(command.serve, ["--import-interval", interval])
    assert (result.exit_code, started) == (2, [])
    assert said in result.output


def test_a_refusal_is_an_error_of_one_sentence(monkeypatch):
    def refuse(*_arguments):
        raise CannotServe("port 8443 on 127.0.0.1 is taken; choose another")

    monkeypatch.setattr(command, "start", refuse)
    result = CliRunner().invoke(command.serve, [])
    assert result.exit_code == 1
    assert "port 8443 on 127.0.0.1 is taken" in result.output


@pytest.mark.parametrize(
    ("host", "server"),
    [("127.0.0.1", "https://127.0.0.1:8443"), ("0.0.0.0", "https://127.0.0.1:8443"), ("::", "https://[::1]:8443")],
)
def test_the_start_says_where_it_listens_and_what_kubectl_needs(host, server, tmp_path, capsys):
    command.announce(Settings(data=tmp_path / "my data", host=host))
    shown = capsys.readouterr().out
    assert f"on {server};" in shown
    assert f"export KUBECONFIG='{tmp_path}/my data/admin.kubeconfig'" in shown
    assert shown.count("\n") == 1
