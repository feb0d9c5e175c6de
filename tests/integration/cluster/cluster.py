"""A real etcd and kube-apiserver on loopback, from `$KUBEBUILDER_ASSETS` (default /usr/local/kubebuilder/bin)."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.integration.servers import Process, free_port, until

ASSETS = Path(os.environ.get("KUBEBUILDER_ASSETS", "/usr/local/kubebuilder/bin"))
TOKEN = "administrator-of-the-tests"
WEBHOOK_TOKEN = "account-of-the-webhook"
WEBHOOK_ACCOUNT = "system:serviceaccount:imagestreams:imagestreams-webhook"
START_SECONDS = 90.0

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """Code, object and warnings of one answer."""

    code: int
    body: Json
    warnings: list[str]


class Cluster:
    """The control plane without controllers; the caller is a member of system:masters."""

    def __init__(self, folder: Path) -> None:
        for program in ("etcd", "kube-apiserver"):
            if not (ASSETS / program).exists():
                pytest.skip(f"{program} is not in {ASSETS} (set KUBEBUILDER_ASSETS)")
        self.url = f"https://127.0.0.1:{free_port()}"
        self._pool = urllib3.PoolManager(
            ca_certs=str(folder / "certs" / "apiserver.crt"), assert_hostname=False, retries=False, timeout=60
        )
        self._folder = folder
        self._etcd = self._start_etcd(folder)
        self._apiserver = self._start_apiserver(folder)
        until(self._ready, f"{self.url}/readyz", START_SECONDS)

    def stop(self) -> None:
        """Forget everything."""
        self._pool.clear()
        self._apiserver.kill()
        self._etcd.kill()

    def call(
        self, method: str, path: str, body: object = None, content_type: str = "application/json", **more: str
    ) -> Answer:
        """One request; a body that is not text is sent as JSON, and `more` are headers."""
        content = body if isinstance(body, str | None) else json.dumps(body)
        answer = self.send(method, path, None if content is None else content.encode(), content_type, **more)
        found = json.loads(answer.data) if answer.data[:1] == b"{" else {}
        return Answer(answer.status, found, answer.headers.getlist("Warning"))

    def send(
        self, method: str, path: str, body: bytes | None, content_type: str, **more: str
    ) -> urllib3.BaseHTTPResponse:
        """One request with any body, and its answer as it comes; `more` are headers."""
        headers = {"Authorization": f"Bearer {TOKEN}", **more}
        if body is not None:
            headers["Content-Type"] = content_type
        return self._pool.request(method, self.url + path, body=body, headers=headers)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.kubeconfig_of(TOKEN)

    def kubeconfig_of(self, token: str) -> Path:
        """A kubeconfig for whoever has the token here."""
        cluster = {
            "server": self.url,
            "certificate-authority": str(self._folder / "certs" / "apiserver.crt"),
            "tls-server-name": "kubernetes",
        }
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "here", "cluster": cluster}],
            "users": [{"name": "me", "user": {"token": token}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
            "current-context": "here",
        }
        path = self._folder / f"{token}.kubeconfig"
        path.write_text(json.dumps(config))
        return path

    def _start_etcd(self, folder: Path) -> Process:
        client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self._etcd_url = client
        command = [str(ASSETS / "etcd"), "--data-dir", str(folder / "etcd"), "--listen-client-urls", client]
        command += ["--advertise-client-urls", client, "--listen-peer-urls", peer]
        return Process(command, folder / "etcd.log")

    def _start_apiserver(self, folder: Path) -> Process:
        key = folder / "service-accounts.key"
        key.write_bytes(_private_key())
        tokens = folder / "tokens.csv"
        tokens.write_text(f'{TOKEN},administrator,1,"system:masters"\n{WEBHOOK_TOKEN},{WEBHOOK_ACCOUNT},2\n')
        options = {
            "etcd-servers": self._etcd_url,
            "bind-address": "127.0.0.1",
            "secure-port": self.url.rpartition(":")[2],
            "cert-dir": folder / "certs",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-signing-key-file": key,
            "service-account-key-file": key,
            "service-cluster-ip-range": "10.0.0.0/24",
            "token-auth-file": tokens,
            "authorization-mode": "RBAC",
            # There is no controller that would make the service accounts that Pods otherwise wait for.
            "disable-admission-plugins": "ServiceAccount",
        }
        command = [str(ASSETS / "kube-apiserver"), *(f"--{name}={value}" for name, value in options.items())]
        return Process(command, folder / "kube-apiserver.log")

    def _ready(self) -> bool:
        if not self._apiserver.running:
            pytest.fail(f"kube-apiserver stopped at once; it printed:\n{self._apiserver.output()[-2000:]}")
        try:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            return self._pool.request("GET", f"{self.url}/readyz", headers=headers).status == 200
        except (urllib3.exceptions.HTTPError, OSError):
            return False


def _private_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
