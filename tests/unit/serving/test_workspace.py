"""The data folder: what is put into it, and when it is refused."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
import yaml

from webhook.serving import workspace
from webhook.serving.workspace import CannotServe
from webhook.settings import Settings
from webhook.tls.authority import LOOPBACK_NAME, Authority


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    return Settings(data=tmp_path / "data", port=9443)


def start(settings):
    """As a server does it; the administrator's token."""
    workspace.prepare(settings)
    workspace.check_certificate(settings)
    return workspace.administrator(settings)


def test_the_kubeconfig_is_complete_in_itself(settings):
    token = start(settings)
    config = yaml.safe_load(settings.kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    assert cluster["server"] == "https://127.0.0.1:9443"
    assert base64.b64decode(cluster["certificate-authority-data"]) == (settings.pki / "ca.crt").read_bytes()
    assert config["users"][0]["user"] == {"token": token}
    assert config["contexts"][0]["context"]["namespace"] == "default"
    assert config["current-context"] == config["contexts"][0]["name"]


@pytest.mark.parametrize(
    ("found", "namespace"),
    [
        pytest.param("contexts: [{context: {namespace: demo}}]", "demo", id="one that kubectl was told"),
        pytest.param("contexts: []", "default", id="no context"),
        pytest.param("]", "default", id="no YAML"),
        pytest.param("", "default", id="nothing"),
    ],
)
def test_the_kubeconfig_keeps_the_namespace_that_was_chosen(settings, found, namespace):
    start(settings)
    settings.kubeconfig.write_text(found)
    start(settings)
    config = yaml.safe_load(settings.kubeconfig.read_text())
    assert config["contexts"][0]["context"]["namespace"] == namespace


@pytest.mark.parametrize("name", ["admin.kubeconfig", "token", "pki/ca.key", "pki/server.key"])
def test_secrets_are_for_their_owner_only(settings, name):
    start(settings)
    assert stat.S_IMODE((settings.data / name).stat().st_mode) == 0o600


def test_a_new_folder_is_for_its_owner_only(settings):
    start(settings)
    assert stat.S_IMODE(settings.data.stat().st_mode) == 0o700


def test_a_second_start_keeps_token_and_certificates(settings):
    first = start(settings), (settings.pki / "server.crt").read_bytes()
    assert (start(settings), (settings.pki / "server.crt").read_bytes()) == first


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff\xfe"])
def test_a_token_that_cannot_be_one_is_made_again(settings, content):
    settings.data.mkdir()
    settings.token_file.write_bytes(content)
    assert len(start(settings)) >= 32


def test_the_metrics_of_the_last_server_are_forgotten(settings):
    settings.metrics.mkdir(parents=True)
    (settings.metrics / "counter_1.db").write_bytes(b"old")
    start(settings)
    assert list(settings.metrics.iterdir()) == []


def test_clients_of_a_given_certificate_still_trust_the_own_one(settings, tmp_path):
    given = Authority(tmp_path / "given")
    given.ensure(["images.example.com"])
    with_given = Settings(data=settings.data, tls_cert=given.server.certificate, tls_key=given.server.key)
    start(with_given)
    cluster = yaml.safe_load(with_given.kubeconfig.read_text())["clusters"][0]["cluster"]
    assert cluster["tls-server-name"] == LOOPBACK_NAME


@pytest.mark.parametrize("below", ["data", "data/deeper"])
def test_a_folder_that_cannot_be_made_is_refused_with_a_way_out(tmp_path, below):
    # Below a regular file nobody can make a folder, not even root.
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotServe, match=r"cannot write to the data folder .* choose another with --data"):
        workspace.make_writable(tmp_path / "file" / below)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotServe, match="cannot write to the data folder"):
        workspace.make_writable(tmp_path / "file")
