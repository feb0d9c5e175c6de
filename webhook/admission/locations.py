"""Where the kinds that are looked up keep their images: a table to be read beside admission A.3 and A.4."""

from __future__ import annotations

from typing import Final

import msgspec

Path = tuple[str | int, ...]


class Location(msgspec.Struct, frozen=True):
    """How one resource carries images.

    `template` is the path of its pod template; empty for a Pod, which is its own. `refused_without_template` is the Go
    type that the refusal names. `frozen` resources keep their images once stored. `platform_exempt` is false for what
    OpenShift admits in its second API server, which skips no namespace.
    """

    template: tuple[str, ...] = ("spec", "template")
    builds: bool = False
    refused_without_template: str = ""
    frozen: bool = False
    platform_exempt: bool = True


_WORKLOAD = Location()

COVERED: Final[dict[tuple[str, str], Location]] = {
    ("", "pods"): Location(template=()),
    ("", "replicationcontrollers"): Location(refused_without_template="*core.ReplicationController"),
    ("apps", "deployments"): _WORKLOAD,
    ("apps", "replicasets"): _WORKLOAD,
    ("apps", "statefulsets"): _WORKLOAD,
    ("apps", "daemonsets"): _WORKLOAD,
    ("extensions", "deployments"): _WORKLOAD,
    ("extensions", "replicasets"): _WORKLOAD,
    ("extensions", "daemonsets"): _WORKLOAD,
    ("batch", "jobs"): Location(frozen=True),
    ("batch", "cronjobs"): Location(template=("spec", "jobTemplate", "spec", "template")),
    ("apps.openshift.io", "deploymentconfigs"): Location(
        refused_without_template="*apps.DeploymentConfig", platform_exempt=False
    ),
    ("build.openshift.io", "builds"): Location(template=(), builds=True, frozen=True, platform_exempt=False),
}
"""(group, resource) → where its images are. PodTemplates and BuildConfigs are not looked up."""

STRATEGIES: Final = ("sourceStrategy", "customStrategy", "dockerStrategy")
"""The build strategies that start from an image, in the order in which they are tried."""

PLATFORM_NAMESPACES: Final = frozenset(
    {"default", "kube-system", "kube-public", "openshift-node", "openshift-infra", "openshift"}
)
RUN_LEVEL_LABEL: Final = "openshift.io/run-level"
PLATFORM_RUN_LEVELS: Final = frozenset({"0", "1"})

RESOLVE_NAMES: Final = "alpha.image.policy.openshift.io/resolve-names"
"""The annotation that, with the value `*`, asks for look-up whatever the streams say (admission A.6.1)."""
