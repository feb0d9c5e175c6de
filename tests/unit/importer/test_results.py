import copy

import pytest

from tests.unit.importer.requests import AA, BB, DOWN, EARLIER, MISSING, NOW, failed, found, image, request
from webhook.errors import Invalid
from webhook.importer.fetched import Fetched, FetchedRepository
from webhook.importer.results import CHECK_ANNOTATION, apply, known_failure, refused, up_to_date


def tag(name="latest", source="quay.io/acme/app:v1", generation=2, *, policy="Source", **more):
    return {
        "name": name,
        "annotations": None,
        "from": {"kind": "DockerImage", "name": source},
        "generation": generation,
        "importPolicy": {"importMode": "Legacy"},
        "referencePolicy": {"type": policy},
        **more,
    }


def event(digest=AA, generation=2, repository="quay.io/acme/app"):
    reference = f"{repository}@{digest}"
    return {"created": EARLIER, "dockerImageReference": reference, "image": digest, "generation": generation}


def condition(status=MISSING, generation=2):
    return {
        "type": "ImportSuccess",
        "status": "False",
        "lastTransitionTime": EARLIER,
        "reason": status["reason"],
        "message": status["message"],
        "generation": generation,
    }


def stream(*tags, items=(), conditions=(), generation=2, checked=True):
    entry = {"tag": "latest", "items": list(items) or None} | ({"conditions": list(conditions)} if conditions else {})
    return {
        "metadata": {
            "name": "app",
            "namespace": "shop",
            "generation": generation,
            "resourceVersion": "7",
            "annotations": {CHECK_ANNOTATION: EARLIER} if checked else {},
        },
        "spec": {"lookupPolicy": {"local": False}, "tags": list(tags)},
        "status": {"dockerImageRepository": "", "tags": [entry] if items or conditions else []},
    }


IMPORTED = stream(tag(), items=[event()])


def outcome(before, *pairs):
    """What becomes of `before` when each image of the request brought what stands beside it."""
    given = copy.deepcopy(before)
    result = apply(request(*(one for one, _ in pairs)), Fetched(tuple(two for _, two in pairs)), before, NOW)
    assert before == given, "the stored stream is not changed in place"
    return result


def spec_tag(result, name="latest"):
    return next((one for one in result.stream["spec"].get("tags", []) if one["name"] == name), None)


def entry(result, name="latest"):
    return next((one for one in result.stream["status"].get("tags", []) if one["tag"] == name), None)


def test_a_missing_stream_is_created_with_tag_history_and_check_annotation():
    result = outcome(None, (image(scheduled=True), found()))
    assert result.creating
    assert result.stream["metadata"] == {"name": "app", "namespace": "shop", "annotations": {CHECK_ANNOTATION: NOW}}
    assert spec_tag(result) == tag(generation=0, importPolicy={"importMode": "Legacy", "scheduled": True})
    assert entry(result) == {"tag": "latest", "items": [{**event(generation=1), "created": NOW}]}


def test_a_stream_is_created_even_when_every_image_failed():
    result = outcome(None, (image("quay.io/acme/app:nope", "nope"), failed()))
    assert spec_tag(result, "nope")["from"]["name"] == "quay.io/acme/app:nope"
    assert entry(result, "nope") == {
        "tag": "nope",
        "items": None,
        "conditions": [{**condition(generation=1), "lastTransitionTime": NOW}],
    }
    assert result.images == []


def test_an_image_without_a_target_goes_nowhere():
    result = outcome(None, (image("busybox", None), found(repository="busybox")))
    assert result.stream["spec"] == {"lookupPolicy": {"local": False}}
    assert result.images == []


def test_a_preview_writes_nothing():
    result = apply(request(image(), storing=False), Fetched((found(),)), IMPORTED, NOW)
    assert (result.stream, result.images, result.creating) == (None, [], False)
    assert result.status["images"][0]["image"]["metadata"]["name"] == AA


def test_the_same_image_again_writes_nothing_and_still_stores_the_image():
    result = outcome(IMPORTED, (image(), found()))
    assert result.stream is None
    assert [one["metadata"]["name"] for one in result.images] == [AA]


