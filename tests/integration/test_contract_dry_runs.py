"""A dry run of any verb on any resource answers as if, and leaves nothing behind (api-server contract 3.3, 3.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.integration.api import IMPORTS, STREAMS, TAGS, Answer, Api, give, import_request, stream
from tests.integration.servers import Server

GV = "/apis/image.openshift.io/v1"
INSIDE = f"{GV}/namespaces/shop"
SHOP = STREAMS.format("shop")
HELD = "sha256:" + "d1" * 32
OTHER = "sha256:" + "d2" * 32
SIGNED = f"{HELD}@0123456789abcdef0123456789abcdef"
JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
LABEL = {"metadata": {"labels": {"dry": "run"}}}
CORE = "/api/v1/namespaces/shop"


def image(name: str) -> dict:
    reference = f"quay.io/library/php@{name}"
    return {
        "kind": "Image",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": name},
        "dockerImageReference": reference,
    }


def tag(name: str, kind: str = "ImageStreamTag") -> dict:
    source = {"from": {"kind": "ImageStreamTag", "name": "php:8.2"}}
    return {"kind": kind, "metadata": {"name": name}, "tag" if kind == "ImageStreamTag" else "spec": source}


def pod(name: str) -> dict:
    return {"kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [{"name": "web", "image": "php:8.2"}]}}


def mapping() -> dict:
    return {"kind": "ImageStreamMapping", "metadata": {"name": "php"}, "tag": "pushed", "image": image(OTHER)}


class Write(NamedTuple):
    """One write; `{}` as the body of a PUT stands for the object with one label more."""

    method: str
    path: str
    body: object = None
    content_type: str = "application/json"


WRITES = {
    "create a stream": Write("POST", SHOP, stream("new")),
    "replace a stream": Write("PUT", f"{SHOP}/php", {}),
    "merge into a stream": Write("PATCH", f"{SHOP}/php", LABEL, MERGE),
    "merge strategically into a stream": Write("PATCH", f"{SHOP}/php", {"spec": {"tags": [{"name": "x"}]}}, STRATEGIC),
    "patch a stream": Write("PATCH", f"{SHOP}/php", [{"op": "remove", "path": "/spec/lookupPolicy"}], JSON_PATCH),
    "apply a stream": Write("PATCH", f"{SHOP}/php?fieldManager=a", {**stream("php"), **LABEL}, APPLY),
    "apply a new stream": Write("PATCH", f"{SHOP}/new?fieldManager=a", stream("new"), APPLY),
    "delete a stream": Write("DELETE", f"{SHOP}/php"),
    "delete a stream and orphan": Write("DELETE", f"{SHOP}/php?propagationPolicy=Orphan"),
    "delete all streams": Write("DELETE", SHOP),
    "replace a status": Write("PUT", f"{SHOP}/php/status", {}),
    "merge into a status": Write("PATCH", f"{SHOP}/php/status", {"status": {"tags": []}}, MERGE),
    "create an image": Write("POST", f"{GV}/images", image(OTHER)),
    "replace an image": Write("PUT", f"{GV}/images/{HELD}", {}),
    "merge into an image": Write("PATCH", f"{GV}/images/{HELD}", LABEL, MERGE),
    "apply an image": Write("PATCH", f"{GV}/images/{HELD}?fieldManager=a", {**image(HELD), **LABEL}, APPLY),
    "delete an image": Write("DELETE", f"{GV}/images/{HELD}"),
    "delete all images": Write("DELETE", f"{GV}/images"),
    "create a signature": Write(
        "POST", f"{GV}/imagesignatures", {"metadata": {"name": SIGNED}, "type": "atomic", "content": "c2ln"}
    ),
    "create a stream tag": Write("POST", TAGS.format("shop"), tag("php:new")),
    "create a stream tag and its stream": Write("POST", TAGS.format("shop"), tag("new:latest")),
    "replace a stream tag": Write("PUT", f"{INSIDE}/imagestreamtags/php:8.2", tag("php:8.2")),
    "create a stream tag by replacing": Write("PUT", f"{INSIDE}/imagestreamtags/new:latest", tag("new:latest")),
    "merge into a stream tag": Write(
        "PATCH", f"{INSIDE}/imagestreamtags/php:8.2", {"tag": {"from": {"kind": "DockerImage", "name": "a/b"}}}, MERGE
    ),
    "delete a stream tag": Write("DELETE", f"{INSIDE}/imagestreamtags/php:8.2"),
    "create an image tag": Write("POST", f"{INSIDE}/imagetags", tag("php:new", "ImageTag")),
    "create an image tag by replacing": Write("PUT", f"{INSIDE}/imagetags/php:new", tag("php:new", "ImageTag")),
    "delete an image tag": Write("DELETE", f"{INSIDE}/imagetags/php:8.2"),
    "push": Write("POST", f"{INSIDE}/imagestreammappings", mapping()),
    "import": Write("POST", IMPORTS.format("shop"), import_request("php", ("127.0.0.1:1/team/app:1", "imported"))),
    "import a new stream": Write(
        "POST", IMPORTS.format("shop"), import_request("new", ("127.0.0.1:1/team/app:1", "v"))
    ),
    "create a pod": Write("POST", f"{CORE}/pods", pod("new")),
    "replace a pod": Write("PUT", f"{CORE}/pods/web", {}),
    "merge into a pod": Write("PATCH", f"{CORE}/pods/web", LABEL, MERGE),
    "merge into the status of a pod": Write("PATCH", f"{CORE}/pods/web/status", {"status": {"phase": "Failed"}}, MERGE),
    "delete a pod": Write("DELETE", f"{CORE}/pods/web"),
    "delete all pods": Write("DELETE", f"{CORE}/pods"),
    "create a secret": Write("POST", f"{CORE}/secrets", {"kind": "Secret", "metadata": {"name": "new"}}),
    "delete a secret": Write("DELETE", f"{CORE}/secrets/pull"),
    "create a namespace": Write("POST", "/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": "new"}}),
    "delete a namespace": Write("DELETE", "/api/v1/namespaces/shop"),
}
STATE = ("/api/v1/namespaces", "/api/v1/secrets", "/api/v1/pods", f"{GV}/images", f"{GV}/imagestreams")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server of its own, for nothing else must write to it, with one object of each kind in the namespace shop."""
    folder = tmp_path_factory.mktemp("dry-runs")
    with Server(folder / "data", "--no-controllers", "--workers", "1") as server, Api(server) as api:
        for path, body in (
            ("/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": "shop"}}),
            (f"{CORE}/secrets", {"kind": "Secret", "metadata": {"name": "pull"}}),
            (f"{CORE}/pods", pod("web")),
            (SHOP, stream("php", tags=[{"name": "8.2"}])),
        ):
            assert api.post(path, body).code == 201
        give(api, "shop", "php", "8.2", "quay.io/library/php", HELD)
        yield api


