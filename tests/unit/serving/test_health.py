"""Health paths: their texts are what Kubernetes' own servers answer (contract 2.7)."""

from __future__ import annotations

import pytest

from tests.unit.serving.wsgi import ask, echo
from webhook.serving.health import HealthEndpoint, Note


def well() -> None:
    return None


def broken() -> str:
    return "the disk is gone"


def exploding() -> None:
    raise OSError("the disk is gone")


APP = HealthEndpoint(
    echo,
    {
        "/livez": {"ping": well},
        "/healthz": {"ping": well, "storage": exploding},
        "/readyz": {"ping": well, "storage": broken, "view": well},
    },
)


@pytest.mark.parametrize(
    ("path", "query", "code", "text"),
    [
        pytest.param("/livez", "", 200, "ok", id="all is well"),
        pytest.param("/livez", "verbose", 200, "[+]ping ok\nlivez check passed\n", id="and says so at length"),
        pytest.param("/livez", "verbose=true", 200, "[+]ping ok\nlivez check passed\n", id="verbose with a value"),
        pytest.param(
            "/readyz",
            "",
            500,
            "[+]ping ok\n[-]storage failed: reason withheld\n[+]view ok\nreadyz check failed\n",
            id="a failure lists everything and withholds the reason",
        ),
        pytest.param("/readyz", "exclude=storage", 200, "ok", id="a failing check that is left out"),
        pytest.param(
            "/readyz",
            "verbose&exclude=storage&exclude=view",
            200,
            "[+]ping ok\n[+]storage excluded: ok\n[+]view excluded: ok\nreadyz check passed\n",
            id="several left out",
        ),
        pytest.param(
            "/livez",
            "verbose&exclude=etcd",
            200,
            '[+]ping ok\nwarn: some health checks cannot be excluded: no matches for "etcd"\nlivez check passed\n',
            id="left out but unknown",
        ),
        pytest.param("/readyz/ping", "", 200, "ok", id="one check"),
        pytest.param("/readyz/storage", "", 500, "internal server error: reason withheld\n", id="one that fails"),
        pytest.param("/readyz/etcd", "", 404, "404 page not found\n", id="one that does not exist"),
        pytest.param(
            "/healthz",
            "",
            500,
            "[+]ping ok\n[-]storage failed: reason withheld\nhealthz check failed\n",
            id="a check that breaks has failed",
        ),
        pytest.param("/healthzz", "", 200, "/healthzz", id="another path goes on"),
        pytest.param("/apis", "", 200, "/apis", id="the API goes on"),
    ],
)
def test_health_answers(path, query, code, text):
    answer = ask(APP, path, query)
    assert (answer.code, answer.text) == (code, text)


def test_health_is_plain_text():
    assert ask(APP, "/livez").headers["Content-Type"] == "text/plain; charset=utf-8"


def test_health_cannot_be_posted_to():
    assert ask(APP, "/livez", method="POST").code == 405


@pytest.mark.parametrize(
    ("query", "text"),
    [("", "ok"), ("verbose", "[+]view ok: the snapshot of noon\nreadyz check passed\n")],
    ids=["in short", "at length"],
)
def test_a_check_that_passes_may_have_something_to_say(query, text):
    noting = HealthEndpoint(echo, {"/readyz": {"view": lambda: Note("the snapshot of noon")}})
    answer = ask(noting, "/readyz", query)
    assert (answer.code, answer.text) == (200, text)
