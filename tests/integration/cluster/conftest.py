"""One kube-apiserver for all tests of this folder, and our server beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.api import Api
from tests.integration.cluster.cluster import Cluster
from tests.integration.cluster.sides import Side
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
