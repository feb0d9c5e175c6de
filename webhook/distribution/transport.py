"""Requests to registries: bounded in time and size, with redirects that never carry credentials to another host."""

from __future__ import annotations

import contextlib
import math
import re
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, ProxyError, SSLError, TimeoutError
from urllib3.util import Timeout

from webhook.distribution.connections import Connections, Outbound
from webhook.distribution.failures import (
    DistributionError,
    EgressRefused,
    PlainHttp,
    TooLarge,
    UnexpectedAnswer,
    Unreachable,
)

_CHUNK = 64 * 1024
_REDIRECTS = 5
_REDIRECT_CODES = (301, 302, 303, 307, 308)
_SECRET_HEADERS = ("authorization", "cookie")
_WRONG_PROTOCOL = re.compile(
    r"WRONG_VERSION_NUMBER|HTTP_REQUEST|RECORD_LAYER_FAILURE|wrong version number", re.IGNORECASE
)


@dataclass(frozen=True)
class Answer:
    """What a server answered. `url` is the address that answered in the end; header names are in any case."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    url: str
    challenges: tuple[str, ...] = ()


@dataclass
class _Request:
    """A request under way; its socket is known once the answer is waited for."""

    deadline: float
    socket: socket.socket | None = None
    is_cut: bool = False

    def cut(self) -> None:
        """Wake the thread that reads the answer."""
        self.is_cut = True
        if self.socket is not None:
            # Not SSLSocket.shutdown, which takes the TLS state away from that thread.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class Transport:
    """Connections that are kept open between requests, and all cut with `close`.

    Requests made as insecure do not verify certificates. All answers together may have `total` bytes. A timeout holds
    for each read; a server that sends one byte after the other is ended by `close` or `cut_overdue` only.
    """

    def __init__(
        self,
        deadline: float,
        *,
        outbound: Outbound | None = None,
        connect_timeout: float = 8.0,
        read_timeout: float = 15.0,
        request_timeout: float = 25.0,
        total: float = math.inf,
    ) -> None:
        self._deadline = deadline
        self._connect_timeout, self._read_timeout = connect_timeout, read_timeout
        self._request_timeout = request_timeout
        self._total = self._left = total
        # By thread: each makes one request at a time.
        self._under_way: dict[int, _Request] = {}
        self._lock = threading.Lock()
        self._aborted = False
        self._connections = Connections(outbound or Outbound(), self._track)

    def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        limit: int,
        insecure: bool = False,
        timeout: float | None = None,
        deadline: float = math.inf,
        method: str = "GET",
    ) -> Answer:
        """Fetch `url` and at most `limit` bytes; any status is an answer. Raises DistributionError."""
        deadline = min(self._deadline, deadline, time.monotonic() + (timeout or self._request_timeout))
        current, sent = url, dict(headers or {})
        for _ in range(_REDIRECTS + 1):
            answer = self._once(method, current, sent, limit, insecure, deadline)
            location = answer.headers.get("Location")
            if answer.status not in _REDIRECT_CODES or not location:
                return answer
            target = _target(current, location, insecure)
            if _origin(target) != _origin(urlsplit(current)):
                sent = {name: value for name, value in sent.items() if name.lower() not in _SECRET_HEADERS}
            current = urlunsplit(target)
        raise UnexpectedAnswer(f"{_shown(url)}: a redirect loop: more than {_REDIRECTS} redirects")

    def close(self) -> None:
        """Cut all connections, also those that somebody is still waiting on."""
        with self._lock:
            self._aborted = True
            under_way = list(self._under_way.values())
        for one in under_way:
            one.cut()
        self._connections.clear()

    def cut_overdue(self) -> None:
        """Cut what should have ended by now; for connections that outlive the imports they are used for."""
        with self._lock:
            under_way = list(self._under_way.values())
        for one in under_way:
            if one.deadline <= time.monotonic():
                one.cut()

    def _track(self, connection: socket.socket) -> None:
        with self._lock:
            request = self._under_way[threading.get_ident()]
            request.socket = connection
            over = self._aborted or request.is_cut
        if over:
            raise TimeoutError("the time for this import is over")

    @contextlib.contextmanager
    def _known(self, deadline: float) -> Iterator[_Request]:
        """While the request of this thread is under way."""
        thread = threading.get_ident()
        with self._lock:
            request = self._under_way[thread] = _Request(deadline)
        try:
            yield request
        finally:
            with self._lock:
                del self._under_way[thread]

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], limit: int, insecure: bool, deadline: float
    ) -> Answer:
        remaining = deadline - time.monotonic()
        if remaining <= 0 or self._aborted:
            raise Unreachable(f"{_shown(url)}: no time left for this request")
        if self._left <= 0:
            raise TooLarge(f"{_shown(url)}: this import has read {self._total:.0f} bytes already, which is the most")
        timeout = Timeout(connect=min(self._connect_timeout, remaining), read=min(self._read_timeout, remaining))
        try:
            with self._known(deadline) as request:
                response = self._connections.request(
                    method,
                    url,
                    {"Accept-Encoding": "identity", "User-Agent": "imagestreams", **headers},
                    timeout,
                    insecure=insecure,
                )
                # The length that an answer to HEAD names is that of a body which does not come.
                body = _read(response, url, limit if method != "HEAD" else sys.maxsize, deadline)
                with self._lock:
                    self._left -= len(body)
        except EgressRefused as refused:
            raise EgressRefused(f"{_shown(url)}: {refused}") from None
        except DistributionError:
            raise
        # ValueError: a header or address that the client library refuses to send.
        except (HTTPError, OSError, ValueError) as error:
            raise _unreachable(url, error) from error
        if request.is_cut:
            # A connection that was cut in its headers reads like an empty answer.
            raise Unreachable(f"{_shown(url)}: the answer did not end in time")
        challenges = tuple(response.headers.getlist("WWW-Authenticate"))
        return Answer(response.status, response.reason or "", response.headers, body, url, challenges)


def _read(response: urllib3.BaseHTTPResponse, url: str, limit: int, deadline: float) -> bytes:
    length = response.headers.get("Content-Length", "")
    found = bytearray()
    try:
        if length.isascii() and length.isdigit() and int(length[:20]) > limit:
            raise TooLarge(f"{_shown(url)}: an answer of {length[:20]} bytes; at most {limit} are taken")
        while chunk := response.read1(_CHUNK, decode_content=False):
            found += chunk
            if len(found) > limit:
                raise TooLarge(f"{_shown(url)}: an answer of more than {limit} bytes")
            if time.monotonic() > deadline:
                raise Unreachable(f"{_shown(url)}: the answer did not end in time")
    except BaseException:
        # Half a body is left in it: not a connection to use again.
        response.close()
        raise
    response.release_conn()
    return bytes(found)


def _target(current: str, location: str, insecure: bool) -> SplitResult:
    try:
        target = urlsplit(urljoin(current, location))
        _origin(target)
    except ValueError:
        raise UnexpectedAnswer(f"{_shown(current)}: a redirect to an address that cannot be read") from None
    if target.scheme not in ("http", "https") or not target.hostname:
        raise UnexpectedAnswer(f"{_shown(current)}: a redirect to something that is not on the web")
    if target.scheme == "http" and urlsplit(current).scheme == "https" and not insecure:
        raise UnexpectedAnswer(f"{_shown(current)}: a redirect from HTTPS to HTTP")
    if target.username is not None:
        target = target._replace(netloc=target.netloc.rpartition("@")[2])
    return target


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _shown(url: str) -> str:
    """An address for messages: signed download addresses have secrets in their query."""
    parts = urlsplit(url)
    return f'Get "{urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))}"'


def _unreachable(url: str, error: Exception) -> Unreachable:
    text = str(error)
    where = _shown(url)
    if isinstance(error, SSLError) or isinstance(error.__cause__, ssl.SSLError):
        if _WRONG_PROTOCOL.search(text):
            return PlainHttp(f"{where}: the server gave an HTTP response to an HTTPS client")
        reason = _verification(error) or "the TLS handshake failed"
        return Unreachable(f"{where}: tls: {reason}")
    if isinstance(error, ProxyError):
        return Unreachable(f"{where}: the proxy does not connect: {_proxy_reason(error)}")
    if isinstance(error, NewConnectionError):
        return Unreachable(f"{where}: {_connection(error)}")
    if isinstance(error, TimeoutError | OSError):
        return Unreachable(f"{where}: no answer in time")
    if isinstance(error, ValueError):
        return Unreachable(f"{where}: the address or a header of the request cannot be sent")
    return Unreachable(f"{where}: the connection broke off or the answer is not HTTP")


def _proxy_reason(error: ProxyError) -> str:
    cause = error.original_error
    if isinstance(cause, NewConnectionError):
        return _connection(cause)
    found = re.search(r"Tunnel connection failed: (\d{3})", str(cause))
    return f"it answered {found[1]}" if found else "no answer that could be used"


def _verification(error: BaseException | None) -> str:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"failed to verify certificate: {error.verify_message}"
        following = error.args[0] if error.args and isinstance(error.args[0], BaseException) else None
        error = following or error.__cause__
    return ""


def _connection(error: NewConnectionError) -> str:
    cause = error.__cause__
    if isinstance(cause, socket.gaierror):
        return "no such host"
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused"
    text = cause.strerror if isinstance(cause, OSError) else None
    return text.lower() if text else "no connection"
