"""Everyday kubectl (1.20 and newer) on image streams: every command succeeds without a warning."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.integration.api import Api, give, stream
from tests.integration.kubectl import Kubectl

DIGEST = "sha256:" + "a1" * 32
SOURCE = "quay.io/library/php"


@pytest.fixture
def php(api: Api, kubectl: Kubectl, namespace: str) -> Kubectl:
    """kubectl in a namespace with the stream php, tag 8.2 imported."""
    kubectl.ok("create", "-f", "-", given=stream("php"))
    give(api, namespace, "php", "8.2", SOURCE, DIGEST)
    return kubectl


def namespace_object(name: str) -> dict:
    return {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}}


def read(kubectl: Kubectl, *what: str) -> dict:
    return json.loads(kubectl.ok("get", *what, "-o", "json"))


def test_it_creates_a_stream(kubectl):
    assert kubectl.ok("create", "-f", "-", given=stream("php")) == "imagestream.image.openshift.io/php created\n"


def test_it_lists_streams_as_a_table_with_our_columns(php):
    header, row = php.ok("get", "imagestreams").splitlines()
    assert header.split() == ["NAME", "IMAGE", "REPOSITORY", "TAGS", "UPDATED"]
    assert row.split()[:2] == ["php", "8.2"]


def test_it_lists_stream_tags_as_a_table(php):
    header, row = php.ok("get", "imagestreamtags").splitlines()
    assert header.split() == ["NAME", "IMAGE", "REFERENCE", "UPDATED"]
    assert row.split()[:2] == ["php:8.2", f"{SOURCE}@{DIGEST}"]


def test_it_knows_the_short_names(php):
    assert php.ok("get", "is,istag", "-o", "name").split() == [
        "imagestream.image.openshift.io/php",
        "imagestreamtag.image.openshift.io/php:8.2",
    ]


def test_it_reads_a_stream_as_yaml(php):
    got = yaml.safe_load(php.ok("get", "imagestream", "php", "-o", "yaml"))
    assert (got["kind"], got["apiVersion"], got["metadata"]["name"]) == (
        "ImageStream",
        "image.openshift.io/v1",
        "php",
    )
    assert got["status"]["tags"][0]["items"][0]["image"] == DIGEST


def test_it_lists_over_all_namespaces(php, namespace):
    rows = php.ok("get", "imagestreams", "--all-namespaces", "--no-headers").splitlines()
    assert [namespace, "php"] in [row.split()[:2] for row in rows]


def test_it_describes_a_stream(php):
    text = php.ok("describe", "imagestream", "php")
    assert "Name:         php" in text
    assert DIGEST in text


def test_it_applies_twice_and_says_what_changed(kubectl):
    assert kubectl.ok("apply", "-f", "-", given=stream("php")) == "imagestream.image.openshift.io/php created\n"
    assert kubectl.ok("apply", "-f", "-", given=stream("php")) == "imagestream.image.openshift.io/php unchanged\n"
    changed = stream("php", lookup=True)
    assert kubectl.ok("apply", "-f", "-", given=changed) == "imagestream.image.openshift.io/php configured\n"
    assert read(kubectl, "imagestream", "php")["spec"]["lookupPolicy"] == {"local": True}


def test_applying_without_a_tag_removes_it(kubectl):
    annotated = [{"name": name, "annotations": {"description": name}} for name in ("8.1", "8.2")]
    kubectl.ok("apply", "-f", "-", given=stream("php", tags=annotated))
    kubectl.ok("apply", "-f", "-", given=stream("php", tags=annotated[:1]))
    assert [tag["name"] for tag in read(kubectl, "imagestream", "php")["spec"]["tags"]] == ["8.1"]


def test_it_edits_with_the_users_editor(php, tmp_path):
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/local: false/local: true/' \"$1\"\n")
    editor.chmod(0o755)
    out = php.ok("edit", "imagestream", "php", KUBE_EDITOR=str(editor))
    assert out == "imagestream.image.openshift.io/php edited\n"
    assert read(php, "imagestream", "php")["spec"]["lookupPolicy"] == {"local": True}


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("merge", '{"spec":{"lookupPolicy":{"local":true}}}'),
        ("json", '[{"op":"replace","path":"/spec/lookupPolicy/local","value":true}]'),
        ("strategic", '{"spec":{"lookupPolicy":{"local":true}}}'),
    ],
)
def test_it_patches(php, kind, patch):
    out = php.ok("patch", "imagestream", "php", "--type", kind, "-p", patch)
    assert out == "imagestream.image.openshift.io/php patched\n"
    assert read(php, "imagestream", "php")["spec"]["lookupPolicy"] == {"local": True}


def test_a_strategic_patch_adds_a_tag_beside_the_others(kubectl):
    kubectl.ok("create", "-f", "-", given=stream("php", tags=[{"name": "8.1"}]))
    kubectl.ok("patch", "imagestream", "php", "-p", '{"spec":{"tags":[{"name":"8.2"}]}}')
    assert [tag["name"] for tag in read(kubectl, "imagestream", "php")["spec"]["tags"]] == ["8.1", "8.2"]


def test_it_labels_and_selects_by_label(php):
    assert php.ok("label", "imagestream", "php", "team=web") == "imagestream.image.openshift.io/php labeled\n"
    assert php.ok("get", "imagestreams", "-l", "team=web", "-o", "name") == "imagestream.image.openshift.io/php\n"
    assert php.ok("get", "imagestreams", "-l", "team!=web", "-o", "name") == ""


def test_it_annotates(php):
    out = php.ok("annotate", "imagestream", "php", "owner=web")
    assert out == "imagestream.image.openshift.io/php annotated\n"
    assert read(php, "imagestream", "php")["metadata"]["annotations"]["owner"] == "web"


def test_it_replaces_what_it_read(php):
    current = read(php, "imagestream", "php")
    current["spec"]["lookupPolicy"]["local"] = True
    assert php.ok("replace", "-f", "-", given=current) == "imagestream.image.openshift.io/php replaced\n"
    assert read(php, "imagestream", "php")["spec"]["lookupPolicy"] == {"local": True}


def test_replacing_what_somebody_else_has_changed_is_a_conflict(php):
    stale = read(php, "imagestream", "php")
    php.ok("annotate", "imagestream", "php", "owner=web")
    stale["spec"]["lookupPolicy"]["local"] = True
    done = php.run("replace", "-f", "-", given=stale)
    assert done.returncode == 1
    assert "the object has been modified" in done.stderr


def test_it_deletes_a_stream(php):
    assert php.ok("delete", "imagestream", "php") == 'imagestream.image.openshift.io "php" deleted\n'
    assert php.ok("get", "imagestreams", "-o", "name") == ""


def test_it_deletes_all_streams_of_a_namespace(php):
    php.ok("create", "-f", "-", given=stream("nginx"))
    assert len(php.ok("delete", "imagestreams", "--all").splitlines()) == 2
    assert php.ok("get", "imagestreams", "-o", "name") == ""


def test_what_does_not_exist_is_not_found(kubectl, namespace):
    # Newer kubectl looks at the namespace first, to say the more helpful thing.
    kubectl.ok("create", "-f", "-", given=namespace_object(namespace))
    done = kubectl.run("get", "imagestream", "php")
    assert done.returncode == 1
    assert done.stderr == 'Error from server (NotFound): imagestreams.image.openshift.io "php" not found\n'


def test_it_tags_by_creating_and_patching_a_stream_tag(php, api, namespace):
    give(api, namespace, "php", "8.1", SOURCE, "sha256:" + "b2" * 32)
    tag = {
        "kind": "ImageStreamTag",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": "php:latest"},
        "tag": {"from": {"kind": "ImageStreamTag", "name": "php:8.1"}},
    }
    php.ok("create", "-f", "-", given=tag)
    assert read(php, "imagestreamtag", "php:latest")["image"]["metadata"]["name"] == "sha256:" + "b2" * 32
    move = {"tag": {"from": {"kind": "ImageStreamTag", "name": "php:8.2"}}}
    php.ok("patch", "imagestreamtag", "php:latest", "--type", "merge", "-p", json.dumps(move))
    assert read(php, "imagestreamtag", "php:latest")["image"]["metadata"]["name"] == DIGEST


def test_it_deletes_a_stream_tag(php):
    assert php.ok("delete", "imagestreamtag", "php:8.2") == 'imagestreamtag.image.openshift.io "php:8.2" deleted\n'
    assert php.ok("get", "imagestreamtags", "-o", "name") == ""


def test_it_watches_changes_as_they_come(php):
    watch = php.start("get", "imagestreams", "--watch", "--no-headers", "-o", "custom-columns=L:.metadata.labels.step")
    try:
        assert watch.stdout.readline().strip() == "<none>"
        for step in ("one", "two"):
            php.ok("label", "--overwrite", "imagestream", "php", f"step={step}")
            assert watch.stdout.readline().strip() == step
    finally:
        watch.terminate()
        _, errors = watch.communicate(timeout=10)
    assert errors == ""


def test_watching_shows_the_table_with_the_same_columns(php):
    watch = php.start("get", "imagestreams", "--watch")
    try:
        assert watch.stdout.readline().split() == ["NAME", "IMAGE", "REPOSITORY", "TAGS", "UPDATED"]
        assert watch.stdout.readline().split()[:2] == ["php", "8.2"]
        php.ok("label", "imagestream", "php", "step=one")
        assert watch.stdout.readline().split()[:2] == ["php", "8.2"]
    finally:
        watch.terminate()
        watch.communicate(timeout=10)


def test_it_shows_what_apply_would_change(kubectl, tmp_path):
    kubectl.ok("apply", "-f", "-", given=stream("php"))
    changed = tmp_path / "stream.yaml"
    changed.write_text(yaml.safe_dump(stream("php", lookup=True)))
    done = kubectl.run("diff", "-f", str(changed))
    assert done.returncode == 1, done.stderr
    assert "+    local: true" in done.stdout


def test_namespaces_and_secrets_can_be_stored(kubectl, namespace):
    kubectl.ok("create", "-f", "-", given=namespace_object(namespace))
    secret = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "pull"}, "stringData": {"password": "secret"}}
    kubectl.ok("create", "-f", "-", given=secret)
    assert read(kubectl, "secret", "pull")["data"] == {"password": "c2VjcmV0"}
    assert read(kubectl, "namespace", namespace)["metadata"]["name"] == namespace


def test_discovery_lists_the_group(kubectl):
    names = kubectl.ok("api-resources", "--api-group", "image.openshift.io", "-o", "name").split()
    assert {"imagestreams.image.openshift.io", "imagestreamtags.image.openshift.io"} <= set(names)


def test_the_kubeconfig_is_for_its_owner_alone(server):
    assert Path(server.kubeconfig).stat().st_mode & 0o777 == 0o600