def test_the_same_image_under_another_source_tag_writes_nothing():
    assert outcome(IMPORTED, (image("quay.io/acme/app:stable"), found(tag="stable"))).stream is None


def test_another_image_goes_on_top_of_the_history():
    result = outcome(IMPORTED, (image("quay.io/acme/app:v2"), found(BB, "v2")))
    assert [one["image"] for one in entry(result)["items"]] == [BB, AA]
    assert entry(result)["items"][0] == {**event(BB, 3), "created": NOW}
    assert spec_tag(result) == tag(source="quay.io/acme/app:v2", generation=0)


def test_the_same_image_from_another_registry_replaces_the_reference_in_place():
    result = outcome(IMPORTED, (image("ghcr.io/acme/app:v1"), found(repository="ghcr.io/acme/app")))
    assert entry(result)["items"] == [event(AA, 3, "ghcr.io/acme/app")]


def test_two_images_for_one_target_are_both_in_its_history():
    result = outcome(None, (image(), found()), (image("quay.io/acme/app:v2"), found(BB, "v2")))
    assert [one["image"] for one in entry(result)["items"]] == [BB, AA]


def test_an_import_policy_is_replaced_and_a_reference_policy_is_kept():
    before = stream(tag(policy="Local", importPolicy={"importMode": "Legacy", "scheduled": True}), items=[event()])
    result = outcome(before, (image(insecure=True), found()))
    wanted = tag(policy="Local", importPolicy={"importMode": "Legacy", "insecure": True})
    assert spec_tag(result) == wanted
    assert entry(result)["items"] == [event()]


def test_annotations_and_the_reference_flag_of_a_tag_are_kept():
    before = stream(tag(annotations={"description": "mine"}, reference=True), items=[event()])
    result = outcome(before, (image("quay.io/acme/app:v2"), found(BB, "v2")))
    assert (spec_tag(result)["annotations"], spec_tag(result)["reference"]) == ({"description": "mine"}, True)


def test_a_tag_that_asked_again_gets_its_generation_raised_by_the_same_image():
    result = outcome(stream(tag(generation=3), items=[event()], generation=3), (image(), found()))
    assert (entry(result)["items"], spec_tag(result)["generation"]) == ([event(generation=4)], 0)


# Failures.


def test_a_failure_keeps_history_and_source_and_adds_a_condition():
    result = outcome(IMPORTED, (image("quay.io/acme/app:nope", scheduled=True), failed()))
    assert spec_tag(result) == tag(generation=0)
    assert entry(result) == {
        "tag": "latest",
        "items": [event()],
        "conditions": [{**condition(generation=3), "lastTransitionTime": NOW}],
    }


def test_a_success_clears_the_condition():
    before = stream(tag(generation=3), items=[event()], conditions=[condition(generation=3)], generation=3)
    result = outcome(before, (image(), found()))
    assert entry(result) == {"tag": "latest", "items": [event(generation=4)]}


def test_the_same_failure_again_writes_nothing():
    before = stream(tag(generation=2), conditions=[condition(generation=2)])
    assert outcome(before, (image("quay.io/acme/app:nope"), failed())).stream is None


def test_another_failure_replaces_the_condition():
    before = stream(tag(generation=2), conditions=[condition(generation=2)])
    result = outcome(before, (image("quay.io/acme/app:nope"), failed(DOWN)))
    assert [one["reason"] for one in entry(result)["conditions"]] == ["InternalError"]


def test_the_same_failure_of_a_tag_that_asked_again_is_recorded_with_its_new_generation():
    before = stream(tag(generation=3), conditions=[condition(generation=2)], generation=3)
    result = outcome(before, (image("quay.io/acme/app:nope"), failed()))
    assert (entry(result)["conditions"][0]["generation"], spec_tag(result)["generation"]) == (4, 0)


# Retries.


def after_failure(before, status=DOWN):
    """The conditions of the tag when it failed, where failed imports are tried again."""
    result = apply(request(image()), Fetched((failed(status),)), before, NOW, retrying=True)
    return None if result.stream is None else result.stream["status"]["tags"][0]["conditions"]


def retry(since=EARLIER, generation=2):
    return {"type": "ImportRetry", "status": "True", "lastTransitionTime": since, "generation": generation}


