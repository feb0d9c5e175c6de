"""The server's own certificate authority: made at the first start, and its certificates renewed before they expire."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK_NAME: Final = "loopback.imagestreams.internal"
"""The name that the server's own clients ask for by SNI: they never depend on an administrator's certificate."""

_AUTHORITY_LIFE: Final = timedelta(days=3650)
_CERTIFICATE_LIFE: Final = timedelta(days=365)
_RENEW_BEFORE: Final = timedelta(days=30)
_CLOCK_SKEW: Final = timedelta(minutes=5)


class UnusableCertificate(Exception):
    """A certificate or key that cannot be served; the text is a sentence and a way out."""


@dataclass(frozen=True)
class Pair:
    """The files of a certificate (with its chain) and of its key."""

    certificate: Path
    key: Path


class Authority:
    """The authority in one folder: `ca.crt`, `ca.key`, `server.crt`, `server.key`; certificates are good for `life`."""

    def __init__(self, folder: Path, life: timedelta = _CERTIFICATE_LIFE) -> None:
        self.certificate = folder / "ca.crt"
        self.key = folder / "ca.key"
        self._life = life
        self.server = Pair(folder / "server.crt", folder / "server.key")

    def ensure(self, hosts: Sequence[str], now: datetime | None = None) -> bool:
        """Make or renew what is missing, expires within 30 days or does not name all `hosts`; True if anything changed.

        Both are safe to repeat: the authority itself is replaced only when it is about to expire or unreadable files
        would keep the server from starting.
        """
        now = now or datetime.now(UTC)
        authority, key, renewed = self._authority(now)
        if not renewed and self._server_is_good(authority, hosts, now):
            return False
        self._issue(authority, key, hosts, now)
        return True

    def _authority(self, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey, bool]:
        try:
            certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
            key = serialization.load_pem_private_key(self.key.read_bytes(), password=None)
        except (FileNotFoundError, ValueError):
            return (*self._new_authority(now), True)
        sound = isinstance(key, ec.EllipticCurvePrivateKey) and key.public_key() == certificate.public_key()
        if not sound or certificate.not_valid_after_utc - now < _RENEW_BEFORE:
            return (*self._new_authority(now), True)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return certificate, key, False

    def _new_authority(self, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        # The time in the name keeps two authorities apart in a client's bundle.
        name = _name(f"imagestreams-ca@{int(now.timestamp())}")
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        certificate = (
            _builder(name, name, key.public_key(), now, _AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _write(self.key, _pem(key), 0o600)
        _write(self.certificate, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
        return certificate, key

    def _server_is_good(self, authority: x509.Certificate, hosts: Sequence[str], now: datetime) -> bool:
        try:
            certificate = x509.load_pem_x509_certificate(self.server.certificate.read_bytes())
            key = serialization.load_pem_private_key(self.server.key.read_bytes(), password=None)
            certificate.verify_directly_issued_by(authority)
        except (FileNotFoundError, ValueError, TypeError, InvalidSignature):
            return False
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return (
            key.public_key() == certificate.public_key()
            and certificate.not_valid_after_utc - now > _RENEW_BEFORE
            and set(_alternative_names(hosts)) <= set(named)
        )

    def _issue(
        self, authority: x509.Certificate, signer: ec.EllipticCurvePrivateKey, hosts: Sequence[str], now: datetime
    ) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        life = min(self._life, authority.not_valid_after_utc - now)
        usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
        certificate = (
            _builder(_name("imagestreams"), authority.subject, key.public_key(), now, life)
            .add_extension(x509.SubjectAlternativeName(_alternative_names(hosts)), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .sign(signer, hashes.SHA256())
        )
        # A reader between the two sees a pair that does not match and keeps its old one (`webhook.tls.context`).
        _write(self.server.key, _pem(key), 0o600)
        _write(self.server.certificate, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def hosts_of(listen_host: str, machine: str) -> list[str]:
    """The names and addresses that a server listening on `listen_host` on `machine` is reached by."""
    every = ["localhost", "127.0.0.1", "::1", LOOPBACK_NAME, listen_host, machine]
    return [one for one in dict.fromkeys(every) if one not in ("", "0.0.0.0", "::")]


def expiry(certificate: Path) -> datetime:
    """When the first certificate of the file expires; ValueError and OSError as reading gives them."""
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc


def _alternative_names(hosts: Iterable[str]) -> list[x509.GeneralName]:
    return [_alternative_name(one) for one in hosts]


def _alternative_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host.encode("idna").decode("ascii") if not host.isascii() else host)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + life)
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replace the file in one step, never readable by more than `mode` allows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
