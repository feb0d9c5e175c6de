"""Which representation of an object a client asks for with its Accept header (api-server contract 3.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from webhook.errors import NotAcceptable

Shape = Literal["object", "table", "partial", "partiallist"]

JSON: Final = "application/json"
YAML: Final = "application/yaml"
SERVED: Final = (JSON, YAML)
STREAMED: Final = (JSON,)
"""What a watch can be: one line of JSON for each event."""
_WILDCARDS: Final = ("*/*", "application/*")
_SHAPES: Final[dict[str, Shape]] = {
    "Table": "table",
    "PartialObjectMetadata": "partial",
    "PartialObjectMetadataList": "partiallist",
}
_VERSIONS: Final = ("v1", "v1beta1")
_META_GROUP: Final = "meta.k8s.io"


@dataclass(frozen=True)
class Clause:
    """One alternative of an Accept header; parameter names are in lower case, `q` is not among them."""

    media_type: str
    parameters: dict[str, str] = field(default_factory=dict)
    quality: float = 1.0


@dataclass(frozen=True)
class Representation:
    """The answer's shape; `version` is that of meta.k8s.io (for objects it has no meaning)."""

    kind: Shape = "object"
    version: str = "v1"
    media_type: str = JSON

    @property
    def api_version(self) -> str:
        """The apiVersion of a Table or of partial metadata."""
        return f"{_META_GROUP}/{self.version}"


def clauses(accept: str | None) -> list[Clause]:
    """The alternatives, best first: by quality, then by position; those with quality 0 are left out."""
    parsed = [_clause(one) for one in (accept or "").split(",") if one.strip()]
    return sorted((one for one in parsed if one.quality > 0), key=lambda one: -one.quality)


def _clause(text: str) -> Clause:
    media_type, *rest = (part.strip() for part in text.split(";"))
    pairs = (part.partition("=") for part in rest)
    parameters = {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
    return Clause(media_type.lower(), parameters, _quality(parameters.pop("q", "1")))


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def negotiate(accept: str | None, served: tuple[str, ...] = SERVED) -> Representation:
    """The first alternative that can be served; NotAcceptable where none can. No header means JSON."""
    if not (accept or "").strip():
        return Representation()
    for clause in clauses(accept):
        representation = _representation(clause, served)
        if representation is not None:
            return representation
    raise _nothing(accept or "", served)


def _representation(clause: Clause, served: tuple[str, ...]) -> Representation | None:
    media_type = JSON if clause.media_type in _WILDCARDS else clause.media_type
    if media_type not in served:
        return None
    shape = clause.parameters.get("as", "")
    if not shape:
        return Representation(media_type=media_type)
    version = clause.parameters.get("v", "")
    known = shape in _SHAPES and version in _VERSIONS and clause.parameters.get("g", "") == _META_GROUP
    return Representation(_SHAPES[shape], version, media_type) if known else None


def _nothing(accept: str, served: tuple[str, ...]) -> NotAcceptable:
    # Kubernetes refuses unknown media types before it looks at shapes, with other details.
    known_type = any(one.media_type in (*SERVED, *_WILDCARDS) for one in clauses(accept))
    message = f"only the following media types are accepted: {', '.join(served)}"
    return NotAcceptable(message, details=None if known_type else {})


def check_pairing(representation: Representation, *, is_list: bool, go_type: str) -> None:
    """NotAcceptable where one partial object is asked of a list, or a list of one object (contract 5.2).

    `go_type` is how Kubernetes would call what was asked for, such as `*v1.ImageStreamList`.
    """
    if representation.kind == "partial" and is_list:
        raise NotAcceptable(f"you requested PartialObjectMetadata, but the requested object is a list ({go_type})")
    if representation.kind == "partiallist" and not is_list:
        text = f"you requested PartialObjectMetadataList, but the requested object is not a list ({go_type})"
        raise NotAcceptable(text)
