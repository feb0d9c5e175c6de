"""Whose certificates are trusted, registry by registry: the folders of certs.d, as container engines read them."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from webhook.reloading import Unusable, read

_HUB_FOLDER = "docker.io"
_HUB_HOSTS = frozenset({"registry-1.docker.io", "index.docker.io", "docker.io"})


@dataclass(frozen=True)
class Folder:
    """What the folder of one registry holds: authorities (PEM) and pairs of client certificate and key."""

    authorities: str = ""
    pairs: tuple[tuple[Path, Path], ...] = ()


class Trust:
    """TLS contexts by host: the system's authorities, `authorities` (PEM) besides, and those of the host's folder.

    `folders` are named `host[:port]`.
    """

    def __init__(self, folders: Mapping[str, Folder] | None = None, authorities: str = "") -> None:
        self._folders, self._authorities = folders or {}, authorities
        self._contexts: dict[tuple[str, bool], ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def context(self, host: str, port: int, *, verify: bool = True) -> ssl.SSLContext:
        """The context for one host; without `verify` it takes any certificate."""
        name = self._folder_of(host, port)
        with self._lock:
            if (name, verify) not in self._contexts:
                self._contexts[name, verify] = self._made(self._folders.get(name, Folder()), verify)
            return self._contexts[name, verify]

    def _folder_of(self, host: str, port: int) -> str:
        """The most specific folder for a host, empty for none."""
        shown = f"[{host}]" if ":" in host else host
        names = [f"{shown}:{port}"]
        if port == 443:
            names += [shown, *([_HUB_FOLDER] if host in _HUB_HOSTS else [])]
        return next((name for name in names if name in self._folders), "")

    def _made(self, folder: Folder, verify: bool) -> ssl.SSLContext:
        context = ssl.create_default_context() if verify else _unverified()
        for authorities in (self._authorities, folder.authorities):
            if verify and authorities:
                context.load_verify_locations(cadata=authorities)
        for certificate, key in folder.pairs:
            _load_pair(context, certificate, key)
        return context


def load(certs: Path | None, authorities: Path | None) -> Trust:
    """What a folder of folders and a PEM file, or a folder of PEM files, say; raises Unusable with the bad file."""
    folders = {one.name: _folder(one) for one in _folders(certs)}
    return Trust(folders, "".join(_pem(file) for file in _files(authorities)))


def files(certs: Path | None, authorities: Path | None) -> list[Path]:
    """All that `load` reads, folders included: when one of them changes, it is time to load again."""
    found = [path for path in (certs, authorities) if path is not None]
    for folder in _folders(certs):
        found += [folder, *_children(folder)]
    return found + _files(authorities)


def _folder(path: Path) -> Folder:
    names = {one.name: one for one in _children(path) if one.is_file()}
    pairs = []
    for name, certificate in names.items():
        if name.endswith(".cert"):
            key = names.get(f"{certificate.stem}.key")
            if key is None:
                raise Unusable(f"{certificate} has no key beside it; put {certificate.stem}.key there")
            _load_pair(_unverified(), certificate, key)
            pairs.append((certificate, key))
        if name.endswith(".key") and f"{certificate.stem}.cert" not in names:
            raise Unusable(f"{certificate} has no certificate beside it; client certificates are named *.cert")
    authorities = "".join(_pem(file) for name, file in names.items() if name.endswith(".crt"))
    return Folder(authorities, tuple(pairs))


def _pem(file: Path) -> str:
    try:
        text = read(file).decode()
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        raise Unusable(f"{file} holds no certificates in PEM") from None
    return f"{text}\n"


def _load_pair(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError):
        raise Unusable(f"{certificate} and {key} are not a certificate and its key in PEM without password") from None


def _folders(certs: Path | None) -> list[Path]:
    return [one for one in _children(certs) if one.is_dir() and not one.name.startswith(".")] if certs else []


def _files(authorities: Path | None) -> list[Path]:
    if authorities is None:
        return []
    if not authorities.is_dir():
        return [authorities]
    return [one for one in _children(authorities) if one.is_file() and not one.name.startswith(".")]


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise Unusable(f"{folder} cannot be read ({(error.strerror or str(error)).lower()})") from None


def _unverified() -> ssl.SSLContext:
    # Not the default context: it would read all authorities of the system for nothing.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
