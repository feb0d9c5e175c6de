import os
import ssl
import time

import pytest
import trustme

from tests.unit.distribution.fixtures import running
from webhook.distribution import trust
from webhook.distribution.connections import Outbound
from webhook.distribution.failures import Unreachable
from webhook.distribution.transport import Transport
from webhook.reloading import Unusable


@pytest.fixture
def certs(tmp_path):
    folder = tmp_path / "certs.d"
    folder.mkdir()
    return folder


def folder_of(certs, registry, **contents):
    """`ca_crt=b"..."` is the file ca.crt."""
    folder = certs / registry
    folder.mkdir()
    for name, content in contents.items():
        (folder / name.replace("_", ".")).write_bytes(content)
    return folder


def status(registry, found, *, insecure=False):
    transport = Transport(time.monotonic() + 5, outbound=Outbound(trust=found))
    try:
        return transport.get(f"{registry.url}/v2/", limit=1000, insecure=insecure).status
    finally:
        transport.close()


def refused(registry, found):
    with pytest.raises(Unreachable) as caught:
        status(registry, found)
    return str(caught.value)


def test_the_authorities_in_a_registrys_folder_are_trusted_for_it(secure, authority, certs):
    folder_of(certs, secure.host, ca_crt=authority.cert_pem.bytes())
    assert status(secure, trust.load(certs, None)) == 200


def test_the_authorities_of_another_registry_are_not(secure, authority, certs):
    folder_of(certs, "quay.io", ca_crt=authority.cert_pem.bytes())
    assert "failed to verify certificate" in refused(secure, trust.load(certs, None))


def test_more_authorities_are_trusted_for_all(secure, authority, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "company.pem").write_bytes(authority.cert_pem.bytes())
    for path in (tmp_path / "folder", tmp_path / "folder" / "company.pem"):
        assert status(secure, trust.load(None, path)) == 200


def test_a_folder_of_its_own_does_not_take_the_other_authorities_away(secure, authority, certs, tmp_path):
    (tmp_path / "company.pem").write_bytes(authority.cert_pem.bytes())
    folder_of(certs, secure.host, ca_crt=trustme.CA().cert_pem.bytes())
    assert status(secure, trust.load(certs, tmp_path / "company.pem")) == 200


@pytest.fixture
def wary(authority):
    """A registry that wants to see a client's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with running(context) as one:
        yield one


@pytest.mark.parametrize("insecure", [False, True])
def test_the_certificate_in_a_registrys_folder_is_shown_to_it(wary, authority, certs, insecure):
    pair = authority.issue_cert("imagestreams.example.com")
    folder_of(
        certs,
        wary.host,
        ca_crt=authority.cert_pem.bytes(),
        client_cert=pair.cert_chain_pems[0].bytes(),
        client_key=pair.private_key_pem.bytes(),
    )
    assert status(wary, trust.load(certs, None), insecure=insecure) == 200


def test_without_a_certificate_such_a_registry_is_not_reached(wary, authority, certs):
    folder_of(certs, wary.host, ca_crt=authority.cert_pem.bytes())
    assert refused(wary, trust.load(certs, None)).startswith("Get ")


@pytest.mark.parametrize(
    ("names", "host", "port", "chosen"),
    [
        pytest.param(["quay.io"], "quay.io", 443, "quay.io", id="the host"),
        pytest.param(["quay.io"], "quay.io", 8443, "", id="a folder without a port is for 443"),
        pytest.param(["quay.io", "quay.io:443"], "quay.io", 443, "quay.io:443", id="host and port first"),
        pytest.param(["quay.io:8443"], "quay.io", 8443, "quay.io:8443", id="host and port"),
        pytest.param(["docker.io"], "registry-1.docker.io", 443, "docker.io", id="Docker Hub by the name that is used"),
        pytest.param(["[::1]:5000"], "::1", 5000, "[::1]:5000", id="IPv6"),
    ],
)
def test_the_folder_of_a_host(names, host, port, chosen):
    authorities = {name: trustme.CA() for name in names}
    folders = {name: trust.Folder(ca.cert_pem.bytes().decode()) for name, ca in authorities.items()}
    context = trust.Trust(folders).context(host, port)
    system = trust.Trust().context(host, port)
    own = [one for one in context.get_ca_certs(True) if one not in system.get_ca_certs(True)]
    wanted = [ssl.PEM_cert_to_DER_cert(folders[chosen].authorities)] if chosen else []
    assert own == wanted


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        pytest.param({"ca_crt": b"hunter2"}, "ca.crt holds no certificates in PEM", id="no certificate"),
        pytest.param({"ca_crt": b"\xff\xfe"}, "ca.crt holds no certificates in PEM", id="no text"),
        pytest.param({"client_cert": b"x"}, "client.cert has no key beside it; put client.key there", id="no key"),
        pytest.param({"client_key": b"x"}, "client.key has no certificate beside it", id="no certificate for a key"),
        pytest.param(
            {"client_cert": b"hunter2", "client_key": b"hunter2"},
            "are not a certificate and its key in PEM without password",
            id="no pair",
        ),
    ],
)
def test_what_cannot_be_used_is_named_and_not_shown(certs, contents, sentence):
    folder_of(certs, "quay.io", **contents)
    with pytest.raises(Unusable) as caught:
        trust.load(certs, None)
    assert sentence in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(Unusable, match=r"nowhere cannot be read \(no such file or directory\)"):
        trust.load(tmp_path / "nowhere", None)


def test_other_files_and_what_kubernetes_mounts_beside_them_are_left_alone(certs, authority):
    folder = folder_of(certs, "quay.io", README_txt=b"hello")
    (certs / "..data").mkdir()
    (certs / "..data" / "x.crt").write_bytes(b"not looked at")
    os.symlink("nowhere", folder / "dangling.crt")
    assert trust.load(certs, None).context("quay.io", 443).verify_mode == ssl.CERT_REQUIRED
