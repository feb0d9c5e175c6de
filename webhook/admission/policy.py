"""What admission decides by: the configuration turned into tables, once, so that a review only looks things up."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from webhook.admission import configuration, execution, locations, paths
from webhook.admission.configuration import ANY, ExecutionRule, GroupResource, ImagePolicyConfig, Mode, ResolutionRule
from webhook.admission.execution import Rule
from webhook.admission.locations import Location
from webhook.meta.selectors import LabelSelector

Resource = tuple[str, str]
"""(group, resource)."""

_REWRITES: Final = ("AttemptRewrite", "RequiredRewrite")
_REQUIRES: Final = ("Required", "RequiredRewrite")


class Coverage(msgspec.Struct, frozen=True):
    """What is done with the images of one resource (the decision matrix of admission A.7).

    `resolves`: names are looked up at all. `local_names`: local names are rewritten. `everything`: so is whatever else
    resolves. `rules` decide whether an image may run.
    """

    location: Location
    resolves: bool = True
    local_names: bool = True
    everything: bool = False
    rules: tuple[Rule, ...] = ()


_UNCONFIGURED: Final = {key: Coverage(location) for key, location in locations.COVERED.items()}


class Policy(msgspec.Struct, frozen=True):
    """The rules of one server; by default those of OpenShift without a configuration, and nothing beyond them.

    `required`: what does not resolve is refused. `enforces`: something may be refused at all. `resolved_owners` are the
    kinds of which Pods are left alone as their template was rewritten; None for all that have a controller. `skipped_*`
    are None where nothing is.
    """

    integrated_registry: str = ""
    coverage: Mapping[Resource, Coverage] = msgspec.field(default_factory=lambda: _UNCONFIGURED)
    required: bool = False
    enforces: bool = False
    resolved_owners: frozenset[tuple[str, str]] | None = None
    ephemeral_containers: bool = False
    image_volumes: bool = False
    keep_tag: bool = False
    record_origin: bool = False
    leave_mirror_pods: bool = False
    leave_never_pulled: bool = False
    warnings: bool = False
    test_operations: bool = False
    max_images: int = 10_000
    skipped_images: re.Pattern[str] | None = None
    skipped_containers: re.Pattern[str] | None = None
    skipped_namespaces: re.Pattern[str] | None = None
    skipped_objects: LabelSelector | None = None

    @property
    def skips_some(self) -> bool:
        """Whether single images may be left alone for how they are written, or for where they stand."""
        return self.skipped_images is not None or self.skipped_containers is not None


def of(config: ImagePolicyConfig, integrated_registry: str, *, strict: bool = False) -> Policy:
    """The tables of a configuration that was checked; `strict` leaves out its extensions."""
    mode = config.resolve_images or "Attempt"
    coverage = _coverage(config, mode)
    required = mode in _REQUIRES
    if strict:
        return Policy(integrated_registry, coverage, required, required or _has_rules(coverage))
    given = config.extensions
    for custom in given.custom_resources:
        key, location = (custom.group, custom.resource), Location(images=tuple(map(paths.parse, custom.images)))
        coverage[key] = Coverage(location, rules=_execution_rules(config, key))
    if given.pods_only:
        coverage = {key: one for key, one in coverage.items() if key == ("", "pods")}
    return Policy(
        integrated_registry,
        coverage,
        required,
        required or _has_rules(coverage),
        resolved_owners=_resolved_owners(coverage) if given.pods_of_other_controllers else None,
        ephemeral_containers=given.ephemeral_containers,
        image_volumes=given.image_volumes,
        keep_tag=given.keep_tag,
        record_origin=given.record_origin,
        leave_mirror_pods=given.leave_mirror_pods,
        leave_never_pulled=given.leave_never_pulled,
        warnings=given.warnings,
        test_operations=given.test_operations,
        max_images=given.max_images,
        skipped_images=_any_of(given.skip.images),
        skipped_containers=_any_of(given.skip.containers),
        skipped_namespaces=_any_of(given.skip.namespaces),
        skipped_objects=None if given.skip.objects is None else configuration.selector(given.skip.objects),
    )


def _coverage(config: ImagePolicyConfig, mode: Mode) -> dict[Resource, Coverage]:
    found: dict[Resource, Coverage] = {}
    for key, location in locations.LOCATIONS.items():
        rules = _execution_rules(config, key)
        covering = [rule for rule in _resolution_rules(config, mode) if _covers(rule.target_resource, key)]
        if not rules and not covering:
            continue
        everything = any((rule.policy or mode) in _REWRITES for rule in covering) if covering else mode in _REWRITES
        found[key] = Coverage(
            location,
            resolves=mode != "DoNotAttempt" or bool(covering),
            local_names=everything or any(rule.local_names for rule in covering),
            everything=everything,
            rules=rules,
        )
    return found


def _execution_rules(config: ImagePolicyConfig, key: Resource) -> tuple[Rule, ...]:
    return tuple(execution.compiled(rule) for rule in config.execution_rules if key in map(_key, _resources(rule)))


def _has_rules(coverage: Mapping[Resource, Coverage]) -> bool:
    return any(one.rules for one in coverage.values())


def _resolution_rules(config: ImagePolicyConfig, mode: Mode) -> Iterable[ResolutionRule]:
    """The rules of the file, or those that hold without any: local names everywhere (admission A.3)."""
    if config.resolution_rules is not None:
        return config.resolution_rules
    ruled = [on for rule in config.execution_rules for on in _resources(rule)]
    return [
        ResolutionRule(
            target_resource=GroupResource(group=key[0], resource=key[1]),
            policy=mode if any(_covers(on, key) for on in ruled) else "DoNotAttempt",
            local_names=True,
        )
        for key in locations.COVERED
    ]


def _resources(rule: ExecutionRule) -> list[GroupResource]:
    return rule.on_resources or [GroupResource(resource="pods")]


def _key(one: GroupResource) -> Resource:
    return one.group, one.resource


def _covers(target: GroupResource, key: Resource) -> bool:
    return target.group == key[0] and target.resource in (key[1], ANY)


def _resolved_owners(coverage: Mapping[Resource, Coverage]) -> frozenset[tuple[str, str]]:
    return frozenset(
        owner
        for owner, written in locations.WRITTEN_BY.items()
        if any(key in coverage and coverage[key].local_names for key in written)
    )


def _any_of(patterns: Iterable[str]) -> re.Pattern[str] | None:
    texts = [fnmatch.translate(one) for one in patterns]
    return re.compile("|".join(texts)) if texts else None
