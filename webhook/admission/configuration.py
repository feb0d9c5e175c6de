"""The file of `--admission-config`: OpenShift's ImagePolicyConfig (admission A.3), with one section of our own.

Reading it checks the shape; `check` finds what is wrong with values. Nothing here decides about images.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
import yaml

from webhook.admission import locations, paths
from webhook.errors import BadRequest
from webhook.meta import selectors

API_VERSION: Final = "image.openshift.io/v1"
KIND: Final = "ImagePolicyConfig"
_MAX_BYTES: Final = 1 << 20

Mode = Literal["Required", "RequiredRewrite", "Attempt", "AttemptRewrite", "DoNotAttempt"]
ANY: Final = "*"
"""Every resource of a group."""


class InvalidConfiguration(ValueError):
    """Why the file cannot be used: one sentence per finding, each beginning with a path."""

    def __init__(self, findings: Sequence[str]) -> None:
        super().__init__(" ".join(findings))
        self.findings = list(findings)


class _Section(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    pass


class GroupResource(_Section, frozen=True):
    """A resource as the API names it: deployments of apps."""

    group: str = ""
    resource: str = ""


class ResolutionRule(_Section, frozen=True):
    """How the images of one resource are resolved; an empty policy is that of `resolveImages`."""

    target_resource: GroupResource = GroupResource()
    policy: Mode | Literal[""] = ""
    local_names: bool = False


class ValueCondition(_Section, frozen=True):
    """A key that is set, or that has a value; a missing key has the value ""."""

    key: str
    set: bool = False
    value: str = ""


class Expression(_Section, frozen=True):
    """A requirement of a label selector."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[str] = []


class Selector(_Section, frozen=True):
    """A label selector as Kubernetes writes it."""

    match_labels: dict[str, str] = {}
    match_expressions: list[Expression] = []


class ExecutionRule(_Section, frozen=True):
    """Whether images that match all conditions may run (admission A.9)."""

    name: str = ""
    on_resources: list[GroupResource] = []
    reject: bool = False
    ignore_namespace_override: bool = False
    skip_on_resolution_failure: bool = False
    invert_match: bool = False
    match_integrated_registry: bool = False
    match_registries: list[str] = []
    match_docker_image_labels: list[ValueCondition] = []
    match_image_annotations: list[ValueCondition] = []
    match_image_labels: list[Selector] = []

    @property
    def needs_image(self) -> bool:
        """Whether a condition reads the Image object."""
        return bool(self.match_docker_image_labels or self.match_image_annotations or self.match_image_labels)


class CustomResource(_Section, frozen=True):
    """A resource that is no workload of Kubernetes, and the paths of its images: `spec.steps[*].image`."""

    group: str = ""
    resource: str = ""
    images: list[str] = []


class Skip(_Section, frozen=True):
    """What is left alone; names are patterns in which * stands for any characters."""

    images: list[str] = []
    containers: list[str] = []
    namespaces: list[str] = []
    objects: Selector | None = None


Count = Annotated[int, msgspec.Meta(ge=1)]


class Extensions(_Section, frozen=True):
    """What is done beyond OpenShift; all of it is off in a strict server."""

    ephemeral_containers: bool = True
    image_volumes: bool = True
    custom_resources: list[CustomResource] = []
    pods_of_other_controllers: bool = True
    pods_only: bool = False
    keep_tag: bool = False
    record_origin: bool = True
    leave_mirror_pods: bool = True
    leave_never_pulled: bool = True
    warnings: bool = True
    test_operations: bool = False
    max_images: Count = 10_000
    skip: Skip = Skip()


class ImagePolicyConfig(_Section, frozen=True):
    """The whole file; without `resolutionRules` the workloads of Kubernetes have their local names resolved."""

    api_version: str = API_VERSION
    kind: str = KIND
    resolve_images: Mode | Literal[""] = ""
    resolution_rules: list[ResolutionRule] | None = None
    execution_rules: list[ExecutionRule] = []
    extensions: Extensions = Extensions()


def read(data: bytes) -> ImagePolicyConfig:
    """The configuration in YAML or JSON text; raises InvalidConfiguration."""
    if len(data) > _MAX_BYTES:
        raise InvalidConfiguration([f"The file is over {_MAX_BYTES} bytes."])
    try:
        found = msgspec.convert(_given(yaml.load(data, _Loader), {}) or {}, ImagePolicyConfig)
    except msgspec.ValidationError as error:
        raise InvalidConfiguration([_sentence(str(error))]) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidConfiguration([f"The file is no YAML: {' '.join(str(error).split())}."]) from None
    findings = list(check(found))
    if findings:
        raise InvalidConfiguration(findings)
    return found


