"""Which images an ImageStreamImport asks for, each of them once (image-api 5.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from webhook.errors import Json
from webhook.image import digest as digests
from webhook.image import tags
from webhook.image.reference import InvalidReference, Reference, parse
from webhook.importer import failures
from webhook.importer.fetched import FetchedImage

_PREFER = "importer.image.openshift.io/prefer-"
_PRESERVE = "PreserveOriginal"


class Repository(NamedTuple):
    """Images of one repository are fetched with one client, one credential and one insecure flag."""

    host: str
    path: str


@dataclass(frozen=True)
class Want:
    """One image to fetch; equal ones are fetched once. `source` is the repository in the user's spelling."""

    source: Reference
    value: str
    insecure: bool
    preserve: bool
    architecture: str = ""
    os: str = ""

    @property
    def tag(self) -> str:
        """The source tag; empty for a digest."""
        return "" if digests.is_digest(self.value) else self.value

    @property
    def repository(self) -> Repository:
        """The repository, whatever the spelling."""
        return _repository(self.source)

    def like(self, other: Want) -> bool:
        """Is what was fetched for one good for the other, given the same value? Spelling and TLS do not matter."""
        return (self.repository, *self._kind) == (other.repository, *other._kind)

    @property
    def _kind(self) -> tuple[bool, str, str]:
        return self.preserve, self.architecture, self.os

    def tagged(self, tag: str) -> Want:
        """Another tag of the same repository."""
        return replace(self, value=tag)

    def at(self, repository: Reference) -> Want:
        """The same image in another repository, such as a mirror."""
        return replace(self, source=repository)

    def pull_spec(self, digest: str) -> str:
        """The reference of an image that was found, in the user's spelling (5.8)."""
        return replace(self.source, id=digest).exact()

    @property
    def tried(self) -> str:
        """The normalized reference, for messages."""
        part = {"tag": self.value} if self.tag else {"id": self.value, "tag": ""}
        return replace(self.source.with_client_defaults(), **part).exact()


@lru_cache(maxsize=1024)
def _repository(source: Reference) -> Repository:
    # Kept, as all tags of a repository ask for it.
    defaulted = source.with_client_defaults()
    return Repository(defaulted.as_v2().registry, defaulted.repository_name())


def images(isi: Json, stream: Json | None) -> list[Want | FetchedImage]:
    """What to fetch for each of `spec.images`; an entry that names nothing fetchable already has its result."""
    known = {tag.get("name") or "": tag for tag in tags.spec_tags(stream or {})}
    first: dict[Repository, Want] = {}
    wants: list[Want | FetchedImage] = []
    for spec in isi["spec"].get("images") or []:
        want = _want(spec, known)
        if isinstance(want, Want):
            # The first entry's spelling and insecure flag count for its whole repository (5.4).
            leader = first.setdefault(want.repository, want)
            want = replace(want, source=leader.source, insecure=leader.insecure)
        wants.append(want)
    return wants


def _want(spec: Json, known: Mapping[str, Json]) -> Want | FetchedImage:
    """What an entry names; `known` are the spec tags of the target by name."""
    name = spec["from"]["name"]
    if name == "*":
        return FetchedImage("latest", failure=failures.unparsable("*:latest"))
    try:
        reference = parse(name)
    except InvalidReference as error:
        return FetchedImage(failure=failures.unreadable(name, str(error)))
    if not reference.name:
        return FetchedImage("" if reference.id else "latest", failure=failures.unparsable(name))
    policy = spec.get("importPolicy") or {}
    want = Want(
        reference.as_repository(),
        reference.id or reference.tag or "latest",
        bool(policy.get("insecure")),
        policy.get("importMode") == _PRESERVE,
    )
    if reference.id:
        return want
    target = (spec.get("to") or {}).get("name") or want.value
    annotations = known.get(target, {}).get("annotations") or {}
    return replace(want, architecture=annotations.get(f"{_PREFER}arch", ""), os=annotations.get(f"{_PREFER}os", ""))


def repository_of(spec: Json) -> Want:
    """The tag `latest` of a repository import; raises InvalidReference."""
    policy = spec.get("importPolicy") or {}
    source = parse(spec["from"]["name"]).as_repository()
    return Want(source, "latest", bool(policy.get("insecure")), policy.get("importMode") == _PRESERVE)


def repository_host(spec: Json) -> str:
    """The host of a repository import; empty for a reference that cannot be read."""
    try:
        return repository_of(spec).repository.host
    except InvalidReference:
        return ""


def hosts(isi: Json) -> frozenset[str]:
    """The registries that an import asks."""
    spec = isi["spec"].get("repository")
    found = {want.repository.host for want in images(isi, None) if isinstance(want, Want)}
    return frozenset(found | ({repository_host(spec)} if spec else set()))
