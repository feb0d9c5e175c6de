"""What the server tells about its resources, in every shape that clients ask for (api-server contract 2.1 to 2.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, Literal

from webhook.errors import Json, NotAcceptable
from webhook.meta import negotiation
from webhook.meta.negotiation import Clause
from webhook.meta.resources import ResourceInfo, SubresourceInfo

AggregatedVersion = Literal["v2", "v2beta1"]

_GROUP: Final = "apidiscovery.k8s.io"
_LIST: Final = "APIGroupDiscoveryList"
_AGGREGATED: Final[dict[str, AggregatedVersion]] = {"v2": "v2", "v2beta1": "v2beta1"}


def aggregated_version(accept: str | None) -> AggregatedVersion | None:
    """The version of the aggregated list that an Accept header asks for, None where it asks for the legacy shape.

    The first clause that can be served decides; unknown parameters (`profile`) do not matter. Raises NotAcceptable.
    """
    if not (accept or "").strip():
        return None
    for clause in negotiation.clauses(accept):
        if not _is_json(clause):
            continue
        if "as" not in clause.parameters:
            return None
        version = _AGGREGATED.get(clause.parameters.get("v", ""))
        if version and clause.parameters["as"] == _LIST and clause.parameters.get("g") == _GROUP:
            return version
    raise NotAcceptable("only the following media types are accepted: application/json")


def _is_json(clause: Clause) -> bool:
    return clause.media_type in (negotiation.JSON, "application/*", "*/*")


def content_type(version: AggregatedVersion) -> str:
    """The Content-Type of an aggregated list: the aggregator compares its parameters."""
    return f"{negotiation.JSON};g={_GROUP};v={version};as={_LIST}"


def etag(body: bytes) -> str:
    """A strong tag of a body, with its quotes."""
    return f'"{hashlib.sha512(body).hexdigest().upper()}"'


def root_paths(resources: Iterable[ResourceInfo]) -> Json:
    """`/`: the paths there are."""
    paths = {"/healthz", "/livez", "/readyz", "/metrics", "/openapi/v2", "/openapi/v3", "/version"}
    for one in resources:
        paths |= {"/apis", f"/apis/{one.group}", f"/{one.root}"} if one.group else {"/api", f"/{one.root}"}
    return {"paths": sorted(paths)}


def api_versions(resources: Iterable[ResourceInfo], server_address: str = "") -> Json:
    """`/api` in its legacy shape: the versions of the core group."""
    versions = list(dict.fromkeys(one.version for one in resources if not one.group))
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": server_address}]
    return {"kind": "APIVersions", "versions": versions, "serverAddressByClientCIDRs": addresses}


def api_group_list(resources: Iterable[ResourceInfo]) -> Json:
    """`/apis` in its legacy shape: the named groups, in the order in which they first occur."""
    groups = [_group(name, versions) for name, versions in _groups(resources).items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def api_group(resources: Iterable[ResourceInfo], group: str) -> Json | None:
    """`/apis/<group>`: the versions of a group; None where the server does not have it."""
    versions = _groups(resources).get(group)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, versions)} if versions else None


def _groups(resources: Iterable[ResourceInfo]) -> dict[str, list[str]]:
    """Group → its versions, the preferred one first."""
    found: dict[str, list[str]] = {}
    for one in resources:
        versions = found.setdefault(one.group, [])
        if one.version not in versions:
            versions.append(one.version)
    return found


def _group(name: str, versions: Sequence[str]) -> Json:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def api_resource_list(resources: Iterable[ResourceInfo], group: str, version: str) -> Json | None:
    """`/apis/<group>/<version>` or `/api/v1`: resources and subresources by name; None where there are none."""
    chosen = [one for one in resources if (one.group, one.version) == (group, version)]
    if not chosen:
        return None
    entries = [entry for one in sorted(chosen, key=_by_name) for entry in _entries(one)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": chosen[0].group_version,
        "resources": entries,
    }


def _by_name(resource: ResourceInfo) -> str:
    return resource.resource


def _entries(resource: ResourceInfo) -> Iterator[Json]:
    entry: Json = {
        "name": resource.resource,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": sorted(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    yield entry
    for sub in sorted(resource.subresources, key=lambda one: one.name):
        yield _subresource_entry(resource, sub)


def _subresource_entry(resource: ResourceInfo, sub: SubresourceInfo) -> Json:
    """An entry names group and version of its kind only where they are not the list's; the core group has no name."""
    entry: Json = {"name": f"{resource.resource}/{sub.name}", "singularName": "", "namespaced": resource.namespaced}
    if sub.group and sub.group != resource.group:
        entry |= {"group": sub.group, "version": sub.version or resource.version}
    return {**entry, "kind": sub.kind, "verbs": sorted(sub.verbs)}


def aggregated(resources: Iterable[ResourceInfo], version: AggregatedVersion = "v2") -> Json:
    """All given groups with all their resources; `/api` is answered from the core group's, `/apis` from the others."""
    chosen = list(resources)
    items = [
        {
            "metadata": {"name": group, "creationTimestamp": None},
            "versions": [_version(chosen, group, one) for one in versions],
        }
        for group, versions in _groups(chosen).items()
    ]
    return {"kind": _LIST, "apiVersion": f"{_GROUP}/{version}", "metadata": {}, "items": items}


def _version(resources: Iterable[ResourceInfo], group: str, version: str) -> Json:
    chosen = sorted((one for one in resources if (one.group, one.version) == (group, version)), key=_by_name)
    return {"version": version, "resources": [_discovered(one) for one in chosen], "freshness": "Current"}


def _discovered(resource: ResourceInfo) -> Json:
    found: Json = {
        "resource": resource.resource,
        "responseKind": {"group": resource.group, "version": resource.version, "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": sorted(resource.verbs),
    }
    if resource.short_names:
        found["shortNames"] = list(resource.short_names)
    if resource.categories:
        found["categories"] = list(resource.categories)
    if resource.subresources:
        subs = sorted(resource.subresources, key=lambda one: one.name)
        found["subresources"] = [_discovered_subresource(resource, one) for one in subs]
    return found


def _discovered_subresource(resource: ResourceInfo, sub: SubresourceInfo) -> Json:
    group = resource.group if sub.group is None else sub.group
    version = resource.version if sub.version is None else sub.version
    response = {"group": group, "version": version, "kind": sub.kind}
    return {"subresource": sub.name, "responseKind": response, "verbs": sorted(sub.verbs)}


def group_versions(resources: Iterable[ResourceInfo]) -> dict[str, list[ResourceInfo]]:
    """The resources of each group version, by the path below which they live (`apis/image.openshift.io/v1`)."""
    ordered = sorted(resources, key=lambda one: one.root)
    return {root: list(found) for root, found in groupby(ordered, key=lambda one: one.root)}
