"""The decision matrix: which modes and rules rewrite what, and where: admission A.3, A.7, A.11."""

import pytest

from tests.unit.admission.objects import changes, configured, pod, workload
from tests.unit.admission.streams import INTEGRATED, SHOP, V1, V2
from webhook.admission import locations
from webhook.admission.objects import Objects
from webhook.admission.policy import Policy
from webhook.view.direct import IMAGES, STREAMS

APP = f"quay.io/team/app@{V1}"
FULL = f"{INTEGRATED}/shop/app:v1"
TEMPLATE = "/spec/template/spec/containers/{}/image"


def test_without_a_configuration_local_names_are_rewritten_everywhere():
    assert configured(strict=True) == Policy(INTEGRATED)
    assert set(Policy().coverage) == set(locations.COVERED)


def rewritten(text):
    """Which of a local name and a full reference are rewritten in a Deployment; None if it is not covered."""
    under = configured(text, strict=True)
    if ("apps", "deployments") not in under.coverage:
        return None
    found = changes("deployments.apps", workload("app:v1", FULL), under=under, kind="Deployment")
    return [TEMPLATE.format(index) in found for index in (0, 1)]


RULE = "resolutionRules: [{{targetResource: {{group: apps, resource: {}}}, policy: {}, localNames: {}}}]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("resolveImages: DoNotAttempt", [True, False], id="a rule that covers resolves in any mode"),
        pytest.param("resolveImages: Attempt", [True, False], id="Attempt"),
        pytest.param("resolveImages: AttemptRewrite", [True, False], id="the default rules have a policy of their own"),
        pytest.param("resolveImages: RequiredRewrite", [True, False], id="so even where resolution is required"),
        pytest.param(RULE.format("deployments", "Attempt", "true"), [True, False], id="local names"),
        pytest.param(RULE.format("deployments", "Attempt", "false"), [False, False], id="no local names"),
        pytest.param(RULE.format("deployments", "AttemptRewrite", "false"), [True, True], id="a rule that rewrites"),
        pytest.param(RULE.format("deployments", "RequiredRewrite", "false"), [True, True], id="another that rewrites"),
        pytest.param(RULE.format('"*"', "Required", "true"), [True, False], id="all resources of the group"),
        pytest.param(RULE.format("statefulsets", "Attempt", "true"), None, id="a rule for others"),
        pytest.param("resolutionRules: []", None, id="no rules at all"),
        pytest.param(
            "{resolveImages: AttemptRewrite,"
            " resolutionRules: [{targetResource: {group: apps, resource: deployments}}]}",
            [True, True],
            id="a rule without a policy takes the global one",
        ),
        pytest.param(
            "{resolveImages: AttemptRewrite, executionRules: [{name: a, reject: true, invertMatch: true,"
            " onResources: [{group: apps, resource: deployments}]}]}",
            [True, True],
            id="a default rule beside an execution rule takes the global one",
        ),
        pytest.param(
            "{resolveImages: AttemptRewrite, resolutionRules: [], executionRules: [{name: a, reject: true,"
            " invertMatch: true, onResources: [{group: apps, resource: deployments}]}]}",
            [True, True],
            id="where only execution rules cover, the global mode decides",
        ),
        pytest.param(
            "{resolveImages: DoNotAttempt, resolutionRules: [], executionRules: [{name: a, reject: true,"
            " invertMatch: true, onResources: [{group: apps, resource: deployments}]}]}",
            [False, False],
            id="and may not look names up at all",
        ),
    ],
)
def test_modes_and_rules_say_what_is_rewritten(text, expected):
    assert rewritten(text) == expected


def test_an_update_of_a_job_is_never_rewritten():
    under = configured(
        "{resolveImages: RequiredRewrite, resolutionRules: [{targetResource: {group: batch, resource: jobs}}]}"
    )
    assert changes("jobs.batch", workload("app:v1"), workload("nginx"), under=under, kind="Job") == {}


