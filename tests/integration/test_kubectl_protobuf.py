"""kubectl's own commands for the kinds of Kubernetes: from 1.32 on it sends those as protobuf."""

from __future__ import annotations

import base64
import json

from tests.integration.kubectl import Kubectl, needs
from tests.integration.test_sandbox_kubectl import read


def test_it_creates_a_namespace(kubectl: Kubectl, namespace: str):
    assert kubectl.ok("create", "namespace", namespace) == f"namespace/{namespace} created\n"
    assert read(kubectl, "namespace", namespace)["metadata"]["name"] == namespace


def test_it_creates_a_pull_secret(kubectl: Kubectl):
    credentials = ("--docker-server=quay.io", "--docker-username=reader", "--docker-password=pässword")
    kubectl.ok("create", "secret", "docker-registry", "pull", *credentials)
    secret = read(kubectl, "secret", "pull")
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    auths = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]
    assert (auths["quay.io"]["username"], auths["quay.io"]["password"]) == ("reader", "pässword")


def test_it_creates_a_secret_of_literals(kubectl: Kubectl):
    kubectl.ok("create", "secret", "generic", "token", "--from-literal=value=s3cret", "--from-literal=empty=")
    secret = read(kubectl, "secret", "token")
    assert (secret["type"], secret["data"]) == ("Opaque", {"value": base64.b64encode(b"s3cret").decode(), "empty": ""})


def test_what_it_sends_is_what_it_prints(kubectl: Kubectl):
    command = ("create", "deployment", "web", "--image=nginx:1.27", "--replicas=2", "--port=80", "-o", "json")
    printed = json.loads(kubectl.ok(*command, "--dry-run=client"))["spec"]
    stored = json.loads(kubectl.ok(*command))["spec"]
    container, default = stored["template"]["spec"]["containers"][0], {"imagePullPolicy": "IfNotPresent"}
    assert {**printed["template"]["spec"]["containers"][0], **default} == container
    assert {**printed, "template": None} == {**stored, "template": None}
    assert stored["template"]["metadata"]["labels"] == printed["template"]["metadata"]["labels"]


def test_it_creates_a_job_from_a_cronjob(kubectl: Kubectl):
    needs(21, "it makes CronJobs of batch/v1beta1")
    kubectl.ok("create", "cronjob", "nightly", "--image=nginx:1.27", "--schedule=0 1 * * *")
    kubectl.ok("create", "job", "now", "--from=cronjob/nightly")
    (owner,) = read(kubectl, "job", "now")["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("CronJob", "nightly")


def test_it_scales_and_deletes_what_it_created(kubectl: Kubectl):
    kubectl.ok("create", "deployment", "web", "--image=nginx:1.27")
    kubectl.ok("scale", "deployment/web", "--replicas=3")
    assert read(kubectl, "deployment", "web")["spec"]["replicas"] == 3
    kubectl.ok("delete", "deployment/web")
    assert kubectl.ok("get", "deployments", "-o", "name") == ""
