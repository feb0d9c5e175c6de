"""Which pull secret of a namespace an import tries for a repository, said without showing what is in it."""

from __future__ import annotations

from collections.abc import Sequence

from webhook.distribution.credentials import Keyring
from webhook.distribution.failures import CorruptSecret
from webhook.errors import Json
from webhook.image.reference import Reference


def tried(secrets: Sequence[Json], reference: Reference, namespace: str) -> str:
    """A clause for an error: the secret whose entry is the most specific for the repository, or that there is none."""
    try:
        chosen = Keyring.from_secrets(secrets).find(reference)
    except CorruptSecret as error:
        return str(error)
    if chosen is None:
        return f"no pull secret of namespace {namespace} is for this repository"
    # Each secret alone, since a keyring does not say where its entries come from.
    names = [_name(one) for one in secrets if Keyring.from_secrets([one]).find(reference) == chosen]
    return f'pull secret "{names[0]}" of namespace {namespace} was tried'


def _name(secret: Json) -> str:
    return str((secret.get("metadata") or {}).get("name") or "")
