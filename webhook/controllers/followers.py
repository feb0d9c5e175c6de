"""Which tags of which streams follow a push, so that nobody needs to poll.

A push moves a tag only if its owner has asked for that: by `importPolicy.scheduled`, which says "follow the registry",
or by an annotation, for those who want to follow without polling. Any other tag was imported once, as OpenShift does
it, and stays until somebody imports it again: a push to a registry must not change what such a tag runs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, TypeVar

from webhook.distribution.notifications import Push, of_reference
from webhook.errors import Json
from webhook.image import repository, tags
from webhook.image.reference import InvalidReference, parse

IMPORT_ON_PUSH: Final = "imagestreams/import-on-push"
"""On a spec tag: it follows pushes. On a stream: all of its tags do, and new tags of its repository are taken up."""

Key = tuple[str, str]
A = TypeVar("A")
B = TypeVar("B")


def following(stream: Json) -> Iterator[tuple[Push, str]]:
    """The spec tags that follow pushes, each with the push that it follows."""
    whole = _asks(stream.get("metadata") or {})
    for tag in tags.spec_tags(stream):
        source = tag.get("from") or {}
        if source.get("kind") != "DockerImage" or tag.get("reference"):
            continue
        if not (whole or _asks(tag) or (tag.get("importPolicy") or {}).get("scheduled")):
            continue
        try:
            reference = parse(source.get("name") or "")
        except InvalidReference:
            continue
        if not reference.id:
            yield of_reference(reference), tag.get("name") or ""


def taken_up(stream: Json) -> tuple[str, str] | None:
    """Registry and repository of which the stream takes up every tag, if it asks for that."""
    source = repository.name(stream)
    if not source or not _asks(stream.get("metadata") or {}):
        return None
    try:
        return of_reference(parse(source))[:2]
    except InvalidReference:
        return None


class _Follows(NamedTuple):
    tags: frozenset[tuple[Push, str]] = frozenset()
    repository: tuple[str, str] | None = None


_NOTHING: Final = _Follows()


class Followers:
    """From pushes to streams: an index that a reflector keeps current. Holds only what follows something."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tags: dict[Push, set[tuple[Key, str]]] = {}
        self._repositories: dict[tuple[str, str], set[Key]] = {}
        self._known: dict[Key, _Follows] = {}

    def concerned(self, pushed: Iterable[Push]) -> dict[Key, set[tuple[Push, str]]]:
        """The streams that these pushes concern, and of each the pushes with the tags that they move."""
        found: dict[Key, set[tuple[Push, str]]] = {}
        with self._lock:
            for push in pushed:
                moved = self._tags.get(push, set())
                fresh = {(key, push.tag) for key in self._repositories.get(push[:2], ())}
                for key, tag in moved | fresh:
                    found.setdefault(key, set()).add((push, tag))
        return found

    def replace(self, objects: Iterable[Json], position: str) -> None:
        """All streams, after a list."""
        del position
        found = {_key(one): follows for one in objects if (follows := _follows(one)) != _NOTHING}
        with self._lock:
            self._tags, self._repositories, self._known = {}, {}, {}
            for key, follows in found.items():
                self._enter(key, follows)

    def apply(self, kind: str, item: Json) -> None:
        """One stream that changed."""
        key, follows = _key(item), _NOTHING if kind == "DELETED" else _follows(item)
        with self._lock:
            self._leave(key)
            if follows != _NOTHING:
                self._enter(key, follows)

    def advance(self, position: str) -> None:
        """Nothing waits for a position here."""

    def _enter(self, key: Key, follows: _Follows) -> None:
        self._known[key] = follows
        for push, tag in follows.tags:
            self._tags.setdefault(push, set()).add((key, tag))
        if follows.repository is not None:
            self._repositories.setdefault(follows.repository, set()).add(key)

    def _leave(self, key: Key) -> None:
        follows = self._known.pop(key, _NOTHING)
        for push, tag in follows.tags:
            _remove(self._tags, push, (key, tag))
        if follows.repository is not None:
            _remove(self._repositories, follows.repository, key)


def _follows(stream: Json) -> _Follows:
    return _Follows(frozenset(following(stream)), taken_up(stream))


def _remove(index: dict[A, set[B]], key: A, value: B) -> None:
    """Take the value out, and the key with its last one: the index must not grow by what is gone."""
    index[key].discard(value)
    if not index[key]:
        del index[key]


def _asks(annotated: Json) -> bool:
    return (annotated.get("annotations") or {}).get(IMPORT_ON_PUSH) == "true"


def _key(stream: Json) -> Key:
    metadata = stream["metadata"]
    return metadata.get("namespace") or "", metadata["name"]
