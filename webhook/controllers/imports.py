"""Imports the tags of streams that ask for it, and follows scheduled tags (image-api 6).

What a stream needs is decided from the stream alone; the controller remembers nothing that a restart would lose.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from webhook.controllers.workqueue import WorkQueue
from webhook.errors import Conflict, Json, NotFound, StatusError
from webhook.image import history, tags
from webhook.image.reference import InvalidReference, parse
from webhook.importer.results import CHECK_ANNOTATION
from webhook.kube.client import KubeClient
from webhook.kube.failure import Unreachable
from webhook.kube.reflector import Reflector

INSECURE_ANNOTATION = "openshift.io/image.insecureRepository"
#: Seconds after which a scheduled tag is looked at again (image-api 6.5).
DEFAULT_INTERVAL = 900.0
# Longer than an import may take on the server, which answers within 50 seconds.
_IMPORT_SECONDS = 60.0

_API = "/apis/image.openshift.io/v1"
_CONDITION = "ImportSuccess"
_log = logging.getLogger(__name__)

Key = tuple[str, str]


def run(client: KubeClient, stop: threading.Event, *, interval: float = DEFAULT_INTERVAL, workers: int = 8) -> None:
    """Import until `stop` is set. `interval` is the pause between two looks at a scheduled tag."""
    controller = ImportController(client, interval=interval)
    reflector = Reflector(client, f"{_API}/imagestreams", controller)
    reflector.start()
    for number in range(workers):
        threading.Thread(target=controller.work, name=f"imports-{number}", daemon=True).start()
    stop.wait()
    reflector.stop()
    controller.close()


def needed(stream: Json) -> Json | None:
    """The ImageStreamImport that this stream needs now, or None (image-api 6.1-6.3)."""
    repository = (stream.get("spec") or {}).get("dockerImageRepository")
    importable = [tag for tag in tags.spec_tags(stream) if _importable(tag)]
    if repository and not _annotations(stream).get(CHECK_ANNOTATION):
        return _request(stream, importable, repository)
    wanting = [tag for tag in importable if _pending(stream, tag)]
    if not wanting:
        return None
    # A tag without a generation asks for nothing by itself, but comes along.
    return _request(stream, [tag for tag in importable if tag in wanting or tag.get("generation") is None])


def scheduled(stream: Json) -> list[str]:
    """The tags that are to be looked at again and again; one with a digest only until it has been imported once."""
    return [tag["name"] for tag in tags.spec_tags(stream) if _followed(stream, tag)]


def due(stream: Json) -> Json | None:
    """The ImageStreamImport for a stream whose scheduled tags have their turn: what it needs anyway, and those."""
    request = needed(stream)
    if request is not None and "repository" in request["spec"]:
        return request
    followed = scheduled(stream)
    names = {image["to"]["name"] for image in request["spec"]["images"]} if request else set()
    chosen = [tag for tag in tags.spec_tags(stream) if tag["name"] in names or tag["name"] in followed]
    return _request(stream, chosen) if chosen else None


class ImportController:
    """Posts imports for the streams that a reflector delivers; one stream at a time, several streams at once."""

    def __init__(
        self,
        client: KubeClient,
        *,
        interval: float = DEFAULT_INTERVAL,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
        queue: WorkQueue[Key] | None = None,
    ) -> None:
        self._client, self._interval, self._clock = client, interval, clock
        self._rng = rng or random.Random()
        self._queue = queue or WorkQueue(clock=clock)
        self._lock = threading.Lock()
        # Only streams with something to do, now or by schedule.
        self._streams: dict[Key, Json] = {}
        self._turns: dict[Key, float] = {}

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
            try:
                self._import(key)
            except Exception:
                # A bug in one stream's import must not end the imports of all others.
                _log.exception("importing %s/%s failed", *key)
                self._queue.retry(key)
            finally:
                self._queue.done(key)

    def close(self) -> None:
        """Let the workers end after what they are doing."""
        self._queue.close()

    def _take(self, stream: Json) -> None:
        key = _key(stream)
        wants, follows = needed(stream) is not None, bool(scheduled(stream))
        if not (wants or follows):
            self._drop(key)
            return
        with self._lock:
            self._streams[key] = stream
            if not follows:
                self._turns.pop(key, None)
            elif key not in self._turns:
                # Spread: after a start or a list all scheduled streams of the cluster come at once.
                self._turns[key] = self._clock() + self._interval * self._rng.uniform(0.8, 1.0)
            turn = self._turns.get(key)
        if wants:
            self._queue.add(key)
        elif turn is not None:
            self._queue.add(key, max(0.0, turn - self._clock()))

    def _drop(self, key: Key) -> None:
        with self._lock:
            self._streams.pop(key, None)
            self._turns.pop(key, None)
        self._queue.forget(key)

    def _import(self, key: Key) -> None:
        with self._lock:
            stream, turn = self._streams.get(key), self._turns.get(key)
        if stream is None:
            return
        request = due(stream) if turn is not None and self._clock() >= turn else needed(stream)
        if request is None:
            self._wait_for_turn(key)
            return
        try:
            path = f"{_API}/namespaces/{key[0]}/imagestreamimports"
            answer = self._client.create(path, request, read_timeout=_IMPORT_SECONDS)
        except NotFound:
            # Deleted meanwhile; the watch says so too, sooner or later.
            self._drop(key)
        except (StatusError, Unreachable) as error:
            pause = self._queue.retry(key)
            # A conflict only means that the stream changed meanwhile: the fresh one is on its way.
            level = logging.DEBUG if isinstance(error, Conflict) else logging.WARNING
            _log.log(level, "import of %s/%s: %s; again in %.1f s", *key, error, pause)
        else:
            _report(key, answer)
            self._queue.forget(key)
            self._wait_for_turn(key, after=True)

    def _wait_for_turn(self, key: Key, *, after: bool = False) -> None:
        """Come back when the scheduled tags have their turn; `after` an import that is a whole interval away."""
        with self._lock:
            if key not in self._turns:
                return
            if after:
                self._turns[key] = self._clock() + self._interval
            turn = self._turns[key]
        self._queue.add(key, max(0.0, turn - self._clock()))


def _request(stream: Json, chosen: Sequence[Json], repository: str = "") -> Json:
    """The import of these tags, tied to the version of the stream that was looked at."""
    metadata = {
        key: stream["metadata"][key]
        for key in ("name", "namespace", "resourceVersion", "uid")
        if stream["metadata"].get(key)
    }
    spec: Json = {"import": True}
    if repository:
        insecure = _annotations(stream).get(INSECURE_ANNOTATION) == "true"
        spec["repository"] = {
            "from": {"kind": "DockerImage", "name": repository},
            "importPolicy": {"insecure": True} if insecure else {},
        }
    if chosen:
        spec["images"] = [_image(tag) for tag in chosen]
    return {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStreamImport",
        "metadata": metadata,
        "spec": spec,
    }


def _image(tag: Json) -> Json:
    return {
        "from": {"kind": "DockerImage", "name": tag["from"]["name"]},
        "to": {"name": tag["name"]},
        "importPolicy": dict(tag.get("importPolicy") or {}),
        "referencePolicy": dict(tag.get("referencePolicy") or {}),
    }


def _importable(tag: Json) -> bool:
    source = tag.get("from") or {}
    return source.get("kind") == "DockerImage" and bool(source.get("name")) and not tag.get("reference")


def _pending(stream: Json, tag: Json) -> bool:
    generation = tag.get("generation")
    return generation is not None and generation > _observed(stream, tag["name"])


def _observed(stream: Json, tag: str) -> int:
    """The newest generation that an import of the tag has reached, well or badly."""
    entry = history.entry(stream, tag) or {}
    failures = [one for one in entry.get("conditions") or [] if one.get("type") == _CONDITION]
    return max(_head_generation(stream, tag), *(int(one.get("generation") or 0) for one in failures[:1]), 0)


def _head_generation(stream: Json, tag: str) -> int:
    return int((history.head(stream, tag) or {}).get("generation") or 0)


def _followed(stream: Json, tag: Json) -> bool:
    if not _importable(tag) or not (tag.get("importPolicy") or {}).get("scheduled"):
        return False
    try:
        pinned = bool(parse(tag["from"]["name"]).id)
    except InvalidReference:
        return False
    return not pinned or (tag.get("generation") or 0) > _head_generation(stream, tag["name"])


def _annotations(stream: Json) -> Json:
    return (stream.get("metadata") or {}).get("annotations") or {}


def _key(stream: Json) -> Key:
    metadata = stream["metadata"]
    return metadata.get("namespace") or "", metadata["name"]


def _report(key: Key, answer: Json) -> None:
    status = answer.get("status") or {}
    images: list[Json] = [*(status.get("images") or []), *((status.get("repository") or {}).get("images") or [])]
    failed = len([one for one in images if (one.get("status") or {}).get("status") != "Success"])
    _log.info("imported %s/%s: %d images, %d failed", *key, len(images) - failed, failed)
