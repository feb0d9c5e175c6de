"""Where namespaces are real, nothing is created without one or in one that is being deleted (contract 3.10)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.integration.api import IMPORTS, STREAMS, TAGS, Api, import_request, stream
from tests.integration.kubectl import Kubectl
from tests.integration.servers import Server

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
NAMESPACES = "/api/v1/namespaces"
GROUP = "/apis/image.openshift.io/v1/namespaces/{}"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("strict") / "data", "--strict", "--no-controllers", "--workers", "1") as server:
        yield server


@pytest.fixture(scope="module")
def api(server: Server) -> Iterator[Api]:
    with Api(server) as api:
        yield api


@pytest.fixture
def shop(api: Api) -> str:
    """A namespace that is there."""
    name = f"shop-{next(_numbers)}"
    assert api.post(NAMESPACES, {"kind": "Namespace", "metadata": {"name": name}}).code == 201
    return name


@pytest.fixture
def closing(api: Api, shop: str) -> str:
    """A namespace that is being deleted, and still held by a finalizer."""
    held = {"metadata": {"finalizers": ["example.com/audit"]}}
    assert api.patch(f"{NAMESPACES}/{shop}", held).code == 200
    deleted = api.call("DELETE", f"{NAMESPACES}/{shop}")
    assert "deletionTimestamp" in deleted.json["metadata"]
    return shop


def tag(name: str, kind: str = "ImageStreamTag") -> dict:
    source = {"from": {"kind": "DockerImage", "name": "quay.io/library/php:8.2"}}
    return {"kind": kind, "metadata": {"name": name}, "tag" if kind == "ImageStreamTag" else "spec": source}


SECRET = {"kind": "Secret", "metadata": {"name": "php"}}
POD = {"kind": "Pod", "metadata": {"name": "php"}, "spec": {"containers": []}}
CREATIONS = {
    "a stream": ("POST", STREAMS, stream("php"), ""),
    "a stream by apply": ("PATCH", STREAMS + "/php?fieldManager=a", stream("php"), APPLY),
    "a stream in a dry run": ("POST", STREAMS + "?dryRun=All", stream("php"), ""),
    "a stream tag": ("POST", TAGS, tag("php:8.2"), ""),
    "a stream tag by replacing": ("PUT", TAGS + "/php:8.2", tag("php:8.2"), ""),
    "a stream tag by patching": ("PATCH", TAGS + "/php:8.2", tag("php:8.2"), MERGE),
    "an image tag": ("POST", GROUP + "/imagetags", tag("php:8.2", "ImageTag"), ""),
    "an image tag by replacing": ("PUT", GROUP + "/imagetags/php:8.2", tag("php:8.2", "ImageTag"), ""),
    "an import": ("POST", IMPORTS, import_request("php", ("127.0.0.1:1/team/app:1", "v1")), ""),
    "an import that stores nothing": (
        "POST",
        IMPORTS,
        import_request("php", ("127.0.0.1:1/team/app:1", "v1"), store=False),
        "",
    ),
    "a secret": ("POST", NAMESPACES + "/{}/secrets", SECRET, ""),
    "a pod": ("POST", NAMESPACES + "/{}/pods", POD, ""),
}


@pytest.mark.parametrize("creation", CREATIONS.values(), ids=CREATIONS)
def test_nothing_is_created_in_a_namespace_that_is_not_there(api, creation):
    method, path, body, content_type = creation
    answer = api.call(method, path.format("nowhere"), body, content_type or "application/json")
    assert (answer.code, answer.json["reason"]) == (404, "NotFound")
    assert answer.json["message"] == 'namespaces "nowhere" not found'
    assert answer.json["details"] == {"name": "nowhere", "kind": "namespaces"}


@pytest.mark.parametrize("creation", CREATIONS.values(), ids=CREATIONS)
def test_nothing_is_created_in_a_namespace_that_is_being_deleted(api, closing, creation):
    method, path, body, content_type = creation
    answer = api.call(method, path.format(closing), body, content_type or "application/json")
    assert (answer.code, answer.json["reason"]) == (403, "Forbidden")
    assert answer.json["details"]["causes"] == [
        {
            "reason": "NamespaceTerminating",
            "message": f"namespace {closing} is being terminated",
            "field": "metadata.namespace",
        }
    ]


def test_the_refusal_names_the_object_and_the_namespace(api, closing):
    answer = api.post(STREAMS.format(closing), stream("php"))
    assert answer.json["message"] == (
        f'imagestreams.image.openshift.io "php" is forbidden: unable to create new content in namespace {closing}'
        " because it is being terminated"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_body_is_read_before_its_namespace_is_looked_for(api):
    assert api.post(STREAMS.format("nowhere"), b"{").code == 400


def test_a_read_or_a_deletion_needs_no_namespace(api):
    path = STREAMS.format("nowhere")
    assert (api.get(path).code, api.get(path).json["items"]) == (200, [])
    assert api.get(f"{path}/php").json["message"] == 'imagestreams.image.openshift.io "php" not found'
    assert api.call("DELETE", path).json["items"] == []


def test_what_is_in_a_namespace_can_still_be_changed_and_deleted_while_it_is_being_deleted(api, shop):
    path = f"{STREAMS.format(shop)}/php"
    api.post(STREAMS.format(shop), stream("php"))
    api.patch(path, {"metadata": {"finalizers": ["example.com/audit"]}})
    api.patch(f"{NAMESPACES}/{shop}", {"metadata": {"finalizers": ["example.com/audit"]}})
    api.call("DELETE", f"{NAMESPACES}/{shop}")

    changed = api.patch(path, {"metadata": {"labels": {"late": "yes"}}})
    assert changed.json["metadata"]["labels"] == {"late": "yes"}
    assert api.call("DELETE", path).code == 200
    assert api.patch(path, {"metadata": {"finalizers": []}}).code == 200
    assert api.get(path).code == 404


def test_a_namespace_waits_for_the_finalizers_of_what_is_in_it(api, shop):
    path = f"{STREAMS.format(shop)}/php"
    held = stream("php")
    held["metadata"]["finalizers"] = ["example.com/audit"]
    api.post(STREAMS.format(shop), held)
    api.post(STREAMS.format(shop), stream("ruby"))

    deleted = api.call("DELETE", f"{NAMESPACES}/{shop}")
    waiting = api.get(path)
    assert deleted.json["kind"] == "Namespace"
    assert "deletionTimestamp" in waiting.json["metadata"]
    assert api.get(f"{STREAMS.format(shop)}/ruby").code == 404
    assert api.post(STREAMS.format(shop), stream("perl")).code == 403

    api.patch(path, {"metadata": {"finalizers": []}})
    assert api.get(f"{NAMESPACES}/{shop}").code == 404


def test_kubectl_says_which_namespace_is_missing(server, tmp_path):
    done = Kubectl(server, tmp_path, "nowhere").run("create", "-f", "-", given=stream("php"))
    assert done.returncode == 1
    assert done.stderr.endswith('namespaces "nowhere" not found\n')


def test_kubectl_deletes_a_namespace_with_all_that_is_in_it(server, api, shop, tmp_path):
    kubectl = Kubectl(server, tmp_path)
    kubectl.ok("create", "-n", shop, "-f", "-", given=stream("php"))
    assert kubectl.ok("delete", "namespace", shop, "--timeout=30s") == f'namespace "{shop}" deleted\n'
    assert api.get(f"{NAMESPACES}/{shop}").code == 404
    assert api.get(STREAMS.format(shop)).json["items"] == []
