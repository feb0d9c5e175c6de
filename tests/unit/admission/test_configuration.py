"""What a configuration file may say, and the sentence for each thing that it may not: admission A.3."""

import pytest

from webhook.admission import configuration
from webhook.admission.configuration import ImagePolicyConfig, InvalidConfiguration, Selector, read

WHOLE = b"""
apiVersion: image.openshift.io/v1
kind: ImagePolicyConfig
resolveImages: AttemptRewrite
resolutionRules:
- targetResource: {group: apps, resource: deployments}
  policy: RequiredRewrite
  localNames: true
- targetResource: {resource: "*"}
executionRules:
- name: execution-denied
  onResources: [{resource: pods}, {group: build.openshift.io, resource: builds}]
  reject: true
  skipOnResolutionFailure: true
  matchImageAnnotations: [{key: images.openshift.io/deny-execution, value: "true"}]
- name: signed
  matchImageLabels: [{matchLabels: {signed: "yes"}, matchExpressions: [{key: stage, operator: In, values: [prod]}]}]
  matchRegistries: [quay.io]
extensions:
  keepTag: true
  customResources:
  - {group: argoproj.io, resource: workflows, images: ["spec.templates[*].container.image"]}
  skip:
    images: ["*/istio/*"]
    objects: {matchLabels: {lookup: "off"}}
"""


BOMB = "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))])


def test_a_whole_file_is_read():
    config = read(WHOLE)
    assert (config.resolve_images, len(config.resolution_rules), len(config.execution_rules)) == (
        "AttemptRewrite",
        2,
        2,
    )
    assert config.execution_rules[0].needs_image
    assert config.extensions.keep_tag
    assert config.extensions.image_volumes


@pytest.mark.parametrize(
    "text",
    ["", "# nothing yet\n", "executionRules:\n# - name: a\n", "extensions: {skip: {images: null}}\nresolveImages:\n"],
    ids=["empty", "only a comment", "a list of which all is a comment", "nulls"],
)
def test_what_is_left_empty_is_as_if_it_were_not_there(text):
    assert read(text.encode()) == ImagePolicyConfig()


def test_json_is_yaml_too():
    assert read(b'{"kind": "ImagePolicyConfig", "resolveImages": "Required"}').resolve_images == "Required"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("kind: ImagePolicy", "apiVersion and kind must be image.openshift.io/v1 and", id="another kind"),
        pytest.param("resolveImages: Always", "resolveImages: invalid enum value 'Always'.", id="an unknown mode"),
        pytest.param("resolveImage: Required", "The file: object contains unknown field `resolveImage`.", id="a typo"),
        pytest.param("- a", "The file: expected `object`, got `array`.", id="a list"),
        pytest.param("a: [", "The file is no YAML: ", id="no YAML"),
        pytest.param(
            "executionRules: []\nresolveImages: Attempt\nexecutionRules: [{name: a}]",
            'The file is no YAML: "executionRules" is there twice.',
            id="a key that comes twice",
        ),
        pytest.param("executionRules: &a [*a]", "The file is no YAML: ", id="a list within itself"),
        pytest.param(BOMB, "The file: object contains unknown field `a0`.", id="aliases that explode"),
        pytest.param("\x00", "The file is no YAML: ", id="no text"),
        pytest.param(
            "executionRules: [{name: a, reject: 'yes'}]",
            "executionRules[0].reject: expected `bool`, got `str`.",
            id="a wrong type",
        ),
        pytest.param(
            "executionRules: [{name: a}, {name: a}]",
            'executionRules[1].name "a" is the name of another rule.',
            id="a name that is taken",
        ),
        pytest.param("executionRules: [{}]", "executionRules[0].name must not be empty", id="a rule without a name"),
        pytest.param(
            "executionRules: [{name: a, onResources: [{group: apps}]}]",
            "executionRules[0].onResources[0].resource must name a resource.",
            id="a rule on no resource",
        ),
        pytest.param(
            "resolutionRules: [{policy: Attempt}]",
            "resolutionRules[0].targetResource.resource must name a resource",
            id="a target that is none",
        ),
        pytest.param(
            "executionRules: [{name: a, matchImageLabels: [{matchLabels: {'-': b}}]}]",
            "executionRules[0].matchImageLabels[0]: ",
            id="a selector with an impossible key",
        ),
        pytest.param(
            "executionRules: [{name: a, matchImageLabels: [{matchExpressions: [{key: a, operator: In}]}]}]",
            "executionRules[0].matchImageLabels[0]: a: the operator In must have values.",
            id="In without values",
        ),
        pytest.param(
            "{resolveImages: DoNotAttempt, executionRules: [{name: a, matchDockerImageLabels: [{key: b, set: true}]}]}",
            "executionRules[0].matchDockerImageLabels: images are not being resolved, this condition will always fail.",
            id="a condition that can never hold",
        ),
        pytest.param(
            "extensions: {customResources: [{group: apps, resource: deployments, images: [spec.a]}]}",
            'extensions.customResources[0].resource "deployments" has its images looked up without this.',
            id="a workload as a custom resource",
        ),
        pytest.param(
            "extensions: {customResources: [{group: a.io, resource: b, images: ['spec..a']}]}",
            'extensions.customResources[0].images[0]: "spec..a" is no path like spec.steps[*].image.',
            id="a path that is none",
        ),
        pytest.param(
            "extensions: {customResources: [{group: a.io, resource: b}]}",
            "extensions.customResources[0] must have a resource and images.",
            id="a custom resource without images",
        ),
        pytest.param(
            "extensions: {skip: {objects: {}}}", "extensions.skip.objects selects every object", id="everything skipped"
        ),
        pytest.param("extensions: {maxImages: 0}", "extensions.maxImages: expected `int` >= 1.", id="no images at all"),
    ],
)
def test_what_cannot_be_meant_is_named_by_its_path(text, sentence):
    with pytest.raises(InvalidConfiguration) as refused:
        read(text.encode())
    assert refused.value.findings[0].startswith(sentence)
    assert all(one.endswith(".") for one in refused.value.findings)


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(InvalidConfiguration) as refused:
        read(b"{kind: Pod, executionRules: [{}, {}], resolutionRules: [{}]}")
    assert len(refused.value.findings) == 5


def test_a_huge_file_is_refused_unread():
    with pytest.raises(InvalidConfiguration, match="over 1048576 bytes"):
        read(b"#" * (1 << 20) + b"\n")


@pytest.mark.parametrize(
    ("given", "labels", "expected"),
    [
        (Selector(match_labels={"a": "b"}), {"a": "b", "c": "d"}, True),
        (Selector(match_labels={"a": "b"}), {}, False),
        (Selector(match_expressions=[configuration.Expression(key="a", operator="NotIn", values=["b"])]), {}, True),
        (Selector(match_expressions=[configuration.Expression(key="a", operator="Exists")]), {"a": ""}, True),
        (Selector(match_expressions=[configuration.Expression(key="a", operator="DoesNotExist")]), {"a": ""}, False),
    ],
)
def test_selectors_match_as_in_kubernetes(given, labels, expected):
    assert configuration.selector(given).matches(labels) is expected
