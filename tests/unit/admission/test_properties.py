"""Laws of admission, for objects, configurations and bytes of any kind."""

import json

import jsonpatch
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.admission.objects import configured
from tests.unit.admission.streams import INTEGRATED, V1, V2
from tests.unit.admission.test_endpoint import JSON, REVIEWS, call, endpoint_of, operations, review
from webhook.admission.locations import ORIGINS, RESOLVE_NAMES

EVERYTHING = configured(
    "{resolveImages: AttemptRewrite, extensions: {keepTag: true, testOperations: true}, resolutionRules:"
    " [{targetResource: {group: apps, resource: '*'}, localNames: true}, {targetResource: {resource: '*'}}]}"
)
POLICIES = {
    "strict": configured(strict=True),
    "default": configured(),
    "every switch": EVERYTHING,
    "custom resources": configured(
        customResources=[{"group": "x.io", "resource": "widgets", "images": ["spec.*.image", "spec.images[*]"]}],
        skip={"objects": {"matchLabels": {"a": "b"}}, "images": ["a*b*c"]},
    ),
    "enforced": configured(
        "{resolveImages: Required, executionRules: [{name: r, reject: true, matchImageLabels: [{matchLabels: {a: b}}],"
        " onResources: [{resource: pods}, {group: apps, resource: deployments}]}]}"
    ),
}
# Under the default policy: text → what it becomes. The law below computes the object from this table alone.
NAMES = {
    "app:v1": f"quay.io/team/app@{V1}",
    "app:v2": f"quay.io/team/app@{V2}",
    "app:nope": f"{INTEGRATED}/shop/app:nope",
    "closed:v1": "closed:v1",
    "nginx": "nginx",
    "quay.io/team/app:v1": "quay.io/team/app:v1",
    "App v1": "App v1",
    f"app@{V1}": f"app@{V1}",
    "": "",
}

images = st.sampled_from(sorted(NAMES))
labels = st.dictionaries(st.sampled_from(["app", "app:v1", "a/b"]), images, max_size=2)
extras = st.dictionaries(st.sampled_from(["command", "env", "x", "args"]), st.lists(images, max_size=2), max_size=2)


@st.composite
def pod_specs(draw):
    names = iter("abcdefghijkl")
    spec = {
        field: [{"name": next(names), "image": draw(images), **draw(extras)} for _ in range(draw(st.integers(0, 2)))]
        for field in draw(st.sampled_from([("containers",), ("initContainers", "containers")]))
    }
    if draw(st.booleans()):
        spec["volumes"] = [{"name": "v", "image": {"reference": draw(images)}}, {"name": "w", "emptyDir": {}}]
    return spec


@st.composite
def workloads(draw):
    metadata = {"name": "web", "labels": draw(labels)}
    if draw(st.booleans()):
        metadata["annotations"] = draw(labels)
    template = {"metadata": {"labels": draw(labels)}, "spec": draw(pod_specs())}
    return {"metadata": metadata, "spec": {"template": template, "x": draw(extras)}}


def expected(obj):
    after = msgspec.json.decode(msgspec.json.encode(obj))
    spec = after["spec"]["template"]["spec"]
    for one in [*spec.get("initContainers", []), *spec["containers"]]:
        one["image"] = NAMES[one["image"]]
    for one in spec.get("volumes", []):
        if "image" in one:
            one["image"]["reference"] = NAMES[one["image"]["reference"]]
    return after


def admitted(obj, policy="default", resource="deployments", group="apps", **more):
    response = ask(obj, policy, resource, group, **more)
    return jsonpatch.apply_patch(obj, operations(response)), operations(response)


def ask(obj, policy, resource, group, **more):
    status, _, body = call(ENDPOINTS[policy], json.dumps(review(obj, resource, group, **more)).encode())
    assert status == 200
    return json.loads(body)["response"]


ENDPOINTS = {name: endpoint_of(policy=policy) for name, policy in POLICIES.items()}


@given(workloads())
def test_applying_the_patch_gives_exactly_the_expected_object(obj):
    after, patch = admitted(obj)
    if any(one["op"] == "replace" for one in patch):
        assert after["metadata"]["annotations"].pop(ORIGINS)
        if "annotations" not in obj["metadata"]:
            assert after["metadata"].pop("annotations") == {}
    assert after == expected(obj)


@pytest.mark.parametrize("policy", sorted(POLICIES))
@given(obj=workloads())
def test_a_second_pass_changes_nothing(policy, obj):
    response = ask(obj, policy, "deployments", "apps")
    after = jsonpatch.apply_patch(obj, operations(response))
    assert operations(ask(after, policy, "deployments", "apps")) == []
    assert operations(ask(after, policy, "deployments", "apps", operation="UPDATE", oldObject=after)) == []


@given(JSON, st.sampled_from(sorted(POLICIES)))
def test_objects_without_image_fields_come_back_untouched(value, policy):
    obj = {"metadata": {"name": "web"}, "spec": {"template": {"metadata": {}, "spec": {"x": value}}, "y": value}}
    assert "patch" not in ask(obj, policy, "deployments", "apps")


@given(
    st.sampled_from(sorted(POLICIES)),
    st.sampled_from(["pods", "deployments", "widgets", "jobs", "builds"]),
    JSON,
    JSON,
    st.sampled_from(["CREATE", "UPDATE", "DELETE", "CONNECT", ""]),
    st.sampled_from(["", "status", "ephemeralcontainers"]),
)
def test_any_object_is_answered_and_its_patch_fits(policy, resource, obj, old, operation, below):
    group = {"deployments": "apps", "widgets": "x.io", "jobs": "batch", "builds": "build.openshift.io"}.get(
        resource, ""
    )
    if not isinstance(obj, dict):
        obj = {"metadata": {"annotations": {RESOLVE_NAMES: "*"}}, "spec": obj}
    response = ask(obj, policy, resource, group, operation=operation, subResource=below, oldObject=old)
    jsonpatch.apply_patch(obj, operations(response))


RECORDED = [json.dumps(json.loads(path.read_text())["review"]).encode() for path in sorted(REVIEWS.glob("*.json"))]


@given(st.sampled_from(sorted(POLICIES)), st.sampled_from(RECORDED), st.data())
def test_damaged_reviews_are_never_the_servers_fault(policy, body, data):
    at = data.draw(st.integers(0, len(body) - 1))
    width = data.draw(st.integers(0, 20))
    damaged = body[:at] + data.draw(st.binary(max_size=8)) + body[at + width :]
    assert call(ENDPOINTS[policy], damaged)[0] in (200, 400)
