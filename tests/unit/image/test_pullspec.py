import pytest

from tests.unit.image.streams import AA, INTEGRATED, event, stream, tag
from webhook.image import pullspec
from webhook.image.pullspec import PullSpec

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


SOURCE = "quay.io/acme/app:1"
OWN = PullSpec(f"{INTEGRATED}/shop/app:x", is_tag_empty=True)


@pytest.mark.parametrize(
    ("spec_tag", "items", "newest"),
    [
        pytest.param(
            tag("x", SOURCE, generation=2),
            [event(AA, 2)],
            PullSpec(RECORDED, has_status=True),
            id="the head is current",
        ),
        pytest.param(
            tag("x", SOURCE),
            [event(AA, 2)],
            PullSpec(RECORDED, has_status=True),
            id="a spec tag without a generation asks for nothing",
        ),
        pytest.param(
            tag("x", SOURCE, generation=3),
            [event(AA, 2)],
            PullSpec(SOURCE),
            id="an import is pending",
        ),
        pytest.param(tag("x", SOURCE, generation=1), [], PullSpec(SOURCE), id="the first is pending"),
        pytest.param(tag("x", SOURCE, generation=1, **LOCAL), [], OWN, id="the first is pending, locally"),
        pytest.param(tag("x", "php:8", kind="ImageStreamTag"), [], OWN, id="a source that is no registry image"),
    ],
)
def test_newest_trusts_the_source(spec_tag, items, newest):
    one = stream(tags=[spec_tag], history={"x": items} if items else None)
    assert pullspec.newest(one, "x") == newest


def test_newest_cannot_answer_while_a_local_import_is_pending():
    one = stream(tags=[tag("x", SOURCE, generation=3, **LOCAL)], history={"x": [event(AA, 2)]})
    with pytest.raises(pullspec.Undetermined, match="the pull spec cannot be determined yet"):
        pullspec.newest(one, "x")


def test_an_empty_tag_has_the_public_address_on_request():
    one = stream()
    one["status"]["publicDockerImageRepository"] = "registry.example.com/shop/app"
    assert pullspec.newest(one, "x", public=True).text == "registry.example.com/shop/app:x"


def test_a_stream_without_any_repository_cannot_answer_for_an_empty_tag():
    with pytest.raises(pullspec.Undetermined, match="no image repository has been set"):
        pullspec.newest({"metadata": {"name": "app"}}, "x")
