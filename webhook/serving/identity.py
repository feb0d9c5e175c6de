"""Who sends a request: identity headers made safe for WSGI, and the standalone server's one bearer token."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

from webhook.errors import Forbidden, Unauthorized
from webhook.meta.identity import ADMINISTRATOR, User

CARRIER: Final = "X-IS-IDENT"
_CARRIER_KEY: Final = "HTTP_X_IS_IDENT"
_IDENTITY: Final = ("X-REMOTE-", "IMPERSONATE-")


def pre_request(_worker: Any, request: Any) -> None:
    """gunicorn's hook: move the identity headers of a request into one that WSGI cannot distort.

    WSGI joins repeated headers with a comma and maps `_` and `-` to the same key: two groups `a` and
    `b,system:masters` would become three, and `X_Remote_User` would pass for `X-Remote-User` (contract 1.7).
    """
    request.headers = carried(request.headers)


def carried(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers with all identity in the carrier, as JSON; names are upper case, as gunicorn gives them."""
    identity = [(name, value) for name, value in headers if name.startswith(_IDENTITY)]
    plain = [
        (name, value)
        for name, value in headers
        if not name.startswith(_IDENTITY) and name != CARRIER and "_" not in name
    ]
    return [*plain, (CARRIER, json.dumps(identity))] if identity else plain


def identity_headers(environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The identity headers of a request as they were sent: upper-case name and UTF-8 value, repeated ones apart."""
    sent = json.loads(environ.get(_CARRIER_KEY, "[]"))
    return [(name, value.encode("latin-1").decode("utf-8", "replace")) for name, value in sent]


class BearerToken:
    """Authentication for a server on its own: whoever has the token is the administrator.

    `X-Remote-*` headers mean nothing here, as no front proxy has proved itself. Impersonation is refused and not
    ignored: to ignore it would run the call as the stronger user (contract 1.5).
    """

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode("latin-1")

    def __call__(self, environ: Mapping[str, Any]) -> User:
        """The user of a request; `Unauthorized` without the token, `Forbidden` with `Impersonate-*` headers."""
        given = str(environ.get("HTTP_AUTHORIZATION", "")).strip()
        scheme, _, token = given.partition(" ")
        offered = f"{scheme.capitalize()} {token.strip()}".encode("latin-1", "replace")
        if not hmac.compare_digest(offered, self._expected):
            raise Unauthorized
        if any(name.startswith("IMPERSONATE-") for name, _ in identity_headers(environ)):
            raise Forbidden(
                f'users "{ADMINISTRATOR.name}" cannot be impersonated here: this server does not support impersonation;'
                " send the request without --as"
            )
        return ADMINISTRATOR
