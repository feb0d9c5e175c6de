"""Server-side apply with kubectl, over HTTP."""

from __future__ import annotations

import json

from tests.integration.api import STREAMS, TAGS, stream

APPLY = "application/apply-patch+yaml"
TAG = {"name": "v1", "from": {"kind": "DockerImage", "name": "quay.io/acme/app:1"}}


def wanted(image: str = "quay.io/acme/app:1") -> dict:
    return {**stream("app"), "spec": {"tags": [{**TAG, "from": {"kind": "DockerImage", "name": image}}]}}


def version(kubectl) -> str:
    return kubectl.ok("get", "is", "app", "-o", "jsonpath={.metadata.resourceVersion}")


def managers(kubectl) -> dict:
    got = json.loads(kubectl.ok("get", "is", "app", "-o", "json", "--show-managed-fields"))
    return {one["manager"]: one["operation"] for one in got["metadata"]["managedFields"]}


def test_applying_twice_writes_once(kubectl):
    apply = ("apply", "--server-side", "-f", "-")
    assert "serverside-applied" in kubectl.ok(*apply, given=wanted())
    before = version(kubectl)
    assert "serverside-applied" in kubectl.ok(*apply, given=wanted())
    assert version(kubectl) == before


def test_a_conflict_is_told_and_force_resolves_it(kubectl):
    kubectl.ok("apply", "--server-side", "--field-manager=one", "-f", "-", given=wanted())
    other = ("apply", "--server-side", "--field-manager=two", "-f", "-")
    refused = kubectl.run(*other, given=wanted("quay.io/acme/app:2"))
    assert refused.returncode == 1
    assert 'conflict with "one": .spec.tags[name="v1"].from' in refused.stderr
    kubectl.ok(*other, "--force-conflicts", given=wanted("quay.io/acme/app:2"))
    assert managers(kubectl)["two"] == "Apply"


def test_client_side_apply_migrates_to_the_server(kubectl):
    kubectl.ok("apply", "-f", "-", given=wanted())
    assert managers(kubectl) == {"kubectl-client-side-apply": "Update"}
    for _ in range(2):
        assert "serverside-applied" in kubectl.ok(
            "apply", "--server-side", "-f", "-", given=wanted("quay.io/acme/app:2")
        )
    before = version(kubectl)
    kubectl.ok("apply", "--server-side", "-f", "-", given=wanted("quay.io/acme/app:2"))
    assert version(kubectl) == before
    assert managers(kubectl)["kubectl"] == "Apply"


def test_a_write_of_the_status_is_noted_as_such(api, namespace):
    path = STREAMS.format(namespace)
    api.post(path, stream("app"))
    status = {"tags": [{"tag": "x", "items": None, "conditions": []}]}
    changed = api.call("PATCH", f"{path}/app/status?fieldManager=c", {"status": status}, "application/merge-patch+json")
    assert changed.code == 200
    entries = changed.json["metadata"]["managedFields"]
    assert [one["manager"] for one in entries if one.get("subresource") == "status"] == ["c"]


def test_an_image_stream_tag_says_that_it_cannot_be_applied(api, namespace):
    body = {"apiVersion": "image.openshift.io/v1", "kind": "ImageStreamTag", "metadata": {"name": "app:v1"}}
    refused = api.call("PATCH", f"{TAGS.format(namespace)}/app:v1?fieldManager=c", body, APPLY)
    assert (refused.code, refused.json["reason"]) == (415, "UnsupportedMediaType")
