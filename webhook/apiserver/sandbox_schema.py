"""The schemas of the sandbox kinds: how their lists merge; fields that are not named here are kept as they are."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from webhook.errors import Json
from webhook.meta import definitions, nodes
from webhook.meta.nodes import array, binary, integer, mapping, reference, string, structure
from webhook.meta.schema import Schema

_CORE: Final = "io.k8s.api.core.v1"
_APPS: Final = "io.k8s.api.apps.v1"
_BATCH: Final = "io.k8s.api.batch.v1"
_BUILD: Final = "com.github.openshift.api.build.v1"
_DEPLOY: Final = "com.github.openshift.api.apps.v1"
_PACKAGES: Final = {
    "": _CORE,
    "apps": _APPS,
    "batch": _BATCH,
    "apps.openshift.io": _DEPLOY,
    "autoscaling": "io.k8s.api.autoscaling.v1",
    "build.openshift.io": _BUILD,
}
_KEEP: Final[Json] = {"x-kubernetes-preserve-unknown-fields": True}
_TEMPLATE: Final = f"{_CORE}.PodTemplateSpec"


def for_kind(group: str, kind: str) -> Schema:
    """The schema of a kind; KeyError for one that is not in the sandbox."""
    return _schema(f"{_PACKAGES[group]}.{kind}")


@cache
def _schema(definition: str) -> Schema:
    return Schema(DEFINITIONS[definition], DEFINITIONS)


def _loose(description: str, properties: Json | None = None) -> Json:
    return structure(description, properties or {}, **_KEEP)


def _keyed(description: str, key: str, properties: Json | None = None, **more: Any) -> Json:
    """A list that is a map of its items by one of their fields."""
    fields = {key: string("The key of the item."), **(properties or {})}
    return array(_loose("", fields), description, merge_key=key, **more)


def _texts(description: str) -> Json:
    return array(string(""), description)


def _conditions() -> Json:
    return _keyed("What is known of the state.", "type")


def _status() -> Json:
    return _loose("The observed state.", {"conditions": _conditions()})


_PORT_KEYS: Final[Json] = {
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
}

_CONTAINER: Final = _loose(
    "A container.",
    {
        "name": string("The name, unique in the pod."),
        "image": string("The image: a pull spec, or the short name of an image stream tag."),
        "imagePullPolicy": string("Always, Never or IfNotPresent."),
        "command": _texts("The entrypoint, in place of the image's."),
        "args": _texts("The arguments, in place of the image's."),
        "workingDir": string("The directory to start in."),
        "env": _keyed("Environment variables.", "name"),
        "envFrom": array(_loose(""), "Sources of environment variables."),
        "ports": array(
            _loose("", {"containerPort": integer("The port."), "protocol": string("TCP, UDP or SCTP.", default="TCP")}),
            "The ports that the container listens on.",
            merge_key="containerPort",
            **_PORT_KEYS,
        ),
        "volumeMounts": _keyed("Where volumes are seen.", "mountPath"),
        "volumeDevices": _keyed("Block devices.", "devicePath"),
        "resources": _loose("Requests and limits.", {"claims": _keyed("Claimed resources.", "name")}),
    },
)

_POD_SPEC: Final = _loose(
    "What runs.",
    {
        "containers": array(reference(f"{_CORE}.Container"), "The containers.", merge_key="name"),
        "initContainers": array(reference(f"{_CORE}.Container"), "What runs before them.", merge_key="name"),
        "ephemeralContainers": array(reference(f"{_CORE}.Container"), "Added for debugging.", merge_key="name"),
        "volumes": _keyed("The volumes.", "name", strategy="merge,retainKeys"),
        "imagePullSecrets": _keyed("Credentials for registries.", "name"),
        "hostAliases": _keyed("Lines of the hosts file.", "ip"),
        "topologySpreadConstraints": _keyed("How pods spread.", "topologyKey"),
        "schedulingGates": _keyed("What holds scheduling back.", "name"),
        "resourceClaims": _keyed("Claimed resources.", "name", strategy="merge,retainKeys"),
        "tolerations": array(_loose(""), "The taints that are tolerated.", **{"x-kubernetes-list-type": "atomic"}),
        "readinessGates": array(_loose(""), "More conditions of readiness."),
        "nodeSelector": mapping(string(""), "Labels of the node."),
    },
)

_PARTS: Final[dict[str, Json]] = {
    f"{_CORE}.Container": _CONTAINER,
    f"{_CORE}.PodSpec": _POD_SPEC,
    _TEMPLATE: _loose(
        "The pods to make.",
        {
            "metadata": reference(nodes.OBJECT_META, "Labels and annotations of the pods."),
            "spec": reference(f"{_CORE}.PodSpec", "What runs in the pods."),
        },
    ),
    f"{_BATCH}.JobSpec": _loose("The job.", {"template": reference(_TEMPLATE, "The pods to make.")}),
}


def _kind(group: str, name: str, description: str, properties: Json) -> tuple[str, Json]:
    node = nodes.kind(description, group, "v1", name, properties, **_KEEP)
    return f"{_PACKAGES[group]}.{name}", node


def _spec(**properties: Json) -> Json:
    return _loose("The wanted state.", properties)


def _workload(group: str, name: str, description: str, **properties: Json) -> tuple[str, Json]:
    spec = _spec(template=reference(_TEMPLATE, "The pods to make."), **properties)
    return _kind(group, name, description, {"spec": spec, "status": _status()})


_STRATEGY: Final[Json] = {**_loose("How pods are replaced."), "x-kubernetes-patch-strategy": "retainKeys"}
_SELECTOR: Final = {**_loose("The labels of the pods."), "x-kubernetes-map-type": "atomic"}

_PLAIN_SELECTOR: Final = {**mapping(string(""), "The labels of the pods."), "x-kubernetes-map-type": "atomic"}

_KINDS: Final[Iterable[tuple[str, Json]]] = (
    _kind(
        "",
        "Pod",
        "Containers that run together.",
        {
            "spec": reference(f"{_CORE}.PodSpec", "What runs."),
            "status": _loose(
                "The observed state.", {"conditions": _conditions(), "podIPs": _keyed("Addresses.", "ip")}
            ),
        },
    ),
    _kind("", "PodTemplate", "A template for pods.", {"template": reference(_TEMPLATE, "The pods.")}),
    _kind("", "Namespace", "A scope for names.", {"spec": _spec(), "status": _status()}),
    _kind("", "LimitRange", "Limits of a namespace.", {"spec": _spec(limits=array(_loose(""), "The limits."))}),
    _kind(
        "",
        "Secret",
        "Credentials and other secrets.",
        {
            "data": mapping(binary(""), "The values, in base64."),
            "stringData": mapping(string(""), "Values to be added to data."),
            "type": string("The type, such as kubernetes.io/dockerconfigjson."),
        },
    ),
    _workload(
        "",
        "ReplicationController",
        "A number of equal pods.",
        selector=_PLAIN_SELECTOR,
    ),
    _workload(
        "apps.openshift.io",
        "DeploymentConfig",
        "Pods that are replaced step by step, as OpenShift did it first.",
        selector=_PLAIN_SELECTOR,
        strategy=_STRATEGY,
    ),
    _workload("apps", "ReplicaSet", "A number of equal pods.", selector=_SELECTOR),
    _workload("apps", "Deployment", "Pods that are replaced step by step.", selector=_SELECTOR, strategy=_STRATEGY),
    _workload("apps", "StatefulSet", "Pods with identities.", selector=_SELECTOR),
    _workload("apps", "DaemonSet", "One pod on each node.", selector=_SELECTOR),
    _workload("batch", "Job", "Pods that run to completion."),
    _kind(
        "batch",
        "CronJob",
        "Jobs by the clock.",
        {
            "spec": _spec(
                jobTemplate=_loose(
                    "The jobs to make.",
                    {
                        "metadata": reference(nodes.OBJECT_META, "Labels and annotations of the jobs."),
                        "spec": reference(f"{_BATCH}.JobSpec", "The job."),
                    },
                )
            ),
            "status": _loose("The observed state."),
        },
    ),
    _kind(
        "autoscaling",
        "Scale",
        "How many pods a workload has.",
        {"spec": _spec(replicas=integer("How many there shall be.")), "status": _loose("How many there are.")},
    ),
    _kind("build.openshift.io", "Build", "The making of an image.", {"spec": _spec(), "status": _loose("The state.")}),
    _kind(
        "build.openshift.io", "BuildConfig", "How an image is made.", {"spec": _spec(), "status": _loose("The state.")}
    ),
)

DEFINITIONS: Final[dict[str, Json]] = {**definitions.DEFINITIONS, **_PARTS, **dict(_KINDS)}
"""Name → schema node, of the sandbox kinds and of all that they refer to."""
