"""The whole application over a store in memory, asked by the administrator."""

from __future__ import annotations

import pytest

from tests.unit.apiserver.api import INTEGRATED, Api
from webhook.apiserver.app import create_app
from webhook.meta.identity import ADMINISTRATOR
from webhook.settings import Settings
from webhook.storage.memory import MemoryStore


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def serve(store):
    """Starts the application with other settings, another `mutate` or `stopping`."""

    def start(*, mutate=None, stopping=lambda: False, **settings):
        chosen = Settings(**{"integrated_registry": INTEGRATED, **settings})
        app = create_app(store, chosen, authenticate=lambda environ: ADMINISTRATOR, mutate=mutate, stopping=stopping)
        return Api(app.test_client())

    return start


@pytest.fixture
def api(serve):
    return serve()
