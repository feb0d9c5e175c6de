"""Which object and verb a path means (api-server contract 1.6): pure, before anything is looked up."""

from __future__ import annotations

from dataclasses import dataclass

_VERBS_OF_NAMED = {"GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "POST": "create"}
_VERBS_OF_COLLECTION = {"GET": "list", "HEAD": "list", "POST": "create", "DELETE": "deletecollection"}


@dataclass(frozen=True)
class RequestInfo:
    """One request to a resource; `verb` is empty where the method means nothing on that path."""

    verb: str
    group: str
    version: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""


def parse(method: str, path: str, *, watch: bool = False) -> RequestInfo | None:
    """The request that `method` on `path` makes, or None for a path outside of any group version's resources."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    # /namespaces/x/status is the subresource of a Namespace, /namespaces/x/pods a resource within one.
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    if len(rest) > 3:
        return None
    resource, name, subresource = (*rest, "", "")[:3]
    verbs = _VERBS_OF_NAMED if name else _VERBS_OF_COLLECTION
    verb = verbs.get(method, "")
    if watch and method == "GET" and verb:
        verb = "watch"
    return RequestInfo(verb, group, version, resource, subresource, namespace, name)


def is_plain(path: str) -> bool:
    """False for a path with empty, `.` or `..` segments: such paths are refused, never cleaned (contract 1.7)."""
    inner = path[1:-1] if path.endswith("/") and len(path) > 1 else path[1:]
    return not any(part in ("", ".", "..") for part in inner.split("/")) if inner else True
