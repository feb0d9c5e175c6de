"""Where a Kubernetes API is and how to prove who we are.

The `kubernetes` package is used for one thing: reading kubeconfigs and service account files, with exec plugins and
token refresh. It is imported only there, since it costs about 20 MB per process.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from webhook.kube.failure import Unreachable

Authorization = Callable[[], str | None]
"""Gives the value of the Authorization header, anew for each request, since tokens expire."""


class NoConfiguration(Exception):
    """Neither a kubeconfig nor a service account says where the API is."""


@dataclass(frozen=True)
class Connection:
    """One API server and our credentials for it.

    `server` may carry a path prefix. At most one of `token` and `authorization` is used; a client certificate may
    come on top. Without `ca_file` and `ca_data` the system's authorities are trusted.
    """

    server: str
    ca_file: str | None = None
    ca_data: str | None = None
    token: str | None = None
    authorization: Authorization | None = None
    cert_file: str | None = None
    key_file: str | None = None
    server_name: str | None = None
    verify: bool = True

    @property
    def secure(self) -> bool:
        """Whether the server speaks TLS."""
        return self.server.startswith("https://")

    def headers(self) -> dict[str, str]:
        """The headers that authenticate one request; `Unreachable` for credentials that none can carry."""
        value = self.authorization() if self.authorization else self.token and f"Bearer {self.token}"
        if not value:
            return {}
        value = value.strip()
        if not (value.isascii() and value.isprintable()):
            # Whoever sends it would quote it in an error.
            raise Unreachable("the credentials hold characters that no header can carry")
        return {"Authorization": value}

    def ssl_context(self) -> ssl.SSLContext | None:
        """What the server's certificate is checked against; None for plain HTTP."""
        if not self.secure:
            return None
        context = ssl.create_default_context(cafile=self.ca_file, cadata=self.ca_data)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.cert_file:
            context.load_cert_chain(self.cert_file, self.key_file)
        return context


def from_kubeconfig(path: str | None = None, context: str | None = None) -> Connection:
    """The connection of a kubeconfig's context; by default the current one of $KUBECONFIG or ~/.kube/config."""
    from kubernetes import client, config

    if path is not None and not Path(path).expanduser().exists():
        raise NoConfiguration(f"there is no file {path}")
    configuration = client.Configuration()
    try:
        config.load_kube_config(config_file=path, context=context, client_configuration=configuration)
    except (config.ConfigException, yaml.YAMLError) as error:
        raise NoConfiguration(" ".join(str(error).split())) from error
    return _from_configuration(configuration)


def in_cluster() -> Connection:
    """The connection of the service account that this process runs under."""
    from kubernetes import client, config

    configuration = client.Configuration()
    try:
        config.load_incluster_config(client_configuration=configuration)
    except config.ConfigException as error:
        raise NoConfiguration(str(error)) from error
    return _from_configuration(configuration)


def _from_configuration(configuration: Any) -> Connection:
    return Connection(
        server=configuration.host,
        ca_file=configuration.ssl_ca_cert,
        ca_data=_text(configuration.ca_cert_data),
        authorization=_authorization(configuration),
        cert_file=configuration.cert_file,
        key_file=configuration.key_file,
        server_name=configuration.tls_server_name,
        verify=configuration.verify_ssl,
    )


def _text(data: str | bytes | None) -> str | None:
    return data.decode("ascii") if isinstance(data, bytes) else data


def _authorization(configuration: Any) -> Authorization:
    def value() -> str | None:
        token: str | None = configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        if token:
            return token
        basic: str | None = configuration.get_basic_auth_token() if configuration.username else None
        return basic

    return value
