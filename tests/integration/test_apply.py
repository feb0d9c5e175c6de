"""Server-side apply with kubectl, over HTTP."""

from __future__ import annotations

import json

import pytest

from tests.integration.api import STREAMS, give, stream

# A reference, so that the import controller has no reason to write.
TAG = {"name": "v1", "reference": True, "from": {"kind": "DockerImage", "name": "quay.io/acme/app:1"}}


def wanted(image: str = "quay.io/acme/app:1") -> dict:
    return {**stream("app"), "spec": {"tags": [{**TAG, "from": {"kind": "DockerImage", "name": image}}]}}


def version(kubectl) -> str:
    return kubectl.ok("get", "is", "app", "-o", "jsonpath={.metadata.resourceVersion}")


def managers(kubectl) -> dict:
    # Newer kubectl leaves managedFields out of JSON, older kubectl has no flag that says otherwise.
    found = json.loads(kubectl.ok("get", "is", "app", "-o", "jsonpath={.metadata.managedFields}"))
    return {one["manager"]: one["operation"] for one in found}


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
    api.post(path, stream("app", lookup=True))
    status = {"tags": [{"tag": "x", "items": None, "conditions": []}]}
    changed = api.call("PATCH", f"{path}/app/status?fieldManager=c", {"status": status}, "application/merge-patch+json")
    assert changed.code == 200
    entries = changed.json["metadata"]["managedFields"]
    assert [one["manager"] for one in entries if one.get("subresource") == "status"] == ["c"]


def wanted_tag(image: str = "quay.io/acme/app:1", kind: str = "ImageStreamTag", part: str = "tag") -> dict:
    tag = {"reference": True, "from": {"kind": "DockerImage", "name": image}}
    return {"apiVersion": "image.openshift.io/v1", "kind": kind, "metadata": {"name": "app:v1"}, part: tag}


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        pytest.param("ImageStreamTag", "tag", id="an image stream tag"),
        pytest.param("ImageTag", "spec", id="an image tag"),
    ],
)
def test_a_tag_is_applied_by_two_managers(kubectl, kind, part):
    one = ("apply", "--server-side", "--field-manager=one", "-f", "-")
    assert "serverside-applied" in kubectl.ok(*one, given=wanted_tag(kind=kind, part=part))
    before = version(kubectl)
    assert "serverside-applied" in kubectl.ok(*one, given=wanted_tag(kind=kind, part=part))
    assert version(kubectl) == before
    two = ("apply", "--server-side", "--field-manager=two", "-f", "-")
    refused = kubectl.run(*two, given=wanted_tag("quay.io/acme/app:2", kind, part))
    assert refused.returncode == 1
    assert f'conflict with "one" with subresource "{kind.lower()}s": .{part}.from' in refused.stderr
    kubectl.ok(*two, "--force-conflicts", given=wanted_tag("quay.io/acme/app:2", kind, part))
    assert managers(kubectl) == {"one": "Apply", "two": "Apply"}


def alias(source: str) -> dict:
    tag = {"from": {"kind": "ImageStreamTag", "name": source}}
    meta = {"name": "app:v1"}
    return {"apiVersion": "image.openshift.io/v1", "kind": "ImageStreamTag", "metadata": meta, "tag": tag}


def test_client_side_apply_of_a_tag_migrates_to_the_server(api, kubectl, namespace):
    api.post(STREAMS.format(namespace), stream("base"))
    for tag, digest in ("1", "sha256:" + "1" * 64), ("2", "sha256:" + "2" * 64):
        give(api, namespace, "base", tag, "quay.io/acme/base", digest)
    kubectl.ok("apply", "-f", "-", given=alias("base:1"))
    # A new image stream tag has no annotations (image-api 3.4), so kubectl notices only now that it lacks its own.
    assert (
        "missing the kubectl.kubernetes.io/last-applied"
        in kubectl.run("apply", "-f", "-", given=alias("base:1")).stderr
    )
    server_side = ("apply", "--server-side", "-f", "-")
    for _ in range(2):
        assert "serverside-applied" in kubectl.ok(*server_side, given=alias("base:2"))
    before = version(kubectl)
    kubectl.ok(*server_side, given=alias("base:2"))
    assert version(kubectl) == before
    assert managers(kubectl)["kubectl"] == "Apply"
