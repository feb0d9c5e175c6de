"""Workloads, secrets and limit ranges of the standalone server."""

import base64

import pytest

from tests.unit.apiserver.api import STRATEGIC, Api
from webhook.apiserver import sandbox

SHOP = "/api/v1/namespaces/shop"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
PINNED = "quay.io/acme/php@sha256:2bc0b6b4e33497a0f41c5936906f3527d21b0ba10d411fcca1f420d48da9e06d"


def deployment(image="php:8.2", **more):
    pod = {"containers": [{"name": "web", "image": image}], **more}
    return {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {"name": "web"},
        "spec": {"replicas": 1, "template": {"spec": pod}},
    }


def web(obj):
    return obj["spec"]["template"]["spec"]["containers"][0]


class Mutate:
    """Pins every image and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, group, resource, operation, namespace, obj, old, subresource):
        self.asked.append((group, resource, operation, namespace, None if old is None else web(old)["image"]))
        container = {**web(obj), "image": PINNED}
        return {**obj, "spec": {**obj["spec"], "template": {"spec": {"containers": [container]}}}}, ["pinned"]


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        pytest.param("php", "Always", id="no tag"),
        pytest.param("php:latest", "Always", id="latest"),
        pytest.param("php:8.2", "IfNotPresent", id="a tag"),
        pytest.param("registry:5000/acme/php", "Always", id="a port is no tag"),
        pytest.param("my.app:v1", "IfNotPresent", id="a name with a dot is not a registry"),
        pytest.param("my.app:latest", "Always", id="a name with a dot and latest"),
        pytest.param(PINNED, "IfNotPresent", id="a digest"),
        pytest.param(PINNED.replace("@", ":8.2@"), "IfNotPresent", id="a tag and a digest"),
        pytest.param(PINNED.replace("@", ":latest@"), "Always", id="latest and a digest"),
        pytest.param(PINNED.replace("quay.io/acme/php", "my.app"), "IfNotPresent", id="a name with a dot and a digest"),
        pytest.param("Not An Image", "IfNotPresent", id="nothing that can be read"),
    ],
)
def test_the_pull_policy_follows_from_the_name_of_the_image(image, policy):
    assert sandbox.pull_policy(image) == policy


def test_each_container_gets_its_pull_policy_from_what_was_written_not_from_what_was_pinned(serve):
    made = serve(mutate=Mutate()).post(DEPLOYMENTS, deployment("php:latest"))

    assert (web(made)["image"], web(made)["imagePullPolicy"]) == (PINNED, "Always")


@pytest.mark.parametrize(
    ("volume", "policy"),
    [
        ({"reference": "php:8.2"}, "IfNotPresent"),
        ({"reference": "php"}, "Always"),
        ({"reference": "php", "pullPolicy": "Never"}, "Never"),
    ],
    ids=["by its tag", "by having none", "as given"],
)
def test_an_image_that_is_a_volume_gets_a_pull_policy_too(api: Api, volume, policy):
    volumes = [{"name": "data", "emptyDir": {}}, {"name": "php", "image": volume}]

    made = api.post(DEPLOYMENTS, deployment(volumes=volumes))

    assert made["spec"]["template"]["spec"]["volumes"] == [
        {"name": "data", "emptyDir": {}},
        {"name": "php", "image": {"pullPolicy": policy, "reference": volume["reference"]}},
    ]


def test_a_pull_policy_that_is_given_stays(api: Api):
    body = deployment(initContainers=[{"name": "init", "image": "php", "imagePullPolicy": "Never"}])

    made = api.post(DEPLOYMENTS, body)

    assert made["spec"]["template"]["spec"]["initContainers"][0]["imagePullPolicy"] == "Never"


def test_a_workload_passes_through_admission_when_it_is_created_and_changed(serve):
    mutate = Mutate()
    api = serve(mutate=mutate)
    api.post(DEPLOYMENTS, deployment("php:8.2"))

    api.patch(f"{DEPLOYMENTS}/web", {"spec": {"replicas": 2}})

    assert mutate.asked == [
        ("apps", "deployments", "CREATE", "shop", None),
        ("apps", "deployments", "UPDATE", "shop", PINNED),
    ]


def test_warnings_of_admission_reach_the_client(serve):
    answer = serve(mutate=Mutate()).send("POST", DEPLOYMENTS, deployment(), code=201)

    assert answer.headers.getlist("Warning") == ['299 - "pinned"']


def test_admission_is_not_asked_about_a_status(serve):
    mutate = Mutate()
    api = serve(mutate=mutate)
    api.post(DEPLOYMENTS, deployment())
    mutate.asked.clear()

    after = api.patch(f"{DEPLOYMENTS}/web/status", {"status": {"replicas": 1}, "spec": {"replicas": 7}})

    assert mutate.asked == []
    assert (after["status"], after["spec"]["replicas"]) == ({"replicas": 1}, 1)


def test_a_write_to_the_workload_keeps_its_status(api: Api):
    api.post(DEPLOYMENTS, deployment())
    api.patch(f"{DEPLOYMENTS}/web/status", {"status": {"replicas": 1}})

    after = api.patch(f"{DEPLOYMENTS}/web", {"spec": {"replicas": 2}, "status": {"replicas": 9}})

    assert after["status"] == {"replicas": 1}


@pytest.mark.parametrize(
    ("patch", "generation"),
    [
        pytest.param({"spec": {"replicas": 2}}, 2, id="a change of the spec"),
        pytest.param({"metadata": {"labels": {"app": "shop"}}}, 1, id="a label"),
    ],
)
def test_generations_count_changes_of_the_spec(api: Api, patch, generation):
    assert api.post(DEPLOYMENTS, deployment())["metadata"]["generation"] == 1

    assert api.patch(f"{DEPLOYMENTS}/web", patch)["metadata"]["generation"] == generation


def test_containers_merge_by_name(api: Api):
    api.post(DEPLOYMENTS, deployment())
    more = {"spec": {"template": {"spec": {"containers": [{"name": "sidecar", "image": "envoy:1.30"}]}}}}

    after = api.patch(f"{DEPLOYMENTS}/web", more, kind=STRATEGIC)

    assert {one["name"] for one in after["spec"]["template"]["spec"]["containers"]} == {"web", "sidecar"}


def test_fields_that_are_not_known_here_are_kept(api: Api):
    made = api.post(DEPLOYMENTS, deployment(dnsPolicy="ClusterFirst"))

    assert made["spec"]["template"]["spec"]["dnsPolicy"] == "ClusterFirst"


@pytest.mark.parametrize("info", sandbox.WORKLOADS, ids=lambda info: info.kind)
def test_every_kind_of_workload_can_be_stored_and_read(api: Api, info):
    where = f"/{info.root}/namespaces/shop/{info.resource}"
    body = {"kind": info.kind, "apiVersion": info.group_version, "metadata": {"name": "web"}, "spec": {}}

    made = api.post(where, body)

    assert api.get(f"{where}/web") == made
    assert made["kind"] == info.kind


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param({}, "FieldValueRequired", id="none"),
        pytest.param({".dockerconfigjson": "{auths"}, "FieldValueInvalid", id="no JSON"),
        pytest.param({".dockerconfigjson": '["quay.io"]'}, "FieldValueInvalid", id="a list"),
    ],
)
def test_the_content_of_a_pull_secret_is_an_object(api: Api, data, reason):
    body = {
        "kind": "Secret",
        "apiVersion": "v1",
        "metadata": {"name": "pull"},
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": data,
    }
    refused = api.post(f"{SHOP}/secrets", body, code=422)
    assert [(one["reason"], one["field"]) for one in refused["details"]["causes"]] == [
        (reason, "data[.dockerconfigjson]")
    ]


def test_secrets_keep_text_in_base64(api: Api):
    body = {
        "kind": "Secret",
        "apiVersion": "v1",
        "metadata": {"name": "pull"},
        "data": {"user": "YW5u"},
        "stringData": {"password": "grün"},
    }

    made = api.post(f"{SHOP}/secrets", body)

    assert made["data"] == {"user": "YW5u", "password": base64.b64encode("grün".encode()).decode()}
    assert (made["type"], "stringData" in made) == ("Opaque", False)


def test_sandbox_objects_can_be_replaced_without_a_version(api: Api):
    api.post(DEPLOYMENTS, deployment())

    assert web(api.put(f"{DEPLOYMENTS}/web", deployment("php:8.3")))["image"] == "php:8.3"


BUILDS = "/apis/build.openshift.io/v1/namespaces/shop/builds"
JOBS = "/apis/batch/v1/namespaces/shop/jobs"


def build(image="php:8.2", **output):
    origin = {"kind": "DockerImage", "name": image}
    spec = {"strategy": {"sourceStrategy": {"from": origin}}, "output": output}
    return {"kind": "Build", "apiVersion": "build.openshift.io/v1", "metadata": {"name": "php-1"}, "spec": spec}


def job(image="php:8.2", **spec):
    spec["template"] = {"spec": {"containers": [{"name": "web", "image": image}]}}
    return {"kind": "Job", "apiVersion": "batch/v1", "metadata": {"name": "php-1"}, "spec": spec}


@pytest.mark.parametrize(
    ("path", "stored", "sent", "field"),
    [
        pytest.param(JOBS, job(), job("php:8.3"), "spec.template", id="the template of a Job"),
        pytest.param(JOBS, job(), job(parallelism=2), None, id="but not how often it runs"),
        pytest.param(BUILDS, build(), build("php:8.3"), "spec", id="what a Build starts from"),
        pytest.param(BUILDS, build(), build(to={"kind": "DockerImage", "name": "a"}), "spec", id="what it writes"),
        pytest.param(BUILDS, build(), build(pushSecret={"name": "a"}), None, id="but not its push secret"),
    ],
)
def test_what_runs_once_cannot_be_changed(api: Api, path, stored, sent, field):
    api.post(path, stored)

    answer = api.put(f"{path}/php-1", sent, code=422 if field else 200)

    assert [one["field"] for one in answer.get("details", {}).get("causes", ())] == ([field] if field else [])
