"""What an import brought, for people."""

from __future__ import annotations

import base64
import io
import json
from datetime import UTC, datetime

import pytest

from webhook.cli import import_report, import_result, pull_secrets
from webhook.cli.columns import aligned
from webhook.cli.import_request import Plan
from webhook.cli.import_result import Result
from webhook.cli.progress import Progress
from webhook.image.reference import parse

DIGEST = "sha256:" + "4b" * 32
IMAGE = {
    "metadata": {"name": DIGEST},
    "dockerImageMetadata": {"Size": 67_300_000, "Created": "2026-01-01T00:00:00Z"},
}
GONE = {"status": "Failure", "reason": "NotFound", "message": "not found"}


def spec(name, source):
    return {"from": {"kind": "DockerImage", "name": source}, "to": {"name": name}}


def test_each_tag_has_a_result_in_the_order_of_the_request():
    answer = {
        "spec": {"images": [spec("8.2", "quay.io/a/php:8.2"), spec("8.3", "quay.io/a/php:8.3")]},
        "status": {"images": [{"status": {"status": "Success"}, "image": IMAGE, "tag": "8.2"}, {"status": GONE}]},
    }
    before = {"status": {"tags": [{"tag": "8.2", "items": [{"image": DIGEST}]}]}}
    assert import_result.results(answer, before) == [
        Result("8.2", "quay.io/a/php:8.2", {"status": "Success"}, IMAGE, DIGEST),
        Result("8.3", "quay.io/a/php:8.3", GONE, None),
    ]


def test_a_repository_has_a_result_for_each_of_its_tags():
    answer = {
        "spec": {"repository": {"from": {"name": "quay.io/a/php"}}},
        "status": {
            "repository": {"images": [{"status": {}, "image": IMAGE, "tag": "latest"}], "additionalTags": ["a", "b"]}
        },
    }
    assert import_result.results(answer, None) == [Result("latest", "quay.io/a/php:latest", {}, IMAGE)]
    assert import_result.not_imported(answer) == ["a", "b"]


def test_a_repository_that_cannot_be_listed_is_one_failure():
    answer = {"spec": {"repository": {"from": {"name": "quay.io/a/php"}}}, "status": {"repository": {"status": GONE}}}
    assert import_result.results(answer, None) == [Result("*", "quay.io/a/php", GONE, None)]


def test_the_table_is_aligned_and_says_what_became_of_each_tag():
    found = [
        Result("8.2", "quay.io/a/php:8.2", {}, IMAGE, DIGEST),
        Result("latest", "quay.io/a/php:8.2", {}, IMAGE),
        Result("9", "quay.io/a/php:9", GONE, None),
    ]
    assert import_result.table(found, datetime(2026, 1, 3, 3, tzinfo=UTC), dry_run=False) == (
        "TAG     FROM               IMAGE                SIZE     BUILT  RESULT\n"
        "8.2     quay.io/a/php:8.2  sha256:4b4b4b4b4b4b  67.3 MB  2d3h   unchanged\n"
        "latest  quay.io/a/php:8.2  sha256:4b4b4b4b4b4b  67.3 MB  2d3h   imported\n"
        "9       quay.io/a/php:9    -                    -        -      failed: NotFound\n"
    )
    assert "would be imported" in import_result.table(found, datetime.now(UTC), dry_run=True)


def test_a_registry_cannot_write_on_the_terminal():
    one = Result("9", "quay.io/a/php:9", {"message": "denied:\n\x1b[2Jgone"}, None)
    assert one.message == "denied: ?[2Jgone"


def test_a_table_without_rows_is_its_header():
    assert aligned(("A", "B"), []) == "A  B\n"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (67_300_000, "67.3 MB"),
        (999_950, "1 MB"),
        (1_234_000_000, "1.23 GB"),
    ],
)
def test_sizes_have_three_figures(count, text):
    assert import_result.size(count) == text


@pytest.mark.parametrize(
    ("plan", "found", "line"),
    [
        pytest.param(Plan("php", ({},) * 3), [], "php: 0 of 3 tags, 2.0 s", id="nothing yet"),
        pytest.param(
            Plan("php", ({},) * 3),
            [Result("a", "x", {}, IMAGE), Result("b", "x", GONE, None)],
            "php: 2 of 3 tags, 1 failed, images of 67.3 MB, 1.0 tags/s, 2.0 s",
            id="some",
        ),
        pytest.param(
            Plan("php", repository={}), [], "php: asking the registry for all tags, 2.0 s", id="a whole repository"
        ),
    ],
)
def test_the_line_of_the_moment_says_how_far_it_is(plan, found, line):
    assert import_report.progress(plan, found, 2.0) == line


class Terminal(io.StringIO):
    def __init__(self):
        super().__init__()
        self.drawn = []

    def write(self, text):
        self.drawn.append(text)
        return super().write(text)


def test_on_a_terminal_one_line_is_drawn_again_and_then_wiped():
    out, times = Terminal(), iter([10.0, *([13.0] * 1000)])
    with Progress(out, lambda seconds: f"{seconds:.0f} s", terminal=True, clock=lambda: next(times)) as progress:
        progress.step("not shown")
    assert out.drawn[0] == "\r\x1b[K3 s"
    assert out.drawn[-1] == "\r\x1b[K"
    assert "not shown" not in out.getvalue()


def test_a_line_is_never_longer_than_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    out = Terminal()
    Progress(out, lambda _: "x" * 100, terminal=True).draw()
    assert out.drawn == ["\r\x1b[K" + "x" * 19]


def test_elsewhere_each_step_is_a_line():
    out = io.StringIO()
    with Progress(out, lambda _: "never", terminal=False) as progress:
        progress.step("php:8.2 imported")
    assert out.getvalue() == "php:8.2 imported\n"


def secret(name, *hosts, user="reader", kind="dockerconfigjson", data=None):
    auths = {host: {"auth": base64.b64encode(f"{user}:secret".encode()).decode()} for host in hosts}
    text = base64.b64encode(json.dumps({"auths": auths}).encode()).decode() if data is None else data
    return {"metadata": {"name": name}, "type": f"kubernetes.io/{kind}", "data": {f".{kind}": text}}


@pytest.mark.parametrize(
    ("secrets", "says"),
    [
        pytest.param([], "no pull secret of namespace demo is for this repository", id="no secret"),
        pytest.param([secret("a", "docker.io")], "no pull secret of namespace demo is for", id="another registry"),
        pytest.param([secret("a", "quay.io")], 'pull secret "a" of namespace demo was tried', id="the registry"),
        pytest.param(
            [secret("a", "quay.io"), secret("b", "quay.io/acme", user="robot")],
            'pull secret "b" of namespace demo was tried',
            id="the more specific of two",
        ),
        pytest.param(
            [secret("a", "quay.io"), secret("c", data="%%%")],
            'the pull secret "c" cannot be decoded',
            id="a broken one",
        ),
    ],
)
def test_the_secret_that_is_tried_is_named_without_what_is_in_it(secrets, says):
    told = pull_secrets.tried(secrets, parse("quay.io/acme/php:8.2"), "demo")
    assert told.startswith(says)
    assert not any(word in told for word in ("reader", "robot", "secret:", ":secret"))
