import pytest

from tests.unit.image.streams import AA, INTEGRATED, event, stream, tag
from webhook.image import pullspec

LOCAL = {"referencePolicy": {"type": "Local"}}
RECORDED = f"quay.io/acme/app@{AA}"


@pytest.mark.parametrize(
    ("integrated", "expected"),
    [
        pytest.param(INTEGRATED, f"{INTEGRATED}/shop/app", id="an integrated registry always wins"),
        pytest.param("", "quay.io/acme/app", id="without one the spec's repository shows"),
    ],
)
def test_the_repository_of_a_stream(integrated, expected):
    assert pullspec.repository("shop", "app", "quay.io/acme/app", integrated) == expected


@pytest.mark.parametrize(
    ("spec_tags", "repository", "given", "expected"),
    [
        pytest.param([], f"{INTEGRATED}/shop/app", event(AA), RECORDED, id="no spec tag"),
        pytest.param([tag("x")], f"{INTEGRATED}/shop/app", event(AA), RECORDED, id="policy Source"),
        pytest.param(
            [tag("x", **LOCAL)], f"{INTEGRATED}/shop/app", event(AA), f"{INTEGRATED}/shop/app@{AA}", id="policy Local"
        ),
        pytest.param([tag("x", **LOCAL)], "", event(AA), RECORDED, id="Local without a repository"),
        pytest.param([tag("x", **LOCAL)], "Not//a reference", event(AA), RECORDED, id="Local with a broken repository"),
        pytest.param(
            [tag("x", **LOCAL)],
            f"{INTEGRATED}/shop/app",
            {"dockerImageReference": "quay.io/acme/app:1", "image": ""},
            "quay.io/acme/app:1",
            id="Local without an image",
        ),
    ],
)
def test_the_address_of_an_event_follows_the_policy_of_its_tag(spec_tags, repository, given, expected):
    one = stream(tags=spec_tags)
    one["status"]["dockerImageRepository"] = repository
    assert pullspec.for_event(one, "x", given) == expected
