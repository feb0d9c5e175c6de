"""Who makes a request: the user that authentication found, for authorization, limits and log lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

ALL_AUTHENTICATED: Final = "system:authenticated"
MASTERS: Final = "system:masters"


def _nothing() -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({})


@dataclass(frozen=True)
class User:
    """One identity as Kubernetes knows it (contract 1.5); `extra` is keyed by lower-cased, decoded names."""

    name: str
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=_nothing, hash=False)
    uid: str = ""


ADMINISTRATOR: Final = User("system:admin", (MASTERS, ALL_AUTHENTICATED))
