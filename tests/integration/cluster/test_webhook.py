"""`imagestreams webhook` as manifests/webhook installs it, in a cluster that serves image streams by a CRD."""

from __future__ import annotations

import base64
import copy
import itertools
import json
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
import urllib3
import yaml
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.integration.cluster.cluster import WEBHOOK_TOKEN, Cluster, Json
from tests.integration.kubectl import Kubectl
from tests.integration.servers import Webhook, free_port, until
from webhook.admission.locations import ORIGINS

MANIFESTS = Path(__file__).parents[3] / "manifests" / "webhook"
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
STREAMS = "/apis/image.openshift.io/v1/namespaces/{}/imagestreams"
PODS = "/api/v1/namespaces/{}/pods"
REPLICA_SETS = "/apis/apps/v1/namespaces/{}/replicasets"
NAMES = itertools.count(1)
DIGEST = "sha256:" + "ab" * 32
RESOLVED = f"quay.io/team/php@{DIGEST}"
CRD: Json = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "imagestreams.image.openshift.io"},
    "spec": {
        "group": "image.openshift.io",
        "names": {"plural": "imagestreams", "singular": "imagestream", "kind": "ImageStream"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


def render(folder: Path) -> list[Json]:
    """What `kubectl kustomize` prints, as objects."""
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="module")
def rendered() -> list[Json]:
    return render(MANIFESTS)


@pytest.fixture(scope="module")
def kubectl(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    return Kubectl(cluster, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def port() -> int:
    """Where the webhook listens."""
    return free_port()


@pytest.fixture(scope="module")
def installed(cluster: Cluster, kubectl: Kubectl, rendered: list[Json], port: int) -> Iterator[Cluster]:
    """Everything of the manifests, with a Service that leads to this machine, as there are no nodes."""
    assert cluster.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", CRD).code == 201
    until(lambda: cluster.call("GET", "/apis/image.openshift.io/v1/imagestreams").code == 200, "the custom resource")
    objects = [_leading_here(one, port) for one in rendered]
    kubectl.ok("apply", "-f", "-", given=yaml.safe_dump_all(objects))
    yield cluster
    cluster.call("DELETE", f"{CONFIGURATIONS}/imagestreams-webhook")
    cluster.call("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{CRD['metadata']['name']}")


def _leading_here(item: Json, port: int) -> Json:
    if item["kind"] == "Service":
        return {**item, "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}}
    item = copy.deepcopy(item)
    for one in item.get("webhooks", ()):
        one["clientConfig"]["service"]["port"] = port
    return item


@pytest.fixture(scope="module")
def webhook(
    installed: Cluster, rendered: list[Json], port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Webhook]:
    """The program with the arguments of the Deployment, and with the rights of its service account only."""
    (deployment,) = (one for one in rendered if one["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    kept = [one for one in container["args"] if one.startswith(("--certificate-secret", "--webhook-configuration"))]
    folder = tmp_path_factory.mktemp("webhook")
    with Installed(folder / "data", installed.kubeconfig_of(WEBHOOK_TOKEN), *kept, port=port) as webhook:
        yield webhook


class Installed(Webhook):
    """The webhook under the name of its Service, with the certificate that it keeps in the cluster."""

    def _ready(self) -> bool:
        authority = self.data / "certificate" / "authority" / "ca.crt"
        if not authority.exists():
            return False
        name = "imagestreams-webhook.imagestreams.svc"
        context = ssl.create_default_context(cafile=str(authority))
        try:
            with urllib3.PoolManager(
                ssl_context=context, server_hostname=name, assert_hostname=name, retries=False, timeout=5
            ) as pool:
                return pool.request("GET", f"{self.url}/readyz").status == 200
        except (urllib3.exceptions.HTTPError, OSError):
            return False


@pytest.fixture
def shop(webhook: Webhook, installed: Cluster) -> str:
    """A namespace with a stream that the webhook knows."""
    name = f"cluster-shop-{next(NAMES)}"
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    assert installed.call("POST", "/api/v1/namespaces", space).code == 201
    assert installed.call("POST", STREAMS.format(name), stream("php")).code == 201
    until(lambda: images(admit(installed, name, "php:8.2")) == [RESOLVED], "the webhook's view")
    return name


def stream(name: str, *, local: bool = True) -> Json:
    """A stream whose tag 8.2 has an image and whose tag 9 could not be imported."""
    failed = {"type": "ImportSuccess", "status": "False", "message": "you may not have access to the container image"}
    event = {"image": DIGEST, "dockerImageReference": f"quay.io/team/{name}:8.2", "generation": 2}
    return {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStream",
        "metadata": {"name": name},
        "spec": {"lookupPolicy": {"local": local}, "tags": [{"name": "8.2"}, {"name": "9"}]},
        "status": {
            "dockerImageRepository": "",
            "tags": [{"tag": "8.2", "items": [event]}, {"tag": "9", "conditions": [failed]}],
        },
    }


def pod(*written: str, **metadata: object) -> Json:
    containers = [{"name": f"c{number}", "image": one} for number, one in enumerate(written)]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", **metadata},
        "spec": {"containers": containers},
    }


def admit(cluster: Cluster, namespace: str, *written: str, **metadata: object) -> Json:
    """What would be stored of a Pod."""
    answer = cluster.call("POST", f"{PODS.format(namespace)}?dryRun=All", pod(*written, **metadata))
    assert answer.code == 201, answer.body
    return answer.body


def images(found: Json) -> list[str]:
    return [one["image"] for one in found["spec"]["containers"]]


def owner(api_version: str, kind: str) -> list[Json]:
    uid = "5d1c2f3e-0000-4000-8000-000000000001"
    return [{"apiVersion": api_version, "kind": kind, "name": "web", "uid": uid, "controller": True}]


@pytest.mark.parametrize("folder", [MANIFESTS, MANIFESTS / "with-cert-manager"], ids=["own", "cert-manager"])
def test_every_object_that_the_api_server_knows_is_accepted(installed: Cluster, kubectl: Kubectl, folder: Path):
    objects = [one for one in render(folder) if not one["apiVersion"].startswith("cert-manager.io/")]
    kubectl.ok("apply", "--dry-run=server", "-f", "-", given=yaml.safe_dump_all(objects))


def test_kubernetes_calls_the_webhook_by_its_service_and_trusts_the_authority_it_wrote(installed: Cluster, shop: str):
    (hook,) = installed.call("GET", f"{CONFIGURATIONS}/imagestreams-webhook").body["webhooks"]
    secret = installed.call("GET", "/api/v1/namespaces/imagestreams/secrets/imagestreams-webhook-tls").body
    assert hook["clientConfig"]["caBundle"] == secret["data"]["ca.crt"]
    assert images(admit(installed, shop, "php:8.2", "nginx:1.27")) == [RESOLVED, "nginx:1.27"]


@pytest.mark.parametrize(
    ("api_version", "kind", "seen"),
    [
        pytest.param("apps/v1", "ReplicaSet", False, id="a pod of a ReplicaSet has what its template was given"),
        pytest.param("batch/v1", "Job", False, id="so has a pod of a Job"),
        pytest.param("argoproj.io/v1alpha1", "Workflow", True, id="a pod of a workflow is looked up"),
        pytest.param("batch.volcano.sh/v1alpha1", "Job", True, id="so is a pod of what is called a Job elsewhere"),
    ],
)
def test_the_match_conditions_tell_controllers_apart(
    installed: Cluster, shop: str, api_version: str, kind: str, seen: bool
):
    found = admit(installed, shop, "php:8.2", ownerReferences=owner(api_version, kind))
    assert images(found) == [RESOLVED if seen else "php:8.2"]


@pytest.mark.parametrize("label", [{}, {"image.openshift.io/admission": "ignore"}], ids=["no label", "the label"])
def test_an_object_is_taken_out_by_its_label(installed: Cluster, shop: str, label: dict[str, str]):
    assert images(admit(installed, shop, "php:8.2", labels=label)) == ["php:8.2" if label else RESOLVED]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        pytest.param("php:9", "you may not have access to the container image", id="an import that failed"),
        pytest.param("php:7", "has no image for tag 7", id="a tag that there is not"),
        pytest.param("closed:8.2", "does not allow local lookup", id="a stream without lookup"),
    ],
)
def test_the_client_is_warned_of_a_name_that_stays(
    installed: Cluster, kubectl: Kubectl, shop: str, written: str, reason: str
):
    assert installed.call("POST", STREAMS.format(shop), stream("closed", local=False)).code == 201
    until(lambda: installed.call("POST", f"{PODS.format(shop)}?dryRun=All", pod("closed:1")).warnings, "the view")

    done = kubectl.within(shop).run("run", "web", f"--image={written}", "--dry-run=server")

    assert done.returncode == 0
    assert f"Warning: {written} stays as written: image stream {shop}/" in done.stderr
    assert reason in done.stderr


def test_ephemeral_containers_are_looked_up_even_in_a_pod_of_a_controller(installed: Cluster, shop: str):
    path = PODS.format(shop)
    made = pod("php:8.2", ownerReferences=owner("apps/v1", "ReplicaSet"))
    assert images(installed.call("POST", path, made).body) == ["php:8.2"]
    debugger = {"spec": {"ephemeralContainers": [{"name": "debug", "image": "php:8.2"}]}}

    answer = installed.call(
        "PATCH", f"{path}/web/ephemeralcontainers", debugger, "application/strategic-merge-patch+json"
    )

    assert answer.code == 200, answer.body
    assert [one["image"] for one in answer.body["spec"]["ephemeralContainers"]] == [RESOLVED]
    assert images(answer.body) == ["php:8.2"]


def test_the_reference_of_an_image_volume_is_looked_up(installed: Cluster, shop: str):
    item = pod("nginx:1.27")
    item["spec"]["volumes"] = [{"name": "site", "image": {"reference": "php:8.2"}}, {"name": "tmp", "emptyDir": {}}]
    found = installed.call("POST", PODS.format(shop), item).body
    assert {"reference": RESOLVED}.items() <= found["spec"]["volumes"][0]["image"].items()
    assert list(json.loads(found["metadata"]["annotations"][ORIGINS])) == ["volume/site"]


def test_what_was_rewritten_is_recorded_and_a_second_update_changes_nothing(installed: Cluster, shop: str):
    path = f"{PODS.format(shop)}/web"
    made = installed.call("POST", PODS.format(shop), pod("php:8.2", "nginx:1.27")).body
    assert json.loads(made["metadata"]["annotations"][ORIGINS]) == {
        "c0": {"written": "php:8.2", "image": RESOLVED, "stream": f"{shop}/php", "tag": "8.2", "generation": 2}
    }

    again = installed.call("PUT", path, made)

    assert (again.code, again.body["metadata"]["resourceVersion"]) == (200, made["metadata"]["resourceVersion"])


@pytest.fixture
def injected(installed: Cluster) -> Iterator[None]:
    """Another webhook, asked after ours, that adds a container with a short name to every Pod."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with HTTPServer(ssl_context=context) as server:
        server.expect_request("/").respond_with_handler(_with_sidecar)
        hook = {
            "name": "sidecar.example.com",
            "clientConfig": {
                "url": f"https://127.0.0.1:{server.port}/",
                "caBundle": base64.b64encode(authority.cert_pem.bytes()).decode(),
            },
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }
        configuration = {"metadata": {"name": "zz-sidecar"}, "webhooks": [hook]}
        assert installed.call("POST", CONFIGURATIONS, configuration).code == 201
        yield
        installed.call("DELETE", f"{CONFIGURATIONS}/zz-sidecar")


def _with_sidecar(request: Request) -> Response:
    asked = json.loads(request.get_data())["request"]
    patch = [{"op": "add", "path": "/spec/containers/-", "value": {"name": "sidecar", "image": "php:8.2"}}]
    response = {
        "uid": asked["uid"],
        "allowed": True,
        "patchType": "JSONPatch",
        "patch": base64.b64encode(json.dumps(patch).encode()).decode(),
    }
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
    return Response(json.dumps(review), content_type="application/json")


def test_what_a_later_webhook_adds_is_looked_up_too(installed: Cluster, shop: str, injected: None):
    until(lambda: len(images(admit(installed, shop, "nginx:1.27"))) == 2, "the other webhook")

    found = admit(installed, shop, "php:8.2")

    assert images(found) == [RESOLVED, RESOLVED]
    assert set(json.loads(found["metadata"]["annotations"][ORIGINS])) == {"c0", "sidecar"}


def test_a_replica_set_of_a_controller_is_never_touched(installed: Cluster, shop: str):
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": pod("php:8.2")["spec"]}
    made = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "web", "ownerReferences": owner("apps/v1", "Deployment")},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    answer = installed.call("POST", f"{REPLICA_SETS.format(shop)}?dryRun=All", made)
    assert (answer.code, images(answer.body["spec"]["template"])) == (201, ["php:8.2"])


def test_without_the_webhook_objects_are_admitted_as_they_are(installed: Cluster, shop: str, webhook: Webhook):
    webhook.stop()
    try:
        assert images(admit(installed, shop, "php:8.2")) == ["php:8.2"]
    finally:
        webhook.start()
    until(lambda: images(admit(installed, shop, "php:8.2")) == [RESOLVED], "the webhook again")
