"""What a registry asks for in `WWW-Authenticate` (RFC 9110, section 11.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_SCHEME = re.compile(rf"[\s,]*({_TOKEN})(?:\s+|$|(?=,))")
_PARAMETER = re.compile(rf'[\s,]*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))')
_MAX_LENGTH = 8192


@dataclass(frozen=True)
class Challenge:
    """One way to authenticate; scheme and parameter names are in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse(headers: Iterable[str]) -> list[Challenge]:
    """All challenges of the header's values, in their order; what cannot be read is left out."""
    return [challenge for header in headers for challenge in _parse_one(header[:_MAX_LENGTH])]


def _parse_one(header: str) -> Iterable[Challenge]:
    position = 0
    while found := _SCHEME.match(header, position):
        position = found.end()
        parameters: dict[str, str] = {}
        while parameter := _PARAMETER.match(header, position):
            quoted, plain = parameter[2], parameter[3]
            value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            parameters.setdefault(parameter[1].lower(), value)
            position = parameter.end()
        yield Challenge(found[1].lower(), parameters)
