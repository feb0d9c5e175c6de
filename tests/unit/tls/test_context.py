"""The serving context: reloading, and bounded in time."""

from __future__ import annotations

import shutil
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from webhook.tls.authority import LOOPBACK_NAME, Authority, Pair, UnusableCertificate
from webhook.tls.context import ReloadingContext, build, check

STALL = 0.2


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    authority = Authority(tmp_path / "pki")
    authority.ensure(["localhost", LOOPBACK_NAME])
    return authority


def served(context: ReloadingContext, authority: Authority, name: str) -> bytes:
    """The certificate that a client asking for `name` is shown."""
    near, far = socket.socketpair()
    shaken = threading.Thread(target=lambda: context.current().wrap_socket(near, server_side=True).close())
    shaken.start()
    trusting = ssl.create_default_context(cafile=str(authority.certificate))
    with trusting.wrap_socket(far, server_hostname=name) as client:
        seen = client.getpeercert(binary_form=True)
    shaken.join()
    assert seen
    return seen


def test_a_renewed_pair_is_served_without_a_restart(authority):
    context = ReloadingContext(authority.server, STALL)
    before = served(context, authority, "localhost")
    authority.ensure(["localhost", LOOPBACK_NAME, "other"])
    assert served(context, authority, "localhost") != before


def test_an_unchanged_pair_keeps_its_context(authority):
    context = ReloadingContext(authority.server, STALL)
    assert context.current() is context.current()


@pytest.mark.parametrize("broken", ["certificate", "key"])
def test_the_old_context_is_kept_while_the_new_pair_is_unusable(authority, broken, caplog):
    context = ReloadingContext(authority.server, STALL)
    before = context.current()
    getattr(authority.server, broken).write_text("half of a fi")
    assert context.current() is before
    assert context.current() is before
    assert len(caplog.records) == 1


def test_the_own_name_gets_the_own_certificate_beside_a_given_one(authority, tmp_path):
    other = Authority(tmp_path / "other")
    other.ensure(["localhost"])
    own = ReloadingContext(authority.server, STALL)
    both = ReloadingContext(other.server, STALL, own)
    assert served(both, authority, LOOPBACK_NAME) == served(own, authority, "localhost")
    assert served(both, other, "localhost") != served(own, authority, "localhost")


def test_a_half_open_handshake_is_cut_as_a_client_that_has_left(authority):
    near, far = socket.socketpair()
    far.send(b"\x16")
    with far, pytest.raises(ConnectionResetError):
        build(authority.server, STALL).wrap_socket(near, server_side=True)


def test_a_request_that_stalls_is_cut_although_the_server_asks_for_blocking(authority):
    near, far = socket.socketpair()
    trusting = ssl.create_default_context(cafile=str(authority.certificate))
    client: list[ssl.SSLSocket] = []
    thread = threading.Thread(target=lambda: client.append(trusting.wrap_socket(far, server_hostname="localhost")))
    thread.start()
    server = build(authority.server, STALL).wrap_socket(near, server_side=True)
    thread.join()
    server.setblocking(True)
    with pytest.raises(ConnectionResetError):
        server.recv(1)
    client[0].close()
    server.close()


def test_http_2_is_not_offered(authority):
    near, far = socket.socketpair()
    trusting = ssl.create_default_context(cafile=str(authority.certificate))
    trusting.set_alpn_protocols(["h2", "http/1.1"])
    thread = threading.Thread(target=lambda: build(authority.server, 5).wrap_socket(near, server_side=True).close())
    thread.start()
    with trusting.wrap_socket(far, server_hostname="localhost") as client:
        assert client.selected_alpn_protocol() == "http/1.1"
    thread.join()


def test_an_expired_certificate_is_refused_with_a_way_out(authority):
    with pytest.raises(UnusableCertificate, match=r"expired at 2\d{3}-.*; renew it and start again"):
        check(authority.server, datetime.now(UTC) + timedelta(days=366))


def test_a_missing_file_is_named(authority, tmp_path):
    with pytest.raises(UnusableCertificate, match=r"there is no file .*nowhere\.key"):
        check(Pair(authority.server.certificate, tmp_path / "nowhere.key"))


def test_a_key_of_another_certificate_is_told_apart(authority, tmp_path):
    other = Authority(tmp_path / "other")
    other.ensure(["localhost"])
    with pytest.raises(UnusableCertificate, match="does not belong to the certificate"):
        check(Pair(authority.server.certificate, other.server.key))


@pytest.mark.parametrize("content", ["", "<html>", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_refused_in_a_sentence(authority, tmp_path, content):
    odd = tmp_path / "odd.crt"
    odd.write_text(content)
    with pytest.raises(UnusableCertificate, match=r"odd\.crt .*cannot be used"):
        check(Pair(odd, authority.server.key))


def test_a_key_with_a_password_is_refused_without_asking_for_it(authority, tmp_path):
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(authority.server.key.read_bytes(), None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(UnusableCertificate, match="the key is encrypted"):
        check(Pair(authority.server.certificate, locked))


def test_a_certificate_replaced_through_a_folder_link_is_seen(authority, tmp_path):
    # As Kubernetes mounts secrets: the files are links into a folder that is swapped.
    other = Authority(tmp_path / "other")
    other.ensure(["localhost"])
    link = tmp_path / "mounted"
    link.symlink_to(authority.certificate.parent)
    context = ReloadingContext(Pair(link / "server.crt", link / "server.key"), STALL)
    before = context.current()
    link.unlink()
    link.symlink_to(other.certificate.parent)
    assert context.current() is not before
    shutil.rmtree(other.certificate.parent)
