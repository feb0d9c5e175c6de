"""What the server owns of an object's metadata, on creation and on update (api-server contract 3.3, 3.6, 3.11)."""

from __future__ import annotations

import uuid

from webhook.errors import BadRequest, FieldError, Json, Untyped
from webhook.meta import names, timestamps

_CLEARED_ON_CREATE = ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "managedFields", "generation")
_NEVER_FROM_CLIENT = ("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
FINALIZER_ORPHAN = "orphan"
FINALIZER_FOREGROUND = "foregroundDeletion"


def agree_on_namespace(obj: Json, namespace: str) -> Json:
    """The object with the URL's namespace; a different one in the body is a 400."""
    meta = dict(obj.get("metadata") or {})
    if meta.get("namespace") and meta["namespace"] != namespace:
        raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")
    meta.pop("namespace", None)
    if namespace:
        meta["namespace"] = namespace
    return {**obj, "metadata": meta}


def agree_on_name(obj: Json, name: str) -> None:
    """A 400 where the body names no object, or another one than the URL."""
    given = (obj.get("metadata") or {}).get("name")
    if not given:
        raise BadRequest("name must be provided")
    if given != name:
        raise BadRequest(f"the name of the object ({given}) does not match the name on the URL ({name})")


def for_create(obj: Json) -> Json:
    """The object with a fresh uid and creation time, and a generated name where one was asked for."""
    meta = dict(obj["metadata"])
    version = str(meta.pop("resourceVersion", None) or "0")
    # Kubernetes passes over what is no version at all.
    if version.isdecimal() and int(version):
        raise Untyped("resourceVersion should not be set on objects to be created")
    for key in _CLEARED_ON_CREATE:
        meta.pop(key, None)
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = names.generate_name(meta["generateName"])
    meta["uid"] = str(uuid.uuid4())
    meta["creationTimestamp"] = timestamps.now()
    return {**obj, "metadata": _without_empty(meta)}


def for_update(new: Json, old: Json) -> Json:
    """The new object with everything that the server owns taken from the old one."""
    meta, before = dict(new["metadata"]), old["metadata"]
    meta["uid"] = before["uid"]
    for key in _NEVER_FROM_CLIENT:
        meta.pop(key, None)
        if key in before:
            meta[key] = before[key]
    meta.pop("selfLink", None)
    meta["managedFields"] = before.get("managedFields")
    return {**new, "metadata": _without_empty(meta)}


def version_of(obj: Json) -> int:
    """The resource version that an update asks for, 0 where it asks for none; Untyped for what is no number."""
    text = obj["metadata"].get("resourceVersion") or "0"
    if not text.isdecimal():
        raise Untyped(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    return int(text)


def immutable_findings(new: Json, old: Json) -> list[FieldError]:
    """What only the server sets, and nobody but a DELETE; once set, what a client says of it is passed over."""
    return [
        FieldError.invalid(f"metadata.{key}", new["metadata"][key], "field is immutable")
        for key in ("deletionTimestamp", "deletionGracePeriodSeconds")
        if new["metadata"].get(key) is not None and key not in old["metadata"]
    ]


def with_owners_once(obj: Json) -> tuple[Json, list[str]]:
    """The object without owner references that it has already, and their uids (contract 3.6)."""
    owners = obj["metadata"].get("ownerReferences") or []
    first = [one for index, one in enumerate(owners) if one not in owners[:index]]
    if len(first) == len(owners):
        return obj, []
    repeated = [one.get("uid") or "" for index, one in enumerate(owners) if one in owners[:index]]
    return {**obj, "metadata": {**obj["metadata"], "ownerReferences": first}}, repeated


def with_managed_fields(obj: Json, managed: list[Json] | None) -> Json:
    """The object with these managedFields; None leaves those that it has."""
    return (
        obj if managed is None else {**obj, "metadata": _without_empty({**obj["metadata"], "managedFields": managed})}
    )


def finalizer_findings(new: Json, old: Json) -> list[FieldError]:
    """While an object is being deleted its finalizers may only become fewer."""
    if "deletionTimestamp" not in old["metadata"]:
        return []
    before = set(old["metadata"].get("finalizers") or ())
    added = [one for one in new["metadata"].get("finalizers") or () if one not in before]
    if not added:
        return []
    listed = "[]string{" + ", ".join(f'"{one}"' for one in added) + "}"
    why = f"no new finalizers can be added if the object is being deleted, found new finalizers {listed}"
    return [FieldError.forbidden("metadata.finalizers", why)]


def is_finished(obj: Json) -> bool:
    """True for an object that was waiting for its finalizers and has none left."""
    return "deletionTimestamp" in obj["metadata"] and not obj["metadata"].get("finalizers")


def _without_empty(meta: Json) -> Json:
    return {key: value for key, value in meta.items() if value not in (None, {}, [], "")}
