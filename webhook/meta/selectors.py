"""Which objects a client wants: label selectors and field selectors (api-server contract 3.5)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from webhook.errors import BadRequest
from webhook.meta import names

Operator = Literal["exists", "!", "=", "==", "!=", "in", "notin", ">", "<"]

_TOKENS: Final = re.compile(r"\s*(?:(?P<word>[^\s!=<>(),]+)|(?P<sign>==|!=|[!=<>(),]))")
_BINARY: Final[dict[str, Operator]] = {
    "in": "in",
    "=": "=",
    "==": "==",
    ">": ">",
    "<": "<",
    "notin": "notin",
    "!=": "!=",
}
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_INT64: Final = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Requirement:
    """One condition on a label."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """True where the labels fulfil it; the negative operators are also true of a label that is not there."""
        if self.operator in ("!", "exists"):
            return (self.key in labels) == (self.operator == "exists")
        if self.operator in ("!=", "notin"):
            return self.key not in labels or labels[self.key] not in self.values
        if self.key not in labels:
            return False
        if self.operator in (">", "<"):
            return self._compares(labels[self.key])
        return labels[self.key] in self.values

    def _compares(self, text: str) -> bool:
        (bound,) = self.values
        if not _is_integer(text):
            return False
        return int(text) > int(bound) if self.operator == ">" else int(text) < int(bound)

    def __str__(self) -> str:
        if self.operator == "exists":
            return self.key
        if self.operator == "!":
            return f"!{self.key}"
        listed = ",".join(sorted(self.values))
        if self.operator in ("in", "notin"):
            return f"{self.key} {self.operator} ({listed})"
        return f"{self.key}{self.operator}{listed}"


def _is_integer(text: str) -> bool:
    return bool(_INTEGER.fullmatch(text)) and len(text) <= 20 and int(text) in _INT64


@dataclass(frozen=True)
class LabelSelector:
    """A conjunction of requirements; without any (and so false) it selects everything."""

    requirements: tuple[Requirement, ...] = ()

    @classmethod
    def parse(cls, text: str) -> LabelSelector:
        """`a=b,c in (d,e),!f`; BadRequest with the texts of Kubernetes for anything else."""
        return cls(tuple(_LabelParser(text).requirements()))

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        """True where the labels fulfil all requirements."""
        return all(one.matches(labels or {}) for one in self.requirements)

    def __bool__(self) -> bool:
        return bool(self.requirements)

    def __str__(self) -> str:
        return ",".join(str(one) for one in self.requirements)


class _LabelParser:
    """A cursor over the tokens of a label selector; the empty token is the end."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, bool]] = []
        position = 0
        while match := _TOKENS.match(text, position):
            self.tokens.append((match[0].strip(), match["word"] is not None))
            position = match.end()
        self.tokens.reverse()

    def peek(self) -> str:
        return self.tokens[-1][0] if self.tokens else ""

    def at_word(self) -> bool:
        return bool(self.tokens) and self.tokens[-1][1]

    def take(self) -> str:
        return self.tokens.pop()[0] if self.tokens else ""

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        while self.peek():
            if not self.at_word() and self.peek() != "!":
                raise BadRequest(f"found '{self.peek()}', expected: !, identifier, or 'end of string'")
            found.append(self.requirement())
            separator = self.take()
            if separator not in ("", ","):
                raise BadRequest(f"found '{separator}', expected: ',' or 'end of string'")
            if separator and not self.at_word() and self.peek() != "!":
                raise BadRequest(f"found '{self.peek()}', expected: identifier after ','")
        return found

    def requirement(self) -> Requirement:
        negated = self.peek() == "!"
        if negated:
            self.take()
        if not self.at_word():
            raise _unparsable(f"found '{self.peek()}', expected: identifier")
        key = self.take()
        for problem in names.qualified_name_problems(key):
            raise _unparsable(f'key: Invalid value: "{key}": {problem}')
        if negated or self.peek() in ("", ","):
            return Requirement(key, "!" if negated else "exists")
        operator = self.operator()
        return _checked(Requirement(key, operator, self.values(operator)))

    def operator(self) -> Operator:
        text = self.take()
        if text not in _BINARY:
            raise _unparsable(f"found '{text}', expected: {', '.join(sorted(_BINARY))}")
        return _BINARY[text]

    def values(self, operator: Operator) -> frozenset[str]:
        if operator in ("in", "notin"):
            return self.value_set()
        if self.peek() in ("", ","):
            return frozenset({""})
        if not self.at_word():
            raise _unparsable(f"found '{self.peek()}', expected: identifier")
        return frozenset({self.take()})

    def value_set(self) -> frozenset[str]:
        """The values between parentheses; nothing before, after or between commas is the empty value."""
        opening = self.take()
        if opening != "(":
            raise _unparsable(f"found '{opening}' expected: '('")
        values = set()
        while True:
            values.add(self.take() if self.at_word() else "")
            separator = self.take()
            if separator == ")":
                return frozenset(values)
            if separator != ",":
                raise _unparsable(f"found '{separator}', expected: ',' or ')'")


