"""Random writes by several clients: the server and a small model of it agree after each of them.

`RANDOM_WRITES` and `RANDOM_SEED` in the environment choose how many and which; a failure prints the seed.
"""

from __future__ import annotations

import datetime
import itertools
import os
import random

import pytest

from tests.property.client import Client, at
from tests.property.comparison import differences, observed
from tests.property.model import stream_json
from webhook.meta import timestamps

WRITES = int(os.environ.get("RANDOM_WRITES", "5000"))
# What must have happened in so many writes, so that they show something.
HAPPENED = ("200", "201", "400", "404", "409", "409 of conflicts", "422")


def compare(client: Client, name: str, before: dict | None) -> dict | None:
    """What there is, is what the model has; it is a new version only where the model changed. Answers what it has."""
    answer = client.http.get(at(name))
    stream = client.model.streams.get(name)
    if stream is None:
        assert answer.status_code == 404
        client.versions.pop(name, None)
        return None
    expected = {
        "metadata": {"labels": stream.labels, "generation": stream.generation},
        "spec": stream_json(stream)["spec"],
        "history": {tag: list(items) for tag, items in stream.history.items()},
        "owners": stream.owners,
    }
    found = observed(answer.json)
    assert found == expected, "\n".join(differences(found, expected))
    version = answer.json["metadata"]["resourceVersion"]
    assert (version == client.versions.get(name)) == (expected == before), "a version for each change, none for nothing"
    client.versions[name] = version
    return expected


@pytest.fixture
def clock(monkeypatch):
    """Every look at the clock is a second later, so that nothing stays as it is by being quick."""
    start, seconds = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), itertools.count()
    later = (timestamps.format(start + datetime.timedelta(seconds=one)) for one in seconds)
    monkeypatch.setattr(timestamps, "now", lambda: next(later))


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("clock")
def test_the_server_and_the_model_agree_after_every_write():
    seed = int(os.environ.get("RANDOM_SEED") or random.randrange(1_000_000))
    client = Client(seed)
    states: dict[str, dict | None] = {}
    try:
        for _ in range(WRITES):
            name = client.step()
            states[name] = compare(client, name, states.get(name))
    except AssertionError as error:
        writes = "\n".join(client.last)
        pytest.fail(f"RANDOM_SEED={seed}, write {client.done}: {error}\nthe last writes:\n{writes}", pytrace=False)
    print(f"RANDOM_SEED={seed}: {WRITES} writes agree: {dict(client.counts)}")
    assert all(client.counts[one] for one in HAPPENED), client.counts
