"""Protobuf against a real kube-apiserver: it reads what we write, and we read what it writes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.cluster.cluster import Cluster, Json
from tests.unit.meta import protobuf_bodies
from webhook.meta import protobuf

NAMESPACE = "/namespaces/default"
POD: Json = {
    "metadata": {"labels": {"app": "web"}, "annotations": {"empty": ""}},
    "spec": {
        "restartPolicy": "Never",
        "securityContext": {"runAsUser": 0, "fsGroup": 2000, "supplementalGroups": [1, 2147483647]},
        "imagePullSecrets": [{"name": "pull"}],
        "nodeSelector": {"disk": "ssd"},
        "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["registry"]}],
        "tolerations": [{"key": "spot", "operator": "Exists", "tolerationSeconds": 0, "effect": "NoExecute"}],
        "affinity": {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 1,
                        "podAffinityTerm": {
                            "topologyKey": "zone",
                            "labelSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
                        },
                    }
                ]
            }
        },
        "initContainers": [{"name": "init", "image": "php:8.1", "command": ["true", ""]}],
        "containers": [
            {
                "name": "web",
                "image": "php:8.2",
                "env": [
                    {"name": "EMPTY", "value": ""},
                    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "token", "key": "k", "optional": False}}},
                    {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
                ],
                "envFrom": [{"prefix": "P_", "configMapRef": {"name": "settings"}}, {"secretRef": {"name": "token"}}],
                "ports": [{"name": "http", "containerPort": 80}],
                "resources": {"limits": {"cpu": "1500m", "memory": "1.5Gi"}, "requests": {"cpu": "0"}},
                "livenessProbe": {"httpGet": {"path": "/", "port": "http"}, "terminationGracePeriodSeconds": 5},
                "readinessProbe": {"tcpSocket": {"port": 80}},
                "startupProbe": {"exec": {"command": ["true"]}},
                "lifecycle": {"preStop": {"sleep": {"seconds": 3}}},
                "volumeMounts": [{"name": "settings", "mountPath": "/etc/settings"}],
            }
        ],
        "volumes": [
            {"name": "settings", "configMap": {"name": "settings", "items": [{"key": "a", "path": "a", "mode": 0}]}},
            {"name": "token", "secret": {"secretName": "token", "optional": True}},
            {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "nothing", "emptyDir": {}},
            {"name": "all", "projected": {"sources": [{"secret": {"name": "token"}}, {"configMap": {"name": "s"}}]}},
        ],
    },
}
ALWAYS = {**POD, "spec": {**POD["spec"], "restartPolicy": "Always"}}
SELECTOR = {"matchLabels": {"app": "web"}}
JOB = {"template": POD, "backoffLimit": 0, "suspend": False, "ttlSecondsAfterFinished": 0}
OBJECTS: list[Json] = [
    {"apiVersion": "v1", "kind": "Pod", **POD},
    {"apiVersion": "v1", "kind": "PodTemplate", "template": ALWAYS},
    {"apiVersion": "v1", "kind": "ReplicationController", "spec": {"selector": {"app": "web"}, "template": ALWAYS}},
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "spec": {
            "replicas": 0,
            "selector": SELECTOR,
            "template": ALWAYS,
            "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
        },
    },
    {"apiVersion": "apps/v1", "kind": "ReplicaSet", "spec": {"selector": SELECTOR, "template": ALWAYS}},
    {"apiVersion": "apps/v1", "kind": "DaemonSet", "spec": {"selector": SELECTOR, "template": ALWAYS}},
    {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "spec": {
            "serviceName": "web",
            "selector": SELECTOR,
            "template": ALWAYS,
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "data"},
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
                }
            ],
        },
    },
    {"apiVersion": "batch/v1", "kind": "Job", "spec": JOB},
    {"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"schedule": "@daily", "jobTemplate": {"spec": JOB}}},
    {"apiVersion": "v1", "kind": "Secret", "type": "example.com/x", "data": {"a": "AP8=", "empty": ""}},
    {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "spec": {"limits": [{"type": "Container", "default": {"cpu": "500m"}, "max": {"cpu": "2"}}]},
    },
]


def path(obj: Json) -> str:
    version = obj["apiVersion"]
    return f"/{'apis' if '/' in version else 'api'}/{version}{NAMESPACE}/{obj['kind'].lower()}s"


def named(obj: Json, suffix: str) -> Json:
    return {**obj, "metadata": {**obj.get("metadata", {}), "name": f"web-{suffix}"}}


def bare(obj: Json) -> Json:
    """What does not tell one creation from another."""
    metadata = {key: obj["metadata"].get(key) for key in ("labels", "annotations", "generation")}
    text = json.dumps({**obj, "metadata": metadata})
    uid = obj["metadata"]["uid"]
    return json.loads(text.replace(uid, "UID").replace(obj["metadata"]["name"], "NAME"))


@pytest.mark.parametrize("obj", OBJECTS, ids=lambda obj: obj["kind"])
def test_it_stores_our_protobuf_as_the_json_that_it_was_made_of(cluster: Cluster, obj: Json):
    as_json = cluster.call("POST", path(obj), named(obj, "json"))
    body = protobuf_bodies.body(named(obj, "protobuf"))
    as_protobuf = cluster.send("POST", path(obj), body, protobuf.MEDIA_TYPE)

    assert (as_json.code, as_protobuf.status) == (201, 201), (as_json.body, as_protobuf.data)
    assert bare(as_protobuf.json()) == bare(as_json.body)


@settings(max_examples=20, deadline=None)
@pytest.mark.parametrize(
    ("api_version", "kind"),
    [("v1", "Pod"), ("v1", "Secret"), ("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("batch/v1", "CronJob")],
)
@given(data=st.data())
def test_it_says_the_same_of_both_forms_of_any_object(cluster: Cluster, api_version: str, kind: str, data):
    obj = named(data.draw(protobuf_bodies.objects(api_version, kind)), "any")
    obj["metadata"] = {"name": "web-any"}
    url = f"{path(obj)}?dryRun=All"

    as_json = cluster.call("POST", url, obj)
    as_protobuf = cluster.send("POST", url, protobuf_bodies.body(obj), protobuf.MEDIA_TYPE)

    assert as_json.code not in (400, 415), as_json.body
    assert (as_protobuf.status, said(as_protobuf.json())) == (as_json.code, said(as_json.body))


def said(answer: Json) -> Any:
    """The object, or why not: without what differs from one request to the next, the order of Go's maps."""
    if answer["kind"] != "Status":
        return bare(answer)
    causes = answer.get("details", {}).get("causes", ())
    return sorted(re.sub(r"\[[0-9]+\]", "[]", str(one)) for one in causes) or answer["message"]


