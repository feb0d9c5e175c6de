"""The report: a table of outcomes by area."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tests.conformance.exceptions import Outcome


def table(results: Iterable[tuple[str, Outcome]]) -> str:
    """One line for each area in order of appearance, and the totals."""
    areas: dict[str, Counter[Outcome]] = {}
    for area, outcome in results:
        areas.setdefault(area, Counter())[outcome] += 1
    total = sum(areas.values(), Counter[Outcome]())
    rows = [["area", *(outcome.value for outcome in Outcome)]]
    rows += [[area, *(str(counted[outcome]) for outcome in Outcome)] for area, counted in areas.items()]
    rows += [["all", *(str(total[outcome]) for outcome in Outcome)]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: list[str], widths: list[int]) -> str:
    numbers = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join((row[0].ljust(widths[0]), *numbers))
