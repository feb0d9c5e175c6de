"""The fields of image.openshift.io/v1, once, for decoding, patches, apply, OpenAPI and `kubectl explain`."""

from __future__ import annotations

from functools import cache
from typing import Final

from webhook.errors import Json
from webhook.image.derived_kinds import IMPORT, VIEWS
from webhook.image.group import GROUP, VERSION, name_of
from webhook.image.stored_kinds import IMAGE, STREAM
from webhook.meta import definitions
from webhook.meta.nodes import binary, boolean, kind, list_of, mapping, string
from webhook.meta.schema import Schema


def for_kind(name: str) -> Schema:
    """The schema of a kind (`ImageStream`) or of a part (`TagReference`); KeyError for an unknown one."""
    return _schema(name_of(name))


@cache
def _schema(definition: str) -> Schema:
    return Schema(DEFINITIONS[definition], DEFINITIONS)


_LISTED: Final = ("Image", "ImageStream", "ImageStreamTag", "ImageTag")

_LISTS: Final[dict[str, Json]] = {
    **{f"{one}List": list_of(GROUP, VERSION, one, name_of(one)) for one in _LISTED},
    "SecretList": list_of(GROUP, VERSION, "Secret", "io.k8s.api.core.v1.Secret"),
}

_SECRET: Final = kind(
    "Credentials, as the core group has them.",
    "",
    "v1",
    "Secret",
    {
        "data": mapping(binary("The value."), "The values, in base64."),
        "stringData": mapping(string("The value."), "Values to be added to data."),
        "type": string("The type, such as kubernetes.io/dockerconfigjson."),
        "immutable": boolean("True forbids changes."),
    },
)

DEFINITIONS: Final[dict[str, Json]] = {
    **definitions.DEFINITIONS,
    "io.k8s.api.core.v1.Secret": _SECRET,
    **{name_of(key): node for part in (STREAM, IMAGE, VIEWS, IMPORT, _LISTS) for key, node in part.items()},
}
"""Name → schema node, of this group and of all that it refers to."""
