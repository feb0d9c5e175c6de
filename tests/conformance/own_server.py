"""Our own server as the recordings want it: strict, without controllers, with three registries to import from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.conformance.images import catalogue
from tests.conformance.target import Target, User
from tests.integration.servers import DockerRegistry, Server, make_certificate

INTEGRATED = "image-registry.openshift-image-registry.svc:5000"
FLAGS = ("--strict", "--no-controllers", "--integrated-registry", INTEGRATED, "--max-bulk-import", "5")


@contextmanager
def running(folder: Path) -> Iterator[Target]:
    """The server and its registries, on free ports; all of them are gone afterwards."""
    images = catalogue()
    with ExitStack() as cleanup:

        def registry(name: str, *, password: bool = False, certificate: Path | None = None) -> str:
            started = DockerRegistry(folder / name, images, password=password, certificate=certificate)
            cleanup.callback(started.stop)
            return started.address

        names = {
            "registry": registry("plain"),
            "authregistry": registry("password", password=True),
            "tlsregistry": registry("tls", certificate=make_certificate(folder / "tls")),
            "integrated": INTEGRATED,
        }
        server = Server(folder / "server" / "data", *FLAGS)
        cleanup.callback(server.stop)
        server.start()
        users = {"admin": User(token=server.token())}
        offered = frozenset({"admission", "builds"})
        yield Target(server.url, users, server.data / "pki" / "ca.crt", names, offered)
