"""Where an answer is known to differ from the recording, and the verdict on a replay in the light of that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

LIST = Path(__file__).parents[2] / "docs" / "deviations.yaml"


class Outcome(Enum):
    """How a conversation ended; the value is its column in the report."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    DEVIATION = "deviations"
    NOT_THERE_YET = "not there yet"


@dataclass(frozen=True)
class Verdict:
    """An outcome, and what is to be said about it."""

    outcome: Outcome
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class Exceptions:
    """Ids, or patterns of ids, with a reason: what differs on purpose, and what is missing."""

    deviations: Mapping[str, str] = field(default_factory=dict)
    not_there_yet: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path = LIST) -> Exceptions:
        """The list beside docs/deviations.md."""
        raw = yaml.safe_load(path.read_text())
        return cls(raw["deviations"] or {}, raw["not_there_yet"] or {})

    def judge(self, conversation: str, differences: Sequence[str]) -> Verdict:
        """Differences of a listed conversation are expected; none is a failure, so that the list stays true."""
        for outcome, listed in (
            (Outcome.DEVIATION, self.deviations),
            (Outcome.NOT_THERE_YET, self.not_there_yet),
        ):
            reason = next((why for pattern, why in listed.items() if fnmatchcase(conversation, pattern)), None)
            if reason is not None and differences:
                return Verdict(outcome, (reason,))
            if reason is not None:
                return Verdict(Outcome.FAILED, (f"answers as recorded, but is listed in {LIST.name}: take it off",))
        return Verdict(Outcome.FAILED, tuple(differences)) if differences else Verdict(Outcome.PASSED)

    def unknown(self, conversations: Iterable[str]) -> list[str]:
        """Entries that no conversation matches."""
        known = list(conversations)
        entries = [*self.deviations, *self.not_there_yet]
        return [entry for entry in entries if not any(fnmatchcase(name, entry) for name in known)]
