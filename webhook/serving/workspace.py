"""The data folder of one server: made, checked and filled before anything starts."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import yaml

from webhook.settings import Settings
from webhook.tls.authority import LOOPBACK_NAME, Authority, Pair, UnusableCertificate, hosts_of
from webhook.tls.context import check

_DEFAULT_NAMESPACE: Final = "default"


class CannotServe(Exception):
    """Why the server does not start, as a sentence with a way out."""


def prepare(settings: Settings) -> None:
    """Make the folder, the authority and the place for metrics; `CannotServe` if the folder cannot be written."""
    make_writable(settings.data)
    with _explained(settings):
        authority(settings).ensure(hosts(settings))
        share_metrics(settings.metrics)


def check_certificate(settings: Settings) -> None:
    """`CannotServe` if the certificate that clients would see cannot be served."""
    with _explained(settings):
        check(serving_pair(settings))


def administrator(settings: Settings) -> str:
    """Make the administrator's token and kubeconfig; the token comes back."""
    with _explained(settings):
        token = _token(settings.token_file)
        write_private(settings.kubeconfig, kubeconfig(settings, token, _namespace(settings.kubeconfig)))
        return token


@contextmanager
def _explained(settings: Settings) -> Iterator[None]:
    try:
        yield
    except UnusableCertificate as error:
        raise CannotServe(str(error)) from None
    except OSError as error:
        raise CannotServe(_unwritable(settings.data, error)) from None


def make_writable(folder: Path, what: str = "data folder", option: str = "--data") -> None:
    """The folder, readable by its owner only if it is new, and proved writable; `CannotServe` if it is not.

    `what` it is and the `option` that names it are for the sentence.
    """
    probe = folder / f".probe.{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise CannotServe(_unwritable(folder, error, what, option)) from None


def _unwritable(folder: Path, error: OSError, what: str = "data folder", option: str = "--data") -> str:
    why = (error.strerror or str(error)).lower()
    return f"cannot write to the {what} {folder} ({why}); make it writable or choose another with {option}"


def authority(settings: Settings) -> Authority:
    """The server's own authority."""
    return Authority(settings.pki)


def hosts(settings: Settings) -> list[str]:
    """The names for the server's own certificate."""
    return hosts_of(settings.host, socket.gethostname())


def serving_pair(settings: Settings) -> Pair:
    """The certificate that clients see: the administrator's, that of all copies, or the server's own."""
    if settings.tls_cert is not None and settings.tls_key is not None:
        return Pair(settings.tls_cert, settings.tls_key)
    if settings.certificate_secret:
        return Pair(settings.cluster_certificate / "tls.crt", settings.cluster_certificate / "tls.key")
    return authority(settings).server


def _token(path: Path) -> str:
    try:
        token = path.read_text("ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        token = ""
    if len(token) < 16:
        token = secrets.token_urlsafe(32)
        write_private(path, token + "\n")
    return token


def _namespace(path: Path) -> str:
    """The namespace that somebody chose in this kubeconfig (`kubectl config set-context --namespace`)."""
    try:
        return str(yaml.safe_load(path.read_bytes())["contexts"][0]["context"]["namespace"])
    except (OSError, yaml.YAMLError, LookupError, TypeError):
        return _DEFAULT_NAMESPACE


def kubeconfig(settings: Settings, token: str, namespace: str = _DEFAULT_NAMESPACE) -> str:
    """The administrator's kubeconfig, complete in itself."""
    cluster = {
        "server": settings.local_server,
        "certificate-authority-data": base64.b64encode(authority(settings).certificate.read_bytes()).decode("ascii"),
    }
    if settings.tls_cert is not None:
        # The own certificate answers to this name: no need to know who signed the administrator's.
        cluster["tls-server-name"] = LOOPBACK_NAME
    name = "imagestreams"
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": "admin", "namespace": namespace}}],
            "current-context": name,
        },
        sort_keys=False,
    )


def write_private(path: Path, text: str) -> None:
    """Replace the file in one step; only the owner may read it, from its first byte on."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
    draft.replace(path)


def share_metrics(folder: Path) -> None:
    """An empty folder for the metrics of all processes, and its name where prometheus_client looks for it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder.resolve())
