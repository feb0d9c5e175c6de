"""Why a reference was rewritten or left alone: one constant and one sentence per outcome.

A sentence may name `{written}` (the text in the object), `{image}` (what takes its place), `{stream}` (namespace/name),
`{tag}`, `{kind}` and `{note}`.
"""

from __future__ import annotations

from typing import Final

RESOLVED: Final = "Resolved"
MISSING_TAG_DEFERRED: Final = "MissingTagDeferred"

DIGEST: Final = "Digest"
INTEGRATED: Final = "IntegratedRegistry"
INVALID_NAME: Final = "InvalidName"
LOOKUP_DISABLED: Final = "LookupDisabled"
NAMESPACE_SKIPPED: Final = "NamespaceSkipped"
NOT_COVERED: Final = "NotCovered"
NOT_SHORT: Final = "NotShort"
NO_SUCH_STREAM: Final = "NoSuchStream"
NO_SUCH_TAG: Final = "NoSuchTag"
NOT_READY: Final = "NotReady"
MIRROR_POD: Final = "MirrorPod"
NEVER_PULLED: Final = "NeverPulled"
NOT_LOOKED_UP: Final = "NotLookedUp"
SKIPPED: Final = "Skipped"
TOO_MANY_IMAGES: Final = "TooManyImages"
OWNED_BY_CONTROLLER: Final = "OwnedByController"
STREAM_REFERENCE: Final = "StreamReference"
TEMPLATE_IMMUTABLE: Final = "TemplateImmutable"
UNCHANGED: Final = "Unchanged"
UNPARSABLE: Final = "Unparsable"
UNSUPPORTED_KIND: Final = "UnsupportedKind"
UNUSABLE_PULL_SPEC: Final = "UnusablePullSpec"

OF_OBJECTS: Final = frozenset(
    {NAMESPACE_SKIPPED, NOT_COVERED, MIRROR_POD, TOO_MANY_IMAGES, OWNED_BY_CONTROLLER, TEMPLATE_IMMUTABLE}
)
"""The reasons for which an object as a whole is left alone, whatever its images are."""

SENTENCES: Final[dict[str, str]] = {
    RESOLVED: "{written} is tag {tag} of image stream {stream}, whose image is {image}.",
    MISSING_TAG_DEFERRED: (
        "Tag {tag} of image stream {stream} has no image{note}; {image} stands in its place, so that the image is"
        " pulled as soon as the tag has one and from nowhere else."
    ),
    DIGEST: "{written} names its image by digest already.",
    INTEGRATED: "{written} points into the integrated registry already.",
    INVALID_NAME: "{written} reads as a registry host without a repository, so it names no image stream.",
    LOOKUP_DISABLED: (
        "Image stream {stream} does not allow local lookup, and the object does not ask for it by annotation."
    ),
    NAMESPACE_SKIPPED: "Nothing is looked up in this namespace: it belongs to the platform.",
    NOT_COVERED: "Images of this kind of object, subresource or operation are not looked up.",
    NOT_SHORT: "{written} has a registry or a namespace in it; only names of one word are looked up.",
    NO_SUCH_STREAM: "There is no image stream {stream}.",
    NO_SUCH_TAG: "Tag {tag} of image stream {stream} has no image{note}.",
    NOT_READY: "Image streams have not been read yet, so {written} stays as it is written.",
    MIRROR_POD: "The Pod only shows what a node runs from a file of its own.",
    NEVER_PULLED: "{written} is never pulled (its pull policy says so), so the node must have it under this name.",
    NOT_LOOKED_UP: "The configuration does not have {written} looked up here.",
    SKIPPED: "The configuration leaves {written} alone here.",
    TOO_MANY_IMAGES: "The object has more images than are looked up in one.",
    OWNED_BY_CONTROLLER: "The object belongs to a controller, whose own template is what counts.",
    STREAM_REFERENCE: "{kind} {written} is left for the build to look up.",
    TEMPLATE_IMMUTABLE: "An object of this kind cannot be changed once it is stored.",
    UNCHANGED: "{written} is what is stored already; only what changes is looked up.",
    UNPARSABLE: "{written} is not a valid image reference: {note}.",
    UNSUPPORTED_KIND: 'A reference of kind "{kind}" cannot be looked up.',
    UNUSABLE_PULL_SPEC: "The pull spec recorded for tag {tag} of image stream {stream} is not a valid image reference.",
}
