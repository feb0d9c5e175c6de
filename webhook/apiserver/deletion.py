"""What a DELETE asks for and what it does to an object (api-server contract 3.8): pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from webhook.apiserver.metadata import FINALIZER_FOREGROUND, FINALIZER_ORPHAN
from webhook.errors import BadRequest, Conflict, FieldError, Invalid, Json
from webhook.meta import timestamps
from webhook.meta.options import Query, flag, integer

POLICIES = ("Orphan", "Background", "Foreground")
_TYPES: Mapping[str, tuple[type, str]] = {
    "dryRun": (list, "a list of strings"),
    "gracePeriodSeconds": (int, "an integer"),
    "orphanDependents": (bool, "true or false"),
    "preconditions": (dict, "an object"),
    "propagationPolicy": (str, "a string"),
}
_PRECONDITION_TYPES: Mapping[str, tuple[type, str]] = {
    "uid": (str, "a string"),
    "resourceVersion": (str, "a string"),
}
_API_VERSIONS = ("v1", "meta.k8s.io/v1", "")


@dataclass(frozen=True)
class DeleteOptions:
    """How to delete: dry run or not, preconditions, and what becomes of dependents. None is what nobody said."""

    dry_run: bool = False
    uid: str | None = None
    resource_version: str | None = None
    policy: str | None = None
    orphan_dependents: bool | None = None


def options(query: Query, body: Json | None, api_version: str) -> DeleteOptions:
    """The options of a request; a body, even an empty object, hides the query (image-api 12.26).

    Every group has these options: a body may also say the `api_version` of what is deleted.
    """
    given = _of_query(query) if body is None else _read(body, api_version)
    preconditions, dry_run = given.get("preconditions") or {}, given.get("dryRun") or []
    parsed = DeleteOptions(
        dry_run=bool(dry_run),
        uid=preconditions.get("uid"),
        resource_version=preconditions.get("resourceVersion"),
        policy=given.get("propagationPolicy"),
        orphan_dependents=given.get("orphanDependents"),
    )
    findings = _findings(parsed, dry_run)
    if findings:
        raise Invalid.of("DeleteOptions", "meta.k8s.io", "", findings)
    return parsed


def _read(body: Json, api_version: str) -> Json:
    """A body whose fields have the types of DeleteOptions."""
    known = body.get("apiVersion", "") in (*_API_VERSIONS, api_version)
    if body.get("kind", "DeleteOptions") != "DeleteOptions" or not known:
        raise BadRequest(
            f"the body of a DELETE must be DeleteOptions, not {body.get('kind')} in {body.get('apiVersion')}"
        )
    _check_types(body, _TYPES)
    _check_types(body.get("preconditions") or {}, _PRECONDITION_TYPES)
    if not all(isinstance(one, str) for one in body.get("dryRun") or ()):
        raise BadRequest("dryRun must be a list of strings")
    return body


def _check_types(given: Json, types: Mapping[str, tuple[type, str]]) -> None:
    for key, (wanted, words) in types.items():
        value = given.get(key)
        # To Python, but not to JSON, a bool is an int.
        if value is not None and (not isinstance(value, wanted) or (isinstance(value, bool) and wanted is int)):
            raise BadRequest(f"{key} must be {words}")


def _of_query(query: Query) -> Json:
    """The same from a query, where everything is text and preconditions stand on their own."""
    integer(query, "gracePeriodSeconds")
    first = {key: values[0] for key, values in query.items()}
    return {
        "propagationPolicy": first.get("propagationPolicy"),
        "dryRun": list(query.get("dryRun", ())),
        "orphanDependents": flag(query, "orphanDependents"),
        "preconditions": {key: first.get(key) for key in _PRECONDITION_TYPES},
    }


def _findings(parsed: DeleteOptions, dry_run: list[str]) -> list[FieldError]:
    findings = []
    if not set(dry_run) <= {"All"}:
        findings.append(FieldError.not_supported("dryRun", dry_run, ["All"]))
    if parsed.policy is not None and parsed.policy not in POLICIES:
        findings.append(FieldError.not_supported("propagationPolicy", parsed.policy, [*POLICIES, "nil"]))
    if parsed.policy is not None and parsed.orphan_dependents is not None:
        why = "orphanDependents and deletionPropagation cannot be both set"
        findings.append(FieldError.invalid("propagationPolicy", parsed.policy, why))
    return findings


def check_preconditions(obj: Json, asked: DeleteOptions, kind: str, group: str) -> None:
    """A Conflict (with the Kind in its details, image-api 12.26) where the record is not the one that was meant."""
    meta = obj["metadata"]
    if asked.uid is not None and asked.uid != meta["uid"]:
        why = (
            f"the UID in the precondition ({asked.uid}) does not match the UID in record ({meta['uid']})."
            " The object might have been deleted and then recreated"
        )
        raise Conflict.of(kind, group, meta["name"], why)
    if asked.resource_version is not None and asked.resource_version != meta["resourceVersion"]:
        why = (
            f"the ResourceVersion in the precondition ({asked.resource_version}) does not match the ResourceVersion"
            f" in record ({meta['resourceVersion']}). The object might have been modified"
        )
        raise Conflict.of(kind, group, meta["name"], why)


def finalizers_after(obj: Json, asked: DeleteOptions, *, collectable: bool) -> list[str]:
    """The object's finalizers once the propagation policy is written into them.

    `collectable` is False for kinds that declare garbage collection unsupported: nothing is added for those.
    """
    held = list(obj["metadata"].get("finalizers") or ())
    if not collectable:
        return held
    policy = asked.policy or ("Orphan" if asked.orphan_dependents else "Background")
    kept = [one for one in held if one not in (FINALIZER_ORPHAN, FINALIZER_FOREGROUND)]
    if not asked.policy and asked.orphan_dependents is None:
        return held
    wanted = {"Orphan": [FINALIZER_ORPHAN], "Foreground": [FINALIZER_FOREGROUND]}.get(policy, [])
    return kept + wanted


def marked(obj: Json, finalizers: list[str]) -> Json:
    """The object as it waits for its finalizers; the generation rises once (image-api 12.26)."""
    meta = {**obj["metadata"], "finalizers": finalizers}
    if "deletionTimestamp" not in meta:
        meta["deletionTimestamp"] = timestamps.now()
        meta["deletionGracePeriodSeconds"] = 0
        meta["generation"] = (meta.get("generation") or 0) + 1
    return {**obj, "metadata": meta}