def carried(obj: Json) -> Json:
    """What protobuf says of an object: those within it, the claims of a StatefulSet, have no kind."""
    for claim in obj.get("spec", {}).get("volumeClaimTemplates", ()):
        del claim["kind"], claim["apiVersion"]
    return obj


@pytest.mark.parametrize("obj", OBJECTS, ids=lambda obj: obj["kind"])
def test_its_protobuf_is_read_as_its_json(cluster: Cluster, obj: Json):
    assert cluster.call("POST", path(obj), named(obj, "read")).code == 201

    as_json = cluster.call("GET", f"{path(obj)}/web-read").body
    as_protobuf = cluster.send("GET", f"{path(obj)}/web-read", None, protobuf.MEDIA_TYPE, Accept=protobuf.MEDIA_TYPE)

    assert as_json["metadata"]["managedFields"]
    assert protobuf.decode(as_protobuf.data, "", "") == carried(as_json)


def test_its_namespace_and_scale_are_read(cluster: Cluster):
    deployment = next(one for one in OBJECTS if one["kind"] == "Deployment")
    assert cluster.call("POST", path(deployment), named(deployment, "scaled")).code == 201

    for url in ("/api/v1/namespaces/default", f"{path(deployment)}/web-scaled/scale"):
        as_protobuf = cluster.send("GET", url, None, protobuf.MEDIA_TYPE, Accept=protobuf.MEDIA_TYPE)
        assert protobuf.decode(as_protobuf.data, "", "") == cluster.call("GET", url).body


def test_it_reads_our_options_of_a_deletion(cluster: Cluster):
    secret = named({"apiVersion": "v1", "kind": "Secret"}, "kept")
    assert cluster.call("POST", path(secret), secret).code == 201
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "another"}}

    refused = cluster.send("DELETE", f"{path(secret)}/web-kept", protobuf_bodies.body(options), protobuf.MEDIA_TYPE)

    assert (refused.status, refused.json()["reason"]) == (409, "Conflict")
