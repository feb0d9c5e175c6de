"""The fields of an AdmissionReview that a decision reads, and no others: the rest is skipped without being built."""

from __future__ import annotations

from typing import Any, Final

import msgspec

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"


class _Read(msgspec.Struct, gc=False, rename="camel"):
    pass


class Owner(_Read):
    """An owner reference."""

    controller: bool | None = None


class Meta(_Read):
    """Object metadata."""

    name: str | None = None
    annotations: dict[str, Any] | None = None
    owner_references: list[Owner] | None = None


class Container(_Read):
    """A container or init container."""

    name: str | None = None
    image: str | None = None


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


class Spec(_Read):
    """The spec of any kind that is looked up: a Pod's, a workload's, a CronJob's or a Build's."""

    init_containers: list[Container] | None = None
    containers: list[Container] | None = None
    template: Template | None = None
    job_template: JobTemplate | None = None
    source: Source | None = None
    strategy: Strategy | None = None


class Object(_Read):
    """An object of any kind that is looked up."""

    metadata: Meta | None = None
    spec: Spec | None = None


class GroupResource(_Read):
    """The resource of a request."""

    group: str = ""
    resource: str = ""


class Request(_Read):
    """The request under review; `object` and `old_object` stay None if they cannot be read."""

    uid: str = ""
    resource: GroupResource = msgspec.field(default_factory=GroupResource)
    sub_resource: str | None = None
    name: str | None = None
    namespace: str | None = None
    operation: str = ""
    object: Object | None = None
    old_object: Object | None = None


class Review(_Read):
    """An AdmissionReview."""

    api_version: str = ""
    kind: str = ""
    request: Request | None = None


class _Envelope(_Read):
    uid: str = ""
    resource: GroupResource = msgspec.field(default_factory=GroupResource)
    sub_resource: str | None = None
    name: str | None = None
    namespace: str | None = None
    operation: str = ""


class _ReviewEnvelope(_Read):
    api_version: str = ""
    kind: str = ""
    request: _Envelope | None = None


class Malformed(ValueError):
    """The bytes are no AdmissionReview that could be answered; the message is one sentence."""


_whole = msgspec.json.Decoder(Review)
_envelope = msgspec.json.Decoder(_ReviewEnvelope)


def decode(body: bytes) -> tuple[Review, bool]:
    """The review, and whether its objects could be read; raises Malformed.

    Objects of an odd shape do not spoil the request: it can still be answered, by admitting them as they are.
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


def _review(body: bytes) -> tuple[Review, bool]:
    try:
        return _whole.decode(body), True
    except msgspec.ValidationError:
        found = _envelope.decode(body)
    request = None if found.request is None else Request(**msgspec.structs.asdict(found.request))
    return Review(found.api_version, found.kind, request), False


def read(item: Any) -> Object:
    """The same fields of an object in memory; raises ValueError for an odd shape."""
    return msgspec.convert(item, Object)
