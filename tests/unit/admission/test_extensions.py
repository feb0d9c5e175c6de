"""What is done beyond OpenShift, each switch on and off; a strict server does none of it."""

import pytest

from tests.unit.admission.objects import changes, configured, containers, pod, verdict, workload
from tests.unit.admission.streams import INTEGRATED, V1, V2
from webhook.admission import reasons

DEFAULT, STRICT = configured(), configured(strict=True)
APP = f"quay.io/team/app@{V1}"
IMAGE = "/spec/containers/0/image"


def owned(kind, api_version="apps/v1"):
    return {"ownerReferences": [{"apiVersion": api_version, "kind": kind, "name": "x", "controller": True}]}


def reasons_of(*args, **more):
    return [one.decision.reason for one in verdict(*args, **more).looked]


def debugged(image, **debug):
    old = pod("nginx")
    new = pod("nginx")
    new["spec"]["ephemeralContainers"] = [{"name": "debug", "image": image, **debug}]
    return new, old


@pytest.mark.parametrize(
    ("under", "expected"),
    [(DEFAULT, {"/spec/ephemeralContainers/0/image": APP}), (configured(ephemeralContainers=False), {}), (STRICT, {})],
    ids=["by default", "switched off", "strict"],
)
def test_ephemeral_containers(under, expected):
    new, old = debugged("app:v1")
    assert changes("pods", new, old, under=under, subresource="ephemeralcontainers") == expected


def test_debugging_a_pod_of_a_replica_set_looks_names_up_though_its_template_is_not_touched():
    new, old = debugged("app:v1")
    new["metadata"] |= owned("ReplicaSet")
    assert changes("pods", new, old, under=DEFAULT, subresource="ephemeralcontainers")


def test_ephemeral_containers_that_are_there_stay():
    new, _ = debugged("app:v1")
    assert changes("pods", new, new, under=DEFAULT, subresource="ephemeralcontainers") == {}


def test_a_subresource_keeps_no_annotations_so_none_is_sent():
    new, old = debugged("app:v1")
    assert verdict("pods", new, old, under=DEFAULT, subresource="ephemeralcontainers").annotation is None


def with_volume(image, **more):
    obj = workload("nginx")
    volumes = [{"name": "data", "image": {"reference": image, **more}}, {"name": "tmp", "emptyDir": {}}]
    obj["spec"]["template"]["spec"]["volumes"] = volumes
    return obj


VOLUME = "/spec/template/spec/volumes/0/image/reference"


@pytest.mark.parametrize(
    ("under", "expected"),
    [(DEFAULT, {VOLUME: APP}), (configured(imageVolumes=False), {}), (STRICT, {})],
    ids=["by default", "switched off", "strict"],
)
def test_image_volumes(under, expected):
    assert changes("deployments.apps", with_volume("app:v1"), under=under) == expected


def test_an_image_volume_that_is_stored_stays():
    assert changes("deployments.apps", with_volume("app:v1"), with_volume("app:v1"), under=DEFAULT) == {}
    assert changes("deployments.apps", with_volume("app:v1"), with_volume("app:v2"), under=DEFAULT) == {VOLUME: APP}


WORKFLOWS = configured(
    customResources=[{"group": "argoproj.io", "resource": "workflows", "images": ["spec.templates[*].container.image"]}]
)


def workflow(*images, **metadata):
    templates = [{"name": f"t{index}", "container": {"image": image}} for index, image in enumerate(images)]
    return {"metadata": {"name": "build", **metadata}, "spec": {"template": "odd", "templates": templates}}


def test_custom_resources_have_images_where_the_configuration_says():
    found = changes("workflows.argoproj.io", workflow("app:v1", "nginx", "app:v2"), under=WORKFLOWS)
    assert found == {
        "/spec/templates/0/container/image": APP,
        "/spec/templates/2/container/image": f"quay.io/team/app@{V2}",
    }


def test_what_a_custom_resource_has_stored_stays_wherever_it_moves():
    stored = workflow("app:v1")
    found = changes("workflows.argoproj.io", workflow("app:v2", "app:v1"), stored, under=WORKFLOWS)
    assert found == {"/spec/templates/0/container/image": f"quay.io/team/app@{V2}"}


def test_a_custom_resource_asks_for_lookup_by_its_annotation():
    asking = {"annotations": {"alpha.image.policy.openshift.io/resolve-names": "*"}}
    assert changes("workflows.argoproj.io", workflow("closed:v1", **asking), under=WORKFLOWS)
    assert changes("workflows.argoproj.io", workflow("closed:v1"), under=WORKFLOWS) == {}


@pytest.mark.parametrize(
    ("metadata", "resolved"),
    [
        pytest.param(owned("Workflow", "argoproj.io/v1alpha1"), True, id="a workflow's pod"),
        pytest.param(owned("TaskRun", "tekton.dev/v1"), True, id="a task's pod"),
        pytest.param(owned("ReplicaSet", "example.com/v1"), True, id="another group's ReplicaSet"),
        pytest.param(owned("ReplicaSet"), False, id="a ReplicaSet's pod"),
        pytest.param(owned("StatefulSet"), False, id="a StatefulSet's pod"),
        pytest.param(owned("DaemonSet"), False, id="a DaemonSet's pod"),
        pytest.param(owned("Job", "batch/v1"), False, id="a Job's pod"),
        pytest.param(owned("ReplicationController", "v1"), False, id="a ReplicationController's pod"),
        pytest.param(owned("Build", "build.openshift.io/v1"), False, id="a Build's pod"),
    ],
)
def test_pods_of_controllers_whose_template_is_not_rewritten(metadata, resolved):
    assert bool(changes("pods", pod("app:v1", **metadata), under=DEFAULT)) is resolved
    assert changes("pods", pod("app:v1", **metadata), under=STRICT) == {}
    assert changes("pods", pod("app:v1", **metadata), under=configured(podsOfOtherControllers=False)) == {}


