"""What a configuration refuses, in OpenShift's words: admission A.7 - A.9 and their cases in A.11."""

import pytest

from tests.unit.admission.objects import configured, pod, verdict, workload
from tests.unit.admission.streams import INTEGRATED, SHOP, V1, V2
from webhook.admission.locations import RESOLVE_NAMES
from webhook.admission.objects import IGNORE_RULES, NAMESPACES, Objects
from webhook.errors import Forbidden, Invalid
from webhook.view.direct import IMAGES, STREAMS
from webhook.view.index import View

PROHIBITED = "this image is prohibited by policy"
REQUIRED = configured("resolveImages: Required", strict=True)
KNOWN, UNKNOWN = f"quay.io/team/app@{V1}", f"quay.io/team/app@{V2}"


def image(digest=V1, labels=None, annotations=None, docker=None, **more):
    return {
        "metadata": {"name": digest, "labels": labels or {}, "annotations": annotations or {}},
        "dockerImageReference": f"quay.io/team/app@{digest}",
        "dockerImageMetadata": {"Config": {"Labels": docker or {}}},
        **more,
    }


def objects(*images, namespace=None, streams=SHOP):
    stored = {(IMAGES, "", one["metadata"]["name"]): one for one in images}
    stored |= {(STREAMS, one["metadata"]["namespace"], one["metadata"]["name"]): one for one in streams}
    stored[NAMESPACES, "", "shop"] = {"metadata": {"annotations": namespace or {}}}
    return Objects(lambda *key: stored.get(key))


def causes(under, obj, resource="pods", *, known=None, **more):
    """Field → text of what is refused, empty if nothing is."""
    try:
        verdict(resource, obj, under=under, objects=known or objects(image()), **more)
    except Invalid as refused:
        return {one["field"]: one["message"] for one in refused.details["causes"]}
    return {}


@pytest.mark.parametrize(
    ("written", "detail"),
    [
        pytest.param("app:v1", None, id="a tag"),
        pytest.param("app:nope", None, id="a tag that is to come"),
        pytest.param(f"{INTEGRATED}/shop/app:v1", None, id="a full reference"),
        pytest.param(KNOWN, None, id="the digest of a known Image"),
        pytest.param(UNKNOWN, "", id="the digest of an unknown Image"),
        pytest.param("ghost:1", "", id="no such stream"),
        pytest.param("homeless:v9", "", id="no such tag"),
        pytest.param(f"{INTEGRATED}/shop/closed:v9", "", id="no such tag by its full name"),
        pytest.param("closed:v9", "", id="no such tag, and no lookup"),
        pytest.param(
            "closed:v1",
            "ImageStreamTag does not allow local references and the resource did not request image stream resolution",
            id="no lookup",
        ),
        pytest.param(
            "quay.io/team/app:v1",
            "(quay.io/team/app:v1) could not be resolved to an exact image reference",
            id="elsewhere",
        ),
        pytest.param("App:v1", "repository name must be lowercase", id="no reference"),
    ],
)
def test_what_is_required_to_resolve_and_does_not_is_refused(written, detail):
    expected = {} if detail is None else {"spec.containers[0].image": f"Forbidden: {PROHIBITED}: {detail}"}
    assert causes(REQUIRED, pod(written)) == expected


def test_the_refusal_names_the_object_and_every_field():
    with pytest.raises(Invalid) as refused:
        verdict("deployments.apps", workload("ghost:1", "ghost:2"), under=REQUIRED, kind="Deployment")
    causes = [f"spec.template.spec.containers[{index}].image: Forbidden: {PROHIBITED}: " for index in (0, 1)]
    assert str(refused.value) == f'Deployment.apps "web" is invalid: [{causes[0]}, {causes[1]}]'
    assert {one["reason"] for one in refused.value.details["causes"]} == {"FieldValueForbidden"}


def test_the_same_reference_is_reported_once():
    assert list(causes(REQUIRED, pod("ghost:1", "ghost:2", init=["ghost:1"]))) == [
        "spec.initContainers[0].image",
        "spec.containers[1].image",
    ]


def test_a_view_that_is_not_loaded_resolves_nothing():
    assert causes(REQUIRED, pod("app:v1"), view=View())


def test_what_was_stored_already_is_not_refused_later():
    assert causes(REQUIRED, pod("ghost:1"), old=pod("ghost:1")) == {}


