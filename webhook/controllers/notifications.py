"""Which tags of which streams follow a push, and the imports that it causes, so that nobody needs to poll.

A push moves a tag only if its owner has asked for that: by `importPolicy.scheduled`, which says "follow the registry",
or by an annotation, for those who want to follow without polling. Any other tag was imported once, as OpenShift does
it, and stays until somebody imports it again: a push to a registry must not change what such a tag runs.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from webhook.controllers.workqueue import WorkQueue
from webhook.distribution.notifications import Push, of_reference
from webhook.errors import Conflict, Json, NotFound, StatusError
from webhook.image import tags
from webhook.image.reference import InvalidReference, parse
from webhook.kube.client import KubeClient
from webhook.kube.failure import Unreachable

IMPORT_ON_PUSH: Final = "imagestreams/import-on-push"
"""On a spec tag: it follows pushes. On a stream: all of its tags do, and new tags of its repository are taken up."""

_API: Final = "/apis/image.openshift.io/v1"
_INSECURE: Final = "openshift.io/image.insecureRepository"
_IMPORT_SECONDS: Final = 60.0
_ATTEMPTS: Final = 8
_log = logging.getLogger(__name__)

Key = tuple[str, str]


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


def repository(stream: Json) -> tuple[str, str] | None:
    """Registry and repository of which the stream takes up every tag, if it asks for that."""
    source = (stream.get("spec") or {}).get("dockerImageRepository")
    if not source or not _asks(stream.get("metadata") or {}):
        return None
    try:
        return of_reference(parse(source))[:2]
    except InvalidReference:
        return None


def request(stream: Json, pushed: Collection[Push]) -> Json | None:
    """The ImageStreamImport of just the tags that these pushes concern, tied to this version of the stream."""
    concerned = {tag for push, tag in following(stream) if push in pushed}
    images = [_again(tag) for tag in tags.spec_tags(stream) if tag.get("name") in concerned]
    own = {tag.get("name") for tag in tags.spec_tags(stream)}
    fresh = sorted({push.tag for push in pushed if push[:2] == repository(stream)} - own)
    images += [_fresh(stream, tag) for tag in fresh]
    if not images:
        return None
    metadata = {key: stream["metadata"][key] for key in ("name", "namespace", "resourceVersion")}
    return {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStreamImport",
        "metadata": metadata,
        "spec": {"import": True, "images": images},
    }


class Followers:
    """From pushes to streams: an index that a reflector keeps current. Holds only what follows something."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tags: dict[Push, set[tuple[Key, str]]] = {}
        self._repositories: dict[tuple[str, str], set[Key]] = {}
        self._known: dict[Key, tuple[list[tuple[Push, str]], tuple[str, str] | None]] = {}

    def concerned(self, pushed: Iterable[Push]) -> dict[Key, set[tuple[Push, str]]]:
        """The streams that these pushes concern, and of each the pushes with the tags that they move."""
        found: dict[Key, set[tuple[Push, str]]] = {}
        with self._lock:
            for push in pushed:
                moved = self._tags.get(push, set())
                taken_up = {(key, push.tag) for key in self._repositories.get(push[:2], ())}
                for key, tag in moved | taken_up:
                    found.setdefault(key, set()).add((push, tag))
        return found

    def replace(self, objects: Iterable[Json], position: str) -> None:
        """All streams, after a list."""
        del position
        found = [(_key(one), list(following(one)), repository(one)) for one in objects]
        with self._lock:
            self._tags, self._repositories, self._known = {}, {}, {}
            for one in found:
                self._enter(*one)

    def apply(self, kind: str, item: Json) -> None:
        """One stream that changed."""
        key, pushed, whole = _key(item), list(following(item)), repository(item)
        with self._lock:
            self._leave(key)
            if kind != "DELETED":
                self._enter(key, pushed, whole)

    def advance(self, position: str) -> None:
        """Nothing waits for a position here."""

    def _enter(self, key: Key, pushed: list[tuple[Push, str]], whole: tuple[str, str] | None) -> None:
        if not pushed and whole is None:
            return
        self._known[key] = pushed, whole
        for push, tag in pushed:
            self._tags.setdefault(push, set()).add((key, tag))
        if whole is not None:
            self._repositories.setdefault(whole, set()).add(key)

    def _leave(self, key: Key) -> None:
        pushed, whole = self._known.pop(key, ([], None))
        for push, tag in pushed:
            self._tags[push].discard((key, tag))
            if not self._tags[push]:
                del self._tags[push]
        if whole is not None:
            self._repositories[whole].discard(key)
            if not self._repositories[whole]:
                del self._repositories[whole]


