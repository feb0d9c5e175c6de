import pytest

from tests.unit.controllers.streams import DIGEST, SINCE, seen, stream, tag, targets
from webhook.controllers.needs import failing, needed, scheduled, with_tags
from webhook.importer.results import CHECK_ANNOTATION


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        pytest.param(stream(tag()), ["latest"], id="a new tag"),
        pytest.param(stream(tag("a"), tag("b")), ["a", "b"], id="all new tags at once"),
        pytest.param(stream(tag(), checked=True), ["latest"], id="a client's check annotation does not stop a new tag"),
        pytest.param(stream(tag(), status=[seen(imported=1)]), None, id="an imported tag"),
        pytest.param(stream(tag(generation=3), status=[seen(imported=2)]), ["latest"], id="a tag that asks again"),
        pytest.param(stream(tag(generation=3), status=[seen(failed=3)]), None, id="a failed tag is not tried again"),
        pytest.param(
            stream(tag(generation=4), status=[seen(imported=2, failed=3)]),
            ["latest"],
            id="a failed tag that asks again",
        ),
        pytest.param(
            stream(
                tag("a", generation=3), tag("b", generation=2), status=[seen("a", imported=2), seen("b", imported=2)]
            ),
            ["a"],
            id="only the tags that ask",
        ),
        pytest.param(stream(tag(generation=None)), None, id="a tag without a generation asks for nothing"),
        pytest.param(stream(tag("a"), tag("b", generation=None)), ["a", "b"], id="and comes along"),
        pytest.param(stream(tag(reference=True)), None, id="a reference is not imported"),
        pytest.param(stream(tag(source="other:latest", kind="ImageStreamTag")), None, id="an alias is not imported"),
        pytest.param(stream(tag(source="")), None, id="a tag with only annotations is not imported"),
        pytest.param(stream(), None, id="an empty stream"),
    ],
)
def test_a_stream_needs_an_import_of_the_tags_that_are_newer_than_their_status(one, wanted):
    assert targets(needed(one)) == wanted


def test_the_request_is_tied_to_the_stream_that_was_looked_at():
    policy = {"importMode": "PreserveOriginal", "insecure": True}
    one = stream(tag(importPolicy=policy, referencePolicy={"type": "Local"}))
    assert needed(one) == {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStreamImport",
        "metadata": {"name": "app", "namespace": "shop", "resourceVersion": "7", "uid": "u-1"},
        "spec": {
            "import": True,
            "images": [
                {
                    "from": {"kind": "DockerImage", "name": "quay.io/acme/app:v1"},
                    "to": {"name": "latest"},
                    "importPolicy": policy,
                    "referencePolicy": {"type": "Local"},
                }
            ],
        },
    }


@pytest.mark.parametrize(
    ("annotations", "policy"), [({}, {}), ({"openshift.io/image.insecureRepository": "true"}, {"insecure": True})]
)
def test_a_repository_is_imported_whole_and_with_all_tags_until_it_was_checked(annotations, policy):
    one = stream(tag(), status=[seen(imported=1)], repository="quay.io/acme/app", **annotations)
    request = needed(one)
    source = {"kind": "DockerImage", "name": "quay.io/acme/app"}
    assert request["spec"]["repository"] == {"from": source, "importPolicy": policy}
    assert targets(request) == ["latest"]


def test_a_repository_is_imported_once():
    assert needed(stream(repository="quay.io/acme/app", checked=True)) is None
    assert needed(stream(repository="quay.io/acme/app", **{CHECK_ANNOTATION: ""})) is not None


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        pytest.param(tag(scheduled=True), ["latest"], id="a scheduled tag"),
        pytest.param(tag(), [], id="another tag"),
        pytest.param(tag(scheduled=True, reference=True), [], id="a reference"),
        pytest.param(tag(scheduled=True, source=f"quay.io/acme/app@{DIGEST}"), [], id="a digest that was imported"),
        pytest.param(
            tag(scheduled=True, source=f"quay.io/acme/app@{DIGEST}", generation=2),
            ["latest"],
            id="a digest that was not",
        ),
        pytest.param(tag(scheduled=True, source="*"), [], id="no reference at all"),
    ],
)
def test_scheduled_tags_are_followed(one, wanted):
    assert [tag["name"] for tag in scheduled(stream(one, status=[seen(imported=1)]))] == wanted


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        pytest.param(stream(tag(), status=[seen(failed=1, retried=SINCE)]), [("latest", SINCE)], id="a failed tag"),
        pytest.param(stream(tag(), status=[seen(failed=1)]), [], id="a failure recorded without retries"),
        pytest.param(stream(tag(generation=2), status=[seen(failed=1, retried=SINCE)]), [], id="asked for again"),
        pytest.param(stream(tag(reference=True), status=[seen(failed=1, retried=SINCE)]), [], id="now a reference"),
        pytest.param(stream(tag(), status=[seen(imported=1)]), [], id="an imported tag"),
    ],
)
def test_failed_tags_are_tried_again_where_that_was_announced(one, wanted):
    assert [(tag["name"], since) for tag, since in failing(one)] == wanted


def test_tags_whose_turn_it_is_join_those_that_ask():
    one = stream(
        tag("follow", scheduled=True),
        tag("new"),
        tag("old"),
        status=[seen("follow", imported=1), seen("old", imported=1)],
    )
    assert targets(with_tags(one, needed(one), ["follow"])) == ["follow", "new"]
    assert targets(with_tags(one, None, ["follow"])) == ["follow"]
    assert with_tags(one, None, ["gone"]) is None


def test_a_whole_repository_needs_no_tags_by_name():
    one = stream(tag("follow", scheduled=True), repository="quay.io/acme/app")
    assert with_tags(one, needed(one), ["follow"]) == needed(one)
