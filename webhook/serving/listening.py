"""The address to listen on: read from the command line, proved free, and kept until the workers have it."""

from __future__ import annotations

import errno
import socket

from webhook.serving.workspace import CannotServe


def parse(text: str) -> tuple[str, int]:
    """`HOST:PORT`, `[IPV6]:PORT`, `HOST` or `:PORT` → (host, port), by default 8443; ValueError says what is odd."""
    host, port = text.strip(), "8443"
    if host.startswith("["):
        host, bracket, rest = host[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f'"{text}" is not HOST:PORT; an IPv6 address is written as [::1]:8443')
        port = rest[1:] or port
    elif host.count(":") > 1:
        raise ValueError(f'"{text}" is not HOST:PORT; an IPv6 address is written as [::1]:8443')
    elif ":" in host:
        host, _, port = host.partition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f'"{text}" has no port between 0 and 65535; try 127.0.0.1:8443')
    if "/" in host or " " in host:
        raise ValueError(f'"{text}" is not HOST:PORT; try 127.0.0.1:8443')
    return host or "0.0.0.0", int(port)


def reserve(host: str, port: int, option: str = "--listen") -> socket.socket:
    """A bound socket that keeps the port for the workers, who bind it again with SO_REUSEPORT.

    It never listens, so no connection reaches it. Port 0 becomes a free one. `CannotServe` if the port is taken:
    that is tried without SO_REUSEPORT first, as with it two servers of one user would share the port unnoticed.
    `option` is the one that named the address.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        raise CannotServe(f"cannot listen on {host}: no such host; try {option} 127.0.0.1:{port}") from None
    try:
        if port:
            _bound(family, address, share=False).close()
        return _bound(family, address, share=True)
    except OSError as error:
        raise CannotServe(_why(host, port, option, error)) from None


def _bound(family: socket.AddressFamily, address: object, *, share: bool) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)  # type: ignore[arg-type]
    except OSError:
        listener.close()
        raise
    return listener


def _why(host: str, port: int, option: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is taken; stop what listens there or choose another with {option} {host}:{port + 1}"
        )
    if error.errno == errno.EACCES:
        return f"port {port} may not be opened by this user; choose one above 1023, such as {option} {host}:8443"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine; try {option} 127.0.0.1:{port}"
    return f"cannot listen on {host}:{port} ({(error.strerror or str(error)).lower()}); choose another with {option}"
