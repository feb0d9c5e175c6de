"""Dry runs against the standalone server: every kind of workload comes back with its short names resolved."""

from __future__ import annotations

import pytest

from tests.integration.api import STREAMS, Api, give, stream

DIGEST = "sha256:" + "c3" * 32
SOURCE = "quay.io/library/php"
RESOLVED = f"{SOURCE}@{DIGEST}"
FORCE = {"alpha.image.policy.openshift.io/resolve-names": "*"}


@pytest.fixture
def sandbox(api: Api, namespace: str) -> str:
    """A namespace where `php:8.2` means an image, by a stream with lookup on; `quiet:8.2` has lookup off."""
    for name, lookup in (("php", True), ("quiet", False)):
        assert api.post(STREAMS.format(namespace), stream(name, lookup=lookup)).code == 201
        give(api, namespace, name, "8.2", SOURCE, DIGEST)
    return namespace


def pod_spec(image: str) -> dict:
    return {"restartPolicy": "Never", "containers": [{"name": "web", "image": image}]}


def template(image: str) -> dict:
    return {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec(image)}


def selected(image: str) -> dict:
    return {"selector": {"matchLabels": {"app": "web"}}, "template": template(image)}


def build_spec(image: str) -> dict:
    return {"strategy": {"type": "Source", "sourceStrategy": {"from": {"kind": "DockerImage", "name": image}}}}


WORKLOADS = [
    ("api/v1", "pods", "Pod", pod_spec, ""),
    ("api/v1", "replicationcontrollers", "ReplicationController", lambda i: {"template": template(i)}, "template"),
    ("apis/apps/v1", "deployments", "Deployment", selected, "template"),
    ("apis/apps/v1", "replicasets", "ReplicaSet", selected, "template"),
    ("apis/apps/v1", "statefulsets", "StatefulSet", selected, "template"),
    ("apis/apps/v1", "daemonsets", "DaemonSet", selected, "template"),
    ("apis/batch/v1", "jobs", "Job", lambda i: {"template": template(i)}, "template"),
    (
        "apis/batch/v1",
        "cronjobs",
        "CronJob",
        lambda i: {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template(i)}}},
        "jobTemplate.spec.template",
    ),
    (
        "apis/apps.openshift.io/v1",
        "deploymentconfigs",
        "DeploymentConfig",
        lambda i: {"template": template(i)},
        "template",
    ),
]
BUILD = ("apis/build.openshift.io/v1", "builds", "Build", build_spec, "build")
BUILD_CONFIG = ("apis/build.openshift.io/v1", "buildconfigs", "BuildConfig", build_spec, "build")


def body(workload: tuple, image: str) -> dict:
    prefix, _, kind, spec, _ = workload
    version = prefix.removeprefix("apis/").removeprefix("api/")
    return {"kind": kind, "apiVersion": version, "metadata": {"name": "web"}, "spec": spec(image)}


def image_of(workload: tuple, answer: dict) -> str:
    spec = answer["spec"]
    if workload[-1] == "build":
        return spec["strategy"]["sourceStrategy"]["from"]["name"]
    for step in filter(None, workload[-1].split(".")):
        spec = spec[step]
    return (spec["spec"] if workload[-1] else spec)["containers"][0]["image"]


def post(api: Api, namespace: str, workload: tuple, what: dict, dry_run: bool = True) -> dict:
    path = f"/{workload[0]}/namespaces/{namespace}/{workload[1]}{'?dryRun=All' if dry_run else ''}"
    answer = api.post(path, what)
    assert answer.code == 201, answer.body
    return answer.json


@pytest.mark.parametrize("workload", [*WORKLOADS, BUILD], ids=lambda workload: workload[2])
def test_a_short_name_becomes_a_digest(api, sandbox, workload):
    assert image_of(workload, post(api, sandbox, workload, body(workload, "php:8.2"))) == RESOLVED


