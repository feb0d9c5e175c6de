"""Every recorded conversation, with our own server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.conversations import Conversation, load
from tests.conformance.examination import examine
from tests.conformance.exceptions import Exceptions, Outcome
from tests.conformance.own_server import running
from tests.conformance.target import Target

# One server for all: some conversations look at what is shared by all namespaces, such as Images.
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("conformance")]

EXCEPTIONS = Exceptions.read()
CONVERSATIONS = list(load())


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with running(tmp_path_factory.mktemp("conformance")) as target:
        yield target


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda conversation: conversation.id)
def test_answers_are_those_of_openshift(conversation: Conversation, target: Target) -> None:
    verdict = examine(target, conversation, EXCEPTIONS)
    said = "\n".join(verdict.lines)
    match verdict.outcome:
        case Outcome.SKIPPED:
            pytest.skip(said)
        case Outcome.DEVIATION | Outcome.NOT_THERE_YET:
            pytest.xfail(f"{verdict.outcome.value}: {said}")
        case Outcome.FAILED:
            pytest.fail(said, pytrace=False)
