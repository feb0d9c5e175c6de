"""`imagestreams webhook` as manifests/webhook installs it, in a cluster that serves image streams by a CRD."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.integration.cluster.changing_webhook import changing_pods
from tests.integration.cluster.cluster import Cluster, Json
from tests.integration.cluster.installation import CONFIGURATIONS, MANIFESTS
from tests.integration.cluster.workloads import PODS, RESOLVED, STREAMS, admit, images, owner, pod, stream
from tests.integration.kubectl import Kubectl, kustomized
from tests.integration.servers import Webhook, until
from webhook.admission.locations import ORIGINS

REPLICA_SETS = "/apis/apps/v1/namespaces/{}/replicasets"


@pytest.fixture(scope="module")
def rendered() -> list[Json]:
    return kustomized(MANIFESTS)


@pytest.mark.parametrize("folder", [MANIFESTS, MANIFESTS / "with-cert-manager"], ids=["own", "cert-manager"])
def test_every_object_that_the_api_server_knows_is_accepted(installed: Cluster, kubectl: Kubectl, folder: Path):
    objects = [one for one in kustomized(folder) if not one["apiVersion"].startswith("cert-manager.io/")]
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
    # With failurePolicy Ignore, a condition that cannot be evaluated spares the webhook as well.
    counted = installed.send("GET", "/metrics", None, "").data
    assert b"match_condition_evaluation_errors_total{" not in counted


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
    sidecar = {"op": "add", "path": "/spec/containers/-", "value": {"name": "sidecar", "image": "php:8.2"}}
    with changing_pods(installed, lambda pod: [] if len(images(pod)) > 1 else [sidecar]):
        yield


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
