"""The server as a process: how it starts, refuses to start, resists, reloads and stops."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import stat
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import pytest
import urllib3

from tests.integration.api import Answer, Api
from tests.integration.servers import Process, Server, free_port, refused, until
from webhook.tls.authority import Authority

STREAMS = "/apis/image.openshift.io/v1/imagestreams"


class Stub(Server):
    """The server around `stub_program`, with one worker of four threads."""

    def start(self) -> Self:
        command = [sys.executable, "-m", "tests.integration.stub_program", str(self.data), str(self.port)]
        self._process = process = Process(command, self.data.parent / "stub.log")
        until(lambda: not process.running or self._ready(), "the stub")
        assert process.running, process.output()
        return self


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Stub(tmp_path_factory.mktemp("stub") / "data") as server:
        yield server


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """A server that one test has for itself."""
    with Server(tmp_path / "data", "--no-controllers", "--workers", "1") as server:
        yield server


def connect(server: Server, name: str = "localhost") -> ssl.SSLSocket:
    context = ssl.create_default_context(cadata=server.authority())
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    return context.wrap_socket(plain, server_hostname=name)


def exchange(server: Server, *lines: str) -> tuple[int, bytes]:
    """The code and body that answer a request written by hand."""
    with connect(server) as connection:
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1"))
        answer = rest_of(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def get(server: Server, path: str, token: str | None = None) -> Answer:
    """What the administrator is answered, or who has `token`."""
    with Api(server, token=token) as api:
        return api.get(path)


def rest_of(connection: ssl.SSLSocket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def test_it_says_in_one_line_where_it_is_and_what_kubectl_needs(own):
    said = own.output().splitlines()[0]
    assert said.startswith("ImageStreams ")
    assert f"on {own.url};" in said
    assert said.endswith(f"export KUBECONFIG={own.kubeconfig}")


@pytest.mark.parametrize("name", ["admin.kubeconfig", "token", "pki/ca.key", "pki/server.key", "state.db"])
def test_what_is_secret_is_for_its_owner_only(own, name):
    assert stat.S_IMODE((own.data / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/readyz?verbose", "/readyz/view", "/livez/ping"])
def test_health_is_answered_to_anybody(own, path):
    assert get(own, path, "nobody").code == 200


@pytest.mark.parametrize("path", ["/apis", "/api", "/version", "/metrics", "/openapi/v3", STREAMS])
def test_everything_else_needs_the_token(own, path):
    answer = get(own, path, "nobody")
    assert answer.code == 401
    if path != "/metrics":
        assert answer.json["reason"] == "Unauthorized"


def test_impersonation_is_refused(own):
    code, body = exchange(
        own, f"GET {STREAMS} HTTP/1.1", "Host: x", f"Authorization: Bearer {own.token()}", "Impersonate-User: developer"
    )
    assert code == 403
    assert "impersonat" in json.loads(body)["message"]


def test_metrics_count_the_requests_of_all_workers(api):
    api.get(STREAMS)
    text = api.get("/metrics").body.decode()
    assert 'imagestreams_requests_total{code="200",resource="imagestreams",verb="list"}' in text
    assert "imagestreams_certificate_expiry_timestamp_seconds" in text


def test_no_log_line_holds_the_token(own):
    exchange(own, "GET /apis HTTP/1.1", "Host: x", f"Authorization: Bearer {own.token()}")
    exchange(own, "GET /apis HTTP/1.1", "Host: x", f"Authorization Bearer {own.token()}")
    assert own.token() not in own.output()


def test_logs_that_nobody_reads_on_a_terminal_are_json(own):
    get(own, STREAMS)
    expected = {"method": "GET", "path": STREAMS, "status": "200"}
    until(lambda: any(line.items() >= expected.items() for line in _lines(own)), "the line of the request")
    assert not any("readyz" in line["message"] for line in _lines(own))


def _lines(server: Server) -> list[dict]:
    return [json.loads(line) for line in server.output().split("\n")[1:-1]]


def test_identity_headers_arrive_as_they_were_sent(stub):
    sent = ["X-Remote-User: Jürgen".encode().decode("latin-1"), "X-Remote-Group: a,system:masters", "X-Remote-Group: b"]
    sent += ["X_Remote_User: root", "X-Remote-Extra-Scopes: x,y", "Impersonate-Group: c,d", "X-Is-Ident: []"]
    code, body = exchange(stub, "GET / HTTP/1.1", "Host: x", *sent, "X-Forwarded-Proto: http")
    assert code == 200
    seen = json.loads(body)
    assert seen["identity"] == [
        ["X-REMOTE-USER", "Jürgen"],
        ["X-REMOTE-GROUP", "a,system:masters"],
        ["X-REMOTE-GROUP", "b"],
        ["X-REMOTE-EXTRA-SCOPES", "x,y"],
        ["IMPERSONATE-GROUP", "c,d"],
    ]
    assert not [key for key in seen["keys"] if "REMOTE" in key or "IMPERSONATE" in key]
    assert seen["scheme"] == "https"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([f"X-Remote-Group: team-{number}" for number in range(150)], id="150 groups"),
        pytest.param([f"X-Remote-Group: team-{number}" for number in range(2000)], id="2000 groups"),
        pytest.param(["X-Remote-User: " + "u" * 1024], id="a name of 1 KiB"),
        pytest.param(["Authorization: Bearer " + "t" * 12000], id="a token of 12 KB"),
    ],
)
def test_large_heads_are_read(stub, headers):
    assert exchange(stub, "GET / HTTP/1.1", "Host: x", *headers)[0] == 200


def test_long_request_lines_are_read(stub):
    assert exchange(stub, f"GET /?labelSelector={'a' * 20000} HTTP/1.1", "Host: x")[0] == 200


def test_eight_half_open_handshakes_do_not_stop_it(stub):
    stalled = []
    try:
        for _ in range(8):
            connection = socket.create_connection(("127.0.0.1", stub.port))
            connection.send(b"\x16")
            stalled.append(connection)
        # Four threads, and each is free again after a second.
        assert exchange(stub, "GET / HTTP/1.1", "Host: x")[0] == 200
    finally:
        for connection in stalled:
            connection.close()


def test_eight_stalled_requests_do_not_stop_it(stub):
    stalled = []
    try:
        for _ in range(8):
            connection = connect(stub)
            connection.send(b"POST / HTTP/1.1\r\nContent-Le")
            stalled.append(connection)
        assert exchange(stub, "GET / HTTP/1.1", "Host: x")[0] == 200
        assert "Traceback" not in stub.output()
    finally:
        for connection in stalled:
            connection.close()


def test_clients_that_stay_after_their_answer_do_not_stop_it(stub):
    staying = []
    try:
        for _ in range(8):
            connection = connect(stub)
            connection.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            staying.append(connection)
        began = time.monotonic()
        assert exchange(stub, "GET / HTTP/1.1", "Host: x")[0] == 200
        assert time.monotonic() - began < 2
    finally:
        for connection in staying:
            connection.close()


def test_an_answer_before_the_end_of_the_body_is_not_lost(stub):
    with connect(stub) as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2000000\r\n\r\n")
        for _ in range(20):
            connection.sendall(b"x" * 100_000)
        assert rest_of(connection).startswith(b"HTTP/1.1 200 OK")


def test_at_sigterm_open_watches_end_as_streams_do(tmp_path):
    server = Stub(tmp_path / "data")
    server.start()
    watches = [connect(server) for _ in range(3)]
    for watch in watches:
        watch.send(b"GET /watch HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"BOOKMARK" in watch.recv(4096) + watch.recv(4096)
    assert server.stop() == 0
    for watch in watches:
        # A clean end of the stream, not a reset: clients resume and do not list again.
        assert rest_of(watch).endswith(b"0\r\n\r\n")
        watch.close()


def test_after_probes_of_its_port_the_whole_server_still_ends_a_watch_of_the_api_and_stops(tmp_path):
    server = Server(tmp_path / "data", "--workers", "1")
    server.start()
    for _ in range(5):
        socket.create_connection(("127.0.0.1", server.port)).close()
    with connect(server) as watch:
        request = f"GET {STREAMS}?watch=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token()}\r\n\r\n"
        watch.send(request.encode())
        assert b"200 OK" in watch.recv(4096)
        group = server.process_group
        assert server.stop() == 0
        assert rest_of(watch).endswith(b"0\r\n\r\n")
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


def test_a_stop_does_not_complain_of_the_servers_own_watches(tmp_path):
    server = Server(tmp_path / "data", "--workers", "1")
    server.start()
    assert server.stop() == 0
    assert "Invalid request" not in server.output()


def test_all_processes_end_when_the_first_one_is_killed(tmp_path):
    server = Server(tmp_path / "data")
    server.start()
    os.kill(server.process_group, signal.SIGKILL)
    server.stop()
    until(lambda: _group_is_gone(server.process_group), "the end of the workers", 10)


def _group_is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_renewed_certificate_is_served_without_a_restart(tmp_path):
    given = Authority(tmp_path / "given")
    given.ensure(["localhost"])
    pair = ["--tls-cert", str(given.server.certificate), "--tls-key", str(given.server.key)]
    port = free_port()
    command = [sys.executable, "-m", "webhook", "serve", "--no-controllers", *pair]
    process = Process([*command, "--data", str(tmp_path / "data"), "--listen", f"127.0.0.1:{port}"], tmp_path / "log")
    try:
        until(lambda: not process.running or "Ready." in process.output(), "ready")
        first = _shown(port, given)
        given.ensure(["localhost", "images.example.com"])
        assert _shown(port, given) != first
    finally:
        assert process.stop() == 0


def _shown(port: int, authority: Authority) -> bytes:
    context = ssl.create_default_context(cafile=str(authority.certificate))
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    with context.wrap_socket(plain, server_hostname="localhost") as connection:
        return connection.getpeercert(binary_form=True) or b""


def test_an_own_certificate_that_expired_is_renewed_at_the_start(tmp_path):
    server = Server(tmp_path / "data", "--no-controllers")
    Authority(server.data / "pki").ensure(["localhost", "127.0.0.1"], datetime.now(UTC) - timedelta(days=400))
    server.start()
    assert server.stop() == 0


def test_a_given_certificate_that_expired_is_refused(tmp_path):
    given = Authority(tmp_path / "given")
    given.ensure(["localhost"], datetime.now(UTC) - timedelta(days=400))
    pair = ["--tls-cert", str(given.server.certificate), "--tls-key", str(given.server.key)]
    code, said = refused("--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0", *pair)
    assert code == 1
    assert "expired at" in said
    assert "renew it and start again" in said
    assert said.count("\n") == 1


def test_a_taken_port_is_refused(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, said = refused("--data", str(tmp_path / "data"), "--listen", f"127.0.0.1:{port}")
    assert code == 1
    assert f"port {port} on 127.0.0.1 is taken; stop what listens there or choose another" in said
    assert said.count("\n") == 1


def test_a_second_server_on_the_same_data_is_refused(own):
    code, said = refused("--data", str(own.data), "--listen", "127.0.0.1:0")
    assert code == 1
    assert "is in use by another server" in said
    assert said.count("\n") == 1
    assert get(own, "/readyz").code == 200


def test_a_second_server_on_the_same_port_is_refused_although_workers_share_it(own, tmp_path):
    code, said = refused("--data", str(tmp_path / "other"), "--listen", f"127.0.0.1:{own.port}")
    assert code == 1
    assert "is taken" in said


def test_an_unwritable_data_folder_is_refused(tmp_path):
    # Below a regular file not even root can write.
    (tmp_path / "file").write_text("")
    code, said = refused("--data", str(tmp_path / "file" / "data"), "--listen", "127.0.0.1:0")
    assert code == 1
    assert "cannot write to the data folder" in said
    assert "--data" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be taken for one" * 20, None])
def test_a_database_that_is_none_is_refused(tmp_path, content):
    database = tmp_path / "data" / "state.db"
    database.parent.mkdir()
    database.write_bytes(content) if content else database.mkdir()
    code, said = refused("--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0")
    assert code == 1
    assert "state.db" in said
    assert said.count("\n") == 1


def test_a_bad_address_is_wrong_usage():
    code, said = refused("--listen", "somewhere:else")
    assert code == 2
    assert "127.0.0.1:8443" in said


def test_a_moved_data_folder_starts_again_with_the_same_token(tmp_path):
    first = Server(tmp_path / "data", "--no-controllers")
    first.start()
    token = first.token()
    first.stop()
    shutil.move(first.data, tmp_path / "moved")
    second = Server(tmp_path / "moved", "--no-controllers", port=free_port())
    second.start()
    assert second.token() == token
    second.stop()


def test_plain_http_gets_no_traceback_into_the_log(own):
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("GET", f"http://127.0.0.1:{own.port}/readyz", retries=False, timeout=5)
    assert "Traceback" not in own.output()
