"""The server's own authority: what it makes, keeps and renews."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509

from webhook.tls.authority import LOOPBACK_NAME, Authority, expiry, hosts_of

HOSTS = ["localhost", "127.0.0.1"]
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    authority = Authority(tmp_path / "pki")
    assert authority.ensure(HOSTS, NOW)
    return authority


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_the_server_certificate_is_issued_by_the_authority(authority):
    load(authority.server.certificate).verify_directly_issued_by(load(authority.certificate))


def test_the_server_certificate_names_every_host(authority):
    names = load(authority.server.certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1")]


@pytest.mark.parametrize("name", ["ca.key", "server.key"])
def test_keys_are_for_their_owner_only(authority, name):
    assert stat.S_IMODE((authority.certificate.parent / name).stat().st_mode) == 0o600


def test_a_second_start_changes_nothing(authority):
    before = authority.server.certificate.read_bytes()
    assert not authority.ensure(HOSTS, NOW + timedelta(days=300))
    assert authority.server.certificate.read_bytes() == before


@pytest.mark.parametrize("days", [336, 365, 400])
def test_a_certificate_near_or_past_its_end_is_renewed_by_the_same_authority(authority, days):
    before = authority.certificate.read_bytes()
    assert authority.ensure(HOSTS, NOW + timedelta(days=days))
    assert authority.certificate.read_bytes() == before
    assert expiry(authority.server.certificate) > NOW + timedelta(days=days + 300)


def test_a_new_host_means_a_new_certificate(authority):
    assert authority.ensure([*HOSTS, "192.0.2.7"], NOW)
    assert not authority.ensure([*HOSTS, "192.0.2.7"], NOW)


def test_an_authority_at_its_end_is_replaced_with_what_it_issued(authority):
    before = authority.certificate.read_bytes()
    assert authority.ensure(HOSTS, NOW + timedelta(days=3640))
    assert authority.certificate.read_bytes() != before
    load(authority.server.certificate).verify_directly_issued_by(load(authority.certificate))


@pytest.mark.parametrize("name", ["ca.crt", "ca.key", "server.crt", "server.key"])
@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_lost_or_broken_file_is_made_again(authority, name, content):
    path = authority.certificate.parent / name
    path.unlink() if content is None else path.write_bytes(content)
    assert authority.ensure(HOSTS, NOW)
    load(authority.server.certificate).verify_directly_issued_by(load(authority.certificate))


@pytest.mark.parametrize(
    ("listen", "extra"),
    [
        pytest.param("127.0.0.1", ["laptop"], id="loopback is known anyway"),
        pytest.param("0.0.0.0", ["laptop"], id="every address is no name"),
        pytest.param("192.0.2.7", ["192.0.2.7", "laptop"], id="an address of the machine"),
    ],
)
def test_the_certificate_is_good_for_where_the_server_listens(listen, extra):
    assert hosts_of(listen, "laptop") == ["localhost", "127.0.0.1", "::1", LOOPBACK_NAME, *extra]
