"""OpenShift's own client at work: what its users type does what they expect. Skipped where oc is not installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.registry_images import catalogue
from tests.integration.servers import DockerRegistry, Server

Oc = Callable[..., str]
PHP = {tag: image.digest for tag, image in catalogue()["library/php"].items()}


@pytest.fixture
def oc(server: Server, tmp_path: Path, namespace: str) -> Oc:
    """oc in the test's namespace; OC in the environment names another than the one on PATH."""
    program = os.environ.get("OC") or shutil.which("oc")
    if program is None:
        pytest.skip("oc is not installed")
    environment = {"HOME": str(tmp_path), "KUBECONFIG": str(server.kubeconfig), "PATH": os.environ["PATH"]}

    def run(*arguments: str, fails: bool = False) -> str:
        done = subprocess.run(
            [program, "--namespace", namespace, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=environment,
        )
        assert (done.returncode != 0) is fails, f"oc {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    return run


@pytest.fixture
def php(oc: Oc, registry: DockerRegistry) -> Oc:
    """oc in a namespace with the stream `php`, imported with all of its tags."""
    source = f"{registry.address}/library/php"
    shown = oc("import-image", "php", f"--from={source}", "--all", "--confirm", "--insecure")
    assert "imagestream.image.openshift.io/php imported" in shown
    return oc


def current(oc: Oc, tag: str) -> str:
    return oc("get", "istag", tag, "-o", "jsonpath={.image.metadata.name}")


def test_import_image_describes_the_tags_that_it_brought(php: Oc, registry: DockerRegistry):
    shown = php("describe", "is", "php")

    assert all(f"{registry.address}/library/php@{digest}" in shown for digest in PHP.values())


def test_tag_points_one_stream_at_the_image_of_another(php: Oc):
    php("create", "imagestream", "web")
    php("tag", "php:8.1", "web:stable")

    assert current(php, "web:stable") == PHP["8.1"]


def test_an_alias_follows_the_tag_that_it_names(php: Oc):
    php("create", "imagestream", "web")
    php("tag", "php:8.1", "web:v1")
    php("tag", "--alias", "web:v1", "web:stable")
    php("tag", "php:8.2", "web:v1")

    assert current(php, "web:stable") == PHP["8.2"]


def test_a_removed_tag_is_gone(php: Oc):
    php("tag", "-d", "php:8.1")

    assert "not found" in php("get", "istag", "php:8.1", fails=True)


def test_set_image_lookup_allows_short_names(php: Oc):
    assert php("set", "image-lookup", "php") == "imagestream.image.openshift.io/php image lookup updated\n"
    assert php("get", "is", "php", "-o", "jsonpath={.spec.lookupPolicy.local}") == "true"


def test_an_import_that_fails_says_why(oc: Oc, registry: DockerRegistry):
    missing = f"{registry.address}/library/php:no-such-tag"

    assert f'"{missing}" not found' in oc(
        "import-image", "web", f"--from={missing}", "--confirm", "--insecure", fails=True
    )


def test_top_counts_the_images_of_a_stream(php: Oc, namespace: str):
    rows = [line.split() for line in php("adm", "top", "imagestreams").splitlines()]

    assert [row[2] for row in rows if row and row[0] == f"{namespace}/php"] == [str(len(set(PHP.values())))]
