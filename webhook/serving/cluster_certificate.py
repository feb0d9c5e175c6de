"""The webhook's certificate by its own authority, for all of its copies: one Secret, and what the API server trusts.

Every copy may renew: an update of the Secret with the resource version that was read has one winner, and the others
read again. The authority that was trusted before stays trusted beside a new one, so nobody has to change at the same
moment. Needed are get and update of one Secret and one MutatingWebhookConfiguration, and of a
ValidatingWebhookConfiguration if there is to be one.
"""

from __future__ import annotations

import base64
import logging
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from webhook.errors import Conflict, Json, NotFound, StatusError
from webhook.kube.client import KubeClient
from webhook.kube.failure import Unreachable
from webhook.serving.chores import pause
from webhook.serving.companion import Stopping
from webhook.serving.workspace import CannotServe, write_private
from webhook.tls.authority import Authority, Pair

_log = logging.getLogger(__name__)

_CONFIGURATIONS: Final = "/apis/admissionregistration.k8s.io/v1"
_LIFE: Final = timedelta(days=90)
_ROUND, _RETRY = 600.0, 30.0
# A configuration that was applied anew trusts nobody, and one that validates refuses everything until it does.
_GLANCE: Final = 10.0
_ATTEMPTS: Final = 5
_MOST_TRUSTED: Final = 4

Files = dict[str, Path]


class ClusterCertificate:
    """The pair in `folder`, as Secret `namespace`/`name` has it; `configuration` is the webhook's.

    `validating` is the name of a second configuration, empty for none. It may be missing: taking it away is how people
    get out of a policy that refuses too much.
    """

    def __init__(
        self, client: KubeClient, namespace: str, name: str, configuration: str, folder: Path, *, validating: str = ""
    ) -> None:
        self._client = client
        self._secret = f"/api/v1/namespaces/{namespace}/secrets/{name}"
        self._configuration = f"{_CONFIGURATIONS}/mutatingwebhookconfigurations/{configuration}"
        self._validating = f"{_CONFIGURATIONS}/validatingwebhookconfigurations/{validating}" if validating else ""
        self._authority = Authority(folder / "authority", life=_LIFE)
        self.pair = Pair(folder / "tls.crt", folder / "tls.key")

    def start(self) -> None:
        """Have a pair to serve: a current one, or that of the last run if the API does not answer; CannotServe."""
        try:
            self.renew()
        except (Unreachable, StatusError, ValueError) as error:
            if not self.pair.certificate.exists():
                raise CannotServe(f"no certificate to serve: {error}; see that {self._secret} may be read") from None
            _log.warning("The certificate of the last run is served: %s", error)
        finally:
            # A connection must not be used on both sides of the fork that follows.
            self._client.close()

    def keep(self, stopping: Stopping) -> None:
        """Renew it in time, and follow what other copies do, until the server stops."""
        left = _ROUND
        while not stopping():
            wait = min(left, _GLANCE) if self._validating else left
            pause(wait * random.uniform(0.8, 1.2), stopping)
            if stopping():
                return
            left -= wait
            try:
                if left > 0:
                    self._trust_to_validate(datetime.now(UTC))
                else:
                    self.renew()
                    left = _ROUND
            except (Unreachable, StatusError, ValueError, OSError) as error:
                _log.warning("The certificate could not be looked after: %s", error)
                left = _RETRY

    def renew(self, now: datetime | None = None) -> None:
        """One round: make or renew what the Secret should hold, have it trusted, and only then serve it."""
        now = now or datetime.now(UTC)
        configuration = self._client.get(self._configuration)
        self._agree(hosts_of(configuration), now)
        self._trust(self._configuration, configuration, now)
        if self._validating and not self._trust_to_validate(now):
            _log.info("There is no %s: nothing is validated.", self._validating)
        write_private(self.pair.key, self._authority.server.key.read_text("ascii"))
        write_private(self.pair.certificate, self._authority.server.certificate.read_text("ascii"))

    def _agree(self, hosts: list[str], now: datetime) -> None:
        """The authority's folder and the Secret hold the same, and it is good for a while."""
        for _ in range(_ATTEMPTS):
            secret = self._client.get(self._secret)
            unpack(secret, self._files())
            if not self._authority.ensure(hosts, now):
                return
            try:
                self._client.update(self._secret, {**secret, "data": pack(self._files())})
            except Conflict:
                continue
            _log.info("The serving certificate was renewed for %s.", ", ".join(hosts))
            return
        raise Unreachable(f"{self._secret} is changed by others all the time")

    def _trust_to_validate(self, now: datetime) -> bool:
        """Have what validates trust the authority; whether there is such a configuration."""
        try:
            self._trust(self._validating, self._client.get(self._validating), now)
        except NotFound:
            return False
        return True

    def _trust(self, path: str, configuration: Json, now: datetime) -> None:
        """The API server trusts the authority, and those before it that are still in use."""
        own = self._authority.certificate.read_bytes()
        for _ in range(_ATTEMPTS):
            webhooks = [_trusting(one, own, now) for one in configuration.get("webhooks") or ()]
            if webhooks == configuration.get("webhooks"):
                return
            try:
                self._client.update(path, {**configuration, "webhooks": webhooks})
            except Conflict:
                configuration = self._client.get(path)
            else:
                return
        raise Unreachable(f"{path} is changed by others all the time")

    def _files(self) -> Files:
        authority = self._authority
        return {
            "ca.crt": authority.certificate,
            "ca.key": authority.key,
            "tls.crt": authority.server.certificate,
            "tls.key": authority.server.key,
        }


def hosts_of(configuration: Json) -> list[str]:
    """The names by which the API server calls the webhooks; ValueError if there is none."""
    services = [(one.get("clientConfig") or {}).get("service") for one in configuration.get("webhooks") or ()]
    names = [f"{one['name']}.{one['namespace']}.svc" for one in services if one]
    if not names:
        raise ValueError("the webhook configuration names no Service")
    return list(dict.fromkeys(names))


def unpack(secret: Json, files: Files) -> None:
    """The Secret's contents as files; what it does not have is deleted."""
    data = secret.get("data") or {}
    for key, path in files.items():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if data.get(key):
            write_private(path, base64.b64decode(data[key]).decode("ascii", "replace"))
        else:
            path.unlink(missing_ok=True)


def pack(files: Files) -> dict[str, str]:
    """Files as a Secret's contents."""
    return {key: base64.b64encode(path.read_bytes()).decode("ascii") for key, path in files.items()}


def bundle(trusted: bytes, own: bytes, now: datetime) -> bytes:
    """`own` first, then what was trusted and is not expired, each once; the newest few."""
    found = {one.public_bytes(Encoding.PEM): one for one in (*_certificates(own), *_certificates(trusted))}
    kept = [pem for pem, one in found.items() if one.not_valid_after_utc > now]
    return b"".join(kept[:_MOST_TRUSTED])


def _certificates(pem: bytes) -> Iterable[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        # A placeholder, such as the line break that some tools leave.
        return ()


def _trusting(webhook: Json, own: bytes, now: datetime) -> Json:
    client: dict[str, Any] = webhook.get("clientConfig") or {}
    trusted = base64.b64decode(client.get("caBundle") or "")
    wanted = base64.b64encode(bundle(trusted, own, now)).decode("ascii")
    return {**webhook, "clientConfig": {**client, "caBundle": wanted}}
