"""Which registries images may be imported from (`allowedRegistriesForImport`, image-api 5.9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

import msgspec

from webhook.errors import FieldError, Json
from webhook.image import repository, tags
from webhook.image.reference import InvalidReference, Reference, parse

_HUB = "docker.io"
_MOST_SHOWN = 5
_EITHER = ("80", "443")


class AllowedRegistry(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`host[:port]`, where both may have `*` and `?`; without a port 443, or 80 for an `insecure` one."""

    domain_name: str
    insecure: bool = False

    @property
    def host_port(self) -> tuple[str, str]:
        """Host and port, either of which may be a pattern."""
        host, colon, port = self.domain_name.rpartition(":")
        return (host, port) if colon else (self.domain_name, "80" if self.insecure else "443")


class AllowList:
    """The registries that an administrator allows; an empty list allows all.

    `integrated` is the host[:port] of the cluster's own registry, which is always allowed.
    """

    def __init__(self, allowed: Sequence[AllowedRegistry] = (), integrated: str = "") -> None:
        self._allowed, self._integrated = [one.host_port for one in allowed], integrated

    def __bool__(self) -> bool:
        return bool(self._allowed)

    def refusal(self, reference: Reference, *, insecure: bool, either_port: bool = False) -> str:
        """Why the reference's registry is not allowed, empty if it is.

        `either_port` is the rule for insecure references of a stream: without a port they mean 80 and 443 alike.
        """
        if not self._allowed or (self._integrated and reference.registry == self._integrated):
            return ""
        host, port = reference.registry_host_port(insecure)
        hosts = {host, _HUB} if reference.with_client_defaults().is_hub else {host}
        ports = _EITHER if either_port and insecure and ":" not in reference.registry else (port,)
        if any(self._allows(one, two) for one in hosts for two in ports):
            return ""
        return f'registry "{host}:{port}" not allowed by whitelist: {self._shown()}'

    def _allows(self, host: str, port: str) -> bool:
        return any(_glob(host, allowed) and _glob(port, number) for allowed, number in self._allowed)

    def _shown(self) -> str:
        names = [f'"{host}:{port}"' for host, port in self._allowed]
        if len(names) > _MOST_SHOWN:
            names = [*names[: _MOST_SHOWN - 1], f"and {len(names) - _MOST_SHOWN + 1} more ..."]
        return ", ".join(names)


def import_findings(isi: Json, allowed: AllowList) -> list[FieldError]:
    """The sources of an ImageStreamImport that are not allowed (image-api 5.1)."""
    spec = isi.get("spec") or {}
    sources = [(f"spec.images[{index}]", one) for index, one in enumerate(spec.get("images") or [])]
    if spec.get("repository") is not None:
        sources.append(("spec.repository", spec["repository"]))
    findings = []
    for path, one in sources:
        insecure = bool((one.get("importPolicy") or {}).get("insecure"))
        reference = _parsed((one.get("from") or {}).get("name") or "")
        refusal = allowed.refusal(reference, insecure=insecure) if reference else ""
        if reference and refusal:
            where = ":".join(reference.registry_host_port(insecure))
            text = f'importing images from registry "{where}" is forbidden: {refusal}'
            findings.append(FieldError.forbidden(f"{path}.from.name", text))
    return findings


def stream_findings(stream: Json, old: Json | None, allowed: AllowList) -> list[FieldError]:
    """The references of a stream that are not allowed, but for repositories that `old` names too (image-api 2.2)."""
    if not allowed:
        return []
    known = {_canonical(reference) for _, reference, _ in _references(old or {})}
    findings = []
    for path, reference, insecure in _references(stream):
        refusal = allowed.refusal(reference, insecure=insecure, either_port=True)
        if refusal and _canonical(reference) not in known:
            findings.append(FieldError.forbidden(path, refusal))
    return findings


def _references(stream: Json) -> Iterator[tuple[str, Reference, bool]]:
    """Path, reference and whether it may be read without TLS, of all that a stream names from registries."""
    everything = repository.is_insecure(stream)
    insecure = {
        tag.get("name") or "": everything or bool((tag.get("importPolicy") or {}).get("insecure"))
        for tag in tags.spec_tags(stream)
    }
    for path, text, tag in _texts(stream):
        reference = _parsed(text)
        if reference is not None:
            yield path, reference, insecure.get(tag, everything)


def _texts(stream: Json) -> Iterable[tuple[str, str, str]]:
    yield "spec.dockerImageRepository", repository.name(stream), ""
    for tag in tags.spec_tags(stream):
        source, name = tag.get("from") or {}, tag.get("name") or ""
        if source.get("kind") == "DockerImage":
            yield f"spec.tags[{name}].from.name", source.get("name") or "", name
    for entry in tags.status_tags(stream):
        name = entry.get("tag") or ""
        for index, item in enumerate(entry.get("items") or []):
            path = f"status.tags[{name}].items[{index}].dockerImageReference"
            yield path, item.get("dockerImageReference") or "", name


def _parsed(text: str) -> Reference | None:
    """The reference; None for one that validation refuses for other reasons."""
    try:
        return parse(text)
    except InvalidReference:
        return None


def _canonical(reference: Reference) -> str:
    return reference.with_client_defaults().as_repository().exact()


def _glob(text: str, pattern: str) -> bool:
    # Only `*` and `?` mean something: a bracket is no part of any host's name.
    return fnmatchcase(text, pattern.replace("[", "[[]"))
