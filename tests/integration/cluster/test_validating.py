"""manifests/webhook/components/validating in a cluster: what a policy refuses stays out, whoever helped it in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from tests.integration.cluster.changing_webhook import changing_pods
from tests.integration.cluster.cluster import WEBHOOK_ACCOUNT, Answer, Cluster, Json
from tests.integration.cluster.installation import CONFIGURATIONS, MANIFESTS, VALIDATING, leading_here
from tests.integration.cluster.workloads import (
    NAMESPACES,
    PODS,
    RESOLVED,
    STREAMS,
    admit,
    asked,
    images,
    is_looked_up,
    namespace,
    new_shop,
    owner,
    pod,
    stream,
)
from tests.integration.kubectl import Kubectl, kustomized
from tests.integration.servers import Webhook, until

DEPLOYMENTS = "/apis/apps/v1/namespaces/{}/deployments"
CONFIGURATION = f"{VALIDATING}/imagestreams-webhook"
TRUSTED_SECRET = "/api/v1/namespaces/imagestreams/secrets/imagestreams-webhook-tls"
ACCESS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
OWN_CONFIGURATION = ("admissionregistration.k8s.io", "validatingwebhookconfigurations", "imagestreams-webhook")
MERGE = "application/strategic-merge-patch+json"
IGNORED = {"image.openshift.io/admission": "ignore"}
UNTRUSTED = "untrusted.example.com/miner:1"
POLICY: Json = {
    "apiVersion": "image.openshift.io/v1",
    "kind": "ImagePolicyConfig",
    "executionRules": [
        {
            "name": "no-untrusted-registry",
            "onResources": [{"resource": "pods"}, {"group": "apps", "resource": "deployments"}],
            "reject": True,
            "matchRegistries": ["untrusted.example.com"],
        }
    ],
}
KUSTOMIZATION: Json = {
    "resources": ["manifests/webhook"],
    "components": ["manifests/webhook/components/validating"],
    "configMapGenerator": [
        {"name": "imagestreams-webhook", "namespace": "imagestreams", "behavior": "merge", "files": ["policy.yaml"]}
    ],
}
REFUSED_BY_MUTATION = 'admission webhook "images.image.openshift.io" denied the request: '
REFUSED_BY_VALIDATION = (
    'admission webhook "policy.image.openshift.io" denied the request: error in image policy validation: '
)
NOT_ASKED = 'failed calling webhook "policy.image.openshift.io"'


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    """What docs/install-webhook.md has people write for a policy that refuses images."""
    folder = tmp_path_factory.mktemp("kustomization")
    (folder / "manifests").symlink_to(MANIFESTS.parent)
    (folder / "policy.yaml").write_text(yaml.safe_dump(POLICY))
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(KUSTOMIZATION))
    return kustomized(folder)


def prohibited(kind: str, path: str) -> str:
    why = f"this image is prohibited by policy: ({UNTRUSTED}) could not be resolved to an exact image reference"
    return f'{kind} "web" is invalid: {path}: Forbidden: {why}'


def told(answer: Answer) -> tuple[int, str]:
    return answer.code, answer.body["message"]


def deployment(image: str, **metadata: object) -> Json:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": pod(image)["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", **metadata},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def test_the_webhook_has_itself_trusted_for_both_phases(installed: Cluster, webhook: Webhook):
    found = [installed.call("GET", f"{one}/imagestreams-webhook").body for one in (CONFIGURATIONS, VALIDATING)]
    authority = installed.call("GET", TRUSTED_SECRET).body["data"]["ca.crt"]
    assert [hook["clientConfig"]["caBundle"] for one in found for hook in one["webhooks"]] == [authority] * 2


@pytest.mark.parametrize(
    ("verb", "what", "allowed"),
    [
        pytest.param("get", ("image.openshift.io", "images", ""), True, id="it may read any Image"),
        pytest.param("get", ("", "namespaces", ""), True, id="and the annotations of namespaces"),
        pytest.param("update", OWN_CONFIGURATION, True, id="it may update its own configuration"),
        pytest.param("update", (*OWN_CONFIGURATION[:2], "others"), False, id="but nobody else's"),
        pytest.param("delete", OWN_CONFIGURATION, False, id="and it cannot switch the policy off"),
        pytest.param("get", ("", "secrets", ""), False, id="it may not read secrets"),
    ],
)
def test_the_rights_of_the_service_account(installed: Cluster, verb: str, what: tuple[str, str, str], allowed: bool):
    attributes = {"verb": verb, **dict(zip(("group", "resource", "name"), what, strict=True))}
    spec = {"user": WEBHOOK_ACCOUNT, "resourceAttributes": attributes}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    assert installed.call("POST", ACCESS, review).body["status"]["allowed"] is allowed


def test_a_pod_that_the_policy_allows_is_rewritten_and_stored(installed: Cluster, shop: str):
    answer = installed.call("POST", PODS.format(shop), pod("php:8.2", "nginx:1.27"))
    assert (answer.code, answer.warnings) == (201, [])
    assert images(answer.body) == [RESOLVED, "nginx:1.27"]


def test_mutation_refuses_first_what_it_is_asked_about(installed: Cluster, shop: str):
    expected = REFUSED_BY_MUTATION + prohibited("Pod", "spec.containers[1].image")
    assert told(asked(installed, shop, "php:8.2", UNTRUSTED)) == (422, expected)


def test_the_label_that_keeps_mutation_away_does_not_keep_validation_away(installed: Cluster, shop: str):
    expected = REFUSED_BY_VALIDATION + prohibited("Pod", "spec.containers[0].image")
    assert told(asked(installed, shop, UNTRUSTED, labels=IGNORED)) == (422, expected)
    assert images(admit(installed, shop, "php:8.2", labels=IGNORED)) == ["php:8.2"]


def test_nor_does_the_label_of_a_namespace(installed: Cluster, webhook: Webhook):
    labelled = namespace(installed, labels=IGNORED)
    expected = REFUSED_BY_VALIDATION + prohibited("Pod", "spec.containers[0].image")
    assert told(asked(installed, labelled, UNTRUSTED)) == (422, expected)


def test_a_template_is_judged_as_a_pod_is(installed: Cluster, shop: str):
    path = f"{DEPLOYMENTS.format(shop)}?dryRun=All"
    expected = REFUSED_BY_VALIDATION + prohibited("Deployment.apps", "spec.template.spec.containers[0].image")
    assert told(installed.call("POST", path, deployment(UNTRUSTED, labels=IGNORED))) == (422, expected)
    assert installed.call("POST", path, deployment("nginx:1.27", labels=IGNORED)).code == 201


def test_an_image_that_another_webhook_put_in_last_is_refused(installed: Cluster, shop: str):
    """It adds a name of the stream, which ours rewrites, and replaces it when it is asked again because of that."""

    def patch(found: Json) -> list[Json]:
        if len(images(found)) == 1:
            return [{"op": "add", "path": "/spec/containers/-", "value": {"name": "sidecar", "image": "php:8.2"}}]
        return [{"op": "replace", "path": "/spec/containers/1/image", "value": UNTRUSTED}]

    with changing_pods(installed, patch):
        until(lambda: asked(installed, shop, "nginx:1.27").code != 201, "the other webhook")
        found = told(asked(installed, shop, "php:8.2"))

    assert found == (422, REFUSED_BY_VALIDATION + prohibited("Pod", "spec.containers[1].image"))
    until(lambda: is_looked_up(installed, shop), "the other webhook is gone")


def test_an_update_to_a_prohibited_image_is_refused(installed: Cluster, shop: str):
    assert installed.call("POST", PODS.format(shop), pod("nginx:1.27", labels=IGNORED)).code == 201
    change = {"spec": {"containers": [{"name": "c0", "image": UNTRUSTED}]}}
    answer = installed.call("PATCH", f"{PODS.format(shop)}/web", change, MERGE)
    assert told(answer) == (422, REFUSED_BY_VALIDATION + prohibited("Pod", "spec.containers[0].image"))


def test_a_prohibited_debugging_container_is_refused_even_in_a_pod_of_a_controller(installed: Cluster, shop: str):
    made = pod("nginx:1.27", labels=IGNORED, ownerReferences=owner("apps/v1", "ReplicaSet"))
    assert installed.call("POST", PODS.format(shop), made).code == 201
    debugger = {"spec": {"ephemeralContainers": [{"name": "debug", "image": UNTRUSTED}]}}
    answer = installed.call("PATCH", f"{PODS.format(shop)}/web/ephemeralcontainers", debugger, MERGE)
    assert told(answer) == (422, REFUSED_BY_VALIDATION + prohibited("Pod", "spec.ephemeralContainers[0].image"))


def test_a_namespace_that_ignores_the_rule_may_run_the_image(installed: Cluster, webhook: Webhook):
    ignoring = {"alpha.image.policy.openshift.io/ignore-rules": "no-untrusted-registry"}
    free = namespace(installed, annotations=ignoring)
    assert images(admit(installed, free, UNTRUSTED)) == [UNTRUSTED]


def test_applied_again_the_configurations_keep_the_trust(
    installed: Cluster, kubectl: Kubectl, rendered: list[Json], port: int, shop: str
):
    before = installed.call("GET", CONFIGURATION).body
    kubectl.ok("apply", "-f", "-", given=yaml.safe_dump_all([leading_here(one, port) for one in rendered]))
    assert installed.call("GET", CONFIGURATION).body == before


@pytest.fixture(scope="class")
def closed(installed: Cluster, webhook: Webhook) -> Iterator[str]:
    """A namespace with a Pod that somebody tidies up after, in the time without a webhook."""
    shop = new_shop(installed)
    made = pod("nginx:1.27", name="held", finalizers=["example.com/tidy-up"])
    assert installed.call("POST", PODS.format(shop), made).code == 201
    webhook.stop()
    yield shop
    webhook.start()
    until(lambda: is_looked_up(installed, shop), "the webhook again")


class TestWhileNoCopyRuns:
    def test_no_workload_is_created_or_changed(self, installed: Cluster, closed: str):
        change = {"spec": {"containers": [{"name": "c0", "image": "nginx:1.28"}]}}
        answers = [
            asked(installed, closed, "nginx:1.27"),
            asked(installed, closed, "nginx:1.27", labels=IGNORED),
            installed.call("POST", f"{DEPLOYMENTS.format(closed)}?dryRun=All", deployment("nginx:1.27")),
            installed.call("PATCH", f"{PODS.format(closed)}/held", change, MERGE),
        ]
        assert [(one.code, NOT_ASKED in one.body["message"]) for one in answers] == [(500, True)] * 4

    def test_everything_else_is_written(self, installed: Cluster, closed: str):
        settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
        assert installed.call("POST", f"{NAMESPACES}/{closed}/configmaps", settings).code == 201
        assert installed.call("POST", STREAMS.format(closed), stream("ruby")).code == 201

    @pytest.mark.parametrize(
        ("api_version", "kind"),
        [("apps/v1", "ReplicaSet"), ("apps/v1", "DaemonSet"), ("apps/v1", "StatefulSet"), ("batch/v1", "Job")],
    )
    def test_pods_of_templates_that_were_judged_come_up(
        self, installed: Cluster, closed: str, api_version: str, kind: str
    ):
        owners = owner(api_version, kind)
        assert images(admit(installed, closed, "nginx:1.27", ownerReferences=owners)) == ["nginx:1.27"]

    def test_pods_are_scheduled_and_report(self, installed: Cluster, closed: str):
        path = f"{PODS.format(closed)}/held"
        target = {"apiVersion": "v1", "kind": "Node", "name": "node-1"}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "held"}, "target": target}
        assert installed.call("POST", f"{path}/binding", binding).code == 201
        assert installed.call("PATCH", f"{path}/status", {"status": {"phase": "Running"}}, MERGE).code == 200

    def test_pods_can_go(self, installed: Cluster, closed: str):
        path = f"{PODS.format(closed)}/held"
        assert installed.call("DELETE", f"{path}?gracePeriodSeconds=0").code == 200
        assert "deletionTimestamp" in installed.call("GET", path).body["metadata"]
        tidied = {"metadata": {"finalizers": None}}
        assert installed.call("PATCH", path, tidied, "application/merge-patch+json").code == 200
        assert installed.call("GET", path).code == 404

    def test_its_own_pods_come_up(self, installed: Cluster, rendered: list[Json], closed: str):
        (own,) = (one for one in rendered if one["kind"] == "Deployment")
        template = own["spec"]["template"]
        made = {"apiVersion": "v1", "kind": "Pod", **template, "metadata": {**template["metadata"], "name": "copy"}}
        path = f"{DEPLOYMENTS.format('imagestreams')}/imagestreams-webhook"
        assert installed.call("POST", f"{PODS.format('imagestreams')}?dryRun=All", made).code == 201
        scaled = installed.call("PATCH", f"{path}?dryRun=All", {"spec": {"replicas": 3}}, MERGE)
        assert (scaled.code, scaled.body["spec"]["replicas"]) == (200, 3)

    @pytest.mark.parametrize("name", ["default", "kube-system", "kube-public", "kube-node-lease"])
    def test_the_platform_comes_up(self, installed: Cluster, closed: str, name: str):
        assert asked(installed, name, "nginx:1.27").code == 201

    @pytest.mark.parametrize("level", ["0", "1"])
    def test_so_do_namespaces_of_run_level(self, installed: Cluster, closed: str, level: str):
        space = namespace(installed, labels={"openshift.io/run-level": level})
        assert asked(installed, space, "nginx:1.27").code == 201


def test_the_way_out_and_back(
    installed: Cluster, kubectl: Kubectl, rendered: list[Json], port: int, shop: str, webhook: Webhook
):
    webhook.stop()
    try:
        kubectl.ok("delete", "validatingwebhookconfiguration", "imagestreams-webhook")
        until(lambda: asked(installed, shop, UNTRUSTED).code == 201, "the way out")
        (ours,) = (leading_here(one, port) for one in rendered if one["kind"] == "ValidatingWebhookConfiguration")
        kubectl.ok("apply", "-f", "-", given=ours)
    finally:
        webhook.start()

    until(lambda: is_looked_up(installed, shop), "the webhook again")
    expected = REFUSED_BY_VALIDATION + prohibited("Pod", "spec.containers[0].image")
    assert told(asked(installed, shop, UNTRUSTED, labels=IGNORED)) == (422, expected)