def state(api: Api) -> dict:
    """Everything that is stored, with the version of the whole store."""
    return {path: api.get(path).json for path in STATE}


def written(api: Api, write: Write, query: str) -> Answer:
    body = write.body
    if write.method == "PUT" and not body:
        body = api.get(write.path).json
        body["metadata"]["labels"] = {"dry": "run"}
    joined = f"{write.path}{'&' if '?' in write.path else '?'}{query}"
    return api.call(write.method, joined, body, write.content_type)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_dry_run_succeeds_and_stores_nothing(api, write):
    before = state(api)
    answer = written(api, write, "dryRun=All")
    assert answer.code in (200, 201), answer.body
    assert state(api) == before


def test_a_dry_run_of_a_deletion_may_be_asked_for_in_its_body(api):
    before = state(api)
    deleted = api.call("DELETE", f"{SHOP}/php", {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]})
    assert (deleted.code, deleted.json["status"]) == (200, "Success")
    assert state(api) == before


def test_a_created_object_has_a_uid_and_a_time_but_no_version_in_a_dry_run(api):
    meta = api.post(f"{SHOP}?dryRun=All", stream("new")).json["metadata"]
    assert meta["uid"]
    assert meta["creationTimestamp"]
    assert "resourceVersion" not in meta


def test_a_dry_run_is_refused_where_the_write_would_be(api):
    assert api.post(f"{SHOP}?dryRun=All", stream("php")).code == 409
    assert api.post(f"{SHOP}?dryRun=All", stream("PHP")).code == 422
    assert api.call("DELETE", f"{SHOP}/ruby?dryRun=All").code == 404
