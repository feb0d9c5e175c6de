"""A verdict as the outcome of a test."""

from __future__ import annotations

import pytest

from tests.conformance.exceptions import Outcome, Verdict


def conclude(verdict: Verdict) -> None:
    """End the test as the verdict says."""
    said = "\n".join(verdict.lines)
    match verdict.outcome:
        case Outcome.SKIPPED:
            pytest.skip(said)
        case Outcome.DEVIATION | Outcome.NOT_THERE_YET:
            pytest.xfail(f"{verdict.outcome.value}: {said}")
        case Outcome.FAILED:
            pytest.fail(said, pytrace=False)
