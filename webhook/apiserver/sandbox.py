"""The sandbox of the standalone server: workloads as plainly stored objects that pass through the same admission.

There are no controllers behind them and, of Kubernetes' defaults, only the replicas and imagePullPolicy, which depends
on the name of the image before it is rewritten.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

from webhook.apiserver.rest import Call
from webhook.apiserver.strategy import Strategy
from webhook.distribution import credentials
from webhook.errors import FieldError, Findings, Json
from webhook.image.reference import InvalidReference, parse
from webhook.meta.resources import ResourceInfo, SubresourceInfo

# (group, resource, operation, namespace, object, old object, subresource) -> (object, warnings)
Mutate = Callable[[str, str, str, str, Json, Json | None, str], tuple[Json, list[str]]]

_ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_TEMPLATE = ("spec", "template", "spec")


def _info(
    group: str, resource: str, kind: str, short: tuple[str, ...] = (), *, namespaced: bool = True
) -> ResourceInfo:
    subresources = [SubresourceInfo("status", kind, _BELOW)] if resource in _WITH_STATUS else []
    if resource in SCALABLE:
        subresources.append(SubresourceInfo("scale", "Scale", _BELOW, "autoscaling", "v1"))
    if resource == "pods":
        subresources.append(SubresourceInfo(EPHEMERAL, kind, _BELOW))
    categories = ("all",) if group in ("apps", "batch") or resource in ("pods", "replicationcontrollers") else ()
    return ResourceInfo(
        group, "v1", resource, kind.lower(), kind, namespaced, _ALL_VERBS, short, categories, tuple(subresources)
    )


_BELOW = ("get", "patch", "update")
EPHEMERAL = "ephemeralcontainers"
SCALABLE = frozenset(("replicationcontrollers", "deployments", "replicasets", "statefulsets", "deploymentconfigs"))
_WITH_STATUS = SCALABLE | {"pods", "daemonsets", "jobs", "cronjobs"}
PLAIN = (
    _info("", "namespaces", "Namespace", ("ns",), namespaced=False),
    _info("", "secrets", "Secret"),
    _info("", "limitranges", "LimitRange", ("limits",)),
)
WORKLOADS = (
    _info("", "pods", "Pod", ("po",)),
    _info("", "podtemplates", "PodTemplate"),
    _info("", "replicationcontrollers", "ReplicationController", ("rc",)),
    _info("apps", "deployments", "Deployment", ("deploy",)),
    _info("apps", "replicasets", "ReplicaSet", ("rs",)),
    _info("apps", "statefulsets", "StatefulSet", ("sts",)),
    _info("apps", "daemonsets", "DaemonSet", ("ds",)),
    _info("batch", "jobs", "Job"),
    _info("batch", "cronjobs", "CronJob", ("cj",)),
    _info("apps.openshift.io", "deploymentconfigs", "DeploymentConfig", ("dc",)),
    _info("build.openshift.io", "builds", "Build"),
    _info("build.openshift.io", "buildconfigs", "BuildConfig", ("bc",)),
)
# Where the PodSpec of a kind is; kinds without one are absent.
POD_SPECS: dict[str, tuple[str, ...]] = {
    "Pod": ("spec",),
    "PodTemplate": ("template", "spec"),
    "ReplicationController": _TEMPLATE,
    "Deployment": _TEMPLATE,
    "ReplicaSet": _TEMPLATE,
    "StatefulSet": _TEMPLATE,
    "DaemonSet": _TEMPLATE,
    "Job": _TEMPLATE,
    "DeploymentConfig": _TEMPLATE,
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}


class PlainStrategy(Strategy):
    """Objects that are stored as they are sent."""


class SecretStrategy(PlainStrategy):
    """Secrets: what is written as text is kept in base64."""

    def default(self, obj: Json) -> Json:
        """`stringData` moves into `data`; a type is always there."""
        kept = {key: value for key, value in obj.items() if key != "stringData"}
        text = obj.get("stringData") or {}
        encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in text.items()}
        if encoded:
            kept["data"] = {**(obj.get("data") or {}), **encoded}
        return {**kept, "type": obj.get("type") or "Opaque"}

    def prepare_for_create(self, call: Call, obj: Json) -> tuple[Json, Findings]:
        """A new secret; that of a registry must be a JSON object."""
        return obj, _registry_findings(obj)

    def prepare_for_update(self, call: Call, new: Json, old: Json) -> tuple[Json, Findings]:
        """A changed secret; that of a registry must still be a JSON object."""
        return new, _registry_findings(new)


def _registry_findings(secret: Json) -> Findings:
    """What Kubernetes refuses of the content of pull secrets; it does not look at the accounts in it."""
    if secret["type"] not in credentials.KINDS:
        return []
    key, _ = credentials.KINDS[secret["type"]]
    encoded = (secret.get("data") or {}).get(key)
    if encoded is None:
        return [FieldError.required(f"data[{key}]")]
    try:
        document = json.loads(base64.b64decode(encoded, validate=True))
    except (ValueError, TypeError, RecursionError):
        document = ""
    if document is None or isinstance(document, dict):
        return []
    return [FieldError.invalid(f"data[{key}]", "<secret contents redacted>", "not a JSON object")]


class WorkloadStrategy(Strategy):
    """Objects that pass through admission before they are stored."""

    def __init__(self, info: ResourceInfo, mutate: Mutate | None) -> None:
        self.info, self.mutate = info, mutate

    def default(self, obj: Json) -> Json:
        """One replica, and the pull policy of each image as Kubernetes makes it of the tag."""
        if self.info.resource in SCALABLE and isinstance(obj.get("spec"), dict):
            obj["spec"].setdefault("replicas", 1)
        pod_spec = _at(obj, POD_SPECS.get(self.info.kind, ()))
        for container in _items(pod_spec, "initContainers", "containers", "ephemeralContainers"):
            _default_pull_policy(container, "image", "imagePullPolicy")
        for volume in _items(pod_spec, "volumes"):
            if isinstance(volume.get("image"), dict):
                _default_pull_policy(volume["image"], "reference", "pullPolicy")
        if self.info.kind in ("Build", "BuildConfig") and isinstance(obj.get("spec"), dict):
            obj["spec"].setdefault("output", {})
        return obj

    def prepare_for_create(self, call: Call, obj: Json) -> tuple[Json, Findings]:
        """A new workload, its images resolved."""
        obj = {**obj, "metadata": {**obj["metadata"], "generation": 1}} if "spec" in obj else obj
        return self._admitted(call, "CREATE", obj, None), []

    def prepare_for_update(self, call: Call, new: Json, old: Json) -> tuple[Json, Findings]:
        """A changed workload, the images that changed resolved."""
        if "status" in old:
            new = {**new, "status": old["status"]}
        new = self._admitted(call, "UPDATE", new, old)
        findings = _immutable_findings(self.info.kind, new, old)
        meta = dict(new["metadata"])
        if "generation" in old["metadata"]:
            meta["generation"] = old["metadata"]["generation"] + (new.get("spec") != old.get("spec"))
        return {**new, "metadata": meta}, findings

    def _admitted(self, call: Call, operation: str, obj: Json, old: Json | None, subresource: str = "") -> Json:
        if self.mutate is None:
            return obj
        group, resource = self.info.group, self.info.resource
        changed, warnings = self.mutate(group, resource, operation, call.namespace, obj, old, subresource)
        call.warnings.extend(warnings)
        return changed


class WorkloadStatusStrategy(Strategy):
    """`/status`: only the status changes, and admission is not asked."""

    def prepare_for_update(self, call: Call, new: Json, old: Json) -> tuple[Json, Findings]:
        """The old object with the new status and the new annotations and labels, as Kubernetes keeps them."""
        kept = {key: value for key, value in old.items() if key not in ("status", "metadata")}
        changed = {**kept, "metadata": new["metadata"]}
        return ({**changed, "status": new["status"]} if "status" in new else changed), []


def pull_policy(image: str) -> str:
    """`Always` for an image named by `latest`, or by neither tag nor digest, else `IfNotPresent`, as Kubernetes has it.

    A digest beside `latest` changes nothing.
    """
    try:
        reference = parse(image)
    except InvalidReference:
        return "IfNotPresent"
    # OpenShift reads `my.app:v1` as a registry and no name; Kubernetes sees name and tag.
    tag = reference.tag if reference.name else image.partition("@")[0].partition(":")[2]
    return "Always" if tag == "latest" or not (tag or reference.id) else "IfNotPresent"


def _immutable_findings(kind: str, new: Json, old: Json) -> Findings:
    """A Job runs the Pods that it was made for, or none; of a Build, which is one run, only the push secret changes."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if kind == "Job" and spec.get("template") != before.get("template"):
        return [FieldError.invalid("spec.template", spec.get("template"), "field is immutable")]
    if kind == "Build" and _without_push_secret(spec) != _without_push_secret(before):
        return [FieldError.invalid("spec", spec, "spec is immutable")]
    return []


def _without_push_secret(spec: Json) -> Json:
    output = {key: value for key, value in (spec.get("output") or {}).items() if key != "pushSecret"}
    return {**spec, "output": output}


def _at(obj: Any, path: tuple[str, ...]) -> Any:
    if not path:
        return None
    for key in path:
        if not isinstance(obj, dict):
            return None
        obj = obj.get(key)
    return obj


def _default_pull_policy(holder: Json, image: str, policy: str) -> None:
    if isinstance(holder.get(image), str) and not holder.get(policy):
        holder[policy] = pull_policy(holder[image])


def _items(pod_spec: Any, *keys: str) -> Iterator[Json]:
    if not isinstance(pod_spec, dict):
        return
    for key in keys:
        listed = pod_spec.get(key)
        if isinstance(listed, list):
            yield from (one for one in listed if isinstance(one, dict))
