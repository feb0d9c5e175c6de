"""Many streams at one registry that is far away, fails and asks for patience: all settle, and none asks too much."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration import settling
from tests.integration.api import Api
from tests.integration.busy_registry import BusyRegistry, looks, running
from tests.integration.servers import Server, until

STREAMS = 200
BUDGET = 150
FLAGS = ("--registry-rate", str(BUDGET), "--import-rate", "200", "--import-interval", "15s", "--import-retry", "1s")


@pytest.fixture
def registry() -> Iterator[BusyRegistry]:
    with running(BusyRegistry(latency=0.005, error_rate=0.01)) as registry:
        yield registry


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with Server(tmp_path / "data", *FLAGS) as server, Api(server) as api:
        yield api


def test_all_streams_settle_within_the_budget_and_then_cost_one_look_each(api: Api, registry: BusyRegistry) -> None:
    settling.create(api, registry, 0, STREAMS // 2)
    registry.closed.set()
    settling.create(api, registry, STREAMS // 2, STREAMS)
    until(lambda: any(one.status == 429 for one in registry.asked()), "the registry's refusal")
    registry.closed.clear()
    until(lambda: settling.settled(api), "all streams with an image and no failure", 60, pause=0.2)

    assert settling.histories(settling.streams(api)) == settling.wanted(STREAMS)
    asked = registry.asked()
    # Arrivals may bunch up on a busy machine; the whole cannot be more than the budget of its time.
    assert len(asked) <= BUDGET * (asked[-1].at - asked[0].at + 1)
    assert any(one.status == 503 for one in asked)

    registry.error_rate = 0.0
    before = settling.versions(api)
    registry.forget()
    until(lambda: len(looks(registry.asked())) == STREAMS, "a look at every tag", 60)
    assert set(looks(registry.asked()).values()) == {1}
    assert {one.method for one in registry.asked() if one.path != "/v2/"} == {"HEAD"}
    assert settling.versions(api) == before
