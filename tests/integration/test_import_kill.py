"""kill -9 in the middle of 200 imports: after the restart every stream has its image, and none has it twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration import settling
from tests.integration.api import Api
from tests.integration.busy_registry import BusyRegistry, running
from tests.integration.servers import Server, until

STREAMS = 200
FLAGS = ("--import-rate", "100", "--registry-rate", "300")


@pytest.fixture
def registry() -> Iterator[BusyRegistry]:
    with running(BusyRegistry(latency=0.01)) as registry:
        yield registry


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", *FLAGS) as server:
        yield server


def imported(api: Api) -> int:
    return sum(bool(images) for images in settling.histories(settling.streams(api)).values())


def test_every_stream_converges_and_none_has_its_image_twice(server: Server, registry: BusyRegistry) -> None:
    with Api(server) as api:
        settling.create(api, registry, 0, STREAMS)
        until(lambda: imported(api) > STREAMS // 5, "some imports")
        server.kill()
    begun = {one.path for one in registry.asked() if "/manifests/" in one.path}
    assert len(begun) < STREAMS, "the kill was not in the middle"

    server.start()
    with Api(server) as api:
        until(lambda: settling.settled(api), "all streams with an image", 60, pause=0.2)
        assert settling.histories(settling.streams(api)) == settling.wanted(STREAMS)
