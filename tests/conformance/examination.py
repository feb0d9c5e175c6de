"""From one conversation to a verdict."""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from tests.conformance.comparison import differences
from tests.conformance.conversations import Conversation
from tests.conformance.exceptions import Exceptions, Outcome, Verdict
from tests.conformance.replay import replay
from tests.conformance.target import Target


def examine(target: Target, conversation: Conversation, exceptions: Exceptions) -> Verdict:
    """Replay the conversation if the target offers what it needs, compare, and judge."""
    missing = conversation.needs - target.has
    if missing:
        return Verdict(Outcome.SKIPPED, (f"the target does not offer: {', '.join(sorted(missing))}",))
    recorded = conversation.answers()
    try:
        given = replay(target, conversation)
    except (OSError, http.client.HTTPException, ValueError) as failure:
        return Verdict(Outcome.FAILED, (f"{type(failure).__name__}: {failure}",))
    return exceptions.judge(conversation.id, differences(recorded, given))


def examine_together(
    target: Target, conversations: Sequence[Conversation], exceptions: Exceptions
) -> dict[str, Future[Verdict]]:
    """All verdicts to come, by id: these conversations mostly wait, each in a namespace of its own."""
    pool = ThreadPoolExecutor(max(1, len(conversations)), "conversation")
    verdicts = {one.id: pool.submit(examine, target, one, exceptions) for one in conversations}
    pool.shutdown(wait=False)
    return verdicts
