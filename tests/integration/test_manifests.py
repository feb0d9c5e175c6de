"""What `kubectl kustomize` makes of manifests/webhook: whole, safe, and in accord with the program that it starts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from tests.integration.kubectl import kustomized
from webhook import telemetry
from webhook.admission.endpoint import PATH, VALIDATE_PATH
from webhook.admission.locations import COVERED, PLATFORM_NAMESPACES, PLATFORM_RUN_LEVELS, RUN_LEVEL_LABEL, WRITTEN_BY
from webhook.cli.explaining import IGNORED
from webhook.cli.webhook import webhook as command
from webhook.serving import cluster_certificate

ROOT = Path(__file__).parents[2] / "manifests" / "webhook"
VARIANTS = {"its own authority": ROOT, "cert-manager": ROOT / "with-cert-manager"}
PAGE = ROOT.parents[1] / "docs" / "install-webhook.md"
EXAMPLE = re.compile(r"^```yaml\n(resources: .*?)^```", re.MULTILINE | re.DOTALL)

Object = dict[str, Any]


@pytest.fixture(scope="module", params=VARIANTS, ids=[f"with {name}" for name in VARIANTS])
def rendered(request: pytest.FixtureRequest) -> list[Object]:
    return kustomized(VARIANTS[request.param])


@pytest.fixture(scope="module")
def own() -> list[Object]:
    return kustomized(ROOT)


def render_of(folder: Path, resource: str, *components: str) -> list[Object]:
    """As a user adds components: a kustomization of his own."""
    (folder / "webhook").symlink_to(ROOT)
    text = {"resources": [resource], "components": [f"webhook/components/{one}" for one in components]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump({"kind": "Kustomization", **text}))
    return kustomized(folder)


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> list[Object]:
    return render_of(tmp_path_factory.mktemp("cluster"), "webhook", "monitoring")


@pytest.fixture(scope="module")
def validating(tmp_path_factory: pytest.TempPathFactory) -> list[Object]:
    return render_of(tmp_path_factory.mktemp("cluster"), "webhook", "validating")


def one(objects: list[Object], kind: str, name: str = "") -> Object:
    found = [item for item in objects if item["kind"] == kind and name in ("", item["metadata"]["name"])]
    assert len(found) == 1, f"{len(found)} objects {kind} {name}"
    return found[0]


def names(objects: list[Object], kind: str) -> set[str]:
    return {item["metadata"]["name"] for item in objects if item["kind"] == kind}


def pod_of(objects: list[Object]) -> Object:
    template: Object = one(objects, "Deployment")["spec"]["template"]
    return template


def container_of(objects: list[Object]) -> Object:
    (container,) = pod_of(objects)["spec"]["containers"]
    found: Object = container
    return found


def matches(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return bool(selector) and selector.items() <= labels.items()


CLUSTER_SCOPED = {"Namespace", "ClusterRole", "ClusterRoleBinding", "MutatingWebhookConfiguration"}


def test_everything_is_in_one_namespace_that_exists(rendered):
    namespace = one(rendered, "Namespace")["metadata"]["name"]
    for item in rendered:
        expected = None if item["kind"] in CLUSTER_SCOPED else namespace
        assert item["metadata"].get("namespace") == expected, item["kind"]
        assert item["metadata"]["labels"]["app.kubernetes.io/name"] == "imagestreams"


def test_every_selector_finds_the_pods(rendered):
    labels = pod_of(rendered)["metadata"]["labels"]
    deployment = one(rendered, "Deployment")["spec"]
    selectors = [
        deployment["selector"]["matchLabels"],
        one(rendered, "Service")["spec"]["selector"],
        one(rendered, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        one(rendered, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        *(spread["labelSelector"]["matchLabels"] for spread in pod_of(rendered)["spec"]["topologySpreadConstraints"]),
    ]
    assert all(matches(selector, labels) for selector in selectors)


def test_every_volume_has_a_source_and_every_mount_a_volume(rendered):
    spec = pod_of(rendered)["spec"]
    secrets = names(rendered, "Secret") | {
        item["spec"]["secretName"] for item in rendered if item["kind"] == "Certificate"
    }
    for volume in spec["volumes"]:
        if "configMap" in volume:
            assert volume["configMap"]["name"] in names(rendered, "ConfigMap")
        elif "secret" in volume:
            assert volume["secret"]["secretName"] in secrets
        else:
            assert "emptyDir" in volume
    assert {mount["name"] for mount in container_of(rendered)["volumeMounts"]} == {
        one["name"] for one in spec["volumes"]
    }


def test_every_binding_joins_a_role_and_an_account_that_exist(rendered):
    accounts = names(rendered, "ServiceAccount")
    assert pod_of(rendered)["spec"]["serviceAccountName"] in accounts
    for item in rendered:
        if item["kind"] in ("RoleBinding", "ClusterRoleBinding"):
            assert item["roleRef"]["name"] in names(rendered, item["roleRef"]["kind"])
            assert {subject["name"] for subject in item["subjects"]} <= accounts
            assert {subject["namespace"] for subject in item["subjects"]} == {"imagestreams"}


def test_the_api_server_reaches_a_port_of_the_container(rendered):
    (hook,) = one(rendered, "MutatingWebhookConfiguration")["webhooks"]
    called = hook["clientConfig"]["service"]
    service = one(rendered, "Service", called["name"])
    assert called["namespace"] == service["metadata"]["namespace"]
    assert called["path"] == PATH
    ports = {port["port"]: port["targetPort"] for port in service["spec"]["ports"]}
    exposed = {port["name"]: port["containerPort"] for port in container_of(rendered)["ports"]}
    listening = command.make_context("webhook", container_of(rendered)["args"][1:]).params
    assert exposed[ports[called["port"]]] == listening["listen"][1]
    assert exposed["metrics"] == listening["metrics_listen"][1]
    probes = [container_of(rendered)[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")]
    assert {probe["port"] for probe in probes} == {"https"}
    assert [probe["path"] for probe in probes] == ["/livez", "/livez", "/readyz"]


def test_the_arguments_are_the_programs_and_their_files_are_mounted(rendered):
    container = container_of(rendered)
    assert container["args"][0] == "webhook"
    given = command.make_context("webhook", container["args"][1:]).params
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    for option, writable in (("data", True), ("snapshot", True), ("admission_config", False), ("tls_cert", False)):
        if (path := given[option]) is not None:
            mount = mounts[next(place for place in mounts if str(path).startswith(place))]
            assert bool(mount.get("readOnly")) is not writable
    assert given["drain"] + 3 < pod_of(rendered)["spec"]["terminationGracePeriodSeconds"]


def test_the_own_authority_may_do_what_it_has_to_and_no_more(own):
    given = command.make_context("webhook", container_of(own)["args"][1:]).params
    namespace, _, secret = given["certificate_secret"].partition("/")
    assert one(own, "Secret", secret)["metadata"]["namespace"] == namespace
    assert "data" not in one(own, "Secret", secret)
    configuration = one(own, "MutatingWebhookConfiguration", given["webhook_configuration"])
    assert cluster_certificate.hosts_of(configuration) == ["imagestreams-webhook.imagestreams.svc"]
    role, cluster_role = one(own, "Role"), one(own, "ClusterRole", "imagestreams-webhook-certificates")
    assert [(rule["resources"], rule["resourceNames"], rule["verbs"]) for rule in role["rules"]] == [
        (["secrets"], [secret], ["get", "update"])
    ]
    assert [(rule["resources"], rule["resourceNames"], rule["verbs"]) for rule in cluster_role["rules"]] == [
        (["mutatingwebhookconfigurations"], [given["webhook_configuration"]], ["get", "update"])
    ]


def test_nothing_else_may_be_written_and_no_secret_be_read(rendered):
    for item in rendered:
        for rule in item.get("rules", ()):
            if "resourceNames" not in rule:
                assert set(rule["verbs"]) <= {"get", "list", "watch"}
                assert "secrets" not in rule["resources"]
                assert "*" not in [*rule["resources"], *rule["apiGroups"]]


def test_cert_manager_makes_what_is_mounted_and_trusted():
    objects = kustomized(VARIANTS["cert-manager"])
    injected = one(objects, "MutatingWebhookConfiguration")["metadata"]["annotations"]["cert-manager.io/inject-ca-from"]
    certificate = one(objects, "Certificate", injected.partition("/")[2])
    (hook,) = one(objects, "MutatingWebhookConfiguration")["webhooks"]
    service = hook["clientConfig"]["service"]
    assert certificate["spec"]["dnsNames"] == [f"{service['name']}.{service['namespace']}.svc"]
    for item in objects:
        if item["kind"] == "Certificate":
            assert item["spec"]["issuerRef"]["name"] in names(objects, "Issuer")
    assert not names(objects, "Secret")


def test_an_outage_of_the_webhook_stops_nobody(rendered):
    (hook,) = one(rendered, "MutatingWebhookConfiguration")["webhooks"]
    expected = {
        "failurePolicy": "Ignore",
        "timeoutSeconds": 3,
        "sideEffects": "None",
        "matchPolicy": "Equivalent",
        "reinvocationPolicy": "IfNeeded",
        "admissionReviewVersions": ["v1"],
    }
    assert hook.items() >= expected.items()
    (excluded,) = [
        set(rule["values"])
        for rule in hook["namespaceSelector"]["matchExpressions"]
        if (rule["key"], rule["operator"]) == ("kubernetes.io/metadata.name", "NotIn")
    ]
    assert excluded >= {"kube-system", "kube-public", "kube-node-lease", "imagestreams"}
    assert len(hook["matchConditions"]) == 2


@pytest.mark.parametrize("namespace", ["imagestreams", "platform"])
def test_the_kustomizations_of_the_page_are_whole(namespace, tmp_path):
    examples = {
        yaml.safe_load(each).get("namespace", "imagestreams"): each for each in EXAMPLE.findall(PAGE.read_text())
    }
    shutil.copytree(ROOT, tmp_path / "manifests" / "webhook")
    shutil.copy(ROOT / "base" / "policy.yaml", tmp_path)
    (tmp_path / "kustomization.yaml").write_text(examples[namespace])
    objects = kustomized(tmp_path)
    bindings = [each for each in objects if each["kind"].endswith("RoleBinding")]
    (service,) = [one(objects, "MutatingWebhookConfiguration")["webhooks"][0]["clientConfig"]["service"]]
    places = [each["metadata"]["namespace"] for each in objects if "namespace" in each["metadata"]]
    places += [service["namespace"], *(subject["namespace"] for each in bindings for subject in each["subjects"])]
    assert set(places) == {namespace}
    assert one(objects, "Namespace")["metadata"]["name"] == namespace
    arguments = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]
    (*_, secret) = [each for each in arguments if each.startswith("--certificate-secret=")]
    assert secret == f"--certificate-secret={namespace}/imagestreams-webhook-tls"


def test_the_label_that_explain_names_keeps_objects_and_namespaces_away(rendered):
    (hook,) = one(rendered, "MutatingWebhookConfiguration")["webhooks"]
    key, value = IGNORED
    rule = {"key": key, "operator": "NotIn", "values": [value]}
    assert all(rule in hook[selector]["matchExpressions"] for selector in ("objectSelector", "namespaceSelector"))


def test_only_pods_of_templates_that_are_looked_up_are_spared_the_webhook(rendered):
    (hook,) = one(rendered, "MutatingWebhookConfiguration")["webhooks"]
    conditions = {each["name"]: each["expression"] for each in hook["matchConditions"]}
    spared = re.findall(
        r"owner\.apiVersion(?: == '(\w+)'|\.startsWith\('(\w+)/'\)) && owner\.kind (?:in \[([^]]+)]|== ('\w+'))",
        conditions["not-pods-of-templates-that-were-seen"],
    )
    found = {
        ("" if version else group, kind)
        for version, group, some, only in spared
        for kind in re.findall(r"\w+", some + only)
    }
    assert found - {("", "Node")} == {owner for owner in WRITTEN_BY if owner[1] != "Build"}


def test_the_rules_are_what_is_looked_up_by_default(rendered):
    (hook,) = one(rendered, "MutatingWebhookConfiguration")["webhooks"]
    ruled = {
        (group, resource) for rule in hook["rules"] for group in rule["apiGroups"] for resource in rule["resources"]
    }
    # No API server serves workloads under extensions any more.
    looked_up = {key for key in COVERED if key[0] != "extensions"}
    assert ruled == looked_up | {("", "pods/ephemeralcontainers")}
    assert all(rule["scope"] == "Namespaced" for rule in hook["rules"])


def test_the_pods_are_restricted(rendered):
    assert one(rendered, "Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    spec, container = pod_of(rendered)["spec"], container_of(rendered)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "cpu" not in container["resources"]["limits"]
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}


def test_two_copies_stand_apart_and_leave_one_at_a_time(rendered):
    assert one(rendered, "Deployment")["spec"]["replicas"] == 2
    spread = {rule["topologyKey"] for rule in pod_of(rendered)["spec"]["topologySpreadConstraints"]}
    assert spread == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
    budget = one(rendered, "PodDisruptionBudget")["spec"]
    assert (budget["maxUnavailable"], budget["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")


def test_the_monitor_finds_the_metrics_port(monitored):
    monitor = one(monitored, "ServiceMonitor")["spec"]
    service = one(monitored, "Service", "imagestreams-webhook-metrics")
    assert matches(monitor["selector"]["matchLabels"], service["metadata"]["labels"])
    assert monitor["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert matches(service["spec"]["selector"], pod_of(monitored)["metadata"]["labels"])


def test_alerts_ask_for_metrics_that_exist(monitored):
    assert telemetry.VIEW_HEARD is not None
    known = {sample.name for metric in REGISTRY.collect() for sample in metric.samples}
    known |= {f"{metric.name}{end}" for metric in REGISTRY.collect() for end in ("", "_total", "_bucket")}
    (group,) = one(monitored, "PrometheusRule")["spec"]["groups"]
    for rule in group["rules"]:
        assert set(re.findall(r"\bimagestreams_\w+", rule["expr"])) <= known, rule["alert"]
        assert rule["annotations"]["summary"].endswith(".")


def test_validation_is_asked_of_the_same_objects_and_cannot_be_passed_over(validating):
    (hook,) = one(validating, "ValidatingWebhookConfiguration")["webhooks"]
    (mutating,) = one(validating, "MutatingWebhookConfiguration")["webhooks"]
    expected = {"failurePolicy": "Fail", "sideEffects": "None", "matchPolicy": "Equivalent"}
    assert hook.items() >= expected.items()
    service = mutating["clientConfig"]["service"]
    assert hook["clientConfig"]["service"] == {**service, "path": VALIDATE_PATH}
    assert hook["matchConditions"][:-1] == mutating["matchConditions"]
    # A Build that is stored is not rewritten, but judged (admission A.7).
    builds = {"apiGroups": ["build.openshift.io"], "operations": ["CREATE", "UPDATE"]}
    assert hook["rules"] == [
        {**rule, **builds} if rule["apiGroups"] == builds["apiGroups"] else rule for rule in mutating["rules"]
    ]


def test_what_is_never_judged_does_not_wait_for_the_webhook(validating):
    (hook,) = one(validating, "ValidatingWebhookConfiguration")["webhooks"]
    groups, namespaces = (
        set(re.findall(r"'([^']+)'", part)) for part in hook["matchConditions"][-1]["expression"].split("||")
    )
    assert namespaces == PLATFORM_NAMESPACES
    assert groups == {group for (group, _), location in COVERED.items() if not location.platform_exempt}


def test_whoever_may_label_objects_or_namespaces_does_not_leave_the_policy(validating):
    (hook,) = one(validating, "ValidatingWebhookConfiguration")["webhooks"]
    assert "objectSelector" not in hook
    excluded = {rule["key"]: set(rule["values"]) for rule in hook["namespaceSelector"]["matchExpressions"]}
    assert excluded == {
        "kubernetes.io/metadata.name": {"imagestreams", "kube-node-lease", "kube-public", "kube-system"},
        RUN_LEVEL_LABEL: PLATFORM_RUN_LEVELS,
    }


def test_the_own_authority_may_be_trusted_for_validation_too(validating):
    given = command.make_context("webhook", container_of(validating)["args"][1:]).params
    assert one(validating, "ValidatingWebhookConfiguration", given["validating_configuration"])
    rules = one(validating, "ClusterRole", "imagestreams-webhook-certificates")["rules"]
    assert [(rule["resources"], rule["resourceNames"], rule["verbs"]) for rule in rules] == [
        (["mutatingwebhookconfigurations"], [given["webhook_configuration"]], ["get", "update"]),
        (["validatingwebhookconfigurations"], [given["validating_configuration"]], ["get", "update"]),
    ]


def test_cert_manager_has_validation_trusted_too(tmp_path: Path):
    objects = render_of(tmp_path, "webhook/base", "validating", "cert-manager")
    kinds = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
    trusted = [one(objects, kind)["metadata"]["annotations"]["cert-manager.io/inject-ca-from"] for kind in kinds]
    assert trusted == ["imagestreams/imagestreams-webhook"] * 2
    assert "imagestreams-webhook-certificates" not in names(objects, "ClusterRole")