@pytest.mark.parametrize(
    ("resource", "metadata"),
    [
        ("replicasets.apps", owned("Deployment")),
        ("replicasets.apps", owned("Rollout", "argoproj.io/v1alpha1")),
        ("replicationcontrollers", owned("DeploymentConfig", "apps.openshift.io/v1")),
        ("jobs.batch", owned("CronJob", "batch/v1")),
        ("deployments.apps", owned("Grafana", "grafana.integreatly.org/v1beta1")),
    ],
)
def test_nothing_but_a_pod_is_ever_changed_behind_its_controller(resource, metadata):
    assert changes(resource, workload("app:v1", **metadata), under=DEFAULT) == {}


def test_a_rollout_is_resolved_itself_as_its_replica_sets_and_their_pods_are_not():
    images = ["spec.template.spec.containers[*].image", "spec.template.spec.initContainers[*].image"]
    under = configured(customResources=[{"group": "argoproj.io", "resource": "rollouts", "images": images}])
    template = "/spec/template/spec"
    rollout = {"metadata": {"name": "web"}, "spec": {"template": pod("app:v1", init=["app:v1"])}}
    assert changes("rollouts.argoproj.io", rollout, under=under) == {
        f"{template}/containers/0/image": APP,
        f"{template}/initContainers/0/image": APP,
    }


def test_pods_only_means_the_pods_of_every_controller():
    under = configured(podsOnly=True)
    assert set(under.coverage) == {("", "pods")}
    assert changes("pods", pod("app:v1", **owned("ReplicaSet")), under=under) == {IMAGE: APP}


def test_where_a_kind_is_not_covered_its_pods_are():
    rule = "resolutionRules: [{targetResource: {resource: pods}, localNames: true}]"
    assert changes("pods", pod("app:v1", **owned("Job", "batch/v1")), under=configured(rule))


def test_the_tag_can_stay_beside_the_digest():
    under = configured(keepTag=True)
    tagged = f"quay.io/team/app:v1@{V1}"
    assert changes("pods", pod("app:v1", "app:nope"), under=under) == {
        IMAGE: tagged,
        "/spec/containers/1/image": f"{INTEGRATED}/shop/app:nope",
    }
    assert changes("pods", pod(tagged), under=under) == {}


MIRROR = {"annotations": {"kubernetes.io/config.mirror": "b1946ac9"}}


def test_mirror_pods_are_left_alone():
    mirror = pod("app:v1", **MIRROR, **owned("Node", "v1"))
    assert reasons_of("pods", mirror, under=DEFAULT) == [reasons.MIRROR_POD]
    assert changes("pods", mirror, under=configured(leaveMirrorPods=False)) == {IMAGE: APP}


def never(*images):
    obj = pod(*images)
    obj["spec"]["containers"][0]["imagePullPolicy"] = "Never"
    return obj


def test_what_is_never_pulled_is_left_alone():
    assert reasons_of("pods", never("app:v1", "app:v2"), under=DEFAULT) == [reasons.NEVER_PULLED, reasons.RESOLVED]
    assert changes("pods", never("app:v1"), under=configured(leaveNeverPulled=False)) == {IMAGE: APP}
    assert changes("pods", never("app:v1"), under=STRICT) == {IMAGE: APP}
    assert changes("deployments.apps", with_volume("app:v1", pullPolicy="Never"), under=DEFAULT) == {}


@pytest.mark.parametrize(
    ("skip", "expected"),
    [
        pytest.param({"images": ["app:v*"]}, [reasons.SKIPPED, reasons.RESOLVED], id="an image"),
        pytest.param({"images": ["app"]}, [reasons.RESOLVED, reasons.RESOLVED], id="patterns match the whole text"),
        pytest.param({"containers": ["c1", "istio-*"]}, [reasons.RESOLVED, reasons.SKIPPED], id="a container"),
        pytest.param({"namespaces": ["sh*"]}, [reasons.SKIPPED] * 2, id="a namespace"),
        pytest.param({"namespaces": ["team-*"]}, [reasons.RESOLVED] * 2, id="another namespace"),
        pytest.param({"objects": {"matchLabels": {"lookup": "off"}}}, [reasons.SKIPPED] * 2, id="an object by label"),
        pytest.param({"objects": {"matchLabels": {"lookup": "no"}}}, [reasons.RESOLVED] * 2, id="another label"),
    ],
)
def test_what_is_skipped(skip, expected):
    labelled = pod("app:v1", "php", labels={"lookup": "off"})
    assert reasons_of("pods", labelled, under=configured(skip=skip)) == expected


def test_what_is_skipped_is_not_required_to_resolve():
    under = configured("{resolveImages: Required, extensions: {skip: {containers: [c0]}}}")
    assert reasons_of("pods", {"spec": {"containers": containers("istio/proxyv2:1.2")}}, under=under) == [
        reasons.SKIPPED
    ]
