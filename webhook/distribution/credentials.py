"""Which user name and password a namespace's pull secrets hold for a repository (image-api 5.10)."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from webhook.distribution.failures import CorruptSecret
from webhook.errors import Json
from webhook.image.reference import Reference
from webhook.reloading import Unusable, read

EXCLUDED = "openshift.io/image.excludeSecret"

_HUB_KEY = "index.docker.io"
#: Secret type -> key of its data, and where in that document the entries are.
_KINDS = {
    "kubernetes.io/dockercfg": (".dockercfg", None),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson", "auths"),
}


def is_pull_secret(secret: Json) -> bool:
    """True for a Secret with registry credentials that its owner has not excluded (image-api 2.13)."""
    annotations = (secret.get("metadata") or {}).get("annotations") or {}
    return secret.get("type") in _KINDS and annotations.get(EXCLUDED) != "true"


@dataclass(frozen=True)
class Credential:
    """A user name and its password; the password is not shown when printed."""

    username: str
    password: str = field(repr=False)


class Keyring:
    """Credentials by registry, or by registry and the beginning of a path; the most specific key is used."""

    def __init__(self, entries: Iterable[tuple[str, Credential]] = ()) -> None:
        self._entries: dict[str, Credential] = {}
        for key, credential in entries:
            with contextlib.suppress(ValueError):
                # A key that is no address can match nothing.
                self._entries.setdefault(_normal(key), credential)
        # Reverse string order puts a longer key before the ones it begins with.
        self._keys = sorted(self._entries, reverse=True)

    @classmethod
    def from_secrets(cls, secrets: Iterable[Json]) -> Keyring:
        """The keyring of all pull secrets of a namespace; raises CorruptSecret for one that cannot be decoded."""
        return cls(entry for secret in secrets for entry in _entries(secret))

    def find(self, reference: Reference) -> Credential | None:
        """The credential for the repository of `reference`: of the first key that matches, with no second try."""
        image = reference.with_client_defaults()
        target = _split(image.exact())
        found = next((self._entries[key] for key in self._keys if _matches(_split(key), target)), None)
        if found is None and image.is_hub:
            found = self._entries.get(_HUB_KEY)
        return found if found and (found.username or found.password) else None


def load(path: Path) -> Keyring:
    """The keyring of a Docker configuration file (`config.json`, or an old `.dockercfg`); raises Unusable."""
    try:
        document = json.loads(read(path))
        return Keyring(_accounts(document.get("auths", document) or {}))
    except (ValueError, TypeError, AttributeError, RecursionError):
        # Not chained: the original error may quote the content.
        raise Unusable(f"{path} is not a Docker configuration with registry credentials") from None


def _entries(secret: Json) -> Iterable[tuple[str, Credential]]:
    metadata = secret.get("metadata") or {}
    if not is_pull_secret(secret):
        return
    data_key, inner = _KINDS[secret["type"]]
    encoded = (secret.get("data") or {}).get(data_key)
    if encoded is None:
        return
    try:
        document = json.loads(base64.b64decode(encoded, validate=True))
        accounts = document if inner is None else document.get(inner) or {}
        found = _accounts(accounts)
    except (ValueError, TypeError, AttributeError, RecursionError):
        # Not chained: the original error may quote the content.
        raise CorruptSecret(f'the pull secret "{metadata.get("name", "")}" cannot be decoded') from None
    yield from found


def _accounts(accounts: Any) -> list[tuple[str, Credential]]:
    return [(key, _credential(value)) for key, value in accounts.items()]


def _credential(account: Any) -> Credential:
    username, password = account.get("username") or "", account.get("password") or ""
    if encoded := account.get("auth"):
        try:
            username, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except binascii.Error:
            # Some tools write the URL alphabet, without padding.
            username, colon, password = base64.urlsafe_b64decode(_padded(encoded)).decode().partition(":")
        if not colon:
            raise ValueError
    if not isinstance(username, str) or not isinstance(password, str):
        raise TypeError
    return Credential(username, password.rstrip("\x00"))


def _padded(encoded: str) -> str:
    if set(encoded) - _URL_ALPHABET:
        raise ValueError
    return encoded + "=" * (-len(encoded) % 4)


_URL_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def _normal(key: str) -> str:
    """Host and path of a key, without scheme and API version: `https://index.docker.io/v1/` is `index.docker.io`."""
    parts = _split(key)
    path = parts.path
    for version in ("/v1", "/v2"):
        if path == version or path.startswith(f"{version}/"):
            path = path[len(version) :]
    return parts.netloc + (path if path != "/" else "")


def _split(text: str) -> SplitResult:
    return urlsplit(text if text.startswith(("http://", "https://")) else f"https://{text}")


def _matches(key: SplitResult, target: SplitResult) -> bool:
    """Hosts by label, where a key may use wildcards; ports exactly; paths as plain prefixes."""
    (key_host, key_port), (host, port) = _host_port(key.netloc), _host_port(target.netloc)
    labels, wanted = key_host.split("."), host.split(".")
    if key_port != port or len(labels) != len(wanted) or not target.path.startswith(key.path):
        return False
    return all(fnmatchcase(one, pattern) for pattern, one in zip(labels, wanted, strict=True))


def _host_port(netloc: str) -> tuple[str, str]:
    host, _, port = netloc.partition(":")
    return host, port
