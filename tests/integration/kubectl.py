"""kubectl as a newcomer runs it: a home of its own, nothing but the administrator's kubeconfig."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml


class Reachable(Protocol):
    """A server with an administrator."""

    @property
    def kubeconfig(self) -> Path:
        """How the administrator gets there."""


def program() -> str:
    """kubectl: the one that KUBECTL in the environment names, or that on PATH."""
    found = os.environ.get("KUBECTL") or shutil.which("kubectl")
    if found is None:
        pytest.skip("kubectl is not installed (Debian: apt-get install kubernetes-client)")
    return found


def needs(minor: int, why: str) -> None:
    """Skip the test with a kubectl older than 1.`minor`."""
    if _minor(program()) < minor:
        pytest.skip(f"this kubectl is older than 1.{minor}: {why}")


@cache
def _minor(program: str) -> int:
    done = subprocess.run([program, "version", "--client", "-o", "json"], capture_output=True, check=True, timeout=60)
    return int(json.loads(done.stdout)["clientVersion"]["minor"].rstrip("+"))


def kustomized(folder: Path) -> list[Any]:
    """What `kubectl kustomize` prints, as objects."""
    needs(21, "it knows neither components of kustomize nor all forms of its patches")
    command = [program(), "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return list(yaml.safe_load_all(done.stdout))


class Kubectl:
    """kubectl against one server and namespace."""

    def __init__(self, server: Reachable, home: Path, namespace: str = "") -> None:
        self._server, self._home, self._namespace = server, home, namespace
        self._command = [program(), *(["--namespace", namespace] if namespace else [])]
        self._environment = {
            "HOME": str(home),
            "KUBECONFIG": str(server.kubeconfig),
            "PATH": os.environ["PATH"],
        }

    def within(self, namespace: str) -> Kubectl:
        """The same program in another namespace."""
        return Kubectl(self._server, self._home, namespace)

    def run(self, *arguments: str, given: object = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run; `given` is what it reads on standard input, an object as YAML."""
        text = given if isinstance(given, str | None) else yaml.safe_dump(given)
        return subprocess.run(
            [*self._command, *arguments],
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**self._environment, **environment},
        )

    def ok(self, *arguments: str, given: object = None, **environment: str) -> str:
        """What it prints when it succeeds without a single warning."""
        done = self.run(*arguments, given=given, **environment)
        assert (done.returncode, done.stderr) == (0, ""), f"kubectl {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start and leave running, as for `get --watch`."""
        return subprocess.Popen(
            [*self._command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment,
        )
