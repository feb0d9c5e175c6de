"""Container image references: reading the text, and the spellings that clients, registries and nodes expect of them.

Parsing applies no defaults (image-api 1.1-1.3): `docker.io/busybox` has an empty namespace.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from webhook.image import digest

_MAX_NAME = 255
# The longest text that can be valid: name, `:tag`, `@sha512:…`. Longer ones never reach the expression.
_MAX_TEXT = _MAX_NAME + 1 + 128 + 1 + 7 + 128

# Every repetition starts with a character that the one before it cannot contain, so there is one way to match a text
# and a failure costs linear time.
_LABEL = r"[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_NAME = rf"(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_ID = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(rf"({_NAME})(?::({_TAG}))?(?:@({_ID}))?")

_HUB = "docker.io"
_HUB_V2 = "registry-1.docker.io"
_HUB_ALIASES = frozenset({_HUB, "index.docker.io", _HUB_V2})
_HUB_NAMESPACE = "library"
_DEFAULT_TAG = "latest"


class InvalidReference(ValueError):
    """The text is no image reference; the message is what clients see after `Invalid value`."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The parts of an image reference; a part that the text does not have is empty."""

    registry: str = ""
    namespace: str = ""
    name: str = ""
    tag: str = ""
    id: str = ""

    def __str__(self) -> str:
        return self.exact()

    @property
    def is_short(self) -> bool:
        """Only a name, without registry and namespace: what local lookup resolves."""
        return bool(self.name) and not self.registry and not self.namespace

    @property
    def is_hub(self) -> bool:
        """Does it name Docker Hub, by any of its addresses?"""
        return self.registry in _HUB_ALIASES

    def name_string(self) -> str:
        """Name with digest or else tag; a tag beside a digest is not shown."""
        if not self.name:
            return ""
        if self.id:
            return f"{self.name}{'@' if digest.is_digest(self.id) else ':'}{self.id}"
        return f"{self.name}:{self.tag}" if self.tag else self.name

    def exact(self) -> str:
        """The reference as text without any defaulting; empty without a name."""
        name = self.name_string()
        return "/".join(part for part in (self.registry, self.namespace, name) if part) if name else ""

    def with_client_defaults(self) -> Reference:
        """What a container client makes of it: Docker Hub, `library` and `latest` where nothing is said."""
        registry = self.registry or _HUB
        namespace = self.namespace or (_HUB_NAMESPACE if registry in _HUB_ALIASES else "")
        return replace(self, registry=registry, namespace=namespace, tag=self.tag or _DEFAULT_TAG)

    def as_repository(self) -> Reference:
        """The repository that it lies in."""
        return replace(self, tag="", id="")

    def repository_name(self) -> str:
        """The repository's path on its registry."""
        return replace(self, registry="", tag="", id="").exact()

    def as_v2(self) -> Reference:
        """With Docker Hub under the address at which it serves its API."""
        return replace(self, registry=_HUB_V2) if self.registry in (_HUB, "index.docker.io") else self

    def registry_host_port(self, insecure: bool = False) -> tuple[str, str]:
        """Host and port of the registry; 443, or 80 when `insecure`, unless the reference names a port."""
        registry = self.as_v2().with_client_defaults().registry
        host, colon, port = registry.rpartition(":")
        return (host, port) if colon else (registry, "80" if insecure else "443")

    def minimal(self) -> Reference:
        """Without the tag `latest`, which says nothing."""
        return replace(self, tag="") if self.tag == _DEFAULT_TAG else self


@lru_cache(maxsize=4096)
def parse(text: str) -> Reference:
    """Read a reference; raises InvalidReference with the text of image-api 1.1."""
    if not text:
        raise InvalidReference("repository name must have at least one component")
    if len(text) > _MAX_TEXT:
        raise InvalidReference("repository name must not be more than 255 characters")
    found = _REFERENCE.fullmatch(text)
    if found is None:
        upper = _REFERENCE.fullmatch(text.lower())
        raise InvalidReference("repository name must be lowercase" if upper else "invalid reference format")
    name, tag, identity = found[1], found[2] or "", found[3] or ""
    if len(name) > _MAX_NAME:
        raise InvalidReference("repository name must not be more than 255 characters")
    if identity:
        _check_digest(identity)
    return _split(text, name, tag, identity)


def _check_digest(identity: str) -> None:
    try:
        digest.check(identity)
    except digest.InvalidDigest as error:
        raise InvalidReference(str(error)) from error


def _split(text: str, name: str, tag: str, identity: str) -> Reference:
    first, slash, rest = name.partition("/")
    if not slash:
        if "." in name or name.startswith("localhost"):
            # A lone host name swallows its tag too: `my.image:1.0` is a registry (image-api 1.2, rule 1).
            return Reference(registry=text, id=identity)
        return Reference(name=name, tag=tag, id=identity)
    has_registry = "." in first or ":" in first or first == "localhost"
    registry, path = (first, rest) if has_registry else ("", name)
    namespace, slash, last = path.partition("/")
    if not slash:
        namespace, last = "", path
    return Reference(registry, namespace, last, tag, identity)
