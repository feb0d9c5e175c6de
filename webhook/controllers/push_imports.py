"""The imports that pushes cause: each stream once at a time, with all that was pushed for it since."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Collection, Iterable
from typing import Final

from webhook.controllers import needs
from webhook.controllers.followers import Followers, Key, following, taken_up
from webhook.controllers.workqueue import WorkQueue
from webhook.distribution.ledger import Ledger
from webhook.distribution.limits import Limits
from webhook.distribution.notifications import Push
from webhook.distribution.pacing import Pace
from webhook.errors import Conflict, Json, NotFound, StatusError, TooManyRequests
from webhook.image import repository, tags
from webhook.kube.client import KubeClient
from webhook.kube.failure import Unreachable

_API: Final = "/apis/image.openshift.io/v1"
# Longer than an import may take on the server, which answers within 50 seconds.
_IMPORT_SECONDS: Final = 60.0
_ATTEMPTS: Final = 8
_log = logging.getLogger(__name__)


def request(stream: Json, pushed: Collection[Push]) -> Json | None:
    """The ImageStreamImport of just the tags that these pushes concern, tied to this version of the stream."""
    concerned = {tag for push, tag in following(stream) if push in pushed}
    own = {tag.get("name"): tag for tag in tags.spec_tags(stream)}
    fresh = sorted({push.tag for push in pushed if push[:2] == taken_up(stream)} - own.keys())
    chosen = [tag for name, tag in own.items() if name in concerned] + [_fresh(stream, tag) for tag in fresh]
    return needs.request(stream, chosen) if chosen else None


class Overloaded(Exception):
    """Too many streams wait for their import already."""


class PushImports:
    """Imports what pushes concern, in the workers that call `work`, within `budget`.

    What waits is lost with the process. Scheduled tags are looked at again anyway; any other waits for its next push.
    """

    def __init__(
        self,
        client: KubeClient,
        followers: Followers,
        *,
        budget: Pace | None = None,
        most: int = 10_000,
        queue: WorkQueue[Key] | None = None,
    ) -> None:
        self._client, self._followers, self._most = client, followers, most
        self._queue, self._budget = queue or WorkQueue(), budget or Pace("", Limits(), Ledger())
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
        with self._budget.turn("", math.inf):
            answer = self._client.create(f"{base}/imagestreamimports", asked, read_timeout=_IMPORT_SECONDS)
        images = (answer.get("status") or {}).get("images") or []
        failed = sum((one.get("status") or {}).get("status") != "Success" for one in images)
        _log.info("imported %s/%s after a push: %d tags, %d failed", *key, len(images), failed)

    def _again(self, key: Key, pushed: set[Push], error: Exception) -> None:
        # A server that is busy says nothing about this import.
        attempts = self._attempts[key] = self._attempts.get(key, 0) + (not isinstance(error, TooManyRequests))
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


def _fresh(stream: Json, tag: str) -> Json:
    """A spec tag that the stream does not have yet."""
    return {
        "name": tag,
        "from": {"kind": "DockerImage", "name": f"{repository.name(stream)}:{tag}"},
        "importPolicy": {"insecure": True} if repository.is_insecure(stream) else {},
    }