def _checked(requirement: Requirement) -> Requirement:
    for value in sorted(requirement.values):
        if requirement.operator in (">", "<") and not _is_integer(value):
            why = "for 'Gt', 'Lt' operators, the value must be an integer"
            raise _unparsable(f'values[0]: Invalid value: "{value}": {why}')
        for problem in names.label_value_problems(value):
            raise _unparsable(f'values[0][{requirement.key}]: Invalid value: "{value}": {problem}')
    return requirement


def _unparsable(why: str) -> BadRequest:
    return BadRequest(f"unable to parse requirement: {why}")


class FieldTerm(NamedTuple):
    """One condition on a field: that it has the value, or (`equal` False) that it has not."""

    field: str
    value: str
    equal: bool


@dataclass(frozen=True)
class FieldSelector:
    """A conjunction of conditions on fields; without any (and so false) it selects everything."""

    terms: tuple[FieldTerm, ...] = ()

    @classmethod
    def parse(cls, text: str, supported: Collection[str]) -> FieldSelector:
        """`metadata.name=a,spec.x!=b`; BadRequest for another form or a field that is not supported."""
        terms = [_term(part, text) for part in _split_unescaped(text) if part]
        for term in terms:
            if term.field not in supported:
                raise BadRequest(f"field label not supported: {term.field}")
        return cls(tuple(terms))

    def matches(self, fields: Mapping[str, str]) -> bool:
        """True where the fields fulfil all conditions; a field that is not there is empty."""
        return all((fields.get(one.field, "") == one.value) == one.equal for one in self.terms)

    def and_equal(self, field: str, value: str) -> FieldSelector:
        """The same selector with one more condition, such as the name in a URL."""
        return FieldSelector((*self.terms, FieldTerm(field, value, True)))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __str__(self) -> str:
        return ",".join(f"{one.field}{'=' if one.equal else '!='}{_escaped(one.value)}" for one in self.terms)


_ESCAPES: Final = re.compile(r"[\\,=]")


def _escaped(value: str) -> str:
    return _ESCAPES.sub(r"\\\g<0>", value)


def _split_unescaped(text: str) -> list[str]:
    """The text cut at commas that no backslash precedes; the escapes stay in."""
    parts, start, escaped = [], 0, False
    for index, one in enumerate(text):
        if one == "," and not escaped:
            parts.append(text[start:index])
            start = index + 1
        escaped = one == "\\" and not escaped
    return [*parts, text[start:]]


_TERM: Final = re.compile(r"(?P<field>[^=!]*(?:!(?!=)[^=!]*)*)(?P<operator>!=|==|=)(?P<value>.*)", re.DOTALL)


def _term(part: str, selector: str) -> FieldTerm:
    match = _TERM.fullmatch(part)
    if match is None:
        raise BadRequest(f"invalid selector: '{selector}'; can't understand '{part}'")
    return FieldTerm(match["field"], _unescaped(match["value"]), match["operator"] != "!=")


def _unescaped(value: str) -> str:
    plain, escaped = [], False
    for one in value:
        if escaped and one not in "\\,=":
            raise BadRequest(f"invalid field selector: invalid escape sequence: \\{one}")
        if not escaped and one in ",=":
            raise BadRequest(f"invalid field selector: unescaped character in value: {one}")
        if one != "\\" or escaped:
            plain.append(one)
        escaped = one == "\\" and not escaped
    if escaped:
        raise BadRequest("invalid field selector: invalid escape sequence: \\")
    return "".join(plain)