@pytest.mark.parametrize("read", [lambda *_: None, lambda *_: 1 / 0], ids=["no Image", "the API is away"])
def test_a_rule_of_its_own_does_not_require(read):
    under = configured("resolutionRules: [{targetResource: {resource: pods}, policy: Required}]")
    assert causes(under, pod("ghost:1", KNOWN), known=Objects(read)) == {}


@pytest.mark.parametrize(
    ("kind", "name", "detail"),
    [
        ("ImageStreamTag", "app", "references of kind ImageStreamTag must be of the form NAME:TAG"),
        ("ImageStreamTag", "app:v1", None),
        ("ImageStreamTag", "php:", None),
        ("ImageStreamTag", ":v1", "references of kind ImageStreamTag must be of the form NAME:TAG"),
        ("ImageStreamTag", "ghost:v1", ""),
        ("ImageStreamImage", "app", "references of kind ImageStreamImage must be of the form NAME@DIGEST"),
        ("ImageStreamImage", "app@", "references of kind ImageStreamImage must be of the form NAME@DIGEST"),
        ("ImageStreamImage", f"app@{V1}", None),
        ("ImageStreamImage", f"php@{'sha256:' + '0' * 64}", ""),
        ("Secret", "app", 'image policy does not allow image references of kind "Secret"'),
    ],
)
def test_references_of_builds_are_required_to_have_their_form(kind, name, detail):
    obj = {"spec": {"strategy": {"customStrategy": {"from": {"kind": kind, "name": name}}}}}
    found = causes(REQUIRED, obj, "builds.build.openshift.io", kind="Build")
    field = "spec.strategy.customStrategy.from.name"
    assert found == ({} if detail is None else {field: f"Forbidden: {PROHIBITED}: {detail}"})


def test_a_short_name_does_not_become_another_by_its_address_where_the_annotation_asks():
    obj = pod(f"{INTEGRATED}/other/app:no", annotations={RESOLVE_NAMES: "*"})
    under = rules("{name: r, reject: true, matchIntegratedRegistry: true}")
    assert causes(under, obj) == {}
    assert causes(under, pod(f"{INTEGRATED}/shop/app:no"))


@pytest.mark.parametrize("kind", ["ImageStreamTag", "Secret"])
def test_a_name_is_another_reference_in_each_namespace(kind):
    origins = [{"kind": kind, "name": "ghost:v1", "namespace": one} for one in ("shop", "shop", "ghosts")]
    obj = {"spec": {"source": {"images": [{"from": one} for one in origins]}}}
    fields = [f"spec.source.images[{index}].from.name" for index in (0, 2)]
    assert list(causes(REQUIRED, obj, "builds.build.openshift.io", kind="Build")) == fields


def test_the_same_name_in_two_namespaces_is_two_references():
    origins = [{"kind": "ImageStreamTag", "name": "app:v1", "namespace": one} for one in ("shop", "ghosts")]
    obj = {"spec": {"source": {"images": [{"from": one} for one in origins]}}}
    assert list(causes(REQUIRED, obj, "builds.build.openshift.io", kind="Build")) == ["spec.source.images[1].from.name"]


def test_a_reference_of_a_build_is_judged_once_as_it_reads_now():
    text = (
        "{executionRules: [{name: r, reject: true, matchRegistries: [quay.io],"
        " onResources: [{group: build.openshift.io, resource: builds}]}], resolutionRules:"
        " [{targetResource: {group: build.openshift.io, resource: builds}, policy: AttemptRewrite}]}"
    )
    origins = [{"kind": "ImageStreamTag", "name": "app:v1"}, {"kind": "DockerImage", "name": KNOWN}]
    obj = {"spec": {"source": {"images": [{"from": one} for one in origins]}}}
    found = causes(configured(text, strict=True), obj, "builds.build.openshift.io", kind="Build")
    assert list(found) == ["spec.source.images[0].from.name"]


def rules(*given, mode="Attempt"):
    return configured(f"{{resolveImages: {mode}, executionRules: [{', '.join(given)}]}}", strict=True)


DENY = (
    "{name: denied, reject: true, skipOnResolutionFailure: true, matchImageAnnotations: [{key: deny, value: 'true'}]}"
)
DENIED = {"spec.containers[0].image": f"Forbidden: {PROHIBITED}"}


def test_a_rejected_image_is_named_once_for_each_way_to_write_it():
    known = objects(image(annotations={"deny": "true"}))
    assert list(causes(rules(DENY), pod("app:v1", "quay.io/x/y@" + V1, init=["app:v1"]), known=known)) == [
        "spec.initContainers[0].image",
        "spec.containers[1].image",
    ]


