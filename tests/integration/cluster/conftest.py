"""One kube-apiserver for all tests of this folder, and beside it our server, or the webhook as it is installed.

A module that has the webhook installed says by a fixture `rendered` which objects are applied.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.integration.api import Api
from tests.integration.cluster import workloads
from tests.integration.cluster.cluster import WEBHOOK_TOKEN, Cluster
from tests.integration.cluster.installation import (
    CONFIGURATIONS,
    CRD,
    CRDS,
    VALIDATING,
    Installed,
    arguments,
    leading_here,
)
from tests.integration.cluster.sides import Side
from tests.integration.kubectl import Kubectl
from tests.integration.servers import Webhook, free_port, until
from webhook.errors import Json


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A kube-apiserver with nothing in it."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module", params=["secrets", "streams"])
def sides(request: pytest.FixtureRequest, cluster: Cluster, api: Api) -> tuple[Side, Side]:
    """kube-apiserver, and our server."""

    def theirs(*args: Any, **headers: str) -> tuple[int, Json, list[str]]:
        answer = cluster.call(*args, **headers)
        return answer.code, answer.body, answer.warnings

    def ours(*args: Any, **headers: str) -> tuple[int, Json, list[str]]:
        answer = api.call(*args, **headers)
        body = json.loads(answer.body) if answer.body[:1] == b"{" else {}
        return answer.code, body, answer.headers.getlist("Warning")

    if request.param == "secrets":
        return Side(theirs, "", "secrets", "Secret"), Side(ours, "", "secrets", "Secret")
    stream = Side(ours, "image.openshift.io", "imagestreams", "ImageStream")
    return Side(theirs, "coordination.k8s.io", "leases", "Lease"), stream


@pytest.fixture(scope="module")
def kubectl(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    return Kubectl(cluster, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def port() -> int:
    """Where the webhook listens."""
    return free_port()


@pytest.fixture(scope="module")
def installed(cluster: Cluster, kubectl: Kubectl, rendered: list[Json], port: int) -> Iterator[Cluster]:
    """Everything that was rendered, in a cluster that serves image streams by a CRD."""
    streams = "/apis/image.openshift.io/v1/imagestreams"
    assert cluster.call("POST", CRDS, CRD).code == 201
    until(lambda: cluster.call("GET", streams).code == 200, "the custom resource")
    kubectl.ok("apply", "-f", "-", given=yaml.safe_dump_all([leading_here(one, port) for one in rendered]))
    yield cluster
    for configurations in (CONFIGURATIONS, VALIDATING):
        cluster.call("DELETE", f"{configurations}/imagestreams-webhook")
    cluster.call("DELETE", f"{CRDS}/{CRD['metadata']['name']}")
    # The next module finds a cluster that has forgotten them.
    until(lambda: cluster.call("GET", f"{CRDS}/{CRD['metadata']['name']}").code == 404, "no custom resource")
    until(lambda: workloads.asked(cluster, "default", "nginx:1.27").code == 201, "no webhook")


@pytest.fixture(scope="module")
def webhook(
    installed: Cluster, rendered: list[Json], port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Webhook]:
    """The program with the arguments of the Deployment, and with the rights of its service account only."""
    folder = tmp_path_factory.mktemp("webhook")
    given = arguments(rendered, folder)
    with Installed(folder / "data", installed.kubeconfig_of(WEBHOOK_TOKEN), *given, port=port) as webhook:
        yield webhook


@pytest.fixture
def shop(webhook: Webhook, installed: Cluster) -> str:
    """A namespace with a stream that the webhook knows."""
    return workloads.new_shop(installed)
