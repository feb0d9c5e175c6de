"""Imports the tags of streams that ask for it, follows scheduled tags and tries failed ones again (image-api 6).

What a stream needs is decided from the stream alone; the controller remembers nothing that a restart would lose.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from cachetools import TTLCache

from webhook.controllers import agenda as agendas
from webhook.controllers import needs
from webhook.controllers.agenda import Agenda, Turn
from webhook.controllers.lanes import Lanes
from webhook.controllers.workqueue import WorkQueue
from webhook.distribution.ledger import Ledger
from webhook.distribution.limits import Limits
from webhook.distribution.pacing import Pace
from webhook.errors import Conflict, Json, NotFound, StatusError, TooManyRequests
from webhook.image import history
from webhook.importer import plan, setup
from webhook.importer.checking import Checker, Verdict
from webhook.importer.engine import Importer
from webhook.kube.client import KubeClient
from webhook.kube.failure import Unreachable
from webhook.kube.reflector import Reflector
from webhook.settings import Settings
from webhook.telemetry import IMPORT_LAG

# Longer than an import may take on the server, which answers within 50 seconds.
_IMPORT_SECONDS = 60.0
# For how long the pull secrets of a namespace are used without being read again, for looks only.
_SECRETS_SECONDS = 10.0
# For how long an Image that was there is taken to be there still.
_IMAGES_SECONDS = 3600.0

_API = "/apis/image.openshift.io/v1"
_log = logging.getLogger(__name__)

Key = tuple[str, str]


class Looking(Protocol):
    """Who says which tags have moved."""

    def check(self, isi: Json, stream: Json, secrets: Sequence[Json]) -> Mapping[str, Verdict]:
        """What each image of an import would do, by its target tag."""


def run(client: KubeClient, stop: threading.Event, settings: Settings, importer: Importer) -> None:
    """Import until `stop` is set; looks at tags are made with the importer, imports by the API server."""
    pacing = importer.shared.pacing
    agenda = Agenda(
        interval=settings.import_interval,
        retrying=settings.retries_imports,
        first_retry=settings.import_retry,
        floor=lambda host: pacing.of(host).limits.shortest_interval,
    )
    width = max(1, settings.imports_in_flight // 2)
    controller = ImportController(client, Checker(importer), agenda=agenda, budget=setup.budget(settings), width=width)
    reflector = Reflector(client, f"{_API}/imagestreams", controller)
    reflector.start()
    for number in range(settings.imports_in_flight):
        threading.Thread(target=controller.work, name=f"imports-{number}", daemon=True).start()
    stop.wait()
    reflector.stop()
    controller.close()


class ImportController:
    """Posts imports for the streams that a reflector delivers; one stream at a time, several streams at once.

    Whoever has waited longest is next, within `budget`; `width` bounds what is under way for one registry.
    """

    def __init__(
        self,
        client: KubeClient,
        checker: Looking,
        *,
        agenda: Agenda | None = None,
        budget: Pace | None = None,
        width: int = 8,
        queue: WorkQueue[Key] | None = None,
    ) -> None:
        self._client, self._checker = client, checker
        self._agenda = agenda or Agenda()
        self._clock: Callable[[], float] = self._agenda.clock
        self._budget = budget or Pace("", Limits(), Ledger())
        self._queue = queue or WorkQueue(clock=self._clock)
        self._lanes: Lanes[Key] = Lanes(width)
        self._lock = threading.Lock()
        # Only streams with something to do, now or some time.
        self._streams: dict[Key, Json] = {}
        self._turns: dict[Key, dict[tuple[str, str], Turn]] = {}
        self._secrets: TTLCache[str, list[Json]] = TTLCache(1024, _SECRETS_SECONDS, self._clock)
        self._images: TTLCache[str, bool] = TTLCache(50_000, _IMAGES_SECONDS, self._clock)

    def replace(self, objects: Iterable[Json], position: str) -> None:
        """All streams, after a list."""
        streams = {_key(item): item for item in objects}
        _log.debug("%d streams at resource version %s", len(streams), position)
        with self._lock:
            gone = self._streams.keys() - streams.keys()
        for key in gone:
            self._drop(key)
        for item in streams.values():
            self._take(item)

    def apply(self, kind: str, item: Json) -> None:
        """One stream that changed."""
        if kind == "DELETED":
            self._drop(_key(item))
        else:
            self._take(item)

    def advance(self, position: str) -> None:
        """Nothing waits for a position here."""

    def work(self) -> None:
        """Import one stream after the other until closed."""
        while (key := self._queue.take()) is not None:
            self.work_on(key)

    def work_on(self, key: Key) -> None:
        """Do what the stream of a key that was taken from the queue needs now."""
        entered = True
        try:
            entered = self._turn(key)
        except Exception:
            # A bug in one stream's import must not end the imports of all others.
            _log.exception("importing %s/%s failed", *key)
            self._queue.retry(key)
        finally:
            self._queue.done(key)
            if entered and (heir := self._lanes.leave(key)) is not None:
                self._queue.add(heir)

    def close(self) -> None:
        """Let the workers end after what they are doing."""
        self._queue.close()

    def _take(self, stream: Json) -> None:
        key, wants = _key(stream), needs.needed(stream) is not None
        with self._lock:
            turns = self._agenda.turns(stream, self._turns.get(key, {}))
            if wants or turns:
                self._streams[key], self._turns[key] = stream, turns
        if wants:
            self._queue.add(key)
        elif turns:
            self._wait(key, turns)
        else:
            self._drop(key)

    def _drop(self, key: Key) -> None:
        with self._lock:
            self._streams.pop(key, None)
            self._turns.pop(key, None)
        self._queue.forget(key)

    def _turn(self, key: Key) -> bool:
        """Have the stream looked at and imported; False where it has to wait for its lane."""
        with self._lock:
            stream, turns = self._streams.get(key), self._turns.get(key, {})
        if stream is None:
            return True
        asked, due = needs.needed(stream), agendas.due(turns, self._clock())
        request = needs.with_tags(stream, asked, due)
        if request is None:
            self._wait(key, turns)
            return True
        if not self._lanes.enter(key, min(plan.hosts(request), default="")):
            return False
        with self._budget.turn("", float("inf")):
            self._import(key, stream, asked, due)
        return True

    def _import(self, key: Key, stream: Json, asked: Json | None, due: set[str]) -> None:
        """Import what is asked for, and of the tags whose turn it is those that have moved."""
        try:
            unlisted = False
            looks = self._looked(key, stream, due - needs.targets(asked)) if due else {}
            moved = {tag for tag, verdict in looks.items() if verdict is Verdict.CHANGED}
            request = needs.with_tags(stream, asked, moved)
            if request is not None:
                path = f"{_API}/namespaces/{key[0]}/imagestreamimports"
                unlisted = _unlisted(self._client.create(path, request, read_timeout=_IMPORT_SECONDS))
        except (StatusError, Unreachable) as error:
            pause = self._queue.retry(key)
            # A stream that changed or went meanwhile, of which the watch is about to tell, or a server that is busy.
            expected = isinstance(error, Conflict | NotFound | TooManyRequests)
            level = logging.DEBUG if expected else logging.WARNING
            _log.log(level, "import of %s/%s: %s; again in %.1f s", *key, error, pause)
        else:
            deferred = {tag for tag, verdict in looks.items() if verdict is Verdict.DEFERRED}
            self._done(key, (due | needs.targets(request)) - deferred)
            if deferred or (unlisted and self._agenda.retrying):
                # The turn of what was put off stays overdue; a repository that cannot be listed has no turn.
                self._queue.retry(key)
            else:
                self._queue.forget(key)

    def _looked(self, key: Key, stream: Json, tags: set[str]) -> Mapping[str, Verdict]:
        request = needs.with_tags(stream, None, tags)
        if request is None:
            return {}
        with self._lock:
            turns = self._turns.get(key, {})
        waited = [self._clock() - turn.at for (tag, _), turn in turns.items() if tag in tags]
        IMPORT_LAG.set(max(waited, default=0.0))
        verdicts = self._checker.check(request, stream, self._pull_secrets(*key))
        return {
            tag: Verdict.CHANGED if verdict is Verdict.UNCHANGED and self._lacks_image(stream, tag) else verdict
            for tag, verdict in verdicts.items()
        }

    def _lacks_image(self, stream: Json, tag: str) -> bool:
        """Has the Image of an unchanged tag been deleted? Its import makes it again."""
        name = (history.head(stream, tag) or {}).get("image") or ""
        with self._lock:
            if name in self._images:
                return False
        try:
            self._client.get(f"{_API}/images/{name}")
        except NotFound:
            return True
        with self._lock:
            self._images[name] = True
        return False

    def _pull_secrets(self, namespace: str, stream: str) -> list[Json]:
        with self._lock:
            known = self._secrets.get(namespace)
        if known is None:
            listed = self._client.get(f"{_API}/namespaces/{namespace}/imagestreams/{stream}/secrets")
            known = listed.get("items") or []
            with self._lock:
                self._secrets[namespace] = known
        return known

    def _done(self, key: Key, looked: set[str]) -> None:
        """Come back when the next of its tags has its turn."""
        with self._lock:
            stream = self._streams.get(key)
            if stream is None:
                return
            turns = self._turns[key] = self._agenda.turns(stream, self._turns.get(key, {}), looked)
        self._wait(key, {one: turn for one, turn in turns.items() if turn.at > self._clock()})

    def _wait(self, key: Key, turns: Mapping[tuple[str, str], Turn]) -> None:
        if turns:
            self._queue.add(key, max(0.0, min(turn.at for turn in turns.values()) - self._clock()))


def _unlisted(answer: Json) -> bool:
    """Could the repository that was to be imported not be listed? Tags that failed have conditions and turns."""
    repository = (answer.get("status") or {}).get("repository") or {}
    return (repository.get("status") or {}).get("status") == "Failure" and not repository.get("images")


def _key(stream: Json) -> Key:
    metadata = stream["metadata"]
    return metadata.get("namespace") or "", metadata["name"]
