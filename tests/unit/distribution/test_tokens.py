import pytest

from webhook.distribution.challenge import Challenge
from webhook.distribution.credentials import Credential
from webhook.distribution.failures import UnexpectedAnswer
from webhook.distribution.tokens import Token, TokenCache, TokenKey, key_for, parse, request_url

READER = Credential("reader", "secret")
KEY = TokenKey("https://auth.docker.io/token", "registry.docker.io", "repository:library/php:pull", None)


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        pytest.param(
            KEY,
            "https://auth.docker.io/token?service=registry.docker.io&scope=repository%3Alibrary%2Fphp%3Apull",
            id="without a name",
        ),
        pytest.param(
            KEY._replace(credential=READER, service=""),
            "https://auth.docker.io/token?scope=repository%3Alibrary%2Fphp%3Apull&account=reader",
            id="with a name, without a service",
        ),
        pytest.param(
            KEY._replace(realm="https://auth.example.com/token?tenant=7", service=""),
            "https://auth.example.com/token?tenant=7&scope=repository%3Alibrary%2Fphp%3Apull",
            id="a realm with a query of its own",
        ),
    ],
)
def test_the_address_names_service_scope_and_account(key, wanted):
    assert request_url(key) == wanted


@pytest.mark.parametrize(
    "realm", ["", "ftp://auth.example.com", "/token", "https://", "http://[", "file:///etc/passwd"]
)
def test_a_realm_must_be_an_address_on_the_web(realm):
    with pytest.raises(UnexpectedAnswer, match="no usable token service"):
        key_for(Challenge("bearer", {"realm": realm}), "library/php", None)


@pytest.mark.parametrize(
    ("body", "value", "lifetime"),
    [
        (b'{"token": "abc"}', "abc", 50),
        (b'{"access_token": "abc", "expires_in": 300}', "abc", 290),
        (b'{"token": "abc", "access_token": "def", "expires_in": 5}', "abc", 50),
        (b'{"token": "abc", "expires_in": 1e12}', "abc", 3590),
    ],
)
def test_a_token_is_kept_a_little_shorter_than_it_lasts(body, value, lifetime):
    assert (parse(body).value, parse(body).lifetime) == (value, lifetime)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>",
        b"{}",
        b'{"token": 7}',
        b'{"token": "a\\r\\nX: y"}',
        b'{"token": "a", "expires_in": "x"}',
        b'{"token": "%s"}' % (b"a" * 40_000),
    ],
)
def test_what_is_no_token_is_refused(body):
    with pytest.raises(UnexpectedAnswer, match="did not answer with a token"):
        parse(body)


def test_a_token_is_forgotten_when_its_time_is_over():
    now = [0.0]
    cache = TokenCache(timer=lambda: now[0])
    cache.put(KEY, Token("abc", 50))
    assert cache.get(KEY) == "abc"
    now[0] = 51
    assert cache.get(KEY) is None


def test_a_token_is_only_for_the_credential_that_it_was_given_to():
    cache = TokenCache()
    cache.put(KEY._replace(credential=READER), Token("abc", 50))
    assert cache.get(KEY) is None
    assert cache.get(KEY._replace(credential=Credential("reader", "other"))) is None


def test_secrets_do_not_show_when_printed():
    assert "secret" not in repr(READER)
    assert "abc" not in repr(Token("abc", 50))
