"""Where a page of a list ended: the continue token, in the format of the reference server (contract 3.5)."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Final, NamedTuple

from webhook.errors import BadRequest, Expired, Json

Key = tuple[str, str]
INCONSISTENT: Final = -1
"""The version of a token that continues from its key with whatever is there now."""

_VERSION: Final = "meta.k8s.io/v1"
_TOO_OLD: Final = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without"
    " the continue parameter, or use the continue token in this response to retrieve the remainder of the results."
    " Continuing with the provided token results in an inconsistent list - objects that were created, modified, or"
    " deleted between the time the first chunk was returned and now may show up in the list."
)


class Token(NamedTuple):
    """The version that all pages show, and the (namespace, name) after which the next page starts."""

    rv: int
    after: Key


class ContinueExpired(Expired):
    """The snapshot of a token is gone; the answer carries a token to go on without it."""

    def __init__(self, after: Key, namespace: str | None) -> None:
        super().__init__(_TOO_OLD)
        self.token = encode(INCONSISTENT, after, namespace)

    def status(self) -> Json:
        """The Status, with the fresh token where list metadata is."""
        return {**super().status(), "metadata": {"continue": self.token}}


def encode(rv: int, after: Key, namespace: str | None) -> str:
    """The token of a list of `namespace` (None: all of them; "": a cluster-scoped resource)."""
    start = f"{after[0]}/{after[1]}" if namespace is None and after[0] else after[1]
    text = json.dumps({"v": _VERSION, "rv": rv, "start": start + "\0"}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode(token: str, namespace: str | None) -> Token:
    """Version and key of a token that was made for a list of the same scope; BadRequest for anything else."""
    content = _content(token)
    rv, start = content.get("rv"), content.get("start")
    if content.get("v") != _VERSION:
        raise _refused(f'server does not recognize this encoded version "{content.get("v")}"')
    if not isinstance(rv, int) or isinstance(rv, bool) or rv < INCONSISTENT or rv == 0:
        raise _refused("incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
    if not isinstance(start, str) or not start.strip("\0") or ".." in start.split("/"):
        raise _refused("encoded start key empty or invalid (version meta.k8s.io/v1)")
    head, slash, tail = start.rstrip("\0").rpartition("/")
    if slash and namespace is not None:
        raise _refused("encoded start key is outside the list")
    return Token(rv, (head if slash else namespace or "", tail))


def _content(token: str) -> Json:
    try:
        padded = token + "=" * (-len(token) % 4)
        content: Any = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _refused(str(error)) from error
    if not isinstance(content, dict):
        raise _refused("not an object")
    return content


def _refused(why: str) -> BadRequest:
    return BadRequest(f"invalid continue token: continue key is not valid: {why}")
