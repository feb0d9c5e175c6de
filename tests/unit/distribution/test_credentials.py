import base64
import json

import pytest

from webhook.distribution.credentials import EXCLUDED, Credential, Keyring
from webhook.distribution.failures import CorruptSecret
from webhook.image.reference import parse


def secret(content, kind="dockerconfigjson", **annotations):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return {
        "type": f"kubernetes.io/{kind}",
        "metadata": {"name": "pull", "annotations": annotations},
        "data": {f".{kind}": base64.b64encode(raw).decode()},
    }


def account(name):
    return {"username": name, "password": f"{name}-password"}


def found(keyring, image):
    credential = keyring.find(parse(image))
    return credential.username if credential else None


@pytest.mark.parametrize(
    ("keys", "image", "wanted"),
    [
        pytest.param(["quay.io"], "quay.io/acme/app:1", "quay.io", id="the host"),
        pytest.param(["quay.io"], "ghcr.io/acme/app:1", None, id="another host"),
        pytest.param(["quay.io", "quay.io/acme"], "quay.io/acme/app", "quay.io/acme", id="the longer key"),
        pytest.param(["quay.io", "quay.io/acme"], "quay.io/other/app", "quay.io", id="a path that does not fit"),
        pytest.param(["quay.io/ac"], "quay.io/acme/app", "quay.io/ac", id="a path is a plain prefix"),
        pytest.param(
            ["https://quay.io/v2/"], "quay.io/acme/app", "https://quay.io/v2/", id="scheme and version do not count"
        ),
        pytest.param(["http://quay.io/v1"], "quay.io/acme/app", "http://quay.io/v1", id="version without a slash"),
        pytest.param(["quay.io/v2/acme"], "quay.io/acme/app", "quay.io/v2/acme", id="version before a path"),
        pytest.param(["*.example.com"], "eu.example.com/app", "*.example.com", id="a wildcard for a label"),
        pytest.param(["*.example.com"], "a.eu.example.com/app", None, id="a wildcard is one label"),
        pytest.param(["10.0.0.1:5000"], "10.0.0.1:5000/app", "10.0.0.1:5000", id="host and port"),
        pytest.param(["10.0.0.1"], "10.0.0.1:5000/app", None, id="a port must be named"),
        pytest.param(
            ["https://index.docker.io/v1/"], "busybox", "https://index.docker.io/v1/", id="Docker Hub by its old key"
        ),
        pytest.param(["index.docker.io"], "docker.io/library/php:8.2", "index.docker.io", id="Docker Hub by name"),
        pytest.param(["docker.io", "index.docker.io"], "php", "docker.io", id="Docker Hub's own name comes first"),
        pytest.param(["docker.io/library"], "php:8.2", "docker.io/library", id="defaults are filled in before"),
        pytest.param(
            ["quay.io/acme", "quay.io/acme/app"], "quay.io/acme/app:1", "quay.io/acme/app", id="the whole repository"
        ),
        pytest.param(["quay.io/acme/app:1"], "quay.io/acme/app:1", "quay.io/acme/app:1", id="even the tag"),
        pytest.param(["quay.io/acme/app:2"], "quay.io/acme/app:1", None, id="another tag"),
        pytest.param(["*.io", "quay.io"], "quay.io/acme/app", "quay.io", id="a host before a wildcard"),
        pytest.param(["*.io/acme", "quay.io"], "quay.io/acme/app", "quay.io", id="even where that has the longer path"),
        pytest.param(["qua*"], "quay.io/acme/app", None, id="a wildcard does not span a dot"),
        pytest.param(["*.*.example.com"], "a.eu.example.com/app", "*.*.example.com", id="a wildcard for each label"),
        pytest.param(["*.example.com:5000"], "eu.example.com/app", None, id="a port that the image does not name"),
        pytest.param(["10.0.0.1:*"], "10.0.0.1:5000/app", None, id="no wildcards in ports"),
        pytest.param(["https://quay.io"], "quay.io:443/app", None, id="443 is not the same as no port"),
        pytest.param(["index.docker.io"], "quay.io/acme/app", None, id="Docker Hub's key is for Docker Hub"),
        pytest.param(["http://["], "php:8.2", None, id="a key that is no address"),
    ],
)
def test_the_most_specific_key_gives_the_credential(keys, image, wanted):
    assert found(Keyring.from_secrets([secret({"auths": {key: account(key) for key in keys}})]), image) == wanted


def test_both_kinds_of_pull_secrets_are_read():
    old = secret({"quay.io": account("old")}, "dockercfg")
    new = secret({"auths": {"ghcr.io": {"auth": base64.b64encode(b"new:pass:word").decode()}}})
    keyring = Keyring.from_secrets([old, new])
    assert found(keyring, "quay.io/a/b") == "old"
    assert keyring.find(parse("ghcr.io/a/b")) == Credential("new", "pass:word")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("bmV3OnBzPz8+Pj4=", id="standard"),
        pytest.param("bmV3OnBzPz8+Pj4", id="without padding"),
        pytest.param("bmV3OnBzPz8-Pj4", id="of the URL alphabet"),
        pytest.param("bmV3OnBz\nPz8+Pj4=\n", id="on two lines"),
    ],
)
def test_accounts_are_read_in_every_form_of_base64(text):
    keyring = Keyring.from_secrets([secret({"auths": {"ghcr.io": {"auth": text}}})])
    assert keyring.find(parse("ghcr.io/a/b")) == Credential("new", "ps??>>>")


def test_of_two_secrets_for_a_registry_the_first_is_used():
    keyring = Keyring.from_secrets([secret({"auths": {"quay.io": account(name)}}) for name in ("one", "two")])
    assert found(keyring, "quay.io/a/b") == "one"


def test_an_account_without_a_password_hides_the_less_specific_ones():
    auths = {"quay.io": account("all"), "quay.io/acme": {"auth": base64.b64encode(b":").decode()}}
    assert Keyring.from_secrets([secret({"auths": auths})]).find(parse("quay.io/acme/app")) is None


@pytest.mark.parametrize(
    "ignored",
    [
        secret({"auths": {"quay.io": account("x")}}, **{EXCLUDED: "true"}),
        {**secret({"auths": {"quay.io": account("x")}}), "type": "Opaque"},
        {"type": "kubernetes.io/dockercfg", "metadata": {}, "data": {}},
        secret({"auths": {"quay.io": {}}}),
        secret({"auths": {"quay.io": None}}),
        secret({}),
        secret(None),
    ],
    ids=["excluded", "another type", "no data", "no account", "a null account", "no accounts", "null"],
)
def test_other_secrets_are_not_used(ignored):
    assert Keyring.from_secrets([ignored]).find(parse("quay.io/a/b")) is None


@pytest.mark.parametrize(
    "content",
    [
        b"hunter2",
        b'["hunter2"]',
        {"auths": {"quay.io": {"auth": "%%%hunter2"}}},
        {"auths": {"quay.io": {"auth": base64.b64encode(b"hunter2").decode()}}},
        {"auths": {"quay.io": {"username": 7, "password": "hunter2"}}},
        {"auths": {"quay.io": "hunter2"}},
        {"auths": ["hunter2"]},
    ],
)
def test_a_corrupt_secret_is_named_and_not_shown(content):
    with pytest.raises(CorruptSecret, match='the pull secret "pull" cannot be decoded') as caught:
        Keyring.from_secrets([secret(content)])
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
