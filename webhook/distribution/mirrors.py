"""Where a repository is read from: its mirrors in their order, then itself (image-api 5.10)."""

from __future__ import annotations

from webhook.distribution.configuration import Mirrors, Registries
from webhook.distribution.failures import Blocked
from webhook.image.reference import InvalidReference, Reference, parse


def endpoints(source: Reference, registries: Registries, *, by_digest: bool) -> list[Reference]:
    """The repositories to try for an image of `source`, which has neither tag nor digest.

    Digests have one table, tags another. Blocked registries are left out; raises Blocked when none is left.
    """
    table = registries.image_digest_mirrors if by_digest else registries.image_tag_mirrors
    rule = _rule(source, table)
    mirrored = [_mirrored(source, rule.source, mirror) for mirror in rule.mirrors] if rule else []
    found = [one for one in mirrored if one is not None]
    if rule is None or rule.contacts_source:
        found.append(source)
    return _unblocked(found, source, registries)


def listing_endpoint(source: Reference, registries: Registries) -> Reference:
    """The repository whose tags are listed: always the source, for a mirror need not have all; raises Blocked."""
    return _unblocked([source], source, registries)[0]


def _unblocked(found: list[Reference], source: Reference, registries: Registries) -> list[Reference]:
    allowed = [one for one in found if not registries.is_blocked(one)]
    if not allowed:
        registry = source.registry or source.with_client_defaults().registry
        raise Blocked(f"registry {registry} blocked")
    return allowed


def _rule(source: Reference, table: tuple[Mirrors, ...]) -> Mirrors | None:
    """The rule with the longest prefix of whole path components."""
    if not table:
        return None
    path = _path(source)
    fitting = [one for one in table if path == _path_of(one.source) or path.startswith(f"{_path_of(one.source)}/")]
    return max(fitting, key=lambda one: len(_path_of(one.source)), default=None)


def _path(reference: Reference) -> str:
    """`registry/repository` with Docker Hub under one name."""
    image = reference.with_client_defaults()
    return "/".join(("docker.io" if image.is_hub else image.registry, image.repository_name()))


def _path_of(source: str) -> str:
    registry, slash, path = source.partition("/")
    return f"{'docker.io' if Reference(registry, '', 'x').is_hub else registry}{slash}{path}"


def _mirrored(source: Reference, prefix: str, mirror: str) -> Reference | None:
    """The source below the mirror; None where that is no repository, such as a bare host."""
    try:
        found = parse(mirror + _path(source)[len(_path_of(prefix)) :])
    except InvalidReference:
        return None
    return found if found.name else None
