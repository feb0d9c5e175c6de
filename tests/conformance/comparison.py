"""Where an answer differs from the recorded one, in what a client can act on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def differences(recorded: Sequence[Mapping[str, Any]], given: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line for each difference between two lists of answers; none means that they agree."""
    found = []
    for number, (want, got) in enumerate(zip(recorded, given, strict=False)):
        found += [f"step {number} {want['request']}: {line}" for line in _answer(want, got)]
    if len(recorded) != len(given):
        found.append(f"{len(recorded)} answers wanted, {len(given)} got")
    return found


def _answer(want: Mapping[str, Any], got: Mapping[str, Any]) -> Iterator[str]:
    if want["status"] != got["status"]:
        yield f"want HTTP {want['status']}, got {got['status']}: {_short(got['body'])}"
        return
    yield from _document(want["body"], got["body"], "")
    if want.get("headers") != got.get("headers"):
        yield f"headers: want {want.get('headers')}, got {got.get('headers')}"


def _document(want: Any, got: Any, path: str) -> Iterator[str]:
    if _is_failure(want) and isinstance(got, dict) and got.get("kind") == "Status":
        expected, given = _failure(want), _failure(got)
        if expected != given:
            yield f"{path or '.'}: want {expected} ({want.get('message')}), got {given} ({got.get('message')})"
    elif isinstance(want, dict) and isinstance(got, dict):
        yield from _object(want, got, path)
    elif isinstance(want, list) and isinstance(got, list):
        if len(want) != len(got):
            yield f"{path}: {len(want)} items wanted, {len(got)} got"
        for number, (one, other) in enumerate(zip(want, got, strict=False)):
            yield from _document(one, other, f"{path}[{number}]")
    elif want != got:
        yield f"{path}: want {_short(want)}, got {_short(got)}"


def _object(want: Mapping[str, Any], got: Mapping[str, Any], path: str) -> Iterator[str]:
    for key in sorted(want.keys() | got.keys()):
        if key == "message" and "reason" in want:
            continue  # the message of a condition is for people; its reason is what programs read
        if key not in want:
            yield f"{path}.{key}: unexpected {_short(got[key])}"
        elif key not in got:
            yield f"{path}.{key}: missing, want {_short(want[key])}"
        else:
            yield from _document(want[key], got[key], f"{path}.{key}")


def _is_failure(body: Any) -> bool:
    return isinstance(body, dict) and body.get("kind") == "Status" and body.get("status") == "Failure"


def _failure(status: Mapping[str, Any]) -> tuple[Any, ...]:
    details = status.get("details") or {}
    causes = sorted((str(cause.get("reason")), str(cause.get("field"))) for cause in details.get("causes") or ())
    about = (details.get("name"), details.get("group"), details.get("kind"))
    return (status.get("status"), status.get("code"), status.get("reason"), *about, tuple(causes))


def _short(value: Any) -> str:
    return json.dumps(value)[:300]
