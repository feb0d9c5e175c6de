"""The fields of an AdmissionReview that a decision reads, and no others: the rest is skipped without being built."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from webhook.admission import locations
from webhook.errors import Json

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"


class _Read(msgspec.Struct, gc=False, rename="camel"):
    pass


class Owner(_Read):
    """An owner reference."""

    api_version: str | None = None
    kind: str | None = None
    controller: bool | None = None


class Annotations(_Read, rename=None):
    """The annotations that mean something here, whatever their values are; all others are skipped."""

    resolve_names: Any = msgspec.field(default=None, name=locations.RESOLVE_NAMES)
    mirror: Any = msgspec.field(default=None, name=locations.MIRROR)
    origins: Any = msgspec.field(default=None, name=locations.ORIGINS)


class Meta(_Read):
    """Object metadata."""

    name: str | None = None
    generate_name: str | None = None
    annotations: Annotations | None = None
    owner_references: list[Owner] | None = None


class Container(_Read):
    """A container, init container or ephemeral container."""

    name: str | None = None
    image: str | None = None
    image_pull_policy: str | None = None


class VolumeImage(_Read):
    """The image that is mounted as a volume."""

    reference: str | None = None
    pull_policy: str | None = None


class Volume(_Read):
    """A volume; only images are read."""

    name: str | None = None
    image: VolumeImage | None = None


class ObjectReference(_Read):
    """What a build starts from."""

    kind: str | None = None
    namespace: str | None = None
    name: str | None = None


class HasFrom(_Read):
    """A build strategy, or an image that a build takes files from."""

    from_: ObjectReference | None = msgspec.field(default=None, name="from")


class Source(_Read):
    """A build's source."""

    images: list[HasFrom] | None = None


class Strategy(_Read):
    """A build's strategy; of a Deployment's nothing is read."""

    source_strategy: HasFrom | None = None
    custom_strategy: HasFrom | None = None
    docker_strategy: HasFrom | None = None


class PodSpec(_Read):
    """A Pod's spec."""

    init_containers: list[Container] | None = None
    containers: list[Container] | None = None
    ephemeral_containers: list[Container] | None = None
    volumes: list[Volume] | None = None


class Template(_Read):
    """A pod template."""

    metadata: Meta | None = None
    spec: PodSpec | None = None


class JobSpec(_Read):
    """The spec in a CronJob's job template."""

    template: Template | None = None


class JobTemplate(_Read):
    """A CronJob's job template."""

    spec: JobSpec | None = None


class Spec(PodSpec):
    """The spec of any kind that is looked up: a Pod's, a workload's, a CronJob's or a Build's."""

    template: Template | None = None
    job_template: JobTemplate | None = None
    source: Source | None = None
    strategy: Strategy | None = None


class Object(_Read):
    """An object of any kind that is looked up."""

    metadata: Meta | None = None
    spec: Spec | None = None
    template: Template | None = None


class GroupKind(_Read):
    """The kind of a request's object."""

    group: str = ""
    kind: str = ""


class GroupResource(_Read):
    """The resource of a request."""

    group: str = ""
    resource: str = ""


class _Envelope(_Read):
    uid: str = ""
    resource: GroupResource = msgspec.field(default_factory=GroupResource)
    sub_resource: str | None = None
    name: str | None = None
    namespace: str | None = None
    operation: str = ""
    kind: GroupKind = msgspec.field(default_factory=GroupKind)
    dry_run: bool | None = None


class Request(_Envelope):
    """The request under review; `object` and `old_object` stay None if they cannot be read."""

    object: Object | None = None
    old_object: Object | None = None


class Review(_Read):
    """An AdmissionReview."""

    api_version: str = ""
    kind: str = ""
    request: Request | None = None


class _ReviewEnvelope(_Read):
    api_version: str = ""
    kind: str = ""
    request: _Envelope | None = None


class _RawRequest(_Read):
    object: dict[str, Any] | None = None
    old_object: dict[str, Any] | None = None


class _RawReview(_Read):
    request: _RawRequest


class Malformed(ValueError):
    """The bytes are no AdmissionReview that could be answered; the message is one sentence."""


class Unreadable(ValueError):
    """The review's object has a shape that its kind cannot have."""


_whole = msgspec.json.Decoder(Review)
_envelope = msgspec.json.Decoder(_ReviewEnvelope)
_raw = msgspec.json.Decoder(_RawReview)

_LARGE = 512 << 10
_MAX_MAPS = 250_000


def decode(body: bytes) -> tuple[Review, bool]:
    """The review, and whether its objects could be read; raises Malformed.

    Objects of an odd shape, or of absurdly many parts, do not spoil the request: it can still be answered, by admitting
    them as they are.
    """
    try:
        review, readable = _review(body)
    except (ValueError, RecursionError) as error:
        # RecursionError: JSON nested deeper than the decoder goes. ValueError: msgspec's errors, and bad UTF-8.
        raise Malformed(f"The body is not an AdmissionReview: {error}.") from error
    if (review.api_version, review.kind) != (API_VERSION, KIND):
        raise Malformed(f"The body must be an {API_VERSION} {KIND}.")
    if review.request is None or not review.request.uid:
        raise Malformed("The AdmissionReview has no request with a uid.")
    return review, readable


def raw_objects(body: bytes) -> tuple[Json, Json]:
    """The object and the old object of a review that was decoded before, whole; empty where there is none."""
    try:
        request = _raw.decode(body).request
    except (ValueError, RecursionError):
        return {}, {}
    return request.object or {}, request.old_object or {}


def _review(body: bytes) -> tuple[Review, bool]:
    # Each `{` may become an object of ours: what an API server lets through has fewer, and more would be built in vain.
    absurd = len(body) > _LARGE and body.count(b"{") > _MAX_MAPS
    try:
        if not absurd:
            return _whole.decode(body), True
    except msgspec.ValidationError:
        pass
    found = _envelope.decode(body)
    request = None if found.request is None else Request(**msgspec.structs.asdict(found.request))
    return Review(found.api_version, found.kind, request), False


def read(item: Any) -> Object:
    """The same fields of an object in memory; raises ValueError for an odd shape."""
    return msgspec.convert(item, Object)


def read_metadata(item: Any) -> Object:
    """An object of a kind that is not known here, reduced to its metadata; raises ValueError for an odd shape."""
    return Object(metadata=msgspec.convert(item.get("metadata"), Meta | None))


def labels(item: Json) -> dict[str, Any]:
    """The labels of an object in memory."""
    metadata = item.get("metadata")
    found = metadata.get("labels") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}
