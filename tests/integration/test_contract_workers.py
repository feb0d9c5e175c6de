"""Watches over several workers: what one writes the others tell, and what clients leave behind (checks 71, 72, 80)."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.api import STREAMS, Api, stream
from tests.integration.servers import Server, until
from tests.integration.workers import compacting, connection, connection_to, thread_count, workers
from webhook.storage.sqlite import SqliteStore

PATH = STREAMS.format("busy")
WRITERS = 3
WRITES = 500
WATCHES = 200
pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers, each with threads for all the watches, and nothing that writes by itself."""
    with Server(
        tmp_path_factory.mktemp("workers") / "data", "--no-controllers", "--workers", "2", "--threads", "512"
    ) as server:
        yield server


@pytest.fixture
def api(server: Server) -> Iterator[Api]:
    with Api(server) as api:
        yield api


def asked(server: Server, link: http.client.HTTPSConnection, method: str, path: str, body: object = None) -> None:
    """Send a request; the answer is the caller's to read."""
    headers = {"Authorization": f"Bearer {server.token()}", "Content-Type": "application/merge-patch+json"}
    link.request(method, path, None if body is None else json.dumps(body), headers)


def write(server: Server, worker: int, name: str) -> list[int]:
    """The versions of one stream after each of its changes, all made through one worker."""
    link = connection_to(server, worker)
    versions = []
    for number in range(WRITES):
        asked(server, link, "PATCH", f"{PATH}/{name}", {"metadata": {"labels": {"step": str(number)}}})
        versions.append(int(json.load(link.getresponse())["metadata"]["resourceVersion"]))
    link.close()
    return versions


def test_a_watch_on_one_worker_has_every_write_of_another_once_and_in_order_while_the_log_is_compacted(server, api):
    one, other = workers(server)
    names = [f"s{number}" for number in range(WRITERS)]
    for name in names:
        assert api.post(PATH, stream(name)).code == 201
    since = api.get(PATH).json["metadata"]["resourceVersion"]
    link = connection_to(server, one)
    asked(server, link, "GET", f"{PATH}?watch=1&resourceVersion={since}")
    events = link.getresponse()

    state = server.data / "state.db"
    with compacting(state, pause=0.01, keep_rows=100) as forgotten, ThreadPoolExecutor(WRITERS) as pool:
        writing = [pool.submit(write, server, other, name) for name in names]
        heard = [json.loads(events.readline()) for _ in range(WRITERS * WRITES)]
        written = sorted(version for one in writing for version in one.result())
    link.close()

    assert {one["type"] for one in heard} == {"MODIFIED"}
    assert [int(one["object"]["metadata"]["resourceVersion"]) for one in heard] == written
    assert sum(forgotten) > WRITES


def test_a_watch_of_what_was_forgotten_is_refused_on_every_worker_and_one_of_now_is_not(server, api):
    now = api.post(PATH, stream("the-last")).json["metadata"]["resourceVersion"]
    with contextlib.closing(SqliteStore(server.data / "state.db")) as store:
        store.compact(keep_seconds=0, keep_rows=0)
    for worker in workers(server):
        link = connection_to(server, worker)
        asked(server, link, "GET", f"{PATH}?watch=1&resourceVersion=1")
        events = [json.loads(line) for line in link.getresponse()]
        assert [(one["type"], one["object"]["code"], one["object"]["reason"]) for one in events] == [
            ("ERROR", 410, "Expired")
        ]
        asked(server, link, "GET", f"{PATH}?watch=1&resourceVersion={now}&timeoutSeconds=1")
        assert link.getresponse().read() == b""
        link.close()


def test_a_page_of_a_list_that_was_forgotten_has_expired_and_says_how_to_go_on(server, api):
    path = STREAMS.format("paged")
    for name in ("node", "php", "ruby"):
        old = api.post(path, stream(name)).json["metadata"]["resourceVersion"]
    token = api.get(f"{path}?limit=1").json["metadata"]["continue"]
    api.patch(f"{path}/php", {"metadata": {"labels": {"late": "yes"}}})
    with contextlib.closing(SqliteStore(server.data / "state.db")) as store:
        store.compact(keep_seconds=0, keep_rows=0)

    expired = api.get(f"{path}?limit=1&continue={token}")
    exact = api.get(f"{path}?resourceVersion={old}&resourceVersionMatch=Exact")
    on = api.get(f"{path}?limit=5&continue={expired.json['metadata']['continue']}")

    assert (expired.code, expired.json["reason"]) == (410, "Expired")
    assert (exact.code, exact.json["reason"]) == (410, "Expired")
    assert [one["metadata"]["name"] for one in on.json["items"]] == ["php", "ruby"]


def reset(link: http.client.HTTPSConnection) -> None:
    """Leave at once and without a goodbye: neither of TLS nor, as the RST of a dead machine, of TCP."""
    link.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    drop(link)


def drop(link: http.client.HTTPSConnection) -> None:
    """Leave as a killed process does: the kernel says goodbye, TLS does not."""
    socket.socket(fileno=link.sock.detach()).close()


@pytest.mark.parametrize("leave", [drop, reset], ids=["closed without a goodbye", "reset"])
def test_watches_that_are_abandoned_leave_no_thread_behind(server, leave):
    pids = workers(server)
    until(lambda: all(thread_count(pid) < 20 for pid in pids), "the quiet of the workers")
    quiet = sum(map(thread_count, pids))
    with contextlib.ExitStack() as opened:
        links = [opened.enter_context(contextlib.closing(connection(server))) for _ in range(WATCHES)]
        for link in links:
            asked(server, link, "GET", f"{PATH}?watch=1&resourceVersion=999999999")
        for link in links:
            assert link.getresponse().status == 200
        assert sum(map(thread_count, pids)) > WATCHES

        for link in links:
            leave(link)

        until(lambda: sum(map(thread_count, pids)) <= quiet, "the end of the threads")


def test_an_upload_without_end_is_refused_and_takes_no_memory(server):
    pids = workers(server)
    before = sum(map(peak, pids))
    link = connection(server)
    link.putrequest("POST", PATH)
    link.putheader("Authorization", f"Bearer {server.token()}")
    link.putheader("Content-Type", "application/json")
    link.putheader("Transfer-Encoding", "chunked")
    link.endheaders()
    chunk = b"%x\r\n%s\r\n" % (1 << 20, b" " * (1 << 20))
    with contextlib.suppress(OSError):
        for _ in range(100):
            link.send(chunk)
    with contextlib.suppress(OSError, http.client.HTTPException):
        assert link.getresponse().status == 413
    link.close()
    assert sum(map(peak, pids)) - before < 16 << 10


def peak(pid: int) -> int:
    """The most memory that a process has had, in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])
