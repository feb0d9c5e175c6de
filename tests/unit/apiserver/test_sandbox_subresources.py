"""What stands below the sandbox's workloads, and what of them may not change."""

import pytest

from tests.unit.apiserver.api import STRATEGIC, Api

PODS = "/api/v1/namespaces/shop/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
JOBS = "/apis/batch/v1/namespaces/shop/jobs"


def workload(kind, api_version, **spec):
    template = {"spec": {"containers": [{"name": "web", "image": "php:8.2"}]}}
    return {
        "kind": kind,
        "apiVersion": api_version,
        "metadata": {"name": "web"},
        "spec": {"template": template, **spec},
    }


@pytest.fixture
def deployment(api: Api):
    return api.post(DEPLOYMENTS, workload("Deployment", "apps/v1", selector={"matchLabels": {"app": "web", "a": "b"}}))


def test_a_workload_has_one_replica_unless_it_says_otherwise(api: Api, deployment):
    assert api.get(f"{DEPLOYMENTS}/web/scale")["spec"] == {"replicas": 1}


def test_a_scale_names_the_selector_as_text(api: Api, deployment):
    scale = api.get(f"{DEPLOYMENTS}/web/scale")
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert scale["status"] == {"replicas": 0, "selector": "a=b,app=web"}


def test_scaling_changes_the_replicas_and_nothing_else(api: Api, deployment):
    api.patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 3}})
    after = api.get(f"{DEPLOYMENTS}/web")
    assert after["spec"] == {**deployment["spec"], "replicas": 3}
    assert after["metadata"]["generation"] == 2


def test_a_scale_of_an_old_version_is_a_conflict(api: Api, deployment):
    scale = api.get(f"{DEPLOYMENTS}/web/scale")
    api.patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 3}})
    api.put(f"{DEPLOYMENTS}/web/scale", scale, code=409)


@pytest.mark.parametrize("replicas", [-1, "3", True])
def test_replicas_are_a_number_of_pods(api: Api, deployment, replicas):
    api.patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": replicas}}, code=422)


def test_there_is_no_scale_of_what_does_not_exist(api: Api):
    api.get(f"{DEPLOYMENTS}/web/scale", code=404)


def test_a_jobs_template_is_immutable(api: Api):
    made = api.post(JOBS, workload("Job", "batch/v1"))
    made["spec"]["template"]["spec"]["containers"][0]["image"] = "php:8.3"
    refused = api.put(f"{JOBS}/web", made, code=422)
    assert refused["details"]["causes"][0]["field"] == "spec.template"


def test_ephemeral_containers_are_added_by_their_subresource_alone(api: Api):
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web"}}
    api.post(PODS, {**pod, "spec": {"containers": [{"name": "web", "image": "php:8.2"}]}})
    debug = {"name": "debug", "image": "busybox:1.36"}
    change = {"metadata": {"labels": {"a": "b"}}, "spec": {"ephemeralContainers": [debug], "hostname": "x"}}
    after = api.patch(f"{PODS}/web/ephemeralcontainers", change, kind=STRATEGIC)
    assert after["spec"]["ephemeralContainers"] == [{**debug, "imagePullPolicy": "IfNotPresent"}]
    assert ("labels" in after["metadata"], "hostname" in after["spec"]) == (False, False)
    again = {"spec": {"ephemeralContainers": [{**debug, "image": "busybox:1.37"}]}}
    api.patch(f"{PODS}/web/ephemeralcontainers", again, kind=STRATEGIC, code=422)
