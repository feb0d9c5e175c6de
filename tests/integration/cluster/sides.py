"""One kind of object on two servers, to ask both the same: a real kube-apiserver and ours.

Secrets stand for themselves. Image streams are compared with Leases: both must be updated with a version, and both are
typed kinds of a group. What is compared is what clients act on: code, reason, details without texts, and warnings; of
a success the metadata that a client writes. Where the contract says otherwise (contract 3.1, image-api 12.28), or the
sandbox is simpler (docs/sandbox.md), there is no case here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from webhook.errors import Json

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Side:
    """One server with one kind of object."""

    call: Callable[..., tuple[int, Json, list[str]]]
    group: str
    resource: str
    kind: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/v1" if self.group else "v1"

    @property
    def collection(self) -> str:
        root = f"/apis/{self.group}/v1" if self.group else "/api/v1"
        return f"{root}/namespaces/default/{self.resource}"

    def object(self, name: str, **meta: object) -> Json:
        return {"apiVersion": self.api_version, "kind": self.kind, "metadata": {"name": name, **meta}}

    def answer(self, method: str, path: str, *more: Any, **headers: str) -> Any:
        """What a client acts on in the answer to a request."""
        return self._plain(*self.call(method, self.collection + path, *more, **headers))

    def _plain(self, code: int, body: Json, warnings: list[str]) -> Any:
        if code < 300:
            meta = body.get("metadata") or {}
            written = {key: meta[key] for key in ("labels", "finalizers", "ownerReferences") if key in meta}
            return code, (body.get("kind") or "").replace(self.kind, "KIND"), written, warnings
        details = {**(body.get("details") or {})}
        causes = {(one.get("reason"), one.get("field")) for one in details.pop("causes", ())}
        names = {self.group: "GROUP", self.kind: "KIND", self.resource: "RESOURCE"}
        known = {key: names.get(value, value) for key, value in details.items()}
        return code, body.get("reason"), known, causes, warnings


def agree(sides: tuple[Side, Side], ask: Callable[[Side, str], Any]) -> None:
    """Ask both about an object of a new name, which is there."""
    name = f"odd{next(_numbers)}"
    for side in sides:
        assert side.answer("POST", "", side.object(name, labels={"app": "odd"}))[0] == 201
    theirs, ours = (ask(side, name) for side in sides)
    assert ours == theirs
