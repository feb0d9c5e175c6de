"""Workloads of the sandbox as kubectl handles them: what it prints, and what it changes below an object."""

from __future__ import annotations

import json

import pytest

from tests.integration.api import STREAMS, Api, give, stream
from tests.integration.kubectl import Kubectl, needs

DIGEST = "sha256:" + "d4" * 32
RESOLVED = f"quay.io/acme/tools@{DIGEST}"


@pytest.fixture
def shop(api: Api, kubectl: Kubectl, namespace: str) -> Kubectl:
    """kubectl in a namespace with the stream tools, which allows lookup, and quiet, which does not."""
    for name, lookup in (("tools", True), ("quiet", False)):
        assert api.post(STREAMS.format(namespace), stream(name, lookup=lookup)).code == 201
        give(api, namespace, name, "v1", "quay.io/acme/tools", DIGEST)
    return kubectl


def pod(image: str) -> dict:
    spec = {"containers": [{"name": "web", "image": image}]}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web"}, "spec": spec}


def deployment(image: str) -> dict:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": pod(image)["spec"]}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "web"}, "spec": spec}


def read(kubectl: Kubectl, *what: str) -> dict:
    return json.loads(kubectl.ok("get", *what, "-o", "json"))


def test_a_name_that_looks_like_a_streams_is_warned_of(shop):
    done = shop.run("create", "-f", "-", "--dry-run=server", given=pod("quiet:v1"))
    assert done.returncode == 0
    assert "Warning: quiet:v1 stays as written: image stream " in done.stderr


def test_it_scales_and_no_name_is_looked_up(shop, api, namespace):
    assert shop.run("create", "-f", "-", given=deployment("quiet:v1")).returncode == 0
    api.patch(f"{STREAMS.format(namespace)}/quiet", {"spec": {"lookupPolicy": {"local": True}}})
    shop.ok("scale", "deployment/web", "--replicas=3")
    after = read(shop, "deployment", "web")["spec"]
    assert (after["replicas"], after["template"]["spec"]["containers"][0]["image"]) == (3, "quiet:v1")


def test_it_adds_a_container_for_debugging_whose_name_is_looked_up(shop):
    shop.ok("create", "-f", "-", given=pod("nginx:1.27"))
    # Newer ones warn of a profile that older ones cannot be given.
    done = shop.run("debug", "web", "--image=tools:v1", "--container=debug", "--attach=false")
    if "EphemeralContainers in version" in done.stderr:
        pytest.skip("this kubectl is older than 1.22 and sends a kind that Kubernetes does not have any more")
    assert done.returncode == 0, done.stderr
    (debug,) = read(shop, "pod", "web")["spec"]["ephemeralContainers"]
    assert (debug["name"], debug["image"]) == ("debug", RESOLVED)


def test_applying_the_short_name_again_gives_the_same_object(shop):
    shop.ok("apply", "-f", "-", given=deployment("tools:v1"))
    before = read(shop, "deployment", "web")
    shop.ok("apply", "-f", "-", given=deployment("tools:v1"))
    after = read(shop, "deployment", "web")
    assert after["spec"] == before["spec"]
    assert after["metadata"]["annotations"] == before["metadata"]["annotations"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


@pytest.mark.parametrize(
    ("command", "where"),
    [
        pytest.param(
            ["create", "deployment", "web", "--image=tools:v1"], ["spec", "template", "spec"], id="deployment"
        ),
        pytest.param(["create", "job", "web", "--image=tools:v1"], ["spec", "template", "spec"], id="job"),
        pytest.param(
            ["create", "cronjob", "web", "--image=tools:v1", "--schedule=0 1 * * *"],
            ["spec", "jobTemplate", "spec", "template", "spec"],
            id="cronjob",
        ),
        pytest.param(["run", "web", "--image=tools:v1"], ["spec"], id="pod"),
    ],
)
def test_a_short_name_on_its_command_line_is_resolved(shop, command, where):
    if "cronjob" in command:
        needs(21, "it makes CronJobs of batch/v1beta1")
    dry = json.loads(shop.ok(*command, "--dry-run=server", "-o", "json"))
    made = json.loads(shop.ok(*command, "-o", "json"))
    for obj in (dry, made):
        for key in where:
            obj = obj[key]
        assert obj["containers"][0]["image"] == RESOLVED