@pytest.mark.parametrize(
    ("namespace", "rule", "expected"),
    [
        ({}, DENY, DENIED),
        ({IGNORE_RULES: "other,denied"}, DENY, {}),
        ({IGNORE_RULES: "other, denied"}, DENY, DENIED),
        ({IGNORE_RULES: "denied"}, DENY.replace("{name", "{ignoreNamespaceOverride: true, name"), DENIED),
    ],
    ids=["no override", "an override", "names are not trimmed", "a rule that cannot be overridden"],
)
def test_a_namespace_can_ignore_rules(namespace, rule, expected):
    known = objects(image(annotations={"deny": "true"}), namespace=namespace)
    assert causes(rules(rule), pod(KNOWN), known=known) == expected


def test_a_whitelist_of_which_every_rule_is_ignored_allows_nothing():
    known = objects(namespace={IGNORE_RULES: "allowed"})
    assert causes(rules("{name: allowed, matchRegistries: [quay.io]}"), pod("quay.io/a/b:1"), known=known)


@pytest.mark.parametrize(
    ("rule", "written", "rejected"),
    [
        pytest.param("matchRegistries: [quay.io]", "quay.io/a/b:1", True, id="the registry as written"),
        pytest.param("matchRegistries: [quay.io]", "docker.io/a/b:1", False, id="another registry"),
        pytest.param("matchRegistries: [quay.io]", "app:v1", True, id="the registry of what it resolves to"),
        pytest.param("matchRegistries: ['']", "ghost:1", True, id="no registry"),
        pytest.param("matchIntegratedRegistry: true", "app:v1", True, id="a stream's image"),
        pytest.param("matchIntegratedRegistry: true", f"{INTEGRATED}/shop/app:v1", True, id="its full name"),
        pytest.param(
            "matchIntegratedRegistry: true", f"{INTEGRATED}/shop/no:v1", False, id="one that fails to resolve"
        ),
        pytest.param("matchIntegratedRegistry: true", "quay.io/a/b:1", False, id="no stream's image"),
        pytest.param("matchIntegratedRegistry: true", f"{INTEGRATED}/shop/app:no", True, id="a tag to come, in full"),
        pytest.param("matchIntegratedRegistry: true", "app:no", False, id="a tag to come by a short name"),
        pytest.param("matchIntegratedRegistry: true", f"{INTEGRATED}/shop/app@{V1}", True, id="a digest in full"),
        pytest.param("matchIntegratedRegistry: true", KNOWN, False, id="a digest elsewhere"),
        pytest.param("matchDockerImageLabels: [{key: a, value: b}]", "app:v1", True, id="a label of the image"),
        pytest.param("matchDockerImageLabels: [{key: a, value: c}]", "app:v1", False, id="another value"),
        pytest.param("matchDockerImageLabels: [{key: z}]", "app:v1", True, id="a missing label is empty"),
        pytest.param("matchDockerImageLabels: [{key: z, set: true}]", "app:v1", False, id="but not set"),
        pytest.param("matchImageLabels: [{matchLabels: {tier: gold}}]", KNOWN, True, id="a label of the Image"),
        pytest.param("matchImageLabels: [{matchLabels: {tier: tin}}]", KNOWN, False, id="another label"),
        pytest.param("matchImageAnnotations: [{key: by, set: true}]", KNOWN, True, id="an annotation"),
        pytest.param("matchImageAnnotations: [{key: by, set: true}]", "ghost:1", False, id="an image that is unknown"),
        pytest.param("matchImageAnnotations: [{key: of-tag, value: x}]", "app:v2", True, id="an annotation of the tag"),
        pytest.param("invertMatch: true, matchRegistries: [quay.io]", "docker.io/a/b:1", True, id="inverted"),
        pytest.param("skipOnResolutionFailure: true, matchRegistries: ['']", "ghost:1", False, id="skipped unresolved"),
        pytest.param("skipOnResolutionFailure: false, matchRegistries: ['']", "app:nope", False, id="a tag to come"),
    ],
)
def test_conditions_of_rules(rule, written, rejected):
    tagged = [*SHOP]
    tagged[0] = {**SHOP[0], "spec": {**SHOP[0]["spec"], "tags": [{"name": "v2", "annotations": {"of-tag": "x"}}]}}
    known = objects(
        image(labels={"tier": "gold"}, annotations={"by": "ci"}, docker={"a": "b"}), image(V2), streams=tagged
    )
    found = causes(rules(f"{{name: r, reject: true, {rule}}}"), pod(written), known=known)
    assert bool(found) is rejected


