"""Reading JSON that will be written again: what Python accepts but no UTF-8 can say is refused."""

from __future__ import annotations

import json
from typing import Any, Final

MAX_DEPTH: Final = 200


def loads(data: bytes, **hooks: Any) -> Any:
    """The value in a JSON text; `hooks` are those of `json.loads`. ValueError for anything that is not JSON."""
    # Python would guess at other encodings and pass over a byte order mark, which no JSON begins with.
    value = json.loads(data.decode(), parse_constant=_no_constant, **hooks)
    # Half a surrogate pair can only come from an escape, so that most texts need no second look.
    if b"\\ud" in data or b"\\uD" in data:
        check_text(value)
    return value


def check_text(value: Any) -> None:
    """ValueError where a text inside the value has half a surrogate pair, which cannot be encoded again."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError as error:
        raise ValueError("invalid Unicode: half of a surrogate pair") from error


def check_depth(value: Any) -> None:
    """ValueError for nesting that would exhaust the stack of whoever walks the value afterwards."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for one in level
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return
    raise ValueError("exceeded max depth")


def _no_constant(name: str) -> Any:
    raise ValueError(f"invalid character '{name[0]}' looking for beginning of value")
