"""Which fields of which objects are looked at, when, and what an update leaves alone: admission A.2 - A.5."""

import copy

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.admission.objects import VIEW, containers, pod, workload
from tests.unit.admission.streams import INTEGRATED, V1, V2
from webhook.admission import patch, reasons, review
from webhook.admission.decide import Write, examine, of_objects
from webhook.admission.exemptions import is_platform
from webhook.admission.locations import COVERED, LOCATIONS, RESOLVE_NAMES
from webhook.admission.policy import Policy
from webhook.admission.verdict import reach
from webhook.errors import Forbidden

POLICY = Policy(INTEGRATED)
APP_V1, APP_V2 = f"quay.io/team/app@{V1}", f"quay.io/team/app@{V2}"
ASK = {"annotations": {RESOLVE_NAMES: "*"}}


def cronjob(*images, template=None, job=None, **metadata):
    inner = {"metadata": job or {}, "spec": {"template": pod(*images, **(template or {}))}}
    return {"metadata": {"name": "nightly", **metadata}, "spec": {"jobTemplate": inner}}


def build(strategy="sourceStrategy", images=(), **origin):
    source = {"type": "Git", "images": [{"from": {"kind": "DockerImage", "name": name}} for name in images]}
    return {"metadata": {"name": "app-1"}, "spec": {"source": source, "strategy": {strategy: {"from": origin}}}}


def rewrites(group, resource, obj, old=None, operation="CREATE", subresource=""):
    write = of_objects(
        LOCATIONS[group, resource], group, resource, operation, "shop", obj, old, subresource=subresource
    )
    return reach(write, VIEW, POLICY).changes


def changes(*arguments, **more):
    return {patch.pointer(one.path): one.new for one in rewrites(*arguments, **more)}


@pytest.mark.parametrize(
    ("resource", "obj", "expected"),
    [
        pytest.param("pods", pod("app:v1"), {"/spec/containers/0/image": APP_V1}, id="a pod"),
        pytest.param(
            "pods",
            pod("app:v1", "nginx", "app:v2", init=["app:v2"]),
            {
                "/spec/initContainers/0/image": APP_V2,
                "/spec/containers/0/image": APP_V1,
                "/spec/containers/2/image": APP_V2,
            },
            id="init containers first, what does not resolve stays",
        ),
        pytest.param(
            "replicationcontrollers",
            workload("app:v1"),
            {"/spec/template/spec/containers/0/image": APP_V1},
            id="a replication controller",
        ),
        pytest.param("podtemplates", {"template": pod("app:v1")}, {}, id="a pod template is not covered"),
        pytest.param("pods", {"metadata": None, "spec": {"containers": None}}, {}, id="nulls"),
        pytest.param("pods", {}, {}, id="an empty object"),
        pytest.param(
            "pods",
            {"spec": {"ephemeralContainers": containers("app:v1"), "volumes": [{"image": {"reference": "app:v1"}}]}},
            {},
            id="ephemeral containers and image volumes are not touched",
        ),
    ],
)
def test_images_of_the_core_group_are_rewritten_in_place(resource, obj, expected):
    assert changes("", resource, obj) == expected


@pytest.mark.parametrize(("group", "resource"), sorted(COVERED))
def test_every_covered_kind_is_rewritten(group, resource):
    obj, path = {
        "pods": (pod("app:v1"), "/spec/containers/0/image"),
        "cronjobs": (cronjob("app:v1"), "/spec/jobTemplate/spec/template/spec/containers/0/image"),
        "builds": (build(kind="DockerImage", name="app:v1"), "/spec/strategy/sourceStrategy/from/name"),
    }.get(resource, (workload("app:v1"), "/spec/template/spec/containers/0/image"))
    assert changes(group, resource, obj) == {path: APP_V1}


