"""Our own server as the recordings want it: strict, with or without controllers, and registries to import from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.conformance.images import catalogue
from tests.conformance.target import Target, User
from tests.integration.servers import DockerRegistry, Server, make_certificate

INTEGRATED = "image-registry.openshift-image-registry.svc:5000"
FLAGS = ("--strict", "--integrated-registry", INTEGRATED, "--max-bulk-import", "5")
WITHOUT_CONTROLLERS = ("--no-controllers",)
#: As the conversations with an import controller were recorded.
WITH_CONTROLLERS = ("--import-interval", "15s")


@contextmanager
def running(folder: Path, *, controllers: bool = False) -> Iterator[Target]:
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
        flags = WITH_CONTROLLERS if controllers else WITHOUT_CONTROLLERS
        server = Server(folder / "server" / "data", *FLAGS, *flags)
        cleanup.callback(server.stop)
        server.start()
        users = {"admin": User(token=server.token())}
        offered = frozenset({"admission", "builds", *({"importer"} if controllers else ())})
        yield Target(server.url, users, server.data / "pki" / "ca.crt", names, offered)
