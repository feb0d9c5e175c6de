"""From one conversation to a verdict."""

from __future__ import annotations

import http.client

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
