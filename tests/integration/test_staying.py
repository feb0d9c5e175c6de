"""The worker whose threads stay with their connections answers whatever it is sent as gunicorn's own does."""

from __future__ import annotations

import os
import random
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import urllib3

from tests.integration.servers import Server, Webhook, until
from tests.integration.test_webhook import pod

REVIEW = pod("shop", "nginx:1.27")
CONVERSATIONS = 25


@pytest.fixture(scope="module")
def copies(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Webhook]]:
    """gunicorn's worker, and the one that stays, each with four threads."""
    flags = ["--workers", "1", "--threads", "4", "--no-live-questions", "--socket-timeout", "2"]
    folder = tmp_path_factory.mktemp("copies")
    with (
        Webhook(folder / "plain", server.kubeconfig, *flags) as plain,
        Webhook(folder / "staying", server.kubeconfig, *flags, "--staying") as staying,
    ):
        yield [plain, staying]


def post(body: bytes, *headers: str, path: str = "/admission/mutate", version: str = "1.1") -> bytes:
    lines = [f"POST {path} HTTP/{version}", "Host: x", "Content-Type: application/json", *headers]
    if not any("transfer-encoding" in line.lower() or "content-length" in line.lower() for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(body: bytes, rng: random.Random) -> bytes:
    middle = rng.randrange(1, len(body))
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:middle], body[middle:]))
    return post(chunks + b"0\r\n\r\n", "Transfer-Encoding: chunked")


def request(rng: random.Random) -> bytes:
    """One of many requests; some are none."""
    noise = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 200)))
    return rng.choice(
        [
            lambda: post(REVIEW),
            lambda: post(REVIEW),
            lambda: post(REVIEW, path="/admission/validate"),
            lambda: post(REVIEW, path="/admission/mutate?timeout=3s"),
            lambda: post(REVIEW, "Expect: 100-continue"),
            lambda: post(REVIEW, "X-Remote-Group: a,b", "X_Odd: 1"),
            lambda: post(REVIEW, version="1.0"),
            lambda: post(REVIEW, f"Content-Length: {len(REVIEW)}", f"Content-Length: {len(REVIEW)}"),
            lambda: post(REVIEW, f"Content-Length: +{len(REVIEW)}"),
            lambda: post(chunked(REVIEW, rng), "Transfer-Encoding: chunked", "Content-Length: 5"),
            lambda: chunked(REVIEW, rng),
            lambda: post(REVIEW[: rng.randrange(len(REVIEW))]),
            lambda: post(noise),
            lambda: post(b""),
            lambda: post(REVIEW, path="/elsewhere"),
            lambda: b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n",
            lambda: b"GET /admission/mutate HTTP/1.1\r\nHost: x\r\n\r\n",
            lambda: noise + b"\r\n\r\n",
        ]
    )()


def converse(webhook: Webhook, pieces: list[bytes]) -> list[tuple[bytes, ...]]:
    """What comes back until the server closes, without what differs from one answer to the next."""
    context = ssl.create_default_context(cadata=webhook.authority())
    plain = socket.create_connection(("127.0.0.1", webhook.port), timeout=20)
    with context.wrap_socket(plain, server_hostname="localhost") as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except OSError:
            # It may have closed before the end: what it said counts.
            pass
        answer = b""
        try:
            while content := connection.recv(65536):
                answer += content
        except OSError:
            pass
    return [_told(one) for one in answer.split(b"HTTP/1.")[1:]]


def _told(answer: bytes) -> tuple[bytes, ...]:
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"date:", b"server:"))]
    return (lines[0], *sorted(line.lower() for line in lines[1:]), body)


@pytest.mark.parametrize("seed", range(CONVERSATIONS))
def test_conversations_of_all_kinds_go_as_with_gunicorns_own_worker(copies, seed):
    rng = random.Random(seed)
    content = b"".join(request(rng) for _ in range(rng.randrange(1, 6))) + post(REVIEW, "Connection: close")
    cuts = sorted(rng.randrange(len(content)) for _ in range(rng.randrange(4)))
    pieces = [content[start:end] for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    plain, staying = (converse(one, pieces) for one in copies)
    assert staying == plain
    assert plain


def test_more_connections_than_threads_are_all_answered(copies):
    staying = copies[1]
    context = ssl.create_default_context(cadata=staying.authority())
    answered = [0] * 12

    def ask(number: int) -> None:
        with urllib3.HTTPSConnectionPool("127.0.0.1", staying.port, ssl_context=context, retries=False) as pool:
            for _ in range(20):
                answered[number] += pool.request("POST", "/admission/mutate", body=REVIEW).status == 200

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(answered))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answered == [20] * len(answered)


def test_silent_connections_hold_no_thread(copies):
    staying = copies[1]
    context = ssl.create_default_context(cadata=staying.authority())
    silent = [urllib3.HTTPSConnectionPool("127.0.0.1", staying.port, ssl_context=context) for _ in range(8)]
    try:
        for pool in silent:
            assert pool.request("POST", "/admission/mutate", body=REVIEW).status == 200
        assert staying.get("/livez") == (200, "ok")
    finally:
        for pool in silent:
            pool.close()


def test_it_drains_as_well(server, tmp_path: Path):
    webhook = Webhook(tmp_path / "data", server.kubeconfig, "--workers", "1", "--staying", "--drain", "30").start()
    context = ssl.create_default_context(cadata=webhook.authority())
    with closing(urllib3.HTTPSConnectionPool("127.0.0.1", webhook.port, ssl_context=context, retries=False)) as pool:
        assert pool.request("POST", "/admission/mutate", body=REVIEW).headers["Connection"] == "keep-alive"
        os.kill(webhook.process_group, signal.SIGTERM)
        until(lambda: webhook.get("/readyz")[0] == 500, "unready")
        assert pool.request("POST", "/admission/mutate", body=REVIEW).headers["Connection"] == "close"
    assert webhook.stop() == 0
