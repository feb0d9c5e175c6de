"""`imagestreams resolve` as a function of kustomize's own. Skipped where kustomize is not installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DIGEST = "sha256:cb1c364b5a81c404d106a417704cd8a63b5dad4ccb7f490b23678b7eb883eab3"
STREAM = f"""
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {{name: php, namespace: shop}}
spec: {{lookupPolicy: {{local: true}}}}
status:
  dockerImageRepository: ""
  tags:
  - tag: "8.2"
    items:
    - image: {DIGEST}
      dockerImageReference: quay.io/acme/php@{DIGEST}
      created: "2026-01-02T03:04:05Z"
      generation: 3
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: web, image: "php:8.2"}, {name: proxy, image: "nginx:1.27"}]}
"""
FUNCTION = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: resolve-images
  annotations:
    config.kubernetes.io/function: "exec: {path: ./resolve.sh}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A kustomization of a Pod in the namespace `shop`, with the function that docs/cli.md shows."""
    script = tmp_path / "resolve.sh"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m webhook resolve\n')
    script.chmod(0o755)
    (tmp_path / "pod.yaml").write_text(POD)
    (tmp_path / "streams.yaml").write_text(STREAM)
    (tmp_path / "kustomization.yaml").write_text(
        "namespace: shop\nresources: [pod.yaml]\ntransformers: [resolve.yaml]\n"
    )
    return tmp_path


def build(folder: Path, settings: str) -> subprocess.CompletedProcess[str]:
    """`kustomize build` with these settings of the function; KUSTOMIZE names another than the one on PATH."""
    program = os.environ.get("KUSTOMIZE") or shutil.which("kustomize")
    if program is None:
        pytest.skip("kustomize is not installed")
    (folder / "resolve.yaml").write_text(f"{FUNCTION}data: {{{settings}}}\n")
    command = [program, "build", "--enable-alpha-plugins", "--enable-exec", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=folder)


def test_kustomize_gets_the_digests_and_later_those_of_the_lock(folder):
    first = build(folder, "streams: streams.yaml, lock: images.lock")
    assert first.returncode == 0, first.stderr
    assert f"image: quay.io/acme/php@{DIGEST}" in first.stdout
    assert "image: nginx:1.27" in first.stdout
    (folder / "streams.yaml").unlink()
    assert build(folder, "lock: images.lock").stdout == first.stdout


def test_kustomize_fails_and_shows_why_where_a_name_must_be_resolved(folder):
    done = build(folder, 'streams: streams.yaml, require: "true"')
    assert done.returncode == 1
    assert "Pod/web spec.containers[1].image" in done.stderr
    assert "nginx:1.27" not in done.stdout
