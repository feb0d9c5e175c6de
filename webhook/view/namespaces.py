"""Which namespaces have a run level: the part of a Namespace that admission has to know (spec admission A.1)."""

from __future__ import annotations

from collections.abc import Iterable

from webhook.errors import Json

RUN_LEVEL = "openshift.io/run-level"


class RunLevels:
    """Fed by a reflector of namespaces, read without locks; the few that have the label are all that is kept."""

    def __init__(self) -> None:
        self._found: dict[str, Json] = {}

    def get(self, name: str) -> Json | None:
        """The Namespace, reduced to its label; None for one without a run level."""
        return self._found.get(name)

    def replace(self, objects: Iterable[Json], position: str) -> None:
        """The whole collection."""
        del position
        self._found = {one["metadata"]["name"]: _reduced(one) for one in objects if _has_level(one)}

    def apply(self, kind: str, item: Json) -> None:
        """One change."""
        name = item["metadata"]["name"]
        if kind != "DELETED" and _has_level(item):
            self._found[name] = _reduced(item)
        else:
            self._found.pop(name, None)

    def advance(self, position: str) -> None:
        """Nothing waits for namespaces."""


def _has_level(namespace: Json) -> bool:
    return RUN_LEVEL in (namespace["metadata"].get("labels") or {})


def _reduced(namespace: Json) -> Json:
    meta = namespace["metadata"]
    return {"metadata": {"name": meta["name"], "labels": {RUN_LEVEL: meta["labels"][RUN_LEVEL]}}}
