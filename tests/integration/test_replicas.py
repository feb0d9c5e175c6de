"""Two copies of the webhook behind a client that keeps its connections, as an API server does: one is killed."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.servers import Server, Webhook, until
from tests.integration.test_webhook import pod

CONNECTIONS = 8
BODY = pod("shop", "nginx:1.27")


@pytest.fixture
def replicas(server: Server, tmp_path: Path) -> Iterator[list[Webhook]]:
    flags = ["--workers", "1"]
    with (
        Webhook(tmp_path / "0", server.kubeconfig, *flags) as one,
        Webhook(tmp_path / "1", server.kubeconfig, *flags) as other,
    ):
        yield [one, other]


class Client:
    """One connection after the other, each kept as long as it holds; a Service's choice is the first that accepts."""

    def __init__(self, copies: list[Webhook], first: int) -> None:
        self._copies = copies[first:] + copies[:first]
        self._kept: http.client.HTTPSConnection | None = None
        self.answered = 0
        self.failures: list[str] = []

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._ask(self._kept or self._connect())
        if self._kept is not None:
            self._kept.close()

    def _connect(self) -> http.client.HTTPSConnection:
        for copy in self._copies:
            context = ssl.create_default_context(cadata=copy.authority())
            connection = http.client.HTTPSConnection("127.0.0.1", copy.port, context=context, timeout=10)
            try:
                connection.connect()
            except OSError:
                continue
            self._kept = connection
            return connection
        raise AssertionError("nobody listens")

    def _ask(self, connection: http.client.HTTPSConnection) -> None:
        try:
            connection.request("POST", "/admission/mutate", BODY)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
            self.answered += 1
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(repr(error))
            connection.close()
            self._kept = None


def test_kill_9_of_one_of_two_fails_only_what_is_in_flight_on_it(replicas):
    stop = threading.Event()
    clients = [Client(replicas, number % 2) for number in range(CONNECTIONS)]
    threads = [threading.Thread(target=client.run, args=(stop,)) for client in clients]
    for thread in threads:
        thread.start()
    try:
        until(lambda: all(client.answered > 20 for client in clients), "load on both")
        replicas[0].kill()
        before = [client.answered for client in clients]
        until(lambda: all(now.answered > then + 50 for now, then in zip(clients, before, strict=True)), "all go on")
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    # At most the one request that each connection to the dead copy had in flight; none at all at the other.
    assert all(len(client.failures) <= 1 for client in clients[0::2])
    assert [client.failures for client in clients[1::2]] == [[]] * (CONNECTIONS // 2)
