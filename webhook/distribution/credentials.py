"""Which user name and password a namespace's pull secrets hold for a repository (image-api 5.10)."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from webhook.distribution.failures import CorruptSecret
from webhook.errors import Json
from webhook.image.reference import Reference
from webhook.reloading import Unusable, read

EXCLUDED = "openshift.io/image.excludeSecret"

_HUB_KEY = "index.docker.io"
#: Secret type -> key of its data, and where in that document the entries are.
KINDS: Final = {
    "kubernetes.io/dockercfg": (".dockercfg", None),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson", "auths"),
}


def is_pull_secret(secret: Json) -> bool:
    """True for a Secret with registry credentials that its owner has not excluded (image-api 2.13)."""
    annotations = (secret.get("metadata") or {}).get("annotations") or {}
    return secret.get("type") in KINDS and annotations.get(EXCLUDED) != "true"


@dataclass(frozen=True)
class Credential:
    """A user name and its password; the password is not shown when printed."""

    username: str
    password: str = field(repr=False)

    @property
    def basic(self) -> str:
        """Both as the scheme Basic sends them (RFC 7617)."""
        return base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


class Keyring:
    """Credentials by registry, or by registry and the beginning of a path; the most specific key is used."""

    def __init__(self, entries: Iterable[tuple[str, Credential]] = ()) -> None:
        found: dict[str, tuple[_Place, Credential]] = {}
        for key, credential in entries:
            with contextlib.suppress(ValueError):
                # A key that is no address can match nothing.
                place = _normal(key)
                found.setdefault(place.host + place.path, (place, credential))
        # Reverse string order puts a longer key before the ones it begins with.
        self._entries = {key: found[key] for key in sorted(found, reverse=True)}

    @classmethod
    def from_secrets(cls, secrets: Iterable[Json]) -> Keyring:
        """The keyring of all pull secrets of a namespace; raises CorruptSecret for one that cannot be decoded."""
        return cls(entry for secret in secrets for entry in _entries(secret))

    def find(self, reference: Reference) -> Credential | None:
        """The credential for the repository of `reference`: of the first key that matches, with no second try."""
        image = reference.with_client_defaults()
        target = _Place(image.registry, image.exact().removeprefix(image.registry))
        found = next((one for place, one in self._entries.values() if _matches(place, target)), None)
        if found is None and image.is_hub and _HUB_KEY in self._entries:
            found = self._entries[_HUB_KEY][1]
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
    data_key, inner = KINDS[secret["type"]]
    try:
        encoded = (secret.get("data") or {}).get(data_key)
        if encoded is None:
            return
        document = json.loads(base64.b64decode(encoded, validate=True))
        document = {} if document is None else document
        accounts = document if inner is None else document.get(inner) or {}
        found = _accounts(accounts)
    except (ValueError, TypeError, AttributeError, RecursionError):
        # Not chained: the original error may quote the content.
        raise CorruptSecret(f'the pull secret "{metadata.get("name", "")}" cannot be decoded') from None
    yield from found


def _accounts(accounts: Any) -> list[tuple[str, Credential]]:
    return [(key, _credential(value)) for key, value in accounts.items()]


def _credential(account: Any) -> Credential:
    account = {} if account is None else account
    username, password = account.get("username") or "", account.get("password") or ""
    if encoded := account.get("auth"):
        username, colon, password = _decoded(encoded).partition(":")
        if not colon:
            raise ValueError
    if not isinstance(username, str) or not isinstance(password, str):
        raise TypeError
    # Half a surrogate pair passes the decoder and could not be sent.
    f"{username}{password}".encode()
    return Credential(username, password.rstrip("\x00"))


def _decoded(encoded: str) -> str:
    """Text in either alphabet of base64, with or without padding, on several lines: tools differ. Raises ValueError."""
    joined = "".join(encoded.split()).rstrip("=").translate(_STANDARD)
    return base64.b64decode(joined + "=" * (-len(joined) % 4), validate=True).decode()


_STANDARD = str.maketrans("-_", "+/")


class _Place(NamedTuple):
    """Host, with a port if it has one, and path."""

    host: str
    path: str


def _normal(key: str) -> _Place:
    """A key without scheme and API version: `https://index.docker.io/v1/` is `index.docker.io`; raises ValueError."""
    parts = urlsplit(key if key.startswith(("http://", "https://")) else f"https://{key}")
    path = parts.path
    for version in ("/v1", "/v2"):
        if path == version or path.startswith(f"{version}/"):
            path = path[len(version) :]
    return _Place(parts.netloc, path if path != "/" else "")


def _matches(key: _Place, target: _Place) -> bool:
    """Hosts by label, where a key may use wildcards; ports exactly; paths as plain prefixes."""
    (key_host, key_port), (host, port) = _host_port(key.host), _host_port(target.host)
    labels, wanted = key_host.split("."), host.split(".")
    if key_port != port or len(labels) != len(wanted) or not target.path.startswith(key.path):
        return False
    return all(fnmatchcase(one, pattern) for pattern, one in zip(labels, wanted, strict=True))


def _host_port(netloc: str) -> tuple[str, str]:
    host, _, port = netloc.partition(":")
    return host, port
