"""Objects reduced to their metadata, for clients that need no more (api-server contract 5.2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from webhook.errors import Json

API_VERSION: Final = "meta.k8s.io/v1"


def single(obj: Json, api_version: str = API_VERSION) -> Json:
    """The PartialObjectMetadata of one object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": api_version, "metadata": obj.get("metadata") or {}}


def object_list(items: Iterable[Json], metadata: Json, api_version: str = API_VERSION) -> Json:
    """The PartialObjectMetadataList of some objects, with the metadata of their list."""
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": api_version,
        "metadata": metadata,
        "items": [single(one, api_version) for one in items],
    }
