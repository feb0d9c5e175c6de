"""What an administrator can choose, once, at start: one frozen value that every part is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

ImportMode = Literal["Legacy", "PreserveOriginal"]

DEFAULT_DATA: Final = Path("var")
DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8443
DEFAULT_MAX_BULK_IMPORT: Final = 50
DEFAULT_IMPORT_INTERVAL: Final = 900.0
SHORTEST_IMPORT_INTERVAL: Final = 15.0
DEFAULT_IMPORT_RATE: Final = 20.0
DEFAULT_REGISTRY_RATE: Final = 50.0
DEFAULT_REGISTRY_CONCURRENCY: Final = 16


@dataclass(frozen=True)
class Settings:
    """The settings of one server.

    `integrated_registry` is the host[:port] that stands for the cluster's own registry in pull specs, empty when there
    is none; `public_registry` is the same registry's name for the outside. `strict` means exactly OpenShift's
    behaviour, without anything done beyond it. `max_bulk_import` bounds the tags of one repository import
    (image-api 5.5). `registries`, `registry_credentials`, `registry_ca` and `certs_dir` are what
    `webhook.distribution.access` reads.
    """

    data: Path = DEFAULT_DATA
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    strict: bool = False
    controllers: bool = True
    integrated_registry: str = ""
    public_registry: str = ""
    max_bulk_import: int = DEFAULT_MAX_BULK_IMPORT
    import_mode: ImportMode = "Legacy"
    registries: Path | None = None
    registry_credentials: Path | None = None
    registry_ca: Path | None = None
    certs_dir: Path | None = None
    import_interval: float = DEFAULT_IMPORT_INTERVAL
    """Seconds between two looks at a scheduled tag (image-api 6.5)."""
    import_rate: float = DEFAULT_IMPORT_RATE
    """Imports and looks that the controller begins in a second, over all streams."""
    imports_in_flight: int = 16
    """Imports that the controller has under way at once."""
    import_retry: float = 60.0
    """Seconds after which a failed import is tried again for the first time; not with `strict`."""
    registry_rate: float = DEFAULT_REGISTRY_RATE
    """Requests to one registry in a second, of all processes together."""
    registry_concurrency: int = DEFAULT_REGISTRY_CONCURRENCY
    """Requests that one process has open at one registry."""
    workers: int = 2
    threads: int = 64
    staying: bool = False
    """Whether threads stay with their connections: less CPU per request, by gunicorn's inside."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    certificate_secret: str = ""
    """NAMESPACE/NAME of the Secret for a certificate by our own authority that all copies of the webhook share."""
    webhook_configuration: str = ""
    """The MutatingWebhookConfiguration that has to trust that authority."""
    validating_configuration: str = ""
    """The ValidatingWebhookConfiguration that has to trust it too, if there is one."""
    admission_config: Path | None = None
    """OpenShift's ImagePolicyConfig with our extensions; without it, the defaults."""
    socket_timeout: float = 10.0
    """Seconds after which a stalled TLS handshake or request body is cut."""
    compaction_interval: float = 300.0
    """Seconds between two compactions of the store."""
    drain: float = 0.0
    """Seconds for which a server that was asked to stop still answers, unready, so that clients go elsewhere."""
    metrics_listen: tuple[str, int] | None = None
    """Where /metrics is served without TLS and without authentication, if anywhere."""
    snapshot: Path | None = None
    """The file from which admission knows image streams before the API has told of them."""
    snapshot_interval: float = 60.0
    """Seconds between two snapshots."""
    live_questions: bool = True
    """Whether admission asks the API about names that could be new."""
    watch_images: bool = True
    """Whether admission over another API notices deleted Image objects, at the price of their names in memory."""
    watch_list: bool = False
    """Whether a list is asked for as the beginning of a watch."""

    push_notifications: bool = False
    """Whether registries may tell of pushes at /notifications."""

    @property
    def database(self) -> Path:
        """The SQLite file of the store."""
        return self.data / "state.db"

    @property
    def pki(self) -> Path:
        """The folder of the own authority and its certificates."""
        return self.data / "pki"

    @property
    def token_file(self) -> Path:
        """The file of the administrator's bearer token."""
        return self.data / "token"

    @property
    def notification_token(self) -> Path | None:
        """The file of the token that registries show; None where they may not tell of pushes."""
        return self.data / "notification-token" if self.push_notifications else None

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.data / "admin.kubeconfig"

    @property
    def cluster_certificate(self) -> Path:
        """The folder of the certificate that copies of the webhook share."""
        return self.data / "certificate"

    @property
    def pace(self) -> Path:
        """The file in which the processes of one server share when each registry may be asked."""
        return self.data / "pace"

    @property
    def retries_imports(self) -> bool:
        """Are failed imports tried again without being asked for? OpenShift does not."""
        return self.controllers and not self.strict

    @property
    def metrics(self) -> Path:
        """The folder where the processes of one server share their metrics."""
        return self.data / "metrics"

    @property
    def watches(self) -> int:
        """How many watches may be open in one process; the threads that are left always answer other requests."""
        return max(self.threads - max(8, self.threads // 4), self.threads // 2)

    @property
    def imports(self) -> int:
        """How many imports one process makes at once; each may wait for a registry as long as an import may take."""
        return (self.threads - self.watches) * 3 // 4

    @property
    def reviews(self) -> int:
        """How many admission reviews one process examines at once; more only while the policy refuses images."""
        return max(1, self.threads // 2)

    @property
    def local_server(self) -> str:
        """`https://HOST:PORT` as seen from this machine: an unspecified address is reached over loopback."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)
        return f"https://{f'[{host}]' if ':' in host else host}:{self.port}"
