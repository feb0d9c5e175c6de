"""Where the kinds that are looked up keep their images: a table to be read beside admission A.3 and A.4."""

from __future__ import annotations

from typing import Final

import msgspec

Path = tuple[str | int, ...]


def dotted(path: Path) -> str:
    """The path as people write it: `spec.containers[0].image`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


class Location(msgspec.Struct, frozen=True):
    """How one resource carries images.

    `template` is the path of its pod template; empty for a Pod, which is its own. `refused_without_template` is the Go
    type that the refusal names. `frozen` resources keep their images once stored. `platform_exempt` is false for what
    OpenShift admits in its second API server, which skips no namespace. `images` are the paths in a custom resource.
    """

    template: tuple[str, ...] = ("spec", "template")
    builds: bool = False
    refused_without_template: str = ""
    frozen: bool = False
    platform_exempt: bool = True
    images: tuple[tuple[str | int | None, ...], ...] = ()


_WORKLOAD = Location()
_REVIEW = Location(platform_exempt=False)

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
"""(group, resource) → where its images are, of what is looked up unless a configuration says otherwise."""

LOCATIONS: Final[dict[tuple[str, str], Location]] = {
    **COVERED,
    ("", "podtemplates"): Location(template=("template",)),
    ("build.openshift.io", "buildconfigs"): Location(template=(), builds=True, platform_exempt=False),
    ("security.openshift.io", "podsecuritypolicyreviews"): _REVIEW,
    ("security.openshift.io", "podsecuritypolicyselfsubjectreviews"): _REVIEW,
    ("security.openshift.io", "podsecuritypolicysubjectreviews"): _REVIEW,
}
"""The same of everything that a configuration can ask to be looked up (admission A.4)."""

WRITTEN_BY: Final[dict[tuple[str, str], tuple[tuple[str, str], ...]]] = {
    ("", "ReplicationController"): (("", "replicationcontrollers"), ("apps.openshift.io", "deploymentconfigs")),
    ("apps", "ReplicaSet"): (("apps", "replicasets"), ("apps", "deployments")),
    ("apps", "StatefulSet"): (("apps", "statefulsets"),),
    ("apps", "DaemonSet"): (("apps", "daemonsets"),),
    ("batch", "Job"): (("batch", "jobs"), ("batch", "cronjobs")),
    ("build.openshift.io", "Build"): (("build.openshift.io", "builds"),),
}
"""The kinds that make Pods → the resources of which their template is a copy, if it is not their own."""

STRATEGIES: Final = ("sourceStrategy", "customStrategy", "dockerStrategy")
"""The build strategies that start from an image, in the order in which they are tried."""

PLATFORM_NAMESPACES: Final = frozenset(
    {"default", "kube-system", "kube-public", "openshift-node", "openshift-infra", "openshift"}
)
RUN_LEVEL_LABEL: Final = "openshift.io/run-level"
PLATFORM_RUN_LEVELS: Final = frozenset({"0", "1"})

RESOLVE_NAMES: Final = "alpha.image.policy.openshift.io/resolve-names"
"""The annotation that, with the value `*`, asks for look-up whatever the streams say (admission A.6.1)."""
MIRROR: Final = "kubernetes.io/config.mirror"
"""The annotation of a Pod that shows what a node runs from a file: changing it changes nothing that runs."""
ORIGINS: Final = "image.openshift.io/resolved-images"
"""The annotation that records which image stream each image came from, written by `webhook.admission.origins`."""

EPHEMERAL: Final = "ephemeralcontainers"
"""The subresource of Pods to which containers for debugging are added."""
