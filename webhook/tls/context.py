"""The TLS side of every accepted connection: bounded in time, and always with the certificate that is on disk now.

gunicorn asks for a context once per connection. Two defects are designed around here: a client that
stalls in the handshake or in a request would hold a thread for ever, and a renewed certificate would need a restart.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import ssl
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from webhook.tls.authority import LOOPBACK_NAME, Pair, UnusableCertificate, expiry
from webhook.tls.lingering import Lingering

_log = logging.getLogger(__name__)

REQUEST_BUDGET: Final = 60.0
"""Seconds in which one request must have arrived whole: as long as kube-apiserver waits for an answer."""


class BoundedSocket(ssl.SSLSocket):
    """A server's TLS socket on which "blocking" means "for at most the context's `stall` seconds"."""

    _until = float("inf")
    _left = False

    def setblocking(self, flag: bool) -> None:
        """Blocking, with a bound; gunicorn calls this at the start of every request."""
        if not flag:
            super().setblocking(False)
            return
        self._until = time.monotonic() + REQUEST_BUDGET
        self.settimeout(self._stall)

    @property
    def _stall(self) -> float | None:
        return self.context.stall if isinstance(self.context, BoundedContext) else None

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """As a socket's, but a peer that stalls has left, and after `shutdown` there is nothing to wait for."""
        if self._left:
            return b""
        if time.monotonic() > self._until:
            raise _cut("the request did not arrive in time")
        try:
            return super().recv(buflen, flags)
        except TimeoutError:
            raise _cut("the peer stopped sending") from None

    def send(self, data: Any, flags: int = 0) -> int:
        """As a socket's, but a peer that stalls has left."""
        try:
            return super().send(data, flags)
        except TimeoutError:
            raise _cut("the peer stopped reading") from None

    def shutdown(self, how: int) -> None:
        """As a socket's; what the peer still sends is read by the context's `lingering`, not by the caller."""
        super().shutdown(how)
        if isinstance(self.context, BoundedContext):
            self._left = True
            self.context.lingering.add(socket.socket(fileno=os.dup(self.fileno())))


class BoundedContext(ssl.SSLContext):
    """A server context whose handshakes end after `stall` seconds."""

    stall: float = 10.0
    lingering = Lingering()
    sslsocket_class = BoundedSocket

    def wrap_socket(  # type: ignore[override]
        self, sock: socket.socket, server_side: bool = False, **_options: Any
    ) -> ssl.SSLSocket:
        """Shake hands now and within the bound, whatever the caller's options say."""
        sock.settimeout(self.stall)
        try:
            return super().wrap_socket(sock, server_side=server_side, do_handshake_on_connect=True)
        except TimeoutError:
            raise _cut("the TLS handshake did not end in time") from None


def _cut(why: str) -> ConnectionResetError:
    """A stall, as the one error that gunicorn takes for a client that has left, without a traceback."""
    return ConnectionResetError(errno.ECONNRESET, why)


def build(pair: Pair, stall: float) -> BoundedContext:
    """A context that serves `pair`; `UnusableCertificate` says what is wrong with it."""
    context = BoundedContext(ssl.PROTOCOL_TLS_SERVER)
    context.stall = stall
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # HTTP/2 on gunicorn's threads serves one stream after another: a watch would stop its connection.
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(pair.certificate, pair.key, password=_refuse_password)
    except FileNotFoundError as error:
        missing = next((one for one in (pair.certificate, pair.key) if not one.exists()), error.filename)
        raise UnusableCertificate(f"there is no file {missing}; give the PEM files of a pair") from None
    except (OSError, ValueError) as error:
        raise UnusableCertificate(_why(pair, error)) from None
    return context


def _refuse_password() -> str:
    raise ValueError("the key is encrypted")


def _why(pair: Pair, error: Exception) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    if reason == "KEY_VALUES_MISMATCH":
        return (
            f"the key {pair.key} does not belong to the certificate {pair.certificate}; give the one it was made with"
        )
    return f"the certificate {pair.certificate} with the key {pair.key} cannot be used ({reason}); give PEM files"


def check(pair: Pair, now: datetime | None = None) -> datetime:
    """When the pair expires; `UnusableCertificate` if it cannot be served or is expired."""
    build(pair, stall=1.0)
    until = expiry(pair.certificate)
    if until <= (now or datetime.now(UTC)):
        raise UnusableCertificate(
            f"the certificate {pair.certificate} expired at {until:%Y-%m-%dT%H:%M:%SZ}; renew it and start again,"
            " or leave --tls-cert out to use the server's own"
        )
    return until


class ReloadingContext:
    """The current context for a pair of files: loaded again when they change, kept when the new ones are unusable."""

    def __init__(self, pair: Pair, stall: float, loopback: ReloadingContext | None = None) -> None:
        self._pair = pair
        self._stall = stall
        self._loopback = loopback
        self._lock = threading.Lock()
        self._stamp = _stamp(pair)
        self._context = self._load()

    def current(self) -> BoundedContext:
        """The context for a new connection: two stat calls when nothing has changed."""
        stamp = _stamp(self._pair)
        if stamp != self._stamp:
            with self._lock:
                if stamp != self._stamp:
                    self._reload(stamp)
        return self._context

    def _reload(self, stamp: tuple[object, ...]) -> None:
        # The stamp is taken even on failure: one warning per change, not one per connection.
        self._stamp = stamp
        try:
            self._context = self._load()
        except UnusableCertificate as error:
            _log.warning("The new serving certificate is not used and the old one kept: %s.", error)
        else:
            _log.info("The serving certificate was loaded again; it expires at %s.", expiry(self._pair.certificate))

    def _load(self) -> BoundedContext:
        context = build(self._pair, self._stall)
        if self._loopback is not None:
            context.sni_callback = self._choose
        return context

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> None:
        if name == LOOPBACK_NAME and self._loopback is not None:
            connection.context = self._loopback.current()


def _stamp(pair: Pair) -> tuple[object, ...]:
    return tuple(_stamp_of(path) for path in (pair.certificate, pair.key))


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino, stat.st_size
