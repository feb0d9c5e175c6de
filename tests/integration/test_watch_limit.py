"""The limit on open watches: whatever clients keep open, everybody else finds a free thread."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import urllib3

from tests.integration.api import STREAMS, Api, stream
from tests.integration.servers import Server, until

WATCH = STREAMS.format("shop") + "?watch=1&resourceVersion=1"
DISCOVERY = "/apis/image.openshift.io/v1"
# Of the eight threads of the only worker.
LIMIT = 4


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(
        tmp_path_factory.mktemp("few") / "data", "--workers", "1", "--threads", "8", "--no-controllers"
    ) as server:
        yield server


@pytest.fixture(scope="module")
def api(server: Server) -> Iterator[Api]:
    with Api(server) as api:
        yield api


@pytest.fixture
def opened(server: Server) -> Iterator[list[urllib3.BaseHTTPResponse]]:
    """Watches, opened until one is refused: that one is the last."""
    headers = {"Authorization": f"Bearer {server.token()}"}
    answers: list[urllib3.BaseHTTPResponse] = []
    with ExitStack() as stack:
        while not answers or answers[-1].status == 200:
            assert len(answers) <= LIMIT
            pool = stack.enter_context(urllib3.PoolManager(ca_certs=str(server.data / "pki" / "ca.crt"), retries=False))
            answers.append(pool.request("GET", server.url + WATCH, headers=headers, preload_content=False))
            stack.callback(answers[-1].close)
        yield answers


def test_a_watch_above_the_limit_is_told_to_come_back(opened):
    refused = opened[-1]

    assert (refused.status, refused.headers["Retry-After"]) == (429, "5")
    assert refused.json()["reason"] == "TooManyRequests"


def test_discovery_and_ordinary_requests_are_answered_at_the_limit(api: Api, opened):
    assert opened[-1].status == 429
    with ThreadPoolExecutor(5) as clients:
        codes = list(clients.map(lambda _: api.get(DISCOVERY).code, range(20)))

    made = api.post(STREAMS.format("shop"), stream("php"))

    assert (set(codes), made.code, api.get(f"{STREAMS.format('shop')}/php").code) == ({200}, 201, 200)


def test_a_client_that_hangs_up_makes_room(server: Server, api: Api, opened):
    opened[0].close()

    until(lambda: api.get(f"{WATCH}&timeoutSeconds=1").code == 200, "room for another watch")
