import pytest

from webhook.distribution.limits import Limits
from webhook.importer import setup
from webhook.settings import Settings

FILE = """
limits:
- registry: docker.io
  requestsPerSecond: 0.5
  shortestInterval: 3600
- registry: quay.io:8443
  concurrency: 2
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "registries.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def limits_of(file, tmp_path):
    settings = Settings(data=tmp_path / "none", registries=file, registry_rate=20, registry_concurrency=4)
    pacing = setup.importer(settings).shared.pacing
    return lambda host: pacing.of(host).limits


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        pytest.param("registry-1.docker.io", Limits(0.5, 4, 3600), id="what the file says, and the options otherwise"),
        pytest.param("quay.io:8443", Limits(20, 2), id="host and port"),
        pytest.param("quay.io", Limits(20, 4), id="the options where the file says nothing"),
    ],
)
def test_the_limits_of_a_registry(limits_of, host, wanted):
    assert limits_of(host) == wanted


def test_limits_follow_the_file(limits_of, file, tmp_path):
    assert limits_of("quay.io").requests_per_second == 20
    new = tmp_path / "new"
    new.write_text("limits: [{requestsPerSecond: 5}]")
    new.replace(file)
    assert limits_of("quay.io").requests_per_second == 5