@pytest.mark.parametrize(
    ("resource", "obj", "rewritten"),
    [
        pytest.param("deployments", workload("closed:v1", **ASK), True, id="on the object"),
        pytest.param("deployments", workload("closed:v1", template=ASK), True, id="on the template"),
        pytest.param("cronjobs", cronjob("closed:v1", **ASK), True, id="on a cron job"),
        pytest.param("cronjobs", cronjob("closed:v1", template=ASK), True, id="on its pod template"),
        pytest.param("cronjobs", cronjob("closed:v1", job=ASK), False, id="not on its job template"),
        pytest.param(
            "deployments", workload("closed:v1", annotations={RESOLVE_NAMES: "true"}), False, id="only a star"
        ),
        pytest.param("deployments", workload("closed:v1", annotations={RESOLVE_NAMES: None}), False, id="not null"),
    ],
)
def test_the_annotation_asks_for_lookup(resource, obj, rewritten):
    group = "batch" if resource == "cronjobs" else "apps"
    assert bool(changes(group, resource, obj)) is rewritten


@pytest.mark.parametrize(("controller", "rewritten"), [(True, False), (False, True), (None, True)])
def test_only_a_controller_as_owner_exempts_an_object(controller, rewritten):
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "controller": controller}
    assert bool(changes("", "pods", pod("app:v1", ownerReferences=[owner]))) is rewritten


@pytest.mark.parametrize(("operation", "subresource"), [("DELETE", ""), ("CONNECT", ""), ("UPDATE", "status")])
def test_other_operations_and_subresources_are_not_looked_at(operation, subresource):
    assert changes("", "pods", pod("app:v1"), operation=operation, subresource=subresource) == {}


FIRST = "/spec/template/spec/containers/0/image"
SECOND = "/spec/template/spec/containers/1/image"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(workload("app:v1"), workload("app:v1"), {}, id="what is stored stays"),
        pytest.param(workload("app:v1"), workload("app:v2"), {FIRST: APP_V2}, id="a changed image"),
        pytest.param(workload(APP_V1), workload("app:v1"), {FIRST: APP_V1}, id="the short name again"),
        pytest.param(workload("app:v1"), workload("app:v1", "app:v2"), {SECOND: APP_V2}, id="an added container"),
        pytest.param(
            workload("app:v1"),
            {"spec": {"template": {"spec": {"containers": [{"name": "new", "image": "app:v1"}]}}}},
            {FIRST: APP_V1},
            id="a renamed container",
        ),
        pytest.param(
            workload("app:v1"),
            {"spec": {"template": {"spec": {"initContainers": containers("app:v1")}}}},
            {},
            id="a container that became an init container",
        ),
        pytest.param(workload("app:v1"), workload("app:v1", **ASK), {FIRST: APP_V1}, id="the annotation added"),
        pytest.param(workload("app:v1", **ASK), workload("app:v1"), {FIRST: APP_V1}, id="the annotation removed"),
        pytest.param(workload("app:v1", **ASK), workload("app:v1", template=ASK), {}, id="the annotation moved"),
        pytest.param(None, workload("app:v1"), {FIRST: APP_V1}, id="an update without the old object"),
    ],
)
def test_an_update_looks_at_what_changes(old, new, expected):
    assert changes("apps", "deployments", new, old, "UPDATE") == expected


def test_a_stored_job_is_never_rewritten():
    assert changes("batch", "jobs", workload("app:v2", **ASK), workload("app:v1"), "UPDATE") == {}


def test_a_stored_build_is_never_rewritten():
    new, old = build(kind="DockerImage", name="app:v2"), build(kind="DockerImage", name="app:v1")
    assert changes("build.openshift.io", "builds", new, old, "UPDATE") == {}


BUILDER = "/spec/strategy/sourceStrategy/from"


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (
            build("dockerStrategy", kind="DockerImage", name="app:v1"),
            {"/spec/strategy/dockerStrategy/from/name": APP_V1},
        ),
        (
            build("customStrategy", kind="DockerImage", name="app:v1"),
            {"/spec/strategy/customStrategy/from/name": APP_V1},
        ),
        (
            build(images=["app:v1", "quay.io/a/b:1"], kind="ImageStreamTag", name="app:v1"),
            {"/spec/source/images/0/from/name": APP_V1},
        ),
        (
            build(kind="ImageStreamTag", namespace="other", name="tools:v9"),
            {
                f"{BUILDER}/name": f"{INTEGRATED}/other/tools:v9",
                f"{BUILDER}/kind": "DockerImage",
                f"{BUILDER}/namespace": None,
            },
        ),
        (
            build(kind="ImageStreamTag", name="app:"),
            {f"{BUILDER}/name": f"{INTEGRATED}/shop/app:latest", f"{BUILDER}/kind": "DockerImage"},
        ),
        (build(kind="ImageStreamTag", name="php:"), {}),
        (build(kind="ImageStreamTag", name="app"), {}),
        (build(kind="ImageStreamTag", name="app:v9:v9"), {}),
        ({"spec": {"strategy": {"dockerStrategy": {}}, "output": {"to": {"kind": "DockerImage", "name": "app"}}}}, {}),
        ({"spec": {"strategy": None, "source": None}}, {}),
    ],
)
def test_a_build_is_rewritten_where_it_takes_images_from(obj, expected):
    assert changes("build.openshift.io", "builds", obj) == expected


