"""POST /notifications: who may tell of pushes, and what is answered."""

from __future__ import annotations

import io
import json
import stat

import pytest

from tests.unit.serving.wsgi import ask, echo
from webhook.controllers.push_imports import Overloaded
from webhook.distribution.notifications import Push
from webhook.distribution.pacing import Pacing
from webhook.serving.notifications import MAX_BODY, NotificationEndpoint, TokenFile, accepting

TOKEN = "the-token-of-the-notifications"
BEARER = {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}
PUSHED = {
    "events": [{"action": "push", "target": {"repository": "app", "tag": "1"}, "request": {"host": "10.0.0.1:5000"}}]
}


@pytest.fixture
def token(tmp_path):
    path = tmp_path / "notification-token"
    path.write_text(TOKEN + "\n")
    return TokenFile(path)


@pytest.fixture
def taken():
    return []


@pytest.fixture
def endpoint(token, taken):
    def accept(pushed):
        taken.extend(pushed)
        return len(taken)

    return NotificationEndpoint(echo, token, accept, lambda: True)


def post(endpoint, body=PUSHED, query="", **environ):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    environ = {"CONTENT_LENGTH": str(len(data)), "wsgi.input": io.BytesIO(data), **BEARER, **environ}
    return ask(endpoint, "/notifications", query, environ.pop("REQUEST_METHOD", "POST"), **environ)


def test_a_push_is_accepted_with_the_number_of_tags_concerned(endpoint, taken):
    answer = post(endpoint)
    assert (answer.code, json.loads(answer.text)) == (202, {"tags": 1})
    assert taken == [Push("10.0.0.1:5000", "app", "1")]


def test_the_registry_may_have_other_names(endpoint, taken):
    post(endpoint, query="registry=registry.example.com&registry=r:5000")
    assert {one.registry for one in taken} == {"10.0.0.1:5000", "registry.example.com", "r:5000"}


@pytest.mark.parametrize(
    ("authorization", "query", "code"),
    [
        pytest.param(f"Bearer {TOKEN}", "", 202, id="the token"),
        pytest.param(f"bearer  {TOKEN} ", "", 202, id="the token, oddly spaced"),
        pytest.param("", f"token={TOKEN}", 202, id="the token in the query, for who can set no header"),
        pytest.param("", "", 401, id="nothing"),
        pytest.param("Bearer ", "", 401, id="an empty token"),
        pytest.param(f"Bearer {TOKEN}x", "", 401, id="another token"),
        pytest.param("Bearer \xfc\u2028", "", 401, id="a token that is no ASCII"),
        pytest.param(f"Basic {TOKEN}", "", 401, id="another scheme"),
        pytest.param("", "token=", 401, id="an empty query"),
    ],
)
def test_only_who_has_the_token_may_tell(endpoint, authorization, query, code):
    answer = post(endpoint, query=query, HTTP_AUTHORIZATION=authorization)
    assert answer.code == code
    assert TOKEN not in answer.text


@pytest.mark.parametrize("content", ["", "\n", None])
def test_without_a_token_nobody_may_tell(tmp_path, content):
    path = tmp_path / "notification-token"
    if content is not None:
        path.write_text(content)
    endpoint = NotificationEndpoint(echo, TokenFile(path), len, lambda: True)
    assert post(endpoint, HTTP_AUTHORIZATION="Bearer ").code == 401


def test_a_new_token_counts_at_once(endpoint, tmp_path):
    (tmp_path / "notification-token").write_text("another")
    assert (post(endpoint).code, post(endpoint, HTTP_AUTHORIZATION="Bearer another").code) == (401, 202)


def test_a_token_is_made_once_and_only_its_owner_reads_it(tmp_path):
    file = TokenFile(tmp_path / "token")
    file.ensure()
    made = (tmp_path / "token").read_text()
    file.ensure()
    assert (tmp_path / "token").read_text() == made
    assert len(made) > 40
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        pytest.param({"CONTENT_LENGTH": ""}, 411, id="no length"),
        pytest.param({"CONTENT_LENGTH": "many"}, 411, id="a length that is none"),
        pytest.param({"CONTENT_LENGTH": str(MAX_BODY + 1)}, 413, id="too long"),
        pytest.param({"CONTENT_LENGTH": "9" * 5000}, 413, id="a length that no number holds"),
        pytest.param({"REQUEST_METHOD": "GET"}, 405, id="another method"),
    ],
)
def test_what_is_not_sent_as_it_should_be_is_refused_before_it_is_read(endpoint, environ, code):
    assert post(endpoint, **{"wsgi.input": None, **environ}).code == code


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param(b"", "no JSON", id="nothing"),
        pytest.param(b"{", "no JSON", id="half of it"),
        pytest.param(b"\xff", "no JSON", id="no text"),
        pytest.param(b"[" * 100_000, "no JSON", id="deep nesting"),
        pytest.param(b"{}", "is no notification", id="an empty object"),
    ],
)
def test_a_body_that_is_no_notification_is_the_senders_fault(endpoint, body, says):
    answer = post(endpoint, body)
    assert (answer.code, says in answer.text) == (400, True)


def test_a_registry_is_asked_to_come_again_until_streams_are_known(token):
    answer = post(NotificationEndpoint(echo, token, len, lambda: False))
    assert (answer.code, answer.headers["Retry-After"]) == (503, "1")


def test_a_registry_is_asked_to_come_again_when_too_much_waits(token):
    def accept(_pushed):
        raise Overloaded("10000 streams wait for their import already")

    answer = post(NotificationEndpoint(echo, token, accept, lambda: True))
    assert (answer.code, answer.headers["Retry-After"]) == (503, "1")


def test_other_paths_are_not_its_business(endpoint):
    assert ask(endpoint, "/notifications/x").text == "/notifications/x"


def test_without_a_token_file_there_is_no_endpoint():
    assert accepting(echo, None, None, lambda: True, lambda: False, Pacing().of("")) is echo
