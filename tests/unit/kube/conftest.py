"""An API server to talk to: answers are queued per method and path, and requests are kept."""

import json
import threading
from collections import defaultdict, deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

from webhook.kube.client import KubeClient
from webhook.kube.connection import Connection


class FakeApi:
    """`expect` queues answers; a list of bytes is sent as chunks, an Event in it is waited for."""

    def __init__(self, address):
        self.server = f"http://127.0.0.1:{address[1]}"
        self.requests = []
        self.answers = defaultdict(deque)

    def expect(self, method, path, *answers):
        self.answers[method, path].extend(answers)

    def connection(self, **more):
        return Connection(self.server, **more)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        api = self.server.api
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = {"method": self.command, "path": url.path, "query": dict(parse_qsl(url.query)), "body": body}
        api.requests.append({**seen, "headers": dict(self.headers)})
        queue = api.answers[self.command, url.path]
        code, content = queue.popleft() if queue else (404, {"kind": "Status", "message": "nothing here", "code": 404})
        if isinstance(content, list):
            self.stream(code, content)
        else:
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    def stream(self, code, chunks):
        self.send_response(code)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            if isinstance(chunk, threading.Event):
                self.wfile.flush()
                chunk.wait(10)
            elif chunk is None:
                self.close_connection = True
                return
            else:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

    def log_message(self, *args):
        pass


@pytest.fixture
def api():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.api = FakeApi(server.server_address)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.api
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(api):
    client = KubeClient(api.connection(token="secret"))
    yield client
    client.close()
