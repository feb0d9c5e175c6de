import json
import logging

import pytest
from prometheus_client import REGISTRY

from tests.unit.importer.requests import DOWN, failed, found, image, request
from webhook.distribution.client import Usage
from webhook.importer import report
from webhook.importer.fetched import Fetched, FetchedRepository
from webhook.serving.logs import JsonLines


def value(name, **labels):
    return REGISTRY.get_sample_value(f"imagestreams_{name}", labels) or 0.0


@pytest.fixture
def hosts(monkeypatch):
    monkeypatch.setattr(report, "_known", set())


def logged(caplog, isi, fetched, usage, seconds=1.25):
    with caplog.at_level(logging.INFO, logger="webhook.importer.report"):
        report.imported(isi, None, fetched, usage, seconds)
    [record] = caplog.records
    return json.loads(JsonLines().format(record))


def test_an_import_is_one_line_with_all_that_it_cost(hosts, caplog):
    isi = request(image("quay.io/acme/app:v1"), image("quay.io/acme/app:v2", "v2"), image("ghcr.io/acme/web:v1", "web"))
    usage = {"quay.io": Usage(5, 2048, 0.5, 76.0), "ghcr.io": Usage(2, 512, 0.25)}
    line = logged(caplog, isi, Fetched((found(), failed(), failed(DOWN))), usage)
    assert {
        "namespace": "shop",
        "stream": "app",
        "registries": ["ghcr.io", "quay.io"],
        "result": "failure",
        "images": 3,
        "failed": 2,
        "reasons": {"NotFound": 1, "InternalError": 1},
        "seconds": 1.25,
        "waited": 0.75,
        "requests": 7,
        "bytes": 2560,
        "remaining": {"quay.io": 76.0},
    }.items() <= line.items()
    assert line["message"] == (
        "import of shop/app from ghcr.io, quay.io: 1 of 3 images (failed: InternalError, NotFound);"
        " 7 requests, 2560 bytes, 1.25 s"
    )


def test_an_import_that_asked_nobody_is_told_too(hosts, caplog):
    line = logged(caplog, request(image("quay.io/acme/app:v1")), Fetched((failed(),)), {})
    assert "from no registry: 0 of 1 images (failed: NotFound)" in line["message"]


def test_images_are_counted_by_registry_and_reason(hosts):
    labels = {"registry": "registry.example.com", "result": "failure", "reason": "NotFound"}
    before = value("imported_images_total", **labels)
    isi = request(image("registry.example.com/acme/app:v1"), repository="registry.example.com/acme/web")
    fetched = Fetched((failed(),), FetchedRepository((failed(), found())))
    report.imported(isi, None, fetched, {"registry.example.com": Usage(9, 10)}, 0.5)
    assert value("imported_images_total", **labels) == before + 2
    success = {"registry": "registry.example.com", "result": "success", "reason": ""}
    assert value("imported_images_total", **success) == 1
    assert value("registry_requests_total", registry="registry.example.com") == 9
    assert value("registry_received_bytes_total", registry="registry.example.com") == 10


def test_what_is_left_of_a_rate_limit_is_a_measurement(hosts):
    report.asked({"limited.example.com": Usage(remaining=76.0)})
    assert value("registry_ratelimit_remaining", registry="limited.example.com") == 76.0


def test_users_cannot_make_any_number_of_series(hosts):
    labels = [report.label(f"registry-{number}.example.com") for number in range(150)]
    assert len(set(labels)) == 101
    assert labels[120] == "other"
    assert report.label("registry-7.example.com") == "registry-7.example.com"
