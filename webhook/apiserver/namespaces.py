"""Namespaces of the standalone server: any name works without one; deleting one deletes what is in it."""

from __future__ import annotations

from webhook.apiserver.deletion import DeleteOptions
from webhook.apiserver.rest import Call
from webhook.apiserver.stored import StoredRest
from webhook.errors import Forbidden, Json, details_of, qualified
from webhook.storage.store import Delete, Missing


class NamespaceRest(StoredRest):
    """Stored plainly; a deletion does what the namespace controller of a cluster does."""

    contents: tuple[str, ...] = ()

    def delete(self, call: Call, name: str, options: DeleteOptions) -> Json | None:
        """Delete the namespace, and all objects in it whether or not it existed before."""
        waiting = super().delete(call, name, options)
        if not (call.dry_run or options.dry_run):
            self._empty(name)
        return waiting

    def _empty(self, namespace: str) -> None:
        for key in self.contents:
            for record in self.store.list(key, namespace).records:
                try:
                    self.store.commit([Delete(key, namespace, record.name, None)])
                except Missing:
                    continue


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
