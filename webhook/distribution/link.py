"""Where the next page of a list is: the header `Link` (RFC 8288)."""

from __future__ import annotations

import re

_MAX_LENGTH = 16 * 1024
# Possessive throughout, so that a hostile header costs no more than its length.
_PARAMETER = r"\s*+;\s*+([!#$%&'*+.^_`|~0-9A-Za-z-]++)(?:\s*+=\s*+(?:\"([^\"]*+)\"|([^\s;,\"]*+)))?+"
_LINK = re.compile(rf"<([^<>]*+)>((?:{_PARAMETER})*+)")
_PARAMETERS = re.compile(_PARAMETER)


def next_target(header: str) -> str:
    """The target of the first link with the relation `next`, as it stands there; empty where there is none."""
    for link in _LINK.finditer(header[:_MAX_LENGTH]):
        for name, quoted, plain in _PARAMETERS.findall(link[2]):
            if name.lower() == "rel" and "next" in (quoted or plain).lower().split():
                return link[1]
    return ""
