"""The file of registries: mirrors, blocked and insecure registries, the allow-list, egress and limits.

The names are those of OpenShift's ImageTagMirrorSet, ImageDigestMirrorSet and Image configuration.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from webhook.image.allowlist import AllowedRegistry
from webhook.image.reference import Reference
from webhook.reloading import Unusable, read

Above0 = Annotated[float, msgspec.Meta(gt=0)]

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]{{1,5}})?"
_REGISTRY = re.compile(rf"(?:\*\.)?{_HOST}")
_REPOSITORY = re.compile(rf"{_HOST}(?:/[a-z0-9._-]+)*")
_PATTERN = re.compile(r"[A-Za-z0-9.*?-]+(?::[0-9*?]+)?")
_EGRESS_HOST = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
_HUB = "docker.io"
OTHERS = "*"
"""The registry of a `RegistryLimits` that counts for every registry without one of its own."""


class _Struct(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    pass


class Mirrors(_Struct, frozen=True):
    """Where else the repositories below `source` (`host[:port][/path]`) can be read."""

    source: str
    mirrors: tuple[str, ...]
    mirror_source_policy: Literal["AllowContactingSource", "NeverContactSource"] = "AllowContactingSource"

    @property
    def contacts_source(self) -> bool:
        """Whether the source itself is asked when the mirrors fail."""
        return self.mirror_source_policy == "AllowContactingSource"


class Egress(_Struct, frozen=True):
    """Networks (CIDR), addresses and host names (`*.example.com`) that are reached although they are not public."""

    allow: tuple[str, ...] = ()


class RegistryLimits(_Struct, frozen=True):
    """How hard one registry (`host[:port]`, or `*` for all others) is used; what is left out has its default.

    `shortest_interval` is the least time in seconds between two scheduled looks at a tag.
    """

    registry: str = OTHERS
    requests_per_second: Annotated[float, msgspec.Meta(ge=0.01)] | None = None
    concurrency: Annotated[int, msgspec.Meta(ge=1)] | None = None
    shortest_interval: Above0 | None = None


class Registries(_Struct, frozen=True):
    """Everything that the file can say."""

    image_tag_mirrors: tuple[Mirrors, ...] = ()
    image_digest_mirrors: tuple[Mirrors, ...] = ()
    blocked_registries: tuple[str, ...] = ()
    insecure_registries: tuple[str, ...] = ()
    allowed_registries_for_import: tuple[AllowedRegistry, ...] = ()
    egress: Egress = Egress()
    limits: tuple[RegistryLimits, ...] = ()

    def is_blocked(self, reference: Reference) -> bool:
        """Is nothing to be read from the reference's registry?"""
        return _lists(self.blocked_registries, reference)

    def is_insecure(self, reference: Reference) -> bool:
        """May the reference's registry be read without a trusted certificate?"""
        return _lists(self.insecure_registries, reference)

    def limits_of(self, registry: str) -> RegistryLimits:
        """The limits of a registry, by the host[:port] that serves its API."""
        spellings = (registry, _HUB) if Reference(registry, "", "x").is_hub else (registry,)
        known = {one.registry: one for one in self.limits}
        return next((known[one] for one in (*spellings, OTHERS) if one in known), RegistryLimits())


def load(path: Path) -> Registries:
    """The file's content; raises Unusable with the one thing to repair."""
    try:
        found = msgspec.yaml.decode(read(path), type=Registries | None) or Registries()
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unusable(f"{path}: {_sentence(str(error))}") from None
    problem = next(_problems(found), "")
    if problem:
        raise Unusable(f"{path}: {problem}")
    return found


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """An address or CIDR as a network; None for the name of a host."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _lists(hosts: tuple[str, ...], reference: Reference) -> bool:
    image = reference.with_client_defaults()
    registry = _HUB if image.is_hub else image.registry
    return any(one == registry or (one.startswith("*.") and registry.endswith(one[1:])) for one in hosts)


def _sentence(message: str) -> str:
    """msgspec's `Expected `str`, got `int` - at `$.limits[0].registry`` with the place in front; YAML's on one line."""
    what, _, where = message.partition(" - at ")
    place = where.strip("`").removeprefix("$").removeprefix(".")
    text = " ".join(what.split()).replace("Object contains unknown field", "there is no field")
    return f"{place}: {text}" if place else text


def _problems(found: Registries) -> Iterator[str]:
    """What is wrong with values whose types are right."""
    for name, table in (
        ("imageTagMirrors", found.image_tag_mirrors),
        ("imageDigestMirrors", found.image_digest_mirrors),
    ):
        yield from _mirror_problems(name, table)
    for name, hosts in (
        ("blockedRegistries", found.blocked_registries),
        ("insecureRegistries", found.insecure_registries),
    ):
        for index, host in enumerate(hosts):
            if not _REGISTRY.fullmatch(host):
                yield f'{name}[{index}]: "{host}" is not host[:port] or *.domain'
    for index, one in enumerate(found.allowed_registries_for_import):
        if not _PATTERN.fullmatch(one.domain_name):
            yield f'allowedRegistriesForImport[{index}].domainName: "{one.domain_name}" is not host[:port]'
    for index, text in enumerate(found.egress.allow):
        if network(text) is None and not _is_egress_host(text):
            yield f'egress.allow[{index}]: "{text}" is not an address, a network such as 10.0.0.0/8 or a host name'
    yield from _limit_problems(found.limits)


def _mirror_problems(name: str, table: tuple[Mirrors, ...]) -> Iterator[str]:
    for source, count in Counter(one.source for one in table).items():
        if count > 1:
            yield f'{name}: the source "{source}" is listed {count} times; put its mirrors into one list'
    for index, one in enumerate(table):
        if not _is_repository(one.source):
            yield f'{name}[{index}].source: "{one.source}" is not host[:port][/path]'
        if not one.mirrors:
            yield f"{name}[{index}].mirrors: at least one mirror is needed"
        for number, mirror in enumerate(one.mirrors):
            if not _is_repository(mirror):
                yield f'{name}[{index}].mirrors[{number}]: "{mirror}" is not host[:port][/path]'


def _limit_problems(limits: tuple[RegistryLimits, ...]) -> Iterator[str]:
    for registry, count in Counter(one.registry for one in limits).items():
        if registry != OTHERS and not re.fullmatch(_HOST, registry):
            yield f'limits: the registry "{registry}" is not host[:port] or *'
        if count > 1:
            yield f'limits: the registry "{registry}" is listed {count} times'


def _is_repository(text: str) -> bool:
    # A first part without dot and port would be a folder of Docker Hub, as in any image reference.
    host = text.partition("/")[0]
    return bool(_REPOSITORY.fullmatch(text)) and (host == "localhost" or "." in host or ":" in host)


def _is_egress_host(text: str) -> bool:
    # Only digits and dots: an address with a mistake in it, which must not pass for a name.
    return bool(_EGRESS_HOST.fullmatch(text)) and not re.fullmatch(r"[0-9.]+", text)
