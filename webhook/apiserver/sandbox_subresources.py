"""What stands below the sandbox's workloads: `/scale`, and the `/ephemeralcontainers` of Pods."""

from __future__ import annotations

from webhook.apiserver import bodies
from webhook.apiserver.rest import Call, Rest, Transform
from webhook.apiserver.sandbox import EPHEMERAL, WorkloadStrategy
from webhook.apiserver.stored import StatusRest, StoredRest
from webhook.errors import FieldError, Findings, Invalid, Json


class EphemeralContainersRest(StatusRest):
    """`pods/ephemeralcontainers`: the Pod, of which only the ephemeral containers change."""

    subresource = EPHEMERAL


class EphemeralContainersStrategy(WorkloadStrategy):
    """Containers for debugging are added to a Pod, and never changed or removed."""

    def prepare_for_update(self, call: Call, new: Json, old: Json) -> tuple[Json, Findings]:
        """The old Pod with the new ephemeral containers, their images resolved where admission does that."""
        added = self._admitted(call, "UPDATE", new, old, EPHEMERAL).get("spec") or {}
        before = (old.get("spec") or {}).get("ephemeralContainers") or []
        after = added.get("ephemeralContainers") or []
        findings: Findings = []
        if any(one not in after for one in before):
            text = "existing ephemeral containers may not be changed or removed"
            findings.append(FieldError.forbidden("spec.ephemeralContainers", text))
        return {**old, "spec": {**(old.get("spec") or {}), "ephemeralContainers": after}}, findings


class ScaleRest(Rest):
    """`/scale` of a workload: its replicas alone, as a Scale of autoscaling/v1. Admission is not asked."""

    subresource = "scale"
    unconditional_update = True

    def __init__(self, inner: StoredRest) -> None:
        self.info, self._inner = inner.info, inner

    @property
    def kind(self) -> str:
        """Not the workload's."""
        return "Scale"

    @property
    def api_version(self) -> str:
        """Not the workload's."""
        return "autoscaling/v1"

    @property
    def verbs(self) -> tuple[str, ...]:
        """A scale is read and replaced, never created."""
        return ("get", "patch", "update")

    def get(self, call: Call, name: str) -> Json:
        """The scale; NotFound where the workload is."""
        return self._scale(bodies.decoded(self._inner.get(call, name)))

    def update(self, call: Call, name: str, transform: Transform) -> tuple[Json, bool]:
        """The scale after the workload got its replicas."""

        def scaled(workload: Json | None) -> Json:
            assert workload is not None, "what does not exist is not found before"
            scale = transform(self._scale(workload))
            replicas = (scale.get("spec") or {}).get("replicas", 0)
            if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 0:
                finding = FieldError.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
                raise Invalid.of(self.kind, "autoscaling", name, [finding])
            version = scale["metadata"].get("resourceVersion", "")
            metadata = {**workload["metadata"], "resourceVersion": version}
            return {**workload, "metadata": metadata, "spec": {**(workload.get("spec") or {}), "replicas": replicas}}

        return self._scale(bodies.decoded(self._inner.update(call, name, scaled)[0])), False

    def _scale(self, workload: Json) -> Json:
        meta, spec = workload["metadata"], workload.get("spec") or {}
        kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        selector = spec.get("selector") or {}
        labels = selector.get("matchLabels") if "matchLabels" in selector else selector
        return {
            "kind": self.kind,
            "apiVersion": self.api_version,
            "metadata": {key: meta[key] for key in kept if key in meta},
            "spec": {"replicas": spec.get("replicas", 1)},
            "status": {
                "replicas": (workload.get("status") or {}).get("replicas", 0),
                "selector": ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())),
            },
        }
