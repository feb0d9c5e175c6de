"""A registry in a thread, which answers as told, and the images to put in it."""

import hashlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from webhook.image import manifest as manifests

API_VERSION = ("Docker-Distribution-API-Version", "registry/2.0")


def digest(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def errors(code, message=""):
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


class Registry:
    """`routes` maps a path to (status, headers, body), or to a function of the request that answers one."""

    def __init__(self, port, scheme="http"):
        self.host = f"127.0.0.1:{port}"
        self.url = f"{scheme}://{self.host}"
        self.routes = {"/v2/": (200, [API_VERSION], b"{}")}
        self.requests = []
        self.let_go = threading.Event()

    def put(self, repository, tag, content, media_type):
        answer = (200, [("Content-Type", media_type), ("Docker-Content-Digest", digest(content))], content)
        self.routes[f"/v2/{repository}/manifests/{tag}"] = answer
        self.routes[f"/v2/{repository}/manifests/{digest(content)}"] = answer
        return digest(content)

    def put_blob(self, repository, content):
        self.routes[f"/v2/{repository}/blobs/{digest(content)}"] = (200, [], content)
        return digest(content)

    def put_image(self, repository, tag, *, architecture="amd64", text="php 8.2"):
        config = json.dumps(
            {
                "architecture": architecture,
                "os": "linux",
                "created": "2024-01-02T03:04:05Z",
                "author": text,
                "config": {},
            }
        ).encode()
        layer = {
            "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
            "size": 119,
            "digest": digest(b"layer"),
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": manifests.DOCKER_MANIFEST,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": len(config),
                "digest": self.put_blob(repository, config),
            },
            "layers": [layer],
        }
        return self.put(repository, tag, json.dumps(manifest, indent=3).encode(), manifests.DOCKER_MANIFEST)

    def seen(self, path):
        return [request for request in self.requests if request["path"] == path]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        registry = self.server.registry
        path = self.path.partition("?")[0]
        registry.requests.append(
            {
                "method": self.command,
                "path": path,
                "url": self.path,
                "headers": dict(self.headers),
                "port": self.client_address[1],
            }
        )
        answer = registry.routes.get(self.path) or registry.routes.get(path, (404, [], errors("MANIFEST_UNKNOWN")))
        if callable(answer):
            answer = answer(self)
        if answer is None:
            self.close_connection = True
            return
        status, headers, body = answer
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Clients that cut the connection are what some tests are about."""


class Server6(Server):
    address_family = socket.AF_INET6