@pytest.mark.parametrize("workload", [*WORKLOADS, BUILD], ids=lambda workload: workload[2])
def test_a_dry_run_stores_nothing(api, sandbox, workload):
    post(api, sandbox, workload, body(workload, "php:8.2"))
    assert api.get(f"/{workload[0]}/namespaces/{sandbox}/{workload[1]}/web").code == 404


@pytest.mark.parametrize("workload", [*WORKLOADS, BUILD], ids=lambda workload: workload[2])
def test_a_name_that_no_stream_knows_stays(api, sandbox, workload):
    assert image_of(workload, post(api, sandbox, workload, body(workload, "nginx:1.27"))) == "nginx:1.27"


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ("quiet:8.2", "its stream does not allow lookup"),
        ("php:7.4", "the stream has no such tag"),
        ("library/php:8.2", "it has two parts"),
        ("quay.io/library/php:8.2", "it names a registry"),
        (f"php@{DIGEST}", "it is a digest already"),
        ("PHP:8.2", "it is not a reference"),
    ],
    ids=lambda value: value if " " in value else "",
)
def test_an_image_stays_when(api, sandbox, image, why):
    pod = WORKLOADS[0]
    assert image_of(pod, post(api, sandbox, pod, body(pod, image))) == image


def test_a_build_config_stays_because_its_builds_are_resolved(api, sandbox):
    answer = post(api, sandbox, BUILD_CONFIG, body(BUILD_CONFIG, "php:8.2"))
    assert image_of(BUILD_CONFIG, answer) == "php:8.2"


def test_the_annotation_resolves_without_the_streams_consent(api, sandbox):
    pod = WORKLOADS[0]
    what = body(pod, "quiet:8.2")
    what["metadata"]["annotations"] = FORCE
    assert image_of(pod, post(api, sandbox, pod, what)) == RESOLVED


def test_what_a_controller_owns_stays(api, sandbox):
    pod = WORKLOADS[0]
    what = body(pod, "php:8.2")
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "1-2-3", "controller": True}
    what["metadata"]["ownerReferences"] = [owner]
    assert image_of(pod, post(api, sandbox, pod, what)) == "php:8.2"


def test_pods_in_the_namespace_default_stay(api):
    api.post(STREAMS.format("default"), stream("php", lookup=True))
    give(api, "default", "php", "8.2", SOURCE, DIGEST)
    pod = WORKLOADS[0]
    assert image_of(pod, post(api, "default", pod, body(pod, "php:8.2"))) == "php:8.2"
    assert image_of(BUILD, post(api, "default", BUILD, body(BUILD, "php:8.2"))) == RESOLVED


@pytest.mark.parametrize(("image", "policy"), [("php", "Always"), ("php:8.2", "IfNotPresent")])
def test_the_pull_policy_follows_the_name_that_was_written(api, sandbox, image, policy):
    give(api, sandbox, "php", "latest", SOURCE, DIGEST)
    pod = WORKLOADS[0]
    [container] = post(api, sandbox, pod, body(pod, image))["spec"]["containers"]
    assert (container["image"], container["imagePullPolicy"]) == (RESOLVED, policy)


def test_applying_the_same_manifest_again_moves_to_the_tags_new_image(api, sandbox, kubectl):
    deployment = WORKLOADS[2]
    given = body(deployment, "php:8.2")
    kubectl.ok("apply", "-f", "-", given=given)
    newer = "sha256:" + "d4" * 32
    give(api, sandbox, "php", "8.2", SOURCE, newer)
    kubectl.ok("apply", "-f", "-", given=given)
    path = "jsonpath={.spec.template.spec.containers[0].image}"
    assert kubectl.ok("get", "deployment", "web", "-o", path) == f"{SOURCE}@{newer}"


def test_kubectl_shows_the_resolved_pod_without_creating_it(sandbox, kubectl):
    pod = WORKLOADS[0]
    given = body(pod, "php:8.2")
    text = kubectl.ok("create", "-f", "-", "--dry-run=server", "-o", "yaml", given=given)
    assert f"image: {RESOLVED}" in text
    assert kubectl.ok("get", "pods", "-o", "name") == ""
