import json
import os
from base64 import b64encode
from ipaddress import ip_address
from pathlib import Path

import pytest

from webhook.distribution import access
from webhook.distribution.access import Access
from webhook.image.reference import parse
from webhook.reloading import Unusable
from webhook.settings import Settings


def rewrite(path, text):
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)


def accounts(name):
    return {"quay.io": {"auth": b64encode(f"{name}:secret".encode()).decode()}}


def user(rules, image="quay.io/acme/app"):
    found = rules.keyring.find(parse(image))
    return found.username if found else None


def test_without_files_nothing_is_special():
    rules = Access(environ={}).rules()
    assert (rules.registries.blocked_registries, user(rules)) == ((), None)


@pytest.mark.parametrize("wrapped", [True, False], ids=["config.json", ".dockercfg"])
def test_the_servers_own_credentials_are_read_again_when_they_change(tmp_path, wrapped):
    path = tmp_path / "config.json"

    def text(name):
        return json.dumps({"auths": accounts(name)} if wrapped else accounts(name))

    path.write_text(text("first"))
    one = Access(credentials=path, environ={})
    assert user(one.rules()) == "first"
    rewrite(path, text("second"))
    assert user(one.rules()) == "second"


@pytest.mark.parametrize("text", ["hunter2", "[]", '{"auths": {"quay.io": {"auth": "hunter2"}}}', '{"auths": [1]}'])
def test_credentials_that_cannot_be_read_are_refused_and_not_shown(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(Unusable, match=r"config\.json is not a Docker configuration") as caught:
        Access(credentials=path, environ={})
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_configuration_with_other_things_and_no_credentials_has_none(tmp_path):
    path = tmp_path / "config.json"
    path.write_text('{"auths": {}, "credsStore": "desktop"}')
    assert user(Access(credentials=path, environ={}).rules()) is None


def test_the_file_of_registries_is_read_again_when_it_changes(tmp_path):
    path = tmp_path / "registries.yaml"
    path.write_text("blockedRegistries: [quay.io]")
    one = Access(registries=path, environ={})
    before = one.rules()
    rewrite(path, "blockedRegistries: [ghcr.io]")
    assert before.registries.blocked_registries == ("quay.io",)
    assert one.rules().registries.blocked_registries == ("ghcr.io",)


def test_authorities_are_read_again_when_they_change(tmp_path, authority):
    one = Access(certs=tmp_path, environ={})
    before = one.rules().outbound.trust
    assert one.rules().outbound.trust is before
    (tmp_path / "quay.io").mkdir()
    (tmp_path / "quay.io" / "ca.crt").write_bytes(authority.cert_pem.bytes())
    after = one.rules().outbound.trust
    assert len(after.context("quay.io", 443).get_ca_certs()) > len(before.context("quay.io", 443).get_ca_certs())


@pytest.mark.parametrize(
    ("host", "refused"),
    [
        ("127.0.0.1", ""),
        ("::1", ""),
        ("localhost", ""),
        ("0.0.0.0", "loopback"),
        ("::", "loopback"),
        ("10.0.0.1", "loopback"),
    ],
)
def test_a_server_on_loopback_imports_from_loopback(host, refused):
    egress = access.of(Settings(host=host)).rules().outbound.egress
    assert egress.refusal("localhost", ip_address("127.0.0.1")) == refused


def test_settings_name_the_files():
    with pytest.raises(Unusable, match=r"missing\.yaml cannot be read"):
        access.of(Settings(registries=Path("missing.yaml")))
