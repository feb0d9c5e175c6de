"""Namespaces of the standalone server: any name works without one; deleting one deletes what is in it."""

from __future__ import annotations

from webhook.apiserver.bodies import Shown
from webhook.apiserver.deletion import DeleteOptions
from webhook.apiserver.rest import Call, Gone
from webhook.apiserver.stored import StoredRest
from webhook.apiserver.strategy import Strategy
from webhook.errors import Findings, Forbidden, Json, NotFound, details_of, qualified

FINALIZER = "kubernetes"
"""Holds a namespace until it is empty, as in a cluster."""


class NamespaceStrategy(Strategy):
    """Stored as they are sent."""

    def prepare_for_create(self, call: Call, obj: Json) -> tuple[Json, Findings]:
        """A new namespace, which will not go before it is empty."""
        others = [one for one in obj["metadata"].get("finalizers") or () if one != FINALIZER]
        return {**obj, "metadata": {**obj["metadata"], "finalizers": [FINALIZER, *others]}}, []


class NamespaceRest(StoredRest):
    """A deletion does what the namespace controller of a cluster does."""

    contents: tuple[StoredRest, ...] = ()

    def delete(self, call: Call, name: str, options: DeleteOptions) -> Shown | Gone:
        """Mark the namespace, delete what is in it, and the namespace itself once nothing is left."""
        waiting = super().delete(call, name, options)
        if not (call.dry_run or options.dry_run):
            self._empty(call, name)
            self.settle(call, name)
        return waiting

    def settle(self, call: Call, name: str) -> None:
        """Let a namespace go that is being deleted and empty."""
        found = self.find("", name)
        if found is None or "deletionTimestamp" not in found["metadata"] or self._is_filled(name):
            return
        try:
            self.update(Call(call.user), name, _released)
        except NotFound:
            return

    def _empty(self, call: Call, namespace: str) -> None:
        within = Call(call.user, namespace)
        for rest in self.contents:
            for record in rest.store.list(rest.key, namespace).records:
                try:
                    rest.delete(within, record.name, DeleteOptions(policy="Background"))
                except NotFound:
                    continue

    def _is_filled(self, namespace: str) -> bool:
        return any(rest.store.list(rest.key, namespace, limit=1).records for rest in self.contents)


def _released(namespace: Json | None) -> Json:
    obj = namespace or {}
    held = [one for one in obj["metadata"].get("finalizers") or () if one != FINALIZER]
    return {**obj, "metadata": {**obj["metadata"], "finalizers": held}}


def being_terminated(resource: str, group: str, name: str, namespace: str) -> Forbidden:
    """The refusal of a new object in a namespace that is being deleted; clients match the cause (contract 3.10)."""
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace",
    }
    named = f'{qualified(resource, group)} "{name}"' if name else qualified(resource, group)
    return Forbidden(
        f"{named} is forbidden: unable to create new content in namespace {namespace} because it is being terminated",
        details=details_of(resource, group, name, causes=[cause]),
    )