@pytest.mark.parametrize(
    ("resource", "obj", "path"),
    [
        ("podtemplates", {"template": pod("app:v1")}, "/template/spec/containers/0/image"),
        ("podsecuritypolicyreviews.security.openshift.io", workload("app:v1"), TEMPLATE.format(0)),
        (
            "buildconfigs.build.openshift.io",
            {"spec": {"strategy": {"sourceStrategy": {"from": {"kind": "DockerImage", "name": "app:v1"}}}}},
            "/spec/strategy/sourceStrategy/from/name",
        ),
    ],
)
def test_a_rule_covers_kinds_that_are_not_covered_by_default(resource, obj, path):
    name, _, group = resource.partition(".")
    under = configured(
        f"resolutionRules: [{{targetResource: {{group: '{group}', resource: {name}}}, localNames: true}}]", strict=True
    )
    assert changes(resource, obj, under=under) == {path: APP}


BUILD_RULE = (
    "resolutionRules: [{targetResource: {group: build.openshift.io, resource: buildconfigs}, policy: AttemptRewrite}]"
)


def build(kind="ImageStreamTag", name="app:v1", **more):
    origin = {"kind": kind, "name": name, **more}
    return {"metadata": {"name": "app"}, "spec": {"strategy": {"sourceStrategy": {"from": origin}}}}


def test_a_policy_that_rewrites_turns_stream_tags_of_builds_into_images():
    base = "/spec/strategy/sourceStrategy/from"
    found = changes(
        "buildconfigs.build.openshift.io", build(namespace="shop"), under=configured(BUILD_RULE), namespace="other"
    )
    assert found == {f"{base}/name": APP, f"{base}/kind": "DockerImage", f"{base}/namespace": None}


STORED = {
    (STREAMS, "shop", "php"): SHOP[1],
    (IMAGES, "", V2): {"metadata": {"name": V2}, "dockerImageReference": f"php@{V2}"},
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"php@{V2}", {"/spec/strategy/sourceStrategy/from/kind": "DockerImage"}),
        (f"php@{V1}", {}),
        ("php@", {}),
        ("php", {}),
    ],
    ids=["an image whose pull spec reads the same", "no such image", "no digest", "no stream image"],
)
def test_a_policy_that_rewrites_turns_stream_images_of_builds_into_images(name, expected):
    known = Objects(lambda *key: STORED.get(key))
    obj = build("ImageStreamImage", name)
    found = changes("buildconfigs.build.openshift.io", obj, under=configured(BUILD_RULE), objects=known)
    assert found == expected


def test_a_namespace_beside_an_image_goes_as_it_would_mean_nothing():
    base = "/spec/strategy/sourceStrategy/from"
    found = changes("builds.build.openshift.io", build("DockerImage", namespace="x"), under=configured(strict=True))
    assert found == {f"{base}/name": APP, f"{base}/namespace": None}


def test_an_unchanged_origin_of_a_build_config_is_not_looked_at_again():
    resource, under = "buildconfigs.build.openshift.io", configured(BUILD_RULE)
    assert changes(resource, build(), build(), under=under) == {}
    assert changes(resource, build(), build(name="app:v2"), under=under)


def test_the_annotation_does_not_make_an_origin_of_a_build_config_new():
    annotated = build()
    annotated["metadata"]["annotations"] = {locations.RESOLVE_NAMES: "*"}
    assert changes("buildconfigs.build.openshift.io", annotated, build(), under=configured(BUILD_RULE)) == {}


def test_the_extensions_of_a_strict_server_are_off():
    text = (
        "extensions: {podsOnly: true, keepTag: true, recordOrigin: true, testOperations: true, maxImages: 1,"
        " customResources: [{group: x.io, resource: widgets, images: [spec.image]}],"
        " skip: {images: ['*'], containers: ['*'], namespaces: ['*'], objects: {matchLabels: {a: b}}}}"
    )
    assert configured(text, strict=True) == Policy(INTEGRATED)
    assert configured(text, strict=False) != Policy(INTEGRATED)
