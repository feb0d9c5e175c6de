"""Identity on the way through WSGI: nothing is invented, nothing is passed off."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from webhook.errors import Forbidden, Unauthorized
from webhook.meta.identity import User
from webhook.serving.identity import BearerToken, carried, identity_headers, pre_request

TOKEN = "c2VjcmV0LXRva2VuLW9mLWFkbWlu"
AUTHENTICATE = BearerToken(TOKEN)


def environ(*headers: tuple[str, str]) -> dict[str, str]:
    """The WSGI environment of a request with these headers, joined as gunicorn joins them."""
    request = SimpleNamespace(headers=[(name.upper(), value) for name, value in headers])
    pre_request(None, request)
    made: dict[str, str] = {}
    for name, value in request.headers:
        key = "HTTP_" + name.replace("-", "_")
        made[key] = f"{made[key]},{value}" if key in made else value
    return made


@pytest.mark.parametrize("name", ["X-Remote-Group", "X-Remote-Extra-Scopes", "Impersonate-Group"])
def test_a_comma_in_a_value_does_not_make_two(name):
    sent = [(name, "cn=a,system:masters"), (name, "dev")]
    assert identity_headers(environ(*sent)) == [(name.upper(), value) for _, value in sent]


def test_a_name_beyond_ascii_arrives_whole():
    latin = "Jürgen".encode().decode("latin-1")
    assert identity_headers(environ(("X-Remote-User", latin))) == [("X-REMOTE-USER", "Jürgen")]


@pytest.mark.parametrize(
    "name", ["X_Remote_User", "X-Remote_User", "Impersonate_User", "X-IS-IDENT", "x-is-ident", "Script_Name"]
)
def test_a_spelling_that_wsgi_cannot_tell_apart_is_dropped(name):
    assert environ((name, '[["X-REMOTE-USER","root"]]')) == {}


def test_extra_keys_keep_their_underscores():
    assert identity_headers(environ(("X-Remote-Extra-a_b", "1"))) == [("X-REMOTE-EXTRA-A_B", "1")]


def test_no_identity_header_reaches_the_environment_by_itself():
    made = environ(("X-Remote-User", "root"), ("Impersonate-User", "root"), ("Accept", "*/*"))
    assert set(made) == {"HTTP_X_IS_IDENT", "HTTP_ACCEPT"}


def test_plain_headers_are_left_alone():
    assert carried([("ACCEPT", "a"), ("ACCEPT", "b")]) == [("ACCEPT", "a"), ("ACCEPT", "b")]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_token_is_the_administrator(scheme):
    admin = User("system:admin", ("system:masters", "system:authenticated"))
    assert AUTHENTICATE(environ(("Authorization", f"{scheme} {TOKEN}"))) == admin


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="nothing"),
        pytest.param([("Authorization", "")], id="an empty header"),
        pytest.param([("Authorization", "Bearer")], id="no token"),
        pytest.param([("Authorization", f"Bearer {TOKEN}x")], id="a longer token"),
        pytest.param([("Authorization", f"Bearer {TOKEN[:-1]}")], id="a shorter token"),
        pytest.param([("Authorization", f"Basic {TOKEN}")], id="another scheme"),
        pytest.param([("Authorization", f"Bearer {TOKEN}")] * 2, id="twice, which WSGI joins"),
        pytest.param([("Authorization", "Bearer \u0151\u0171")], id="beyond latin-1"),
        pytest.param(
            [("X-Remote-User", "system:admin"), ("X-Remote-Group", "system:masters")], id="a front proxy's word"
        ),
    ],
)
def test_without_the_token_nobody_is_known(headers):
    with pytest.raises(Unauthorized):
        AUTHENTICATE(environ(*headers))


@pytest.mark.parametrize(
    "name", ["Impersonate-User", "Impersonate-Group", "Impersonate-Extra-Scopes", "Impersonate-Uid"]
)
def test_impersonation_is_refused_and_never_ignored(name):
    with pytest.raises(Forbidden, match="without --as"):
        AUTHENTICATE(environ(("Authorization", f"Bearer {TOKEN}"), (name, "developer")))


def test_a_front_proxys_word_does_not_change_who_the_administrator_is():
    made = environ(("Authorization", f"Bearer {TOKEN}"), ("X-Remote-User", "developer"))
    assert AUTHENTICATE(made).name == "system:admin"
