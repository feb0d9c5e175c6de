"""Continue tokens."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.errors import BadRequest
from webhook.meta import continuation
from webhook.meta.continuation import ContinueExpired, Token

NAMES = st.text("abcxyz0189.-:@", min_size=1).filter(lambda text: text not in (".", ".."))


def test_a_token_is_that_of_the_reference_server():
    """As recorded from OpenShift."""
    token = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MTA4ODQ2OSwic3RhcnQiOiJiXHUwMDAwIn0"
    assert continuation.encode(1088469, ("web", "b"), "web") == token
    assert continuation.decode(token, "web") == Token(1088469, ("web", "b"))


@given(st.integers(1, 2**63 - 1), NAMES, NAMES)
def test_a_token_is_read_in_the_scope_it_was_made_for(rv, namespace, name):
    for key, scope in (((namespace, name), None), ((namespace, name), namespace), (("", name), ""), (("", name), None)):
        assert continuation.decode(continuation.encode(rv, key, scope), scope) == Token(rv, key)


def _encoded(text):
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        "%%%",
        "a",
        "ü",
        _encoded("[]"),
        _encoded("{}"),
        _encoded('{"v":"v2","rv":5,"start":"a"}'),
        _encoded('{"v":"meta.k8s.io/v1","rv":0,"start":"a"}'),
        _encoded('{"v":"meta.k8s.io/v1","rv":"5","start":"a"}'),
        _encoded('{"v":"meta.k8s.io/v1","rv":5,"start":""}'),
        _encoded('{"v":"meta.k8s.io/v1","rv":5,"start":"../secrets"}'),
        _encoded('{"v":"meta.k8s.io/v1","rv":5,"start":"other/a\\u0000"}'),
    ],
)
def test_any_other_token_is_a_bad_request(token):
    with pytest.raises(BadRequest, match="invalid continue token: continue key is not valid: "):
        continuation.decode(token, "web")


def test_an_expired_token_comes_with_one_to_go_on():
    status = ContinueExpired(("web", "b"), "web").status()
    assert (status["code"], status["reason"]) == (410, "Expired")
    assert continuation.decode(status["metadata"]["continue"], "web") == Token(continuation.INCONSISTENT, ("web", "b"))
