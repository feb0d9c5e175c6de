"""The strategies of ImageStream: the resource itself, its `/status`, and the writes of the kinds built on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypedDict

from webhook.apiserver.rest import Call
from webhook.apiserver.strategy import Selectable, Strategy
from webhook.errors import FieldError, Findings, Json
from webhook.image import allowlist, defaults, generation, limits, names, status, tagging, tags, validation
from webhook.image.allowlist import AllowList
from webhook.meta import timestamps

# To be raised with every change of what `ImageStreamStrategy.decorate` makes of the same stream.
_SHOWN = "v1"
FIELDS = frozenset({"spec.dockerImageRepository", "status.dockerImageRepository"})


@dataclass(frozen=True)
class StreamRules:
    """What the rules of streams need to know of the rest of the world."""

    import_mode: str
    integrated: str
    public: str
    load: Callable[[str, str], Json | None]
    limit_ranges: Callable[[str], list[Json]]
    may_pull: Callable[[Call, str, str], str | None]
    allowed: Callable[[], AllowList]


class _Repository(TypedDict, total=False):
    dockerImageRepository: str


class _SelectableStream(Selectable, total=False):
    spec: _Repository
    status: _Repository


class ImageStreamStrategy(Strategy):
    """`imagestreams`: a client's status is discarded, tags are resolved at once (image-api 2.3, 2.6)."""

    keeps_status = False
    selected = _SelectableStream
    blank: Mapping[str, Json] = {
        "spec": {"lookupPolicy": {"local": False}},
        "status": {"dockerImageRepository": ""},
    }

    def __init__(self, world: StreamRules) -> None:
        self.world = world
        self.rules = (_SHOWN, world.integrated, world.public)

    def default(self, obj: Json) -> Json:
        """Policies of tags, and lists as the maps that they are (image-api 0.4, 2.1)."""
        return tags.canonical(defaults.stream(obj, self.world.import_mode))

    def name_findings(self, name: str, namespace: str) -> Findings:
        """The rule for stream names (image-api 1.4)."""
        return names.stream_name_problems(name, namespace)

    def prefix_findings(self, prefix: str) -> Findings:
        """A `generateName` must itself be a valid name (image-api 12.23)."""
        found = names.stream_name_problems(prefix, "") if prefix else []
        return [replace(one, field="metadata.generateName") for one in found]

    def prepare_for_create(self, call: Call, obj: Json) -> tuple[Json, Findings]:
        """A new stream: every generation is 1."""
        stream = obj if self.keeps_status else {**obj, "status": {}}
        return self._settled(call, generation.after_create(stream), None)

    def prepare_for_update(self, call: Call, new: Json, old: Json) -> tuple[Json, Findings]:
        """A changed stream: generations by the rules of image-api 2.5."""
        stream = new if self.keeps_status else {**new, "status": old.get("status") or {}}
        return self._settled(call, generation.after_update(stream, old), old)

    def _settled(self, call: Call, stream: Json, old: Json | None) -> tuple[Json, Findings]:
        resolved, findings = tagging.resolve(
            stream,
            old,
            load=self.world.load,
            authorize=lambda namespace, name: self.world.may_pull(call, namespace, name),
            integrated=self.world.integrated,
            now=timestamps.now(),
        )
        if self.keeps_status:
            resolved = tags.without_empty_status(resolved)
        resolved = self._with_repository(resolved)
        findings = findings + self._limit_findings(resolved, old) + validation.stream(resolved, old)
        return resolved, findings + allowlist.stream_findings(resolved, old, self.world.allowed())

    def _limit_findings(self, stream: Json, old: Json | None) -> Findings:
        why = limits.excess(self.world.limit_ranges(stream["metadata"].get("namespace", "")), old, stream)
        if not why:
            return []
        return [limits.finding(stream["metadata"].get("name", ""), why)]

    def _with_repository(self, stream: Json) -> Json:
        return status.with_repository(stream, self.world.integrated, self.world.public)

    def decorate(self, obj: Json) -> Json:
        """With the repository addresses of the present settings (image-api 2.4)."""
        return defaults.output(self._with_repository(obj))

    def restore(self, obj: Json) -> Json:
        """The repository addresses stay: they are stored as they were shown."""
        return defaults.without_output(obj)

    def selectable(self, obj: Json) -> Mapping[str, str]:
        """The two repositories (image-api 2.11)."""
        parts = {"spec": obj.get("spec") or {}, "status": obj.get("status") or {}}
        return {f"{part}.dockerImageRepository": body.get("dockerImageRepository", "") for part, body in parts.items()}


class InternalStreamStrategy(ImageStreamStrategy):
    """Writes by image stream tags, image tags and imports: the caller has prepared the status."""

    keeps_status = True


class ImageStreamStatusStrategy(ImageStreamStrategy):
    """`imagestreams/status`: tags and repository of the spec stay as they are (image-api 2.3)."""

    def prepare_for_update(self, call: Call, new: Json, old: Json) -> tuple[Json, Findings]:
        """A changed status; events without a generation get the one they belong to."""
        stream = status.after_status_write(new, old)
        findings = self._status_limit_findings(stream, old) + validation.status_update(stream, old)
        return stream, findings + allowlist.stream_findings(stream, old, self.world.allowed())

    def _status_limit_findings(self, stream: Json, old: Json) -> Findings:
        why = limits.excess(self.world.limit_ranges(stream["metadata"].get("namespace", "")), old, stream)
        return [FieldError.forbidden("imageStream", why)] if why else []

    def view(self, obj: Json) -> Json:
        """The repositories as they are stored (image-api 2.4, 12.32)."""
        return defaults.output(obj)