class _Loader(yaml.SafeLoader):
    """Of two rules under one key the first would be lost without a word."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        names = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for name, times in names.most_common(1):
            if times > 1:
                raise yaml.YAMLError(f'"{name}" is there twice')
        return node


def _given(value: Any, done: dict[int, Any]) -> Any:
    """Without the keys that have no value, as Kubernetes reads them: a key of which everything below is a comment.

    `done` is by identity: aliases of YAML make few objects look like very many.
    """
    if not isinstance(value, (dict, list)):
        return value
    if id(value) not in done:
        done[id(value)] = (
            {key: _given(item, done) for key, item in value.items() if item is not None}
            if isinstance(value, dict)
            else [_given(item, done) for item in value]
        )
    return done[id(value)]


def check(config: ImagePolicyConfig) -> Iterator[str]:
    """One sentence for each value that cannot be meant."""
    if (config.api_version, config.kind) != (API_VERSION, KIND):
        yield f'apiVersion and kind must be {API_VERSION} and {KIND}, not "{config.api_version}" and "{config.kind}".'
    for index, rule in enumerate(config.resolution_rules or ()):
        if not rule.target_resource.resource:
            yield f"resolutionRules[{index}].targetResource.resource must name a resource, or * for all of the group."
    yield from _duplicates("executionRules", [rule.name for rule in config.execution_rules])
    for index, execution in enumerate(config.execution_rules):
        yield from _execution_findings(f"executionRules[{index}]", execution, config.resolve_images)
    yield from _extension_findings(config.extensions)


def selector(given: Selector) -> selectors.LabelSelector:
    """The selector in the form that matches labels; raises BadRequest."""
    found: list[selectors.Requirement] = []
    for key, value in given.match_labels.items():
        found.append(selectors.Requirement(_label(key), "=", frozenset({value})))
    for one in given.match_expressions:
        if bool(one.values) != (one.operator in ("In", "NotIn")):
            needs = "must have values" if not one.values else "must have no values"
            raise BadRequest(f"{one.key}: the operator {one.operator} {needs}")
        found.append(selectors.Requirement(_label(one.key), _OPERATORS[one.operator], frozenset(one.values)))
    return selectors.LabelSelector(tuple(found))


_OPERATORS: Final[dict[str, selectors.Operator]] = {
    "In": "in",
    "NotIn": "notin",
    "Exists": "exists",
    "DoesNotExist": "!",
}


def _label(key: str) -> str:
    # Whatever else a key may be, this is what the parser of selectors makes of it alone.
    (requirement,) = selectors.LabelSelector.parse(key).requirements or (None,)
    if requirement is None or str(requirement) != key:
        raise BadRequest(f'"{key}" is no label key')
    return key


def _sentence(error: str) -> str:
    """msgspec's message with the path in front, as the file spells it."""
    text, _, path = error.partition(" - at `$")
    text = text[:1].lower() + text[1:].rstrip(".")
    where = path.rstrip("`").lstrip(".")
    return f"{where}: {text}." if where else f"The file: {text}."


def _duplicates(where: str, given: Sequence[str]) -> Iterator[str]:
    for index, name in enumerate(given):
        if name in given[:index]:
            yield f'{where}[{index}].name "{name}" is the name of another rule.'


def _execution_findings(path: str, rule: ExecutionRule, mode: str) -> Iterator[str]:
    if not rule.name:
        yield f"{path}.name must not be empty: namespaces name the rules that they ignore."
    for index, on in enumerate(rule.on_resources):
        if not on.resource:
            yield f"{path}.onResources[{index}].resource must name a resource."
    for index, one in enumerate(rule.match_image_labels):
        yield from _selector_findings(f"{path}.matchImageLabels[{index}]", one)
    if mode != "DoNotAttempt":
        return
    for field in ("match_docker_image_labels", "match_image_labels", "match_image_annotations"):
        if getattr(rule, field):
            name = re.sub("_(.)", lambda found: found[1].upper(), field)
            yield f"{path}.{name}: images are not being resolved, this condition will always fail."


def _selector_findings(path: str, given: Selector) -> Iterator[str]:
    try:
        selector(given)
    except BadRequest as error:
        yield f"{path}: {error.message}."


def _extension_findings(given: Extensions) -> Iterator[str]:
    if given.skip.objects is not None:
        yield from _selector_findings("extensions.skip.objects", given.skip.objects)
        if given.skip.objects == Selector():
            yield "extensions.skip.objects selects every object; remove it, or give labels."
    seen: set[tuple[str, str]] = set()
    for index, custom in enumerate(given.custom_resources):
        path = f"extensions.customResources[{index}]"
        key = (custom.group, custom.resource)
        if not custom.resource or not custom.images:
            yield f"{path} must have a resource and images."
        if key in locations.LOCATIONS:
            yield f'{path}.resource "{custom.resource}" has its images looked up without this.'
        if key in seen:
            yield f'{path}.resource "{custom.resource}" is configured twice.'
        seen.add(key)
        for number, text in enumerate(custom.images):
            try:
                paths.parse(text)
            except ValueError as error:
                yield f"{path}.images[{number}]: {error}."
