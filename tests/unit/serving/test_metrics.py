"""Which verb and resource a request counts for, and who may read the counts."""

from __future__ import annotations

from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client import REGISTRY

from tests.unit.serving.wsgi import ask, echo
from webhook.admission import reasons
from webhook.admission.decide import Rewrite
from webhook.admission.endpoint import OUTCOMES
from webhook.admission.resolve import Decision
from webhook.admission.reviewer import ALLOWED
from webhook.errors import Unauthorized
from webhook.serving.metrics import MetricsEndpoint, ReviewCounter, route, served


@pytest.mark.parametrize(
    ("method", "path", "query", "expected"),
    [
        ("GET", "/apis/image.openshift.io/v1/imagestreams", "", ("list", "imagestreams")),
        ("GET", "/apis/image.openshift.io/v1/imagestreams", "watch=true", ("watch", "imagestreams")),
        ("GET", "/apis/image.openshift.io/v1/imagestreams", "watch=0", ("list", "imagestreams")),
        ("GET", "/apis/image.openshift.io/v1/namespaces/a/imagestreams/php", "", ("get", "imagestreams")),
        (
            "PUT",
            "/apis/image.openshift.io/v1/namespaces/a/imagestreams/php/status",
            "",
            ("update", "imagestreams/status"),
        ),
        ("POST", "/api/v1/namespaces/a/pods", "dryRun=All", ("create", "pods")),
        ("PATCH", "/api/v1/namespaces/a", "", ("patch", "namespaces")),
        ("DELETE", "/api/v1/namespaces/a/pods", "", ("deletecollection", "pods")),
        ("DELETE", "/api/v1/namespaces/a/pods/x", "", ("delete", "pods")),
        ("POST", "/admission/mutate", "", ("create", "admission")),
        ("GET", "/apis", "", ("get", "other")),
        ("BREW", "/coffee", "", ("other", "other")),
    ],
)
def test_requests_count_for_their_verb_and_resource(method, path, query, expected):
    assert route({"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}) == expected


def count(verb: str, resource: str, code: str) -> float:
    labels = {"verb": verb, "resource": resource, "code": code}
    return REGISTRY.get_sample_value("imagestreams_requests_total", labels) or 0.0


def nobody(_environ: object) -> None:
    raise Unauthorized


def test_a_request_is_counted_once_with_its_code():
    before = count("list", "builds", "200")
    ask(MetricsEndpoint(echo, nobody), "/apis/build.openshift.io/v1/builds")
    assert count("list", "builds", "200") == before + 1


def test_names_that_a_client_invents_do_not_become_series():
    def missing(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("404 Not Found", [])
        return []

    ask(MetricsEndpoint(missing, nobody), "/apis/a/v1/invented")
    assert count("list", "invented", "404") == 0
    assert count("list", "other", "404") >= 1


def test_a_body_that_breaks_is_counted_and_closed():
    closed = []

    class Body:
        def __iter__(self) -> Any:
            yield b"half"
            raise OSError("gone")

        def close(self) -> None:
            closed.append(True)

    def breaking(_environ: Any, start_response: Any) -> Body:
        start_response("200 OK", [])
        return Body()

    with pytest.raises(OSError, match="gone"):
        ask(MetricsEndpoint(breaking, nobody), "/api/v1/pods")
    assert closed == [True]


def test_metrics_are_not_for_everybody():
    assert ask(MetricsEndpoint(echo, nobody), "/metrics").code == 401


def test_metrics_have_a_plain_port(monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    with served("127.0.0.1", 0) as port:
        with urlopen(f"http://127.0.0.1:{port}/metrics?x", timeout=10) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain")
        with pytest.raises(HTTPError) as refusal, urlopen(f"http://127.0.0.1:{port}/secrets", timeout=10):
            pass
        assert refusal.value.code == 404
        refusal.value.close()
    with pytest.raises(OSError, match="refused"):
        urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10)


def images_by_reason() -> dict[str, float]:
    found = {one: {"reason": one} for one in reasons.SENTENCES}
    return {
        one: REGISTRY.get_sample_value("imagestreams_admission_images_total", labels) or 0.0
        for one, labels in found.items()
    }


def test_images_are_counted_by_the_reason_of_their_decision_each_once():
    looked = [
        Rewrite(("spec", "containers", number, "image"), reason, reason, Decision(reason))
        for number, reason in enumerate(reasons.SENTENCES)
    ]
    origin = ("spec", "strategy", "sourceStrategy", "from")
    deferred = Decision(reasons.MISSING_TAG_DEFERRED)
    looked.append(Rewrite((*origin, "kind"), "ImageStreamTag", "DockerImage", deferred, beside=True))
    before = images_by_reason()
    counter = ReviewCounter()
    counter(ALLOWED, looked, 0.001)
    counter.flush()
    assert images_by_reason() == {reason: count + 1 for reason, count in before.items()}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_of_a_review_is_counted(outcome):
    def counted():
        return REGISTRY.get_sample_value("imagestreams_admission_reviews_total", {"outcome": outcome}) or 0.0

    before = counted()
    counter = ReviewCounter()
    counter(outcome, [], 0.001)
    counter.flush()
    assert counted() == before + 1


def test_a_reason_without_a_number_is_an_error_of_who_counts_and_not_of_who_writes():
    counter = ReviewCounter()
    image = Rewrite(("spec", "image"), "php:8.2", "php:8.2", Decision("Unheard", "php:8.2"))
    with pytest.raises(KeyError, match="Unheard"):
        counter(ALLOWED, [image], 0.001)
    counter.flush()
