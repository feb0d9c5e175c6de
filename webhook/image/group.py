"""How the definitions of image.openshift.io/v1 are named, and refer to one another."""

from __future__ import annotations

from typing import Any, Final

from webhook.errors import Json
from webhook.meta import nodes

GROUP: Final = "image.openshift.io"
VERSION: Final = "v1"
_PACKAGE: Final = "com.github.openshift.api.image.v1"


def name_of(definition: str) -> str:
    """The full name of a definition of this group, as clients of the original know it."""
    return f"{_PACKAGE}.{definition}"


def ref(definition: str, description: str = "", **more: Any) -> Json:
    """A field whose value has that definition of this group."""
    return nodes.reference(name_of(definition), description, **more)


def kind(name: str, description: str, properties: Json, *required: str) -> Json:
    """The definition of a kind of this group."""
    return nodes.kind(description, GROUP, VERSION, name, properties, required=required)
