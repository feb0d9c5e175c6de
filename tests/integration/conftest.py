"""Real servers for integration tests: one of each kind per test process, a namespace of its own for every test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.api import Api
from tests.integration.kubectl import Kubectl
from tests.integration.servers import DockerRegistry, Server, make_certificate

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder starts real servers."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server as a newcomer starts it, controllers included."""
    with Server(tmp_path_factory.mktemp("server") / "data") as server:
        yield server


# Not for the session: a connection that nobody uses for two minutes is closed by the server, maybe just as it is used.
@pytest.fixture(scope="module")
def api(server: Server) -> Iterator[Api]:
    """Raw HTTP to the server, as its administrator."""
    with Api(server) as api:
        yield api


@pytest.fixture
def namespace() -> str:
    """A namespace that no other test uses; it need not be created."""
    return f"test-{next(_numbers)}"


@pytest.fixture
def kubectl(server: Server, tmp_path: Path, namespace: str) -> Kubectl:
    """kubectl in the test's namespace."""
    return Kubectl(server, tmp_path, namespace)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRegistry]:
    """A registry over plain HTTP that asks for nothing."""
    registry = DockerRegistry(tmp_path_factory.mktemp("registry"))
    yield registry
    registry.stop()


@pytest.fixture(scope="session")
def password_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRegistry]:
    """A registry over plain HTTP that asks for reader's password."""
    registry = DockerRegistry(tmp_path_factory.mktemp("password-registry"), password=True)
    yield registry
    registry.stop()


@pytest.fixture(scope="session")
def tls_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRegistry]:
    """A registry over https whose authority the server does not know."""
    folder = tmp_path_factory.mktemp("tls-registry")
    registry = DockerRegistry(folder, certificate=make_certificate(folder))
    yield registry
    registry.stop()
