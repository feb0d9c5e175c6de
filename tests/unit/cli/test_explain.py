"""`imagestreams explain`: the story of each image, from files and from a cluster."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.examples import DIGEST, PHP, pod, put, stream
from tests.unit.kube.conftest import api
from webhook.admission.story import Node
from webhook.cli.main import main
from webhook.cli.tree import drawn

__all__ = ["api"]

STREAMS = {"kind": "ImageStreamList", "apiVersion": "image.openshift.io/v1", "metadata": {}, "items": [stream()]}
STREAMS_PATH = "/apis/image.openshift.io/v1/namespaces/demo/imagestreams"


@pytest.fixture
def explained(folder, capsys):
    """Runs `imagestreams explain`: exit code, lines, errors."""

    def explained(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(["explain", *arguments])
        printed = capsys.readouterr()
        return caught.value.code, printed.out.splitlines(), printed.err

    return explained


@pytest.fixture
def of_file(folder, explained):
    def of_file(text, *arguments):
        put(folder, "pod.yaml", text)
        code, lines, errors = explained("-f", "pod.yaml", "-s", "streams.yaml", *arguments)
        assert (code, errors) == (0, "")
        return lines

    return of_file


def test_a_resolved_name_is_told_from_the_stream_to_the_image(of_file):
    assert of_file(pod("php:8.2")) == [
        "Pod/p in namespace demo",
        "└─ spec.containers[0].image: php:8.2",
        "   ├─ image stream demo/php",
        "   │  ├─ allows local lookup",
        f"   │  └─ tag 8.2 is {PHP}, since generation 0",
        f"   └─ becomes {PHP}",
    ]


def test_programs_get_the_same_tree_as_json(of_file):
    (story,) = json.loads("\n".join(of_file(pod("nginx"), "-o", "json")))
    (image,) = story["below"]
    assert (story["text"], image["text"]) == ("Pod/p in namespace demo", "spec.containers[0].image: nginx")
    assert image["below"][-1] == {"text": "stays as written"}


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        ("php:8.9", "demo/php has no tag 8.9; its tags: 8.2"),
        ("php:8.9", "imagestreams import php:8.9 -n demo"),
        ("nginx", "There is no image stream demo/nginx."),
        ("quay.io/a/b:1", "only names of one word are looked up"),
    ],
)
def test_a_name_that_stays_is_told_why(of_file, image, sentence):
    lines = of_file(pod(image))
    assert any(sentence in line for line in lines)
    assert lines[-1].endswith("stays as written")


def test_hints_stand_with_the_reason(of_file, folder):
    put(folder, "closed.yaml", json.dumps(stream(local=False)))
    lines = of_file(pod("php:8.2"), "-s", "closed.yaml")
    assert any("kubectl patch imagestream php -n demo" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("apiVersion: v1\nkind: Service\nmetadata: {name: web}\n", "Images of objects of this kind are not looked up."),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n", "It has no images that are looked up."),
        ("apiVersion: v1\nkind: Pod\nspec: {containers: 7}\n", "The object cannot be read: "),
        ("apiVersion: v1\nkind: ReplicationController\nmetadata: {name: web}\n", "refused: "),
    ],
    ids=["another kind", "no images", "an odd shape", "no template"],
)
def test_objects_without_a_story(of_file, text, sentence):
    assert sentence in of_file(text)[-1]


def test_platform_namespaces_are_named(of_file):
    lines = of_file(pod("php:8.2", "kube-system"))
    assert any("belongs to the platform" in line for line in lines)
    assert any("Use another: not default, kube-public, kube-system, openshift," in line for line in lines)


@pytest.mark.parametrize(
    ("tag", "why"),
    [
        pytest.param(
            {"reference": True, "from": {"kind": "DockerImage", "name": "quay.io/acme/php:8.3"}},
            "it only points at quay.io/acme/php:8.3 (reference: true), so nothing is imported",
            id="a reference",
        ),
        pytest.param(
            {"from": {"kind": "ImageStreamTag", "name": "gone"}},
            "it comes from tag gone, which has none",
            id="an alias",
        ),
        pytest.param(
            {"from": {"kind": "DockerImage", "name": "quay.io/acme/php"}}, "it was not imported yet", id="new"
        ),
    ],
)
def test_why_a_tag_has_no_image_is_said_though_no_import_failed(of_file, folder, tag, why):
    empty = {**stream(), "spec": {"lookupPolicy": {"local": True}, "tags": [{"name": "8.3", **tag}]}}
    put(folder, "empty.yaml", json.dumps(empty))
    lines = of_file(pod("php:8.3"), "-s", "empty.yaml")
    assert any(line.endswith(f"tag 8.3 has no image: {why}") for line in lines)


def test_a_tag_that_kept_its_image_while_imports_fail_says_so(of_file, folder):
    kept = stream()
    kept["status"]["tags"][0]["conditions"] = [
        {
            "type": "ImportSuccess",
            "status": "False",
            "lastTransitionTime": "2026-03-01T12:00:00Z",
            "message": "you may not have access",
        }
    ]
    put(folder, "kept.yaml", json.dumps(kept))
    lines = of_file(pod("php:8.2"), "-s", "kept.yaml")
    assert any(
        line.endswith("imports have failed since 2026-03-01T12:00:00Z: you may not have access") for line in lines
    )
    assert "becomes " in lines[-1]


def test_a_pod_of_a_controller_is_told_whom_to_ask(of_file):
    owner = "ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web, uid: u, controller: true}]"
    lines = of_file(pod("php:8.2").replace("name: p", f"name: p, {owner}"))
    assert any("imagestreams explain KIND/NAME" in line for line in lines)


def test_namespaces_of_the_cluster_are_known_by_their_run_level(explained, api, folder):
    put(folder, "pod.yaml", pod("php:8.2", "monitoring"))
    labels = {"openshift.io/run-level": "1"}
    api.expect("GET", "/api/v1/namespaces/monitoring", (200, {"metadata": {"labels": labels}}))
    api.expect("GET", "/apis/image.openshift.io/v1/namespaces/monitoring/imagestreams", (200, {**STREAMS, "items": []}))
    code, lines, _ = explained("-f", "pod.yaml", "--server", api.server)
    assert (code, any("belongs to the platform" in line for line in lines)) == (0, True)


def test_labels_that_keep_the_webhook_away_are_named(explained, api, folder):
    labels = {"image.openshift.io/admission": "ignore"}
    put(folder, "pod.yaml", pod("php:8.2", "shop").replace("name: p", "name: p, labels: " + json.dumps(labels)))
    api.expect("GET", "/api/v1/namespaces/shop", (200, {"metadata": {"labels": labels}}))
    api.expect("GET", "/apis/image.openshift.io/v1/namespaces/shop/imagestreams", (200, {**STREAMS, "items": []}))
    _, lines, _ = explained("-f", "pod.yaml", "--server", api.server)
    told = "has the label image.openshift.io/admission: ignore, so manifests/webhook has nothing resolved in it."
    assert [line.partition(" has ")[0].split()[-1] for line in lines if line.endswith(told)] == ["object", "namespace"]


def test_images_of_the_cluster_are_known_to_a_policy_that_requires_them(explained, api, folder):
    put(folder, "required.yaml", "resolveImages: Required")
    put(folder, "pod.yaml", pod(PHP, "demo"))
    api.expect("GET", f"/apis/image.openshift.io/v1/images/{DIGEST}", (200, {"metadata": {"name": DIGEST}}))
    code, lines, _ = explained("-f", "pod.yaml", "--server", api.server, "--admission-config", "required.yaml")
    assert (code, any("names its image by digest already" in line for line in lines)) == (0, True)


def test_what_a_registry_said_does_not_speak_to_the_terminal():
    node = Node("Pod/p", (Node("tag 9 has no image: \x1b[2Jgone\a", (Node("why\x9b"),)),))
    assert drawn(node) == "Pod/p\n└─ tag 9 has no image: ?[2Jgone?\n   └─ why?\n"


def test_the_configuration_of_the_server_is_part_of_the_story(of_file, folder):
    put(folder, "admission.yaml", "extensions: {skip: {containers: [a]}}")
    assert any(
        "leaves php:8.2 alone" in line for line in of_file(pod("php:8.2"), "--admission-config", "admission.yaml")
    )
    put(folder, "required.yaml", "resolveImages: Required")
    assert "refused: Pod" in of_file(pod("nginx"), "--admission-config", "required.yaml")[-1]


def test_a_stored_object_tells_what_its_images_were(explained, api):
    old = "quay.io/library/php@sha256:" + "0" * 64
    records = {
        "web": {"written": "php:8.2", "image": PHP, "stream": "demo/php", "tag": "8.2", "generation": 3},
        "job": {"written": "php:8.2", "image": old, "stream": "demo/php", "tag": "8.2"},
    }
    metadata = {"name": "web", "annotations": {"image.openshift.io/resolved-images": json.dumps(records)}}
    containers = [{"name": "web", "image": PHP}, {"name": "job", "image": old}]
    stored = {"kind": "Deployment", "metadata": metadata, "spec": {"template": {"spec": {"containers": containers}}}}
    api.expect("GET", "/apis/apps", (200, {"preferredVersion": {"groupVersion": "apps/v1"}}))
    api.expect("GET", "/apis/apps/v1/namespaces/demo/deployments/web", (200, stored))
    api.expect("GET", STREAMS_PATH, (200, STREAMS))
    code, lines, _ = explained("deploy/web", "-n", "demo", "--server", api.server)
    assert code == 0
    assert "was php:8.2: tag 8.2 of image stream demo/php at generation 3" in "\n".join(lines)
    assert any("the tag still means this image" in line for line in lines)
    assert any(f"the tag means {PHP} now" in line for line in lines)


def test_an_object_that_is_not_there_is_said_in_one_sentence(explained, api):
    code, _, errors = explained("pod/web", "-n", "demo", "--server", api.server)
    assert (code, "there is no pod/web in namespace demo of" in errors) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "give either objects as KIND/NAME, or files with -f"),
        (["pod/web", "-f", "x.yaml"], "give either objects as KIND/NAME, or files with -f"),
        (["web", "--server", "https://127.0.0.1:1"], "web names no object; write KIND/NAME, such as deployment/web"),
        (["service/web", "--server", "https://127.0.0.1:1"], "images of service are not looked up; those of builds, "),
    ],
)
def test_wrong_usage_is_said_in_one_sentence(explained, arguments, sentence):
    code, _, errors = explained(*arguments)
    assert code == 2
    assert sentence in errors


def test_a_configuration_that_cannot_be_used_is_said_in_one_sentence(explained, folder):
    put(folder, "admission.yaml", "resolveImages: Perhaps")
    code, _, errors = explained("-f", "x.yaml", "-s", "streams.yaml", "--admission-config", "admission.yaml")
    assert (code, "cannot be used as --admission-config: resolveImages: " in errors) == (1, True)
    assert DIGEST not in errors