def test_beside_a_failure_stands_when_it_is_tried_again():
    failure, announced = after_failure(IMPORTED)
    assert (failure["type"], failure["message"]) == ("ImportSuccess", DOWN["message"])
    assert (announced["type"], announced["reason"], announced["lastTransitionTime"]) == ("ImportRetry", "BackOff", NOW)
    assert announced["generation"] == failure["generation"] == 3


def test_another_failure_does_not_begin_the_pauses_anew():
    before = stream(tag(), items=[event()], conditions=[condition(), retry()])
    assert [one["lastTransitionTime"] for one in after_failure(before)] == [NOW, EARLIER]


def test_a_failure_that_was_asked_for_again_begins_the_pauses_anew():
    before = stream(tag(generation=3), items=[event()], conditions=[condition(), retry()], generation=3)
    assert [one["lastTransitionTime"] for one in after_failure(before)] == [NOW, NOW]


def test_the_same_failure_at_a_retry_writes_nothing():
    before = stream(tag(), items=[event()], conditions=[condition(DOWN), retry()])
    assert after_failure(before) is None


def test_a_success_clears_both_conditions():
    before = stream(tag(), items=[event()], conditions=[condition(), retry()])
    assert "conditions" not in outcome(before, (image(), found())).stream["status"]["tags"][0]


def test_a_repository_that_cannot_be_listed_leaves_no_check_annotation_where_it_is_tried_again():
    unlisted = Fetched(repository=FetchedRepository(failure=MISSING))
    asked = request(repository="quay.io/acme/app")
    assert apply(asked, unlisted, stream(checked=False), NOW, retrying=True).stream is None
    created = apply(asked, unlisted, None, NOW, retrying=True).stream
    assert CHECK_ANNOTATION not in created["metadata"].get("annotations", {})


# What a look can tell without an import: as much as the import would.

REFERENCE = f"quay.io/acme/app@{AA}"


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(IMPORTED, id="imported"),
        pytest.param(stream(tag(generation=3), items=[event()]), id="asked for again"),
        pytest.param(stream(tag(), items=[event()], conditions=[condition()]), id="failed since"),
        pytest.param(stream(tag(), items=[event()], checked=False), id="never checked"),
        pytest.param(stream(tag(), items=[event(BB)]), id="another image"),
        pytest.param(stream(tag(), items=[event(repository="quay.io/other/app")]), id="from another registry"),
        pytest.param(stream(items=[event()]), id="no longer wanted"),
        pytest.param(stream(tag()), id="never imported"),
    ],
)
def test_a_tag_is_up_to_date_exactly_when_importing_its_image_writes_nothing(before):
    assert up_to_date(before, "latest", REFERENCE, AA) is (outcome(before, (image(), found())).stream is None)


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(stream(tag(), conditions=[condition()]), id="failed alike"),
        pytest.param(stream(tag(generation=3), conditions=[condition()]), id="asked for again"),
        pytest.param(stream(tag(), conditions=[condition(DOWN)]), id="failed otherwise"),
        pytest.param(stream(tag(), conditions=[condition()], checked=False), id="never checked"),
        pytest.param(IMPORTED, id="imported"),
    ],
)
def test_a_failure_is_known_exactly_when_recording_it_writes_nothing(before):
    assert known_failure(before, "latest", MISSING) is (outcome(before, (image(), failed())).stream is None)


def test_a_status_without_a_message_gets_one():
    result = outcome(None, (image(to="x"), failed({})))
    assert entry(result, "x")["conditions"][0]["message"] == "unknown error prevented import"


@pytest.mark.parametrize("checked", [True, False])
def test_the_check_annotation_alone_is_a_reason_to_write(checked):
    result = outcome(stream(tag(), items=[event()], checked=checked), (image(), found()))
    assert (result.stream is None) == checked


def test_an_empty_check_annotation_is_no_reason_to_write():
    before = stream(tag(), items=[event()])
    before["metadata"]["annotations"][CHECK_ANNOTATION] = ""
    assert outcome(before, (image(), found())).stream is None


