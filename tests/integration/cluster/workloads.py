"""Image streams and Pods for a cluster that serves streams by a CRD, and what becomes of a Pod there."""

from __future__ import annotations

import itertools

from tests.integration.cluster.cluster import Answer, Cluster, Json
from tests.integration.servers import until

NAMESPACES = "/api/v1/namespaces"
STREAMS = "/apis/image.openshift.io/v1/namespaces/{}/imagestreams"
PODS = "/api/v1/namespaces/{}/pods"
DIGEST = "sha256:" + "ab" * 32
RESOLVED = f"quay.io/team/php@{DIGEST}"
_NAMES = itertools.count(1)


def namespace(cluster: Cluster, **metadata: object) -> str:
    """The name of a new namespace."""
    name = f"cluster-shop-{next(_NAMES)}"
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, **metadata}}
    assert cluster.call("POST", NAMESPACES, space).code == 201
    return name


def new_shop(cluster: Cluster) -> str:
    """A namespace with a stream that the webhook knows."""
    name = namespace(cluster)
    assert cluster.call("POST", STREAMS.format(name), stream("php")).code == 201
    until(lambda: is_looked_up(cluster, name), "the webhook's view")
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


def asked(cluster: Cluster, namespace: str, *written: str, **metadata: object) -> Answer:
    """What becomes of a Pod, without storing it."""
    return cluster.call("POST", f"{PODS.format(namespace)}?dryRun=All", pod(*written, **metadata))


def admit(cluster: Cluster, namespace: str, *written: str, **metadata: object) -> Json:
    """What would be stored of a Pod."""
    answer = asked(cluster, namespace, *written, **metadata)
    assert answer.code == 201, answer.body
    return answer.body


def is_looked_up(cluster: Cluster, namespace: str) -> bool:
    """Whether the stream `php` is known to the webhook, and the webhook to the API server."""
    answer = asked(cluster, namespace, "php:8.2")
    return answer.code == 201 and images(answer.body) == [RESOLVED]


def images(found: Json) -> list[str]:
    return [one["image"] for one in found["spec"]["containers"]]


def owner(api_version: str, kind: str) -> list[Json]:
    uid = "5d1c2f3e-0000-4000-8000-000000000001"
    return [{"apiVersion": api_version, "kind": kind, "name": "web", "uid": uid, "controller": True}]
