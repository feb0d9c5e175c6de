"""Tables: what `kubectl get` prints, as columns and rows made by the server (api-server contract 5.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from webhook.errors import Json
from webhook.meta import partial

IncludeObject = Literal["Metadata", "Object", "None"]


def column(name: str, description: str, *, type: str = "string", format: str = "", priority: int = 0) -> Json:
    """A column definition; one with a priority above 0 is shown by `-o wide` only."""
    return {"name": name, "type": type, "format": format, "description": description, "priority": priority}


FALLBACK_COLUMNS: Final[list[Json]] = [
    column("Name", "The name of the object, unique in its namespace.", format="name"),
    column("Created At", "When the object was created.", type="date"),
]
"""The columns of kinds that have none of their own."""


def fallback_cells(obj: Json) -> list[Any]:
    """The cells of the fallback columns."""
    metadata = obj.get("metadata") or {}
    return [metadata.get("name", ""), metadata.get("creationTimestamp")]


def build(
    columns: Sequence[Json] | None,
    rows: Iterable[tuple[Sequence[Any], Json]],
    metadata: Json,
    *,
    include: IncludeObject = "Metadata",
    api_version: str = partial.API_VERSION,
) -> Json:
    """A Table of rows, each made of its cells and the object behind them; `metadata` is that of a list.

    In a watch the columns are given once: None stands for them in later events.
    """
    return {
        "kind": "Table",
        "apiVersion": api_version,
        "metadata": metadata,
        "columnDefinitions": None if columns is None else list(columns),
        "rows": [{"cells": list(cells), "object": _shown(obj, include, api_version)} for cells, obj in rows],
    }


def _shown(obj: Json, include: IncludeObject, api_version: str) -> Json | None:
    if include == "None":
        return None
    return obj if include == "Object" else partial.single(obj, api_version)