class Overloaded(Exception):
    """Too many streams wait for their import already."""


class PushImports:
    """Imports what pushes concern: each stream once at a time, with all that was pushed for it since.

    What waits is lost with the process. Scheduled tags are looked at again anyway; any other waits for its next push.
    """

    def __init__(
        self, client: KubeClient, followers: Followers, *, most: int = 10_000, queue: WorkQueue[Key] | None = None
    ) -> None:
        self._client, self._followers, self._most = client, followers, most
        self._queue = queue or WorkQueue()
        self._lock = threading.Lock()
        self._pushed: dict[Key, set[Push]] = {}
        self._attempts: dict[Key, int] = {}

    def push(self, pushed: Iterable[Push]) -> int:
        """Import what these concern, soon; the number of tags. Raises Overloaded, and then does nothing."""
        found = self._followers.concerned(pushed)
        with self._lock:
            if len(self._pushed.keys() | found.keys()) > self._most:
                raise Overloaded(f"{self._most} streams wait for their import already")
            for key, moved in found.items():
                self._pushed.setdefault(key, set()).update(push for push, _ in moved)
        for key in found:
            self._queue.add(key)
        return sum(len({tag for _, tag in moved}) for moved in found.values())

    def work(self) -> None:
        """Import for one stream after the other until closed."""
        while (key := self._queue.take()) is not None:
            with self._lock:
                pushed = self._pushed.pop(key, set())
            try:
                self._import(key, pushed)
                self._forget(key)
            except NotFound:
                # Deleted meanwhile.
                self._forget(key)
            except (StatusError, Unreachable) as error:
                self._again(key, pushed, error)
            except Exception:
                # A bug in one stream's import must not end those of all others.
                _log.exception("importing %s/%s after a push failed", *key)
                self._forget(key)
            finally:
                self._queue.done(key)

    def close(self) -> None:
        """Let the workers end after what they are doing."""
        self._queue.close()

    def _import(self, key: Key, pushed: set[Push]) -> None:
        base = f"{_API}/namespaces/{key[0]}"
        asked = request(self._client.get(f"{base}/imagestreams/{key[1]}"), pushed)
        if asked is None:
            return
        answer = self._client.create(f"{base}/imagestreamimports", asked, read_timeout=_IMPORT_SECONDS)
        images = (answer.get("status") or {}).get("images") or []
        failed = sum((one.get("status") or {}).get("status") != "Success" for one in images)
        _log.info("imported %s/%s after a push: %d tags, %d failed", *key, len(images), failed)

    def _again(self, key: Key, pushed: set[Push], error: Exception) -> None:
        attempts = self._attempts[key] = self._attempts.get(key, 0) + 1
        if attempts >= _ATTEMPTS:
            _log.warning("import of %s/%s after a push is given up: %s", *key, error)
            self._forget(key)
            return
        with self._lock:
            self._pushed.setdefault(key, set()).update(pushed)
        pause = self._queue.retry(key)
        # A conflict only means that the stream changed meanwhile.
        level = logging.DEBUG if isinstance(error, Conflict) else logging.WARNING
        _log.log(level, "import of %s/%s after a push: %s; again in %.1f s", *key, error, pause)

    def _forget(self, key: Key) -> None:
        self._attempts.pop(key, None)
        self._queue.forget(key)


def _again(tag: Json) -> Json:
    return {
        "from": {"kind": "DockerImage", "name": tag["from"]["name"]},
        "to": {"name": tag["name"]},
        "importPolicy": dict(tag.get("importPolicy") or {}),
        "referencePolicy": dict(tag.get("referencePolicy") or {}),
    }


def _fresh(stream: Json, tag: str) -> Json:
    annotations = stream["metadata"].get("annotations") or {}
    return {
        "from": {"kind": "DockerImage", "name": f"{stream['spec']['dockerImageRepository']}:{tag}"},
        "to": {"name": tag},
        "importPolicy": {"insecure": True} if annotations.get(_INSECURE) == "true" else {},
        "referencePolicy": {},
    }


def _asks(annotated: Json) -> bool:
    return (annotated.get("annotations") or {}).get(IMPORT_ON_PUSH) == "true"


def _key(stream: Json) -> Key:
    metadata = stream["metadata"]
    return metadata.get("namespace") or "", metadata["name"]
