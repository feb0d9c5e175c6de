"""What a look-up keeps of a stream: image-api 7.1, 12.17, 12.18; admission A.6."""

import json

import msgspec
import pytest

from tests.unit.admission.streams import INTEGRATED, V1, V2, event, stream
from webhook.image import lookup

REPOSITORY = f"{INTEGRATED}/shop/app"


@pytest.mark.parametrize(
    ("reference", "policy", "expected"),
    [
        pytest.param("quay.io/team/app:v1", "Source", f"quay.io/team/app@{V1}", id="a tag is dropped"),
        pytest.param(f"quay.io/team/app@{V2}", "Source", f"quay.io/team/app@{V1}", id="the image's name wins"),
        pytest.param("team/app:build-8", "Source", f"team/app@{V1}", id="no registry is added"),
        pytest.param("app:v1", "Source", f"app@{V1}", id="not to a lone name either"),
        pytest.param("quay.io/team/app:v1", "Local", f"{REPOSITORY}@{V1}", id="policy Local"),
        pytest.param("", "Local", f"{REPOSITORY}@{V1}", id="policy Local needs no recorded address"),
        pytest.param("", "Source", "", id="no recorded address"),
        pytest.param("my.app:v1", "Source", "", id="a registry without a repository"),
        pytest.param("https://quay.io/team/app", "Source", "", id="no reference at all"),
        pytest.param("quay.io/team/app@sha256:12", "Source", "", id="a recorded digest that is none"),
        pytest.param(f"quay.io/team/app:v1@{V1}", "Source", f"quay.io/team/app@{V1}", id="a tag beside the digest"),
        pytest.param(f"quay.io/Team/app@{V1}", "Source", "", id="no reference before the right digest"),
    ],
)
def test_the_final_pull_spec_is_by_digest(reference, policy, expected):
    found = lookup.record(stream("shop", "app", policies={"v1": policy}, v1=event(reference, V1)))
    assert found.tags == {"v1": expected}
    if expected:
        assert lookup.image_of(expected) == V1


def test_a_tag_out_of_the_spec_loses_its_policy():
    removed = stream("shop", "app", policies={"v1": "Local"}, v1=event("quay.io/team/app:v1", V1))
    removed["spec"]["tags"] = []
    assert lookup.record(removed).tags == {"v1": f"quay.io/team/app@{V1}"}


def test_only_the_newest_event_counts():
    moved = stream("shop", "app", v1=event("quay.io/team/app:v2", V2))
    moved["status"]["tags"][0]["items"].append(event("quay.io/team/app:v1", V1))
    assert lookup.record(moved).tags == {"v1": f"quay.io/team/app@{V2}"}


def test_tags_without_an_image_keep_the_message_of_their_last_failure():
    found = lookup.record(stream("shop", "app", failures={"gone": "not found"}, pointer=event("quay.io/a/b:1", "")))
    assert (found.tags, found.missing) == ({}, {"gone": "not found", "pointer": ""})


def test_an_image_that_is_named_by_no_digest_is_found_again():
    found = lookup.record(stream("shop", "app", v1=event("host:5000/team/app:v1", "abc123")))
    assert lookup.image_of(found.tags["v1"]) == "abc123"


@pytest.mark.parametrize("empty", [{}, {"metadata": None, "spec": None, "status": None}, {"status": {"tags": None}}])
def test_an_empty_stream_is_a_stream_without_tags(empty):
    assert lookup.record(empty) == lookup.Stream()


def test_the_version_is_a_number_where_it_is_one():
    assert [lookup.version_of(text) for text in ("42", "x", "", None, "²")] == [42, 0, 0, 0, 0]


def test_a_stream_of_ten_thousand_tags_is_recorded_in_one_go():
    many = {f"v{number}": event("quay.io/team/app:v1", V1) for number in range(10_000)}
    assert len(lookup.record(stream("shop", "app", **many)).tags) == 10_000


def test_each_image_keeps_the_generation_at_which_its_tag_got_it():
    found = lookup.record(
        stream(
            "shop",
            "app",
            failures={"gone": "not found"},
            v1=event("quay.io/team/app:v1", V1, generation=3),
            v2=event("quay.io/team/app:v2", V2, generation=7),
        )
    )
    assert [found.generation(tag) for tag in ("v1", "v2", "gone", "v9")] == [3, 7, 0, 0]


def test_a_decoded_stream_and_one_in_memory_have_the_same_record():
    item = stream("shop", "app", local=True, failures={"gone": "not found"}, v1=event("quay.io/team/app:v1", V1))
    assert lookup.record(msgspec.json.decode(json.dumps(item), type=lookup.ImageStream)) == lookup.record(item)


@pytest.mark.parametrize("odd", [{"status": {"tags": {}}}, {"spec": []}, {"metadata": {"resourceVersion": 7}}])
def test_a_stream_of_an_odd_shape_is_a_value_error(odd):
    with pytest.raises(ValueError, match="Expected"):
        lookup.record(odd)


@pytest.mark.parametrize(
    ("tag", "generation"),
    [
        pytest.param("8.1", 3, id="the first"),
        pytest.param("8.2", 5, id="another"),
        pytest.param("8.3", 0, id="a record without generations for all"),
        pytest.param("latest", 0, id="a tag without an image"),
    ],
)
def test_a_tag_has_the_generation_of_its_image(tag, generation):
    tags = {"8.1": "quay.io/php@sha256:a", "8.2": "quay.io/php@sha256:b", "8.3": "quay.io/php@sha256:c"}
    assert lookup.Stream(tags=tags, generations=(3, 5)).generation(tag) == generation