@pytest.mark.parametrize(("known_only", "rejected"), [("false", True), ("true", False)])
def test_an_image_whose_configuration_cannot_be_read_may_be_anything(known_only, rejected):
    known = objects(image(dockerImageMetadata=None))
    rule = f"reject: true, skipOnResolutionFailure: {known_only}, matchDockerImageLabels: [{{key: a, set: true}}]"
    assert bool(causes(rules(f"{{name: r, {rule}}}"), pod(KNOWN), known=known)) is rejected


@pytest.mark.parametrize(
    ("written", "allowed"), [("quay.io/a/b:1", True), ("docker.io/a/b:1", False), ("app:v1", True), ("ghost:1", False)]
)
def test_a_whitelist_allows_what_matches(written, allowed):
    assert bool(causes(rules("{name: r, matchRegistries: [quay.io]}"), pod(written))) is not allowed


def test_a_rejected_image_that_does_not_resolve_shows_why_not():
    found = causes(rules("{name: r, reject: true, matchRegistries: [docker.io]}"), pod("docker.io/a/b:1"))
    assert found["spec.containers[0].image"] == (
        f"Forbidden: {PROHIBITED}: (docker.io/a/b:1) could not be resolved to an exact image reference"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{resolveImages: DoNotAttempt, resolutionRules: [], executionRules: [{name: r, reject: true}]}",
        "{executionRules: [{name: r, reject: true}], extensions: {skip: {containers: [c0]}}}",
    ],
    ids=["by its mode", "as it is skipped"],
)
def test_what_is_not_looked_up_is_judged_as_it_is_written(text):
    assert causes(configured(text), pod("ghost:1")) == DENIED


def test_rules_hold_on_the_resources_that_they_name():
    under = rules("{name: r, reject: true, onResources: [{group: apps, resource: deployments}]}")
    assert causes(under, pod("a/b:1")) == {}
    assert causes(under, workload("a/b:1"), "deployments.apps")


def test_rules_hold_on_custom_resources_too():
    under = configured(
        "{executionRules: [{name: r, reject: true, onResources: [{group: x.io, resource: widgets}]}],"
        " extensions: {customResources: [{group: x.io, resource: widgets, images: ['spec.parts[*].image']}]}}"
    )
    assert under.enforces
    found = causes(under, {"metadata": {"name": "w"}, "spec": {"parts": [{"image": "a/b:1"}]}}, "widgets.x.io")
    assert list(found) == ["spec.parts[0].image"]


def test_a_star_names_no_resource_of_a_rule():
    assert not configured("executionRules: [{name: r, reject: true, onResources: [{resource: '*'}]}]").enforces


def test_a_job_that_changes_is_checked_though_it_is_not_rewritten():
    under = rules(
        "{name: r, reject: true, matchRegistries: [docker.io], onResources: [{group: batch, resource: jobs}]}"
    )
    assert causes(under, workload("docker.io/a/b:1"), "jobs.batch", old=workload("nginx"))


def test_an_image_that_is_named_by_digest_may_be_a_minute_old():
    now = 0
    stored = {(IMAGES, "", V1): image()}
    known = Objects(lambda *key: stored.get(key), timer=lambda: now)
    assert causes(rules(DENY), pod(KNOWN), known=known) == {}
    stored[IMAGES, "", V1] = image(annotations={"deny": "true"})
    now = 30
    assert causes(rules(DENY), pod(KNOWN), known=known) == {}
    now = 61
    assert causes(rules(DENY), pod(KNOWN), known=known) == DENIED


def test_an_image_that_a_tag_means_is_always_read_anew():
    stored = {(IMAGES, "", V1): image()}
    known = Objects(lambda *key: stored.get(key))
    assert causes(rules(DENY), pod("app:v1"), known=known) == {}
    stored[IMAGES, "", V1] = image(annotations={"deny": "true"})
    assert causes(rules(DENY), pod("app:v1"), known=known) == DENIED


def test_an_object_with_absurdly_many_images_cannot_slip_through():
    with pytest.raises(Forbidden, match="more than 10000 images"):
        verdict("pods", pod(*["nginx"] * 10_001), under=REQUIRED)


def test_nothing_is_refused_without_a_configuration():
    assert causes(configured(), pod("ghost:1", "App:v1", KNOWN, "quay.io/a/b:1")) == {}
