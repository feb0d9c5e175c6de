"""`imagestreams webhook`: options become settings and a connection, refusals become sentences."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from webhook.cli import webhook as command
from webhook.kube.connection import Connection, NoConfiguration
from webhook.serving.workspace import CannotServe
from webhook.settings import Settings

HERE = Connection("https://api.example.com:6443")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    seen: list[Settings] = []
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr(command, "start", lambda settings, _announce, _make: seen.append(settings))
    monkeypatch.setattr(command.connections, "from_kubeconfig", lambda _path, _context: HERE)
    return seen


def invoke(*options: str):
    return CliRunner().invoke(command.webhook, options)


def test_the_defaults_are_a_webhook_of_two_workers_that_drains(started):
    assert invoke().exit_code == 0
    (settings,) = started
    assert (settings.port, settings.workers, settings.threads, settings.drain) == (9443, 2, 16, 10)
    assert (settings.live_questions, settings.watch_images, settings.controllers) == (True, False, False)


def test_every_option_reaches_the_settings(started):
    options = (
        "--data d --listen [::1]:443 --metrics-listen :9090 --snapshot s --integrated-registry r:5000 --watch-images"
    )
    more = "--watch-list --no-live-questions --workers 1 --threads 8 --drain 0 --tls-cert c --tls-key k"
    assert invoke(*options.split(), *more.split()).exit_code == 0
    assert started == [
        Settings(
            data=Path("d"),
            host="::1",
            port=443,
            metrics_listen=("0.0.0.0", 9090),
            snapshot=Path("s"),
            integrated_registry="r:5000",
            watch_images=True,
            watch_list=True,
            live_questions=False,
            controllers=False,
            workers=1,
            threads=8,
            drain=0,
            tls_cert=Path("c"),
            tls_key=Path("k"),
        )
    ]


def test_strict_asks_nothing_and_notices_deleted_images(started):
    invoke("--strict")
    assert (started[0].live_questions, started[0].watch_images) == (False, True)


@pytest.mark.parametrize(
    "options",
    [
        ["--tls-cert", "c"],
        ["--certificate-secret", "images/tls"],
        ["--certificate-secret", "tls", "--webhook-configuration", "hook"],
        ["--certificate-secret", "a/b", "--webhook-configuration", "hook", "--tls-cert", "c", "--tls-key", "k"],
    ],
    ids=["half a pair", "no configuration", "no namespace", "two certificates"],
)
def test_certificates_that_make_no_sense_are_wrong_usage(started, options):
    assert invoke(*options).exit_code == 2
    assert started == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--webhook-configuration", "hook"], "--certificate-secret"),
        (["--listen", ":9443", "--metrics-listen", ":9443"], "a port of its own"),
        (["--integrated-registry", "https://registry.example.com"], "is no registry"),
    ],
    ids=["a configuration that nothing is put into", "one port for two things", "a URL"],
)
def test_options_that_would_do_nothing_are_wrong_usage(started, options, says):
    result = invoke(*options)
    assert (result.exit_code, says in result.output) == (2, True)
    assert started == []


def test_a_pod_uses_its_service_account_unless_told_otherwise(started, monkeypatch):
    used = []
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setattr(command.connections, "in_cluster", lambda: used.append("pod") or HERE)
    invoke()
    invoke("--kubeconfig", "k")
    assert used == ["pod"]


@pytest.mark.parametrize("problem", [NoConfiguration("no kubeconfig.\n"), FileNotFoundError("absent")], ids=str)
def test_without_an_api_server_it_says_what_to_give(started, monkeypatch, problem):
    def fail(_path: str | None, _context: str | None) -> Connection:
        raise problem

    monkeypatch.setattr(command.connections, "from_kubeconfig", fail)
    result = invoke()
    assert result.exit_code == 1
    assert "give --kubeconfig FILE" in result.output


def test_a_refusal_is_an_error_of_one_sentence(started, monkeypatch):
    def refuse(*_arguments: object) -> None:
        raise CannotServe("port 9443 on 127.0.0.1 is taken; choose another")

    monkeypatch.setattr(command, "start", refuse)
    result = invoke()
    assert result.exit_code == 1
    assert "is taken" in result.output


def test_the_start_says_where_it_is_and_what_has_to_trust_it(tmp_path, capsys):
    command.announce(Settings(data=tmp_path, port=9443))
    command.announce(Settings(data=tmp_path, port=9443, tls_cert=Path("c")))
    own, given = capsys.readouterr().out.splitlines()
    assert own.endswith(f"https://127.0.0.1:9443/admission/mutate; its authority is {tmp_path}/pki/ca.crt")
    assert given.endswith("/admission/mutate")
