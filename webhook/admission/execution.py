"""Which images may run: the execution rules of a configuration, for one image at a time (admission A.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from webhook.admission import configuration
from webhook.admission.configuration import ExecutionRule, ValueCondition
from webhook.errors import Json
from webhook.meta.selectors import LabelSelector


class Rule(msgspec.Struct, frozen=True):
    """A rule of the file with its label selectors ready to match."""

    given: ExecutionRule
    selectors: tuple[LabelSelector, ...] = ()


class Attributes(msgspec.Struct, frozen=True):
    """What the rules know of one image.

    `registry` is that of the resolved name, or of the text where nothing was resolved. `load` gives the Image, None
    where there is none; `integrated` says that an image stream has it.
    """

    registry: str
    integrated: bool
    load: Callable[[], Json | None]


def compiled(rule: ExecutionRule) -> Rule:
    """The rule, ready to match; its selectors were checked before."""
    return Rule(rule, tuple(map(configuration.selector, rule.match_image_labels)))


def accepts(rules: Iterable[Rule], image: Attributes, ignored: frozenset[str]) -> bool:
    """Whether the image may run; `ignored` are the rules that its namespace does not have."""
    matched = False
    only_rejects = True
    for rule in rules:
        given = rule.given
        only_rejects = only_rejects and given.reject
        if given.name in ignored and not given.ignore_namespace_override:
            continue
        if given.skip_on_resolution_failure and image.load() is None:
            continue
        if _matches(rule, image) != given.invert_match:
            if given.reject:
                return False
            matched = True
    return matched or only_rejects


def _matches(rule: Rule, image: Attributes) -> bool:
    given = rule.given
    if given.match_integrated_registry and not image.integrated:
        return False
    if given.match_registries and image.registry not in given.match_registries:
        return False
    if not given.needs_image:
        return True
    found = image.load()
    return found is not None and _matches_image(rule, found)


def _matches_image(rule: Rule, image: Json) -> bool:
    given = rule.given
    metadata = image.get("metadata") or {}
    if given.match_docker_image_labels:
        docker = image.get("dockerImageMetadata")
        if not isinstance(docker, dict):
            # What cannot be read may be anything, but not for a rule that is about known images only.
            return not given.skip_on_resolution_failure
        if not _hold(given.match_docker_image_labels, _mapping(_mapping(docker.get("Config")).get("Labels"))):
            return False
    if not _hold(given.match_image_annotations, metadata.get("annotations") or {}):
        return False
    return all(one.matches(metadata.get("labels") or {}) for one in rule.selectors)


def _hold(conditions: Iterable[ValueCondition], values: Mapping[str, Any]) -> bool:
    return all(one.key in values if one.set else values.get(one.key, "") == one.value for one in conditions)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
