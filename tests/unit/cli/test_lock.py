"""`imagestreams resolve --lock`: written once, then all that is asked."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.unit.cli.examples import DIGEST, PHP, REGISTRY, a_list, pod, put, stream

OTHER = "sha256:" + "77" * 32
ENTRY = {
    "pullSpec": PHP,
    "digest": DIGEST,
    "generation": 2,
    "imported": "2024-01-01T00:00:00Z",
    "from": "quay.io/library/php:8.2",
    "localLookup": True,
}


def php(**more):
    one = stream(**more)
    for entry in one["status"]["tags"]:
        entry["items"][0]["generation"] = 2
    one["spec"]["tags"] = [{"name": "8.2", "from": {"kind": "DockerImage", "name": "quay.io/library/php:8.2"}}]
    return one


def moved(one, digest):
    return json.loads(json.dumps(one).replace(DIGEST, digest))


@pytest.fixture
def locked(folder, run):
    """Runs `resolve --lock images.lock` on a manifest, after writing it."""

    def locked(text, *arguments, streams=("-s", "streams.yaml")):
        put(folder, "pod.yaml", text)
        return run("-f", "pod.yaml", *streams, "--lock", "images.lock", *arguments)

    put(folder, "streams.yaml", yaml.safe_dump(a_list(php())))
    return locked


def lock_of(folder):
    return yaml.safe_load((folder / "images.lock").read_text())


def test_the_lock_says_what_was_looked_up_and_where_it_came_from(folder, locked):
    outcome = locked(pod("php:8.2") + "  - {name: b, image: 'nginx:1.27'}\n  - {name: c, image: quay.io/a/b}\n")
    assert outcome.err == "imagestreams: images.lock: 2 names locked\n"
    assert lock_of(folder) == {
        "version": 1,
        "namespace": "demo",
        "images": {"demo/nginx:1.27": {"found": False}, "demo/php:8.2": ENTRY},
    }


def test_each_fact_has_a_line_and_names_are_sorted(folder, locked):
    locked(pod("php:8.2") + "  - {name: b, image: 'nginx:1.27'}\n")
    lines = (folder / "images.lock").read_text().splitlines()
    assert lines[0].startswith("# What image names meant")
    assert lines[1:5] == ["images:", "  demo/nginx:1.27:", "    found: false", "  demo/php:8.2:"]
    assert f"    pullSpec: {PHP}" in lines


def test_a_lock_file_is_all_that_is_asked(folder, locked):
    first = locked(pod("php:8.2"))
    put(folder, "streams.yaml", yaml.safe_dump(a_list(moved(php(), OTHER))))
    assert locked(pod("php:8.2")).out == first.out == pod(PHP).encode()
    assert locked(pod("php:8.2"), streams=()).out == first.out, "no cluster is needed"


def test_the_namespace_of_the_run_is_locked_too(folder, locked, run):
    put(folder, "streams.yaml", yaml.safe_dump(a_list(php(), stream("ruby", "other"))))
    locked(pod("php:8.2"), "-n", "demo")
    assert locked(pod("php:8.2"), streams=()).out == pod(PHP).encode()


def test_an_updated_lock_follows_the_streams(folder, locked):
    locked(pod("php:8.2"))
    put(folder, "streams.yaml", yaml.safe_dump(a_list(moved(php(), OTHER))))
    assert OTHER.encode() in locked(pod("php:8.2"), "--update-lock").out
    assert lock_of(folder)["images"]["demo/php:8.2"]["digest"] == OTHER
    assert OTHER.encode() in locked(pod("php:8.2"), streams=()).out


def test_a_lock_that_says_the_same_is_not_written_again(folder, locked):
    locked(pod("php:8.2"))
    before = (folder / "images.lock").stat()
    assert locked(pod("php:8.2"), "--update-lock").err == ""
    after = (folder / "images.lock").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(php(), id="a tag with an image"),
        pytest.param(php(local=False), id="a stream without local lookup"),
        pytest.param(stream("ruby"), id="no such stream"),
        pytest.param(stream(tags=()), id="no such tag"),
        pytest.param(stream(tags=(), repository=f"{REGISTRY}/demo/php"), id="a tag that its repository stands in for"),
    ],
)
@pytest.mark.parametrize("annotation", ["", ', annotations: {alpha.image.policy.openshift.io/resolve-names: "*"}'])
def test_a_lock_decides_as_the_streams_did(folder, locked, first, annotation):
    put(folder, "streams.yaml", yaml.safe_dump(a_list(first)))
    text = pod("php:8.2").replace("name: p", f"name: p{annotation}")
    live = locked(text)
    assert locked(text, streams=()).out == live.out
    assert locked(text, "--explain", streams=()).out == locked(text, "--explain", "--update-lock").out


def test_a_name_that_is_not_in_the_lock_is_one_clear_failure(folder, locked):
    locked(pod("php:8.2"))
    outcome = locked(pod("php:8.3"))
    assert (outcome.code, outcome.out) == (1, b"")
    assert outcome.err == (
        "imagestreams: images.lock does not hold 1 name of these manifests; renew it with --update-lock\n"
        "  pod.yaml: Pod/p spec.containers[0].image: php:8.3 (demo/php:8.3)\n"
    )


def test_a_run_that_fails_its_requirement_leaves_the_lock(folder, locked):
    assert locked(pod("nginx"), "--require").code == 1
    assert not (folder / "images.lock").exists()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param("[", "while parsing", id="no YAML"),
        pytest.param("version: 2\nnamespace: demo\nimages: {}\n", "version 2 is not 1", id="another version"),
        pytest.param("images: {}\n", "missing required field", id="no version"),
        pytest.param(
            f"version: 1\nnamespace: demo\nimages: {{demo/php:8.2: {{pullSpec: 'php@{OTHER}', digest: '{DIGEST}'}}}}\n",
            "the pull spec of demo/php:8.2 does not end in its digest",
            id="a digest that somebody edited",
        ),
        pytest.param("version: 1\nnamespace: demo\nimages: {a: {pull: b}}\n", "unknown field", id="an unknown field"),
    ],
)
def test_a_file_that_is_no_lock_is_refused(folder, locked, content, problem):
    put(folder, "images.lock", content)
    outcome = locked(pod("php:8.2"))
    assert (outcome.code, outcome.out) == (1, b"")
    assert outcome.err.startswith("imagestreams: images.lock: no lock file (")
    assert problem in outcome.err
    assert outcome.err.endswith("write it anew with --update-lock\n")


def test_update_lock_needs_a_lock(folder, run):
    put(folder, "pod.yaml", pod("php:8.2"))
    outcome = run("-f", "pod.yaml", "-s", "streams.yaml", "--update-lock")
    assert (outcome.code, "name it with --lock" in outcome.err) == (2, True)


def test_a_folder_that_cannot_be_written_is_one_sentence(folder, run):
    put(folder, "pod.yaml", pod("php:8.2"))
    outcome = run("-f", "pod.yaml", "-s", "streams.yaml", "--lock", "nothere/images.lock")
    assert outcome.code == 1
    assert outcome.err == "imagestreams: nothere/images.lock: the lock cannot be written: no such file or directory\n"
