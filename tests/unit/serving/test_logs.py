"""Log lines: for a person, for a program, and never with a secret."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from webhook.serving.logs import ACCESS, Gathering, JsonLines, ReadableLines, ServerLogger, quick, redacted


def record(message: str, level: int = logging.INFO, **more: object) -> logging.LogRecord:
    made = logging.LogRecord("webhook.importer", level, __file__, 1, message, (), None)
    made.__dict__.update(more)
    return made


def test_a_json_line_has_its_fields_beside_the_message():
    line = json.loads(JsonLines().format(record("GET / 200 1ms", fields={"status": "200", "ms": 1.0})))
    assert (
        line.items() >= {"level": "info", "logger": "webhook.importer", "message": "GET / 200 1ms", "ms": 1.0}.items()
    )


def test_a_json_line_is_one_line_even_with_a_traceback():
    try:
        raise ValueError("two\nlines")
    except ValueError:
        line = JsonLines().format(record("it broke", logging.ERROR, exc_info=sys.exc_info()))
    assert "\n" not in line
    assert "ValueError" in json.loads(line)["error"]


@pytest.mark.parametrize(("level", "begins"), [(logging.INFO, "it is"), (logging.WARNING, "warning: it is")])
def test_a_readable_line_names_the_level_when_it_matters(level, begins):
    assert ReadableLines().format(record("it is", level)).partition(" ")[2] == begins


def raised(message: str) -> logging.LogRecord:
    try:
        raise ValueError(message)
    except ValueError:
        return record("it broke", exc_info=sys.exc_info())


def written(handler: Gathering) -> str:
    handler.flush()
    return handler.stream.getvalue()


def quickly(message: str, **fields: object) -> str:
    handler = Gathering(io.StringIO())
    handler.line("webhook.admission", message, fields)
    return written(handler)


WAYS = {
    "a line for a person": lambda text: ReadableLines().format(record(text)),
    "an error for a person": lambda text: ReadableLines().format(raised(text)),
    "a message": lambda text: JsonLines().format(record(text)),
    "an error": lambda text: JsonLines().format(raised(text)),
    "a field": lambda text: JsonLines().format(record("refused", fields={"images": [{"from": text}]})),
    "a key": lambda text: JsonLines().format(record("refused", fields={"labels": {text: "yes"}})),
    "a value of another type": lambda text: JsonLines().format(record("refused", fields={"error": ValueError(text)})),
    "the message of a quick line": quickly,
    "a field of a quick line": lambda text: quickly("refused", images=[{"from": text}]),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(
    ("text", "secret"),
    [
        pytest.param("Invalid HTTP Header: 'AUTHORIZATION BEARER c2VjcmV0LXRva2Vu'", "c2VjcmV0", id="in capitals"),
        pytest.param("refused: Basic cmVhZGVyOnNlY3JldA==", "cmVhZGVy", id="a name and a password"),
        pytest.param("refused: Bearer\tc2VjcmV0LXRva2Vu", "c2VjcmV0", id="behind a tab"),
        pytest.param("Invalid HTTP Header: 'Bearer\\tc2VjcmV0'", "c2VjcmV0", id="behind a tab that is spelled"),
        pytest.param("two lines\nBearer c2VjcmV0LXRva2Vu", "c2VjcmV0", id="at the beginning of a line"),
        pytest.param("b'Accept: */*\\r\\nBearer c2VjcmV0'", "c2VjcmV0", id="behind a line end that is spelled"),
        pytest.param('authorization=Bearer "c2VjcmV0LXRva2Vu"', "c2VjcmV0", id="in quotes"),
        pytest.param("GET /?auth=Bearer%20c2VjcmV0LXRva2Vu", "c2VjcmV0", id="in a query"),
        pytest.param("GET https://auth.example.com/token?token=c2VjcmV0&scope=pull", "c2VjcmV0", id="a parameter"),
        pytest.param('refused: access_token="c2VjcmV0"', "c2VjcmV0", id="a parameter in quotes"),
        pytest.param(r"PassWord=open\s3cret", "s3cret", id="a password with a backslash"),
        pytest.param("GET https://reader:s3cret@quay.io/v2/", "s3cret", id="in an address"),
        pytest.param("GET https://:s3cret@quay.io/v2/", "s3cret", id="in an address without a name"),
        pytest.param("GET https://reader:p@s3cret@quay.io/v2/", "s3cret", id="with an at sign in it"),
    ],
)
def test_no_line_holds_a_secret(way, text, secret):
    line = way(text)
    assert secret not in line
    assert "[redacted]" in line


@pytest.mark.parametrize(
    "text",
    [
        'a password="s3cret", and more',
        "it ends with password=s3cret\\",
        'password=s3cret"',
        "GET https://registry:5000",
    ],
)
def test_a_line_without_its_secret_is_still_json(text):
    line = json.loads(JsonLines().format(record(text, fields={"image": "php@sha256:0123"})))
    assert line["image"] == "php@sha256:0123"
    assert "s3cret" not in line["message"]


@pytest.mark.parametrize(
    "text", ["import of php:8.2 from quay.io/org/php@sha256:0123", "a basic error", "12:30 basic auth"]
)
def test_other_text_stays_as_it_is(text):
    assert redacted(text) == text


@pytest.mark.parametrize(
    ("method", "uri", "line"),
    [
        ("GET", "/apis?timeout=32s", "GET /apis 200 12.3ms"),
        ("GET", "/api/v1/pods?watch=true&resourceVersion=5", "WATCH /api/v1/pods 200 12.3ms"),
        ("POST", "/admission/mutate?timeout=3s", None),
        ("GET", "/healthz", None),
        ("GET", "/readyz/storage?verbose", None),
        ("GET", "/a\x1b[31m", "GET /a\\x1b[31m 200 12.3ms"),
    ],
)
def test_an_access_line_is_short(method, uri, line, caplog):
    caplog.set_level(logging.INFO, ACCESS)
    environ = {"REQUEST_METHOD": method, "RAW_URI": uri, "QUERY_STRING": uri.partition("?")[2]}
    took = timedelta(milliseconds=12.3)
    ServerLogger(Config()).access(SimpleNamespace(status="200 OK"), None, environ, took)
    assert [one.getMessage() for one in caplog.records] == ([line] if line else [])


def test_a_quick_line_is_the_one_that_logging_makes(monkeypatch):
    log = logging.getLogger("webhook.quick")
    handler = Gathering(io.StringIO())
    handler.setFormatter(JsonLines())
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    log.setLevel(logging.INFO)
    fields = {"namespace": "shop", "images": [{"from": "php:8.2"}]}
    quick(log)("pods shop/web: token=c2VjcmV0", fields)
    log.info("%s", "pods shop/web: token=c2VjcmV0", extra={"fields": fields})
    handler.flush()
    one, other = map(json.loads, handler.stream.getvalue().splitlines())
    assert one["message"] == "pods shop/web: [redacted]"
    assert {**one, "time": ""} == {**other, "time": ""}


def test_a_quick_line_for_a_terminal_is_as_readable_as_all_others(caplog):
    log = logging.getLogger("webhook.quick")
    caplog.set_level(logging.INFO, log.name)
    quick(log)("pods shop/web", {"namespace": "shop"})
    assert [(one.getMessage(), one.fields) for one in caplog.records] == [("pods shop/web", {"namespace": "shop"})]


def test_half_a_surrogate_pair_is_written_and_costs_no_other_line():
    handler = Gathering(io.StringIO())
    handler.setFormatter(JsonLines())
    for message in ("before", "no such file: caf\udce9", "after"):
        handler.handle(record(message))
    handler.line("webhook.admission", "caf\udce9", {})
    found = [json.loads(line)["message"] for line in written(handler).splitlines()]
    assert found == ["before", "no such file: caf\udce9", "after", "caf\udce9"]


def test_a_line_that_cannot_be_made_stops_nobody_and_says_so():
    handler = Gathering(io.StringIO())
    handler.setFormatter(JsonLines())
    wrong = record("%d connections")
    wrong.args = ("Bearer c2VjcmV0",)
    handler.handle(wrong)
    assert json.loads(written(handler))["message"] == "%d connections (a line that cannot be written: TypeError)"


@pytest.fixture
def gathering():
    handler = Gathering(io.StringIO())
    handler.setFormatter(ReadableLines())
    yield handler
    handler.close()


def test_a_warning_is_written_at_once_with_all_lines_before_it(gathering):
    gathering.handle(record("first"))
    gathering.handle(record("second", logging.WARNING))
    assert [line.partition(" ")[2] for line in gathering.stream.getvalue().splitlines()] == ["first", "warning: second"]


def test_lines_are_written_soon_although_nothing_follows(gathering):
    written = threading.Event()

    class Told(io.StringIO):
        def flush(self):
            if self.getvalue():
                written.set()

    gathering.setStream(Told())
    gathering.handle(record("alone"))
    assert written.wait(10)
    assert gathering.stream.getvalue().endswith("alone\n")


def test_many_lines_wait_for_nothing(gathering):
    for number in range(100):
        gathering.handle(record(f"line {number}"))
    assert len(gathering.stream.getvalue().splitlines()) >= 64


def test_a_child_does_not_write_the_lines_of_its_parent_again(gathering, tmp_path):
    with (tmp_path / "log").open("w") as file:
        gathering.setStream(file)
        gathering.handle(record("of the parent"))
        child = os.fork()
        if child == 0:
            gathering.flush()
            os._exit(0)
        os.waitpid(child, 0)
        gathering.flush()
    assert (tmp_path / "log").read_text().count("of the parent") == 1


def test_a_reader_that_is_gone_stops_nobody(gathering):
    gathering.stream.close()
    gathering.handle(record("to nobody", logging.WARNING))
    gathering.setStream(io.StringIO())
