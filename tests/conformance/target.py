"""The server under test, as a target file describes it, and how requests get there."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 60.0
# The placeholders of the recordings that stand for addresses of the target.
NAMES = ("registry", "authregistry", "tlsregistry", "integrated")


@dataclass(frozen=True)
class User:
    """A bearer token, or a client certificate with its key."""

    token: str = ""
    cert: Path | None = None
    key: Path | None = None


@dataclass(frozen=True)
class Answer:
    """What came back; of a watch, what came within its time."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Target:
    """A server, its users, the registries that the recordings name, and what it offers (`has`)."""

    server: str
    users: Mapping[str, User]
    ca: Path | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    has: frozenset[str] = frozenset()

    @classmethod
    def read(cls, path: Path) -> Target:
        """A target file (JSON, see README.md); file names in it are relative to it."""
        raw: dict[str, Any] = json.loads(path.read_text())
        folder = path.resolve().parent
        users = {
            name: User(who.get("token", ""), *(folder / who[part] if part in who else None for part in ("cert", "key")))
            for name, who in raw["users"].items()
        }
        names = {name: raw.get(name, "") for name in NAMES}
        ca = folder / raw["ca"] if raw.get("ca") else None
        return cls(raw["server"], users, ca, names, frozenset(raw.get("has", ())))

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        user: str = "admin",
        watch: float | None = None,
    ) -> Answer:
        """One request on a connection of its own; `watch` is for how many seconds to read lines."""
        content = body if isinstance(body, str | None) else json.dumps(body)
        defaults = {"Accept": "application/json"}
        if body is not None:
            defaults["Content-Type"] = "application/json"
        if self.users[user].token:
            defaults["Authorization"] = f"Bearer {self.users[user].token}"
        connection = self._connection(user)
        try:
            encoded = content.encode() if content is not None else None
            connection.request(method, path, encoded, {**defaults, **(headers or {})})
            socket = connection.sock  # getresponse() forgets it when the server says "Connection: close"
            with connection.getresponse() as response:
                received = response.read() if watch is None else _lines(response, socket, watch)
                return Answer(response.status, dict(response.headers), received)
        finally:
            connection.close()

    def _connection(self, user: str) -> http.client.HTTPConnection:
        where = urlsplit(self.server)
        host = where.hostname or ""
        if where.scheme == "http":
            return http.client.HTTPConnection(host, where.port, timeout=TIMEOUT_SECONDS)
        return http.client.HTTPSConnection(host, where.port, timeout=TIMEOUT_SECONDS, context=self._contexts[user])

    @cached_property
    def _contexts(self) -> Mapping[str, ssl.SSLContext]:
        return {name: self._context(user) for name, user in self.users.items()}

    def _context(self, user: User) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca)
        if self.ca is None:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if user.cert:
            context.load_cert_chain(user.cert, user.key)
        return context


def _lines(response: http.client.HTTPResponse, socket: Any, seconds: float) -> bytes:
    lines, end = [], time.monotonic() + seconds
    try:
        while (left := end - time.monotonic()) > 0:
            socket.settimeout(left)
            line = response.readline()
            if not line:
                break
            lines.append(line)
    except OSError:
        pass  # the time is over, or the server has ended the watch: either way this is what it said
    return b"".join(lines)
