"""What was recorded: conversations, their steps, and the answers that belong to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).parent / "data"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Until:
    """Repeat the request until the value at `path` equals this one; without one, until there is any value."""

    path: str
    equals: Any = None
    any_value: bool = True


@dataclass(frozen=True)
class Request:
    """One HTTP request, and which parts of its answer count."""

    method: str
    path: str
    body: Any = None
    user: str = "admin"
    headers: Mapping[str, str] = field(default_factory=dict)
    save: Mapping[str, str] = field(default_factory=dict)
    until: Until | None = None
    within: float = 30
    pause: float = 0
    watch: float | None = None
    ignore: Sequence[str] = ()
    quiet: bool = False
    keep_headers: Sequence[str] = ()


@dataclass(frozen=True)
class Push:
    """Copy an image within the plain registry, as somebody's push would: this is how an upstream tag moves."""

    source: str
    destination: str


@dataclass(frozen=True)
class Conversation:
    """Steps in order, with what a target must offer to be asked them."""

    area: str
    name: str
    about: str
    needs: frozenset[str]
    steps: tuple[Request | Push, ...]

    @property
    def id(self) -> str:
        """`area/name`, as in the list of deviations."""
        return f"{self.area}/{self.name}"

    @property
    def wants_controller(self) -> bool:
        """Is it about what the import controller does by itself? These wait, and need not be replayed one by one."""
        return "importer" in self.needs

    def answers(self, data: Path = DATA) -> list[Any]:
        """What OpenShift answered."""
        recorded: list[Any] = json.loads((data / "golden" / self.area / f"{self.name}.json").read_text())
        return recorded


def load(only: Sequence[str] = (), data: Path = DATA) -> Iterator[Conversation]:
    """All conversations in the order of the files, or those whose id contains one of the words."""
    for path in sorted((data / "scenarios").glob("*.yaml")):
        for raw in yaml.load_all(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if raw and (not only or any(word in f"{path.stem}/{raw['name']}" for word in only)):
                yield _conversation(path.stem, raw)


def _conversation(area: str, raw: Mapping[str, Any]) -> Conversation:
    steps = tuple(_step(step) for step in raw["steps"])
    return Conversation(area, raw["name"], raw.get("about", ""), frozenset(raw.get("needs") or ()), steps)


def _step(raw: Mapping[str, Any]) -> Request | Push:
    if "PUSH" in raw:
        return Push(raw["PUSH"]["from"], raw["PUSH"]["to"])
    rest = dict(raw)
    method = next(name for name in METHODS if name in rest)
    path = rest.pop(method)
    headers = dict(rest.pop("headers", None) or {})
    for key, header in (("type", "Content-Type"), ("accept", "Accept")):
        if key in rest:
            headers[header] = rest.pop(key)
    until = rest.pop("until", None)
    user = rest.pop("as", "admin")
    waits = Until(until["path"], until.get("equals"), "equals" not in until) if until else None
    # An unknown key is a TypeError here: a step must never be replayed as something else than what was recorded.
    return Request(method, path, user=user, headers=headers, until=waits, **rest)
