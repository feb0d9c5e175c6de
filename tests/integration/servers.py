"""The real programs that integration tests talk to: our server and Debian's docker-registry, as subprocesses."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pytest
import trustme
import urllib3
import yaml

from demo.registry_images import Catalogue, Registry, catalogue

START_SECONDS = 30.0
READER = "reader:secret"
# What `htpasswd -Bbn reader secret` prints; fixed, so that the tests do not need htpasswd.
_HTPASSWD = "reader:$2y$05$LXyA6qEx1ywIOtCy7fwDb.Ugj8P8A4vpbm6.14PlHpeoy8sacOfzK\n"


def free_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(true: Callable[[], bool], what: str, seconds: float = START_SECONDS, *, pause: float = 0.02) -> None:
    """Wait for something that offers no event to wait for: another process."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {seconds:g} s")
        time.sleep(pause)


class Process:
    """A subprocess in a process group of its own, with its output in a file."""

    def __init__(self, command: list[str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )

    @property
    def running(self) -> bool:
        """Whether its main process is alive."""
        return self._process.poll() is None

    @property
    def group(self) -> int:
        """The id of its process group."""
        return self._process.pid

    def output(self) -> str:
        """Everything that was printed up to now."""
        return self.log.read_text(errors="replace")

    def stop(self, seconds: float = 10) -> int:
        """SIGTERM, as an init system does it; the exit code."""
        if self.running:
            self._process.terminate()
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"did not stop within {seconds:g} s of SIGTERM; it printed:\n{self.output()}")

    def kill(self) -> None:
        """kill -9 to all of its processes at once, as a power cut does it."""
        os.killpg(self.group, signal.SIGKILL)
        self._process.wait(5)


def refused(*flags: str) -> tuple[int, str]:
    """The exit code and the words of a server that does not start."""
    command = [sys.executable, "-m", "webhook", "serve", *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stderr


class Server:
    """`imagestreams serve` on a data folder and a port that stay the same over restarts; `with` starts and stops it."""

    program: tuple[str, ...] = ("webhook", "serve")
    awaited = "/readyz"

    def __init__(self, data: Path, *flags: str, port: int = 0) -> None:
        self.data = data
        self.port = port or free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.kubeconfig = data / "admin.kubeconfig"
        self._flags = flags
        self._process: Process | None = None

    def start(self) -> Self:
        """Start and wait for /readyz."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", *self.program, "--data", str(self.data)]
        command += ["--listen", f"127.0.0.1:{self.port}", *self._flags]
        self._process = process = Process(command, self.data.parent / f"{self.data.name}.log")
        until(lambda: not process.running or self._ready(), f"{self.url}/readyz")
        if not process.running:
            pytest.fail(f"the server stopped at once; it printed:\n{process.output()}")
        return self

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            # A server that has ended by itself has no group left to kill.
            with suppress(ProcessLookupError):
                self.kill()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return self._process.stop() if self._process else 0

    def kill(self) -> None:
        """kill -9 to the whole process tree."""
        if self._process:
            self._process.kill()

    def output(self) -> str:
        """What the server has logged."""
        return self._process.output() if self._process else ""

    @property
    def process_group(self) -> int:
        """The id of the group that all of its processes belong to."""
        assert self._process is not None
        return self._process.group

    def authority(self) -> str:
        """The PEM text of the authority that signed the server's certificate."""
        return (self.data / "pki" / "ca.crt").read_text()

    def token(self) -> str:
        """The administrator's bearer token."""
        return str(yaml.safe_load(self.kubeconfig.read_text())["users"][0]["user"]["token"])

    def _ready(self) -> bool:
        if not (self.data / "pki" / "server.crt").exists():
            return False
        try:
            context = ssl.create_default_context(cadata=self.authority())
            with urllib3.PoolManager(ssl_context=context, retries=False, timeout=5) as pool:
                return pool.request("GET", f"{self.url}{self.awaited}").status == 200
        except (urllib3.exceptions.HTTPError, OSError):
            return False


class Webhook(Server):
    """`imagestreams webhook` over the API of a kubeconfig."""

    program = ("webhook", "webhook")

    def __init__(self, data: Path, kubeconfig: Path, *flags: str, port: int = 0) -> None:
        super().__init__(data, "--kubeconfig", str(kubeconfig), "--drain", "0", *flags, port=port)

    def review(self, body: bytes) -> Any:
        """The response to an AdmissionReview."""
        context = ssl.create_default_context(cadata=self.authority())
        with urllib3.PoolManager(ssl_context=context, retries=False, timeout=10) as pool:
            answer = pool.request("POST", f"{self.url}/admission/mutate", body=body)
            assert answer.status == 200, answer.data
            return answer.json()["response"]

    def get(self, path: str) -> tuple[int, str]:
        """Code and text of a path."""
        context = ssl.create_default_context(cadata=self.authority())
        with urllib3.PoolManager(ssl_context=context, retries=False, timeout=10) as pool:
            answer = pool.request("GET", f"{self.url}{path}")
            return answer.status, answer.data.decode()


class DockerRegistry:
    """A docker-registry with the catalogue of demo/registry_images.py or another one in it, kept in memory."""

    def __init__(
        self, folder: Path, images: Catalogue | None = None, *, password: bool = False, certificate: Path | None = None
    ) -> None:
        program = shutil.which("docker-registry")
        if program is None:
            pytest.skip("docker-registry is not installed (Debian: apt-get install docker-registry)")
        folder.mkdir(parents=True, exist_ok=True)
        self.address = f"127.0.0.1:{free_port()}"
        self._process = Process([program, "serve", str(self._configure(folder, password, certificate))], folder / "log")
        host, _, port = self.address.partition(":")
        until(lambda: not self._process.running or _listens(host, int(port)), "docker-registry")
        if not self._process.running:
            pytest.fail(f"docker-registry stopped at once; it printed:\n{self._process.output()}")
        scheme = "https" if certificate else "http"
        authority = str(certificate.with_name("ca.crt")) if certificate else ""
        pushed = Registry(f"{scheme}://{self.address}", READER if password else "", authority)
        pushed.push_all(catalogue() if images is None else images)

    def _configure(self, folder: Path, password: bool, certificate: Path | None) -> Path:
        config: dict[str, object] = {
            "version": 0.1,
            "log": {"level": "error"},
            "storage": {"inmemory": {}, "delete": {"enabled": True}},
            "http": {"addr": self.address},
        }
        if password:
            (folder / "htpasswd").write_text(_HTPASSWD)
            config["auth"] = {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}
        if certificate:
            tls = {"certificate": str(certificate), "key": str(certificate.with_suffix(".key"))}
            config["http"] = {"addr": self.address, "tls": tls}
        path = folder / "config.yml"
        path.write_text(yaml.safe_dump(config))
        return path

    def stop(self) -> None:
        """Forget everything."""
        self._process.kill()


def make_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1, with its key and the authority that signed it (`ca.crt`) in the same folder."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.crt")
    issued.private_key_pem.write_to_path(folder / "server.key")
    for part in issued.cert_chain_pems:
        part.write_to_path(folder / "server.crt", append=True)
    return folder / "server.crt"


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0
