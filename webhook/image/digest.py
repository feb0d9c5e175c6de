"""What is a content digest, and which digests does a shortened one mean (image-api 1.1, 1.4)."""

from __future__ import annotations

import re

_DIGEST = re.compile(r"([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*):([0-9a-fA-F]{32,})")
_HEX_LENGTH = {"sha256": 64, "sha384": 96, "sha512": 128}
_MAX_LENGTH = max(len(name) + 1 + length for name, length in _HEX_LENGTH.items())


class InvalidDigest(ValueError):
    """The text is no digest that this API takes."""


def check(text: str) -> str:
    """`text` as it is when it is a digest; raises InvalidDigest with the reason otherwise."""
    found = _DIGEST.fullmatch(text[: 2 * _MAX_LENGTH])
    if found is None:
        raise InvalidDigest("invalid checksum digest format")
    length = _HEX_LENGTH.get(found[1])
    if length is None:
        raise InvalidDigest("unsupported digest algorithm")
    if len(text) != len(found[1]) + 1 + length:
        raise InvalidDigest("invalid checksum digest length")
    return text


def is_digest(text: str) -> bool:
    """Is this a whole, valid digest such as `sha256:` and 64 hex digits?"""
    try:
        check(text)
    except InvalidDigest:
        return False
    return True


def matches_prefix(candidate: str, query: str) -> bool:
    """Does `query` name `candidate`: `3c87` and `sha256:3c87` both mean `sha256:3c87c5…`?"""
    if candidate.startswith(query):
        return True
    return is_digest(candidate) and candidate.partition(":")[2].startswith(query)
