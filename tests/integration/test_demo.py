"""The tours: that of `make demo` checks its own answers, that of README.md is typed in as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from demo.registry_images import catalogue
from tests.integration.servers import DockerRegistry, Server

ROOT = Path(__file__).parents[2]


def test_the_tour_ends_with_every_answer_right():
    for program in ("kubectl", "docker-registry"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [ROOT / "demo" / "tour.sh"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "PATH": path},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Every answer was right." in done.stdout


def commands(page: str, heading: str) -> str:
    """The code blocks below a heading, one after the other."""
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return "".join(re.findall(r"^```\n(.*?)^```", section, re.MULTILINE | re.DOTALL))


def test_the_tour_of_the_readme_does_what_it_says(server: Server, registry: DockerRegistry, namespace, tmp_path):
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed (Debian: apt-get install kubernetes-client)")
    (tmp_path / "var").mkdir()
    shutil.copy(server.kubeconfig, tmp_path / "var" / "admin.kubeconfig")
    (tmp_path / "demo").symlink_to(ROOT / "demo")
    tour = commands((ROOT / "README.md").read_text(), "The tour")
    for written, ours in (("--namespace demo", f"--namespace {namespace}"), ("127.0.0.1:5000", registry.address)):
        assert written in tour
        tour = tour.replace(written, ours)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", tour],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    old, new = (f"{registry.address}/library/php@{catalogue()['library/php'][tag].digest}" for tag in ("8.1", "8.2"))
    assert re.findall(r"^ +- image: (.*)", done.stdout, re.MULTILINE) == [old, "nginx:1.27", new, "nginx:1.27"]
    assert "There is no image stream" in done.stdout
    assert f"+        image: {new}" in done.stdout
