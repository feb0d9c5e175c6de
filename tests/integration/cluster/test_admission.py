"""kube-apiserver asks our webhook: what users write, and what is stored."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator

import pytest

from demo.registry_images import catalogue
from tests.integration.api import Api
from tests.integration.cluster.cluster import Cluster, Json
from tests.integration.servers import DockerRegistry, Server, until

WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
NAMES = itertools.count(1)
KINDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "Pod": ("v1", "/api/v1/namespaces/{}/pods", ("spec",)),
    "ReplicationController": ("v1", "/api/v1/namespaces/{}/replicationcontrollers", ("spec", "template", "spec")),
    "Deployment": ("apps/v1", "/apis/apps/v1/namespaces/{}/deployments", ("spec", "template", "spec")),
    "ReplicaSet": ("apps/v1", "/apis/apps/v1/namespaces/{}/replicasets", ("spec", "template", "spec")),
    "StatefulSet": ("apps/v1", "/apis/apps/v1/namespaces/{}/statefulsets", ("spec", "template", "spec")),
    "DaemonSet": ("apps/v1", "/apis/apps/v1/namespaces/{}/daemonsets", ("spec", "template", "spec")),
    "Job": ("batch/v1", "/apis/batch/v1/namespaces/{}/jobs", ("spec", "template", "spec")),
    "CronJob": (
        "batch/v1",
        "/apis/batch/v1/namespaces/{}/cronjobs",
        ("spec", "jobTemplate", "spec", "template", "spec"),
    ),
}


@pytest.fixture(scope="module")
def admitted(cluster: Cluster, server: Server) -> Iterator[Cluster]:
    """kube-apiserver with our webhook registered for everything that has images."""
    rules = [
        {"operations": ["CREATE", "UPDATE"], "apiGroups": [group], "apiVersions": ["*"], "resources": resources}
        for group, resources in {
            "": ["pods", "pods/ephemeralcontainers", "replicationcontrollers"],
            "apps": ["*"],
            "batch": ["*"],
        }.items()
    ]
    authority = base64.b64encode(server.authority().encode()).decode()
    webhook = {
        "name": "images.example.com",
        "clientConfig": {"url": f"{server.url}/admission/mutate", "caBundle": authority},
        "rules": rules,
        "failurePolicy": "Ignore",
        "matchPolicy": "Equivalent",
        "reinvocationPolicy": "IfNeeded",
        "sideEffects": "None",
        "timeoutSeconds": 3,
        "admissionReviewVersions": ["v1"],
    }
    configuration = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "imagestreams"},
        "webhooks": [webhook],
    }
    assert cluster.call("POST", WEBHOOKS, configuration).code == 201
    yield cluster
    cluster.call("DELETE", f"{WEBHOOKS}/imagestreams")


@pytest.fixture
def shop(admitted: Cluster, api: Api, registry: DockerRegistry) -> str:
    """A namespace there and here, with a stream `php` here whose tag is known to the webhook."""
    name = f"shop-{next(NAMES)}"
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    assert admitted.call("POST", "/api/v1/namespaces", space).code == 201
    spec = {
        "import": True,
        "images": [
            {
                "from": {"kind": "DockerImage", "name": f"{registry.address}/library/php:8.1"},
                "to": {"name": "8.1"},
                "importPolicy": {"insecure": True},
            }
        ],
    }
    made = {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStreamImport",
        "metadata": {"name": "php"},
        "spec": spec,
    }
    assert api.post(f"/apis/image.openshift.io/v1/namespaces/{name}/imagestreamimports", made).code == 201
    local = {"spec": {"lookupPolicy": {"local": True}}}
    path = f"/apis/image.openshift.io/v1/namespaces/{name}/imagestreams/php"
    assert api.call("PATCH", path, local, "application/merge-patch+json").code == 200
    until(lambda: "@" in image_of(dry_run(admitted, name, "Pod"), "Pod"), "the webhook's view")
    return name


def workload(kind: str, *images: str) -> Json:
    api_version, _, where = KINDS[kind]
    pod: Json = {
        "containers": [{"name": f"c{number}", "image": one} for number, one in enumerate(images or ("php:8.1",))]
    }
    if "Job" in kind:
        pod["restartPolicy"] = "Never"
    labels = {"app": "web"}
    spec: Json = pod
    if kind != "Pod":
        spec = {"template": {"metadata": {"labels": labels}, "spec": pod}}
    if where[-1] == "spec" and kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"):
        spec["selector"] = {"matchLabels": labels}
    if kind == "StatefulSet":
        spec["serviceName"] = "web"
    if kind == "CronJob":
        spec = {"schedule": "@daily", "jobTemplate": {"spec": spec}}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "web", "labels": labels}, "spec": spec}


def dry_run(cluster: Cluster, namespace: str, kind: str) -> Json:
    answer = cluster.call("POST", KINDS[kind][1].format(namespace) + "?dryRun=All", workload(kind))
    assert answer.code == 201, answer.body
    return answer.body


def image_of(obj: Json, kind: str) -> str:
    for key in KINDS[kind][2]:
        obj = obj[key]
    return str(obj["containers"][0]["image"])


def pull_spec(registry: DockerRegistry) -> str:
    return f"{registry.address}/library/php@{catalogue()['library/php']['8.1'].digest}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_short_name_is_stored_as_the_digest_of_its_stream(
    admitted: Cluster, shop: str, registry: DockerRegistry, kind: str
):
    answer = admitted.call("POST", KINDS[kind][1].format(shop), workload(kind))

    assert (answer.code, image_of(answer.body, kind)) == (201, pull_spec(registry))


def test_a_dry_run_shows_what_would_be_stored_and_stores_nothing(
    admitted: Cluster, shop: str, registry: DockerRegistry
):
    assert image_of(dry_run(admitted, shop, "Deployment"), "Deployment") == pull_spec(registry)

    assert admitted.call("GET", KINDS["Deployment"][1].format(shop)).body["items"] == []


def test_an_image_of_another_registry_is_left_alone(admitted: Cluster, shop: str):
    answer = admitted.call("POST", KINDS["Pod"][1].format(shop), workload("Pod", "quay.io/team/php:8.1"))

    assert image_of(answer.body, "Pod") == "quay.io/team/php:8.1"


def test_an_update_to_another_image_is_looked_up(admitted: Cluster, shop: str, registry: DockerRegistry):
    path = KINDS["Deployment"][1].format(shop)
    assert admitted.call("POST", path, workload("Deployment", "quay.io/team/php:8.1")).code == 201

    answer = admitted.call(
        "PATCH", f"{path}/web?fieldManager=tests&force=true", workload("Deployment"), "application/apply-patch+yaml"
    )

    assert (answer.code, image_of(answer.body, "Deployment")) == (200, pull_spec(registry))


def test_scaling_changes_no_image(admitted: Cluster, shop: str):
    path = KINDS["Deployment"][1].format(shop)
    before = admitted.call("POST", path, workload("Deployment")).body

    scaled = admitted.call("PATCH", f"{path}/web/scale", {"spec": {"replicas": 3}}, "application/merge-patch+json")
    after = admitted.call("GET", f"{path}/web").body

    assert (scaled.code, after["spec"]["replicas"]) == (200, 3)
    assert image_of(after, "Deployment") == image_of(before, "Deployment")
