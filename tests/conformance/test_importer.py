"""Every recorded conversation about the import controller, all at once, with a server that looks every 15 seconds."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from tests.conformance.conversations import Conversation, load
from tests.conformance.examination import examine_together
from tests.conformance.exceptions import Exceptions, Verdict
from tests.conformance.own_server import running
from tests.conformance.verdicts import conclude

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("importer")]

CONVERSATIONS = [conversation for conversation in load() if conversation.wants_controller]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Verdict]]]:
    with running(tmp_path_factory.mktemp("importer"), controllers=True) as target:
        yield examine_together(target, CONVERSATIONS, Exceptions.read())


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda conversation: conversation.id)
def test_the_controller_does_as_that_of_openshift(
    conversation: Conversation, verdicts: dict[str, Future[Verdict]]
) -> None:
    conclude(verdicts[conversation.id].result())
