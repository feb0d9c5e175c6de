"""Every recorded conversation that needs no controller, with our own server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.conversations import Conversation, load
from tests.conformance.examination import examine
from tests.conformance.exceptions import Exceptions
from tests.conformance.own_server import running
from tests.conformance.target import Target
from tests.conformance.verdicts import conclude

# One server for all: some conversations look at what is shared by all namespaces, such as Images.
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("conformance")]

EXCEPTIONS = Exceptions.read()
CONVERSATIONS = [conversation for conversation in load() if not conversation.wants_controller]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with running(tmp_path_factory.mktemp("conformance")) as target:
        yield target


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda conversation: conversation.id)
def test_answers_are_those_of_openshift(conversation: Conversation, target: Target) -> None:
    conclude(examine(target, conversation, EXCEPTIONS))
