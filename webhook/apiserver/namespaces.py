"""Namespaces of the standalone server: any name works without one; deleting one deletes what is in it."""

from __future__ import annotations

from webhook.apiserver.bodies import Shown
from webhook.apiserver.deletion import DeleteOptions
from webhook.apiserver.rest import Call, Gone
from webhook.apiserver.stored import StoredRest
from webhook.storage.store import Delete, Missing


class NamespaceRest(StoredRest):
    """Stored plainly; a deletion does what the namespace controller of a cluster does."""

    contents: tuple[str, ...] = ()

    def delete(self, call: Call, name: str, options: DeleteOptions) -> Shown | Gone:
        """Delete the namespace, and all objects in it whether or not it existed before."""
        deleted = super().delete(call, name, options)
        if not (call.dry_run or options.dry_run):
            self._empty(name)
        return deleted

    def _empty(self, namespace: str) -> None:
        for key in self.contents:
            for record in self.store.list(key, namespace).records:
                try:
                    self.store.commit([Delete(key, namespace, record.name, None)])
                except Missing:
                    continue