def test_a_refused_write_leaves_a_condition_on_the_tags_that_it_would_have_added():
    proposed = outcome(IMPORTED, (image("quay.io/acme/app:v2", "v2"), found(BB, "v2"))).stream
    after = refused(IMPORTED, proposed, Invalid("too much").status(), NOW)
    assert after["spec"] == IMPORTED["spec"]
    added = {**condition(generation=3), "lastTransitionTime": NOW, "reason": "Invalid", "message": "too much"}
    assert after["status"]["tags"] == [
        *IMPORTED["status"]["tags"],
        {"tag": "v2", "items": None, "conditions": [added]},
    ]


# Repositories.


def repository(*images, before=None, **more):
    wanted = request(repository="quay.io/acme/app")
    return apply(wanted, Fetched((), FetchedRepository(tuple(images), **more)), before, NOW)


def test_every_tag_of_a_repository_becomes_a_tag_of_the_stream():
    result = repository(found(tag="v1"), found(BB, "v2"), additional_tags=("v3",))
    assert [one["name"] for one in result.stream["spec"]["tags"]] == ["v1", "v2"]
    assert spec_tag(result, "v2")["from"]["name"] == "quay.io/acme/app:v2"
    assert result.status["repository"]["additionalTags"] == ["v3"]
    assert result.status["repository"]["status"] == {"metadata": {}, "status": "Success"}


@pytest.mark.parametrize(("count", "text"), [(1, "one of the images"), (2, "2 of the images")])
def test_tags_of_a_repository_that_failed_get_conditions_and_no_spec(count, text):
    result = repository(found(tag="v1"), *(failed(tag=f"nope{number}") for number in range(count)))
    assert [one["name"] for one in result.stream["spec"]["tags"]] == ["v1"]
    assert entry(result, "nope0")["conditions"]
    assert result.status["repository"]["status"] == {
        "metadata": {},
        "status": "Failure",
        "reason": "ImportFailed",
        "message": f"{text} from this repository failed to import",
    }


def test_a_repository_that_cannot_be_listed_only_leaves_the_check_annotation():
    before = stream(checked=False)
    result = repository(before=before, failure=MISSING)
    assert result.status["repository"] == {"status": MISSING}
    assert result.stream["metadata"]["annotations"] == {CHECK_ANNOTATION: NOW}
    assert (result.stream["spec"], result.stream["status"]) == (before["spec"], before["status"])


def test_an_own_tag_wins_over_the_repository_tag_of_its_name():
    wanted = request(image("quay.io/acme/other:v1", "v1"), repository="quay.io/acme/app")
    fetched = Fetched((found(BB, "v1", "quay.io/acme/other"),), FetchedRepository((found(AA, "v1"),)))
    result = apply(wanted, fetched, None, NOW)
    assert spec_tag(result, "v1")["from"]["name"] == "quay.io/acme/other:v1"
    assert [one["image"] for one in entry(result, "v1")["items"]] == [BB, AA]


# What is shown and what is stored.


@pytest.mark.parametrize(
    ("one", "storing", "shown"),
    [
        (image(), False, False),
        (image(include=True), False, True),
        (image(include=True), True, False),
        (image(to=None, include=True), True, True),
    ],
    ids=["preview", "preview with manifest", "stored", "not stored"],
)
def test_manifests_are_shown_where_asked_for_and_not_stored(one, storing, shown):
    result = apply(request(one, storing=storing), Fetched((found(),)), None, NOW)
    assert ("dockerImageManifest" in result.status["images"][0]["image"]) == shown
    assert all("dockerImageManifest" not in stored for stored in result.images)


@pytest.mark.parametrize("storing", [True, False])
def test_members_of_a_list_are_stored_before_it_and_shown_whole_in_a_preview(storing):
    result = apply(request(image(), storing=storing), Fetched((found(members=[BB]),)), None, NOW)
    assert [one["metadata"]["name"] for one in result.images] == ([BB, AA] if storing else [])
    assert ("dockerImageConfig" in result.status["images"][0]["manifests"][0]) != storing


def test_each_image_is_stored_once():
    result = outcome(None, (image(), found()), (image(to="other"), found()))
    assert [one["metadata"]["name"] for one in result.images] == [AA]