@pytest.mark.parametrize(
    ("group", "resource", "named"),
    [
        ("", "replicationcontrollers", 'replicationcontrollers "web"'),
        ("apps.openshift.io", "deploymentconfigs", 'deploymentconfigs.apps.openshift.io "web"'),
    ],
)
def test_a_controller_without_a_template_is_refused(group, resource, named):
    with pytest.raises(Forbidden, match=f"{named} is forbidden: unable to apply image policy") as refusal:
        changes(group, resource, {"metadata": {"name": "web"}, "spec": {"replicas": 1}})
    assert refusal.value.details["kind"] == resource


def test_a_deployment_without_a_template_is_left_to_its_validation():
    assert changes("apps", "deployments", {"metadata": {"name": "web"}, "spec": {}}) == {}


@pytest.mark.parametrize(
    ("group", "resource", "namespace", "labels", "expected"),
    [
        ("", "pods", "default", {}, True),
        ("", "pods", "openshift-infra", {}, True),
        ("", "pods", "openshift-monitoring", {}, False),
        ("", "pods", "shop", {"openshift.io/run-level": "1"}, True),
        ("", "pods", "shop", {"openshift.io/run-level": "2"}, False),
        ("build.openshift.io", "builds", "default", {}, False),
    ],
)
def test_platform_namespaces_are_exempt_but_not_from_builds(group, resource, namespace, labels, expected):
    assert is_platform(LOCATIONS[group, resource], namespace, lambda _: labels) is expected


def test_an_object_as_a_whole_left_alone_says_so_for_each_image():
    item = review.read(pod("app:v1", "app:v2"))
    write = Write("", "pods", "CREATE", "default", item, platform=True)
    found = list(examine(write, VIEW, POLICY))
    assert [(one.old, one.new, one.decision.reason) for one in found] == [
        ("app:v1", "app:v1", reasons.NAMESPACE_SKIPPED),
        ("app:v2", "app:v2", reasons.NAMESPACE_SKIPPED),
    ]


def test_a_pointer_escapes_as_rfc_6901_asks():
    assert patch.pointer(("metadata", "annotations", "a/b~c", 0)) == "/metadata/annotations/a~1b~0c/0"


IMAGES = st.sampled_from(
    [
        "app:v1",
        "app:v2",
        "app",
        "php",
        "closed:v1",
        "app:gone",
        "nginx",
        " ",
        "quay.io/x/app:v1",
        f"{INTEGRATED}/shop/app",
    ]
)
PODS = st.builds(
    lambda images, init, ask: pod(*images, init=init, **(ASK if ask else {})),
    st.lists(IMAGES, max_size=5),
    st.lists(IMAGES, max_size=3),
    st.booleans(),
)


@given(PODS)
def test_the_patch_and_the_direct_way_give_the_same_and_a_second_pass_changes_nothing(obj):
    before = copy.deepcopy(obj)
    found = rewrites("", "pods", obj)
    patched = jsonpatch.apply_patch(obj, patch.operations(found))
    assert obj == before
    assert patched == patch.apply(obj, found)
    assert rewrites("", "pods", patched) == []
    for one in found:
        holder = patched
        for part in one.path:
            holder = holder[part]
        assert holder == one.new


@given(PODS, PODS)
def test_an_update_never_touches_anything_but_images(old, new):
    found = rewrites("", "pods", new, old, "UPDATE")
    assert all(one.path[-1] == "image" for one in found)
    assert rewrites("", "pods", new, new, "UPDATE") == []
