import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.image.streams import AA, BB, INTEGRATED, NOW, event, stream, tag
from webhook.image import generation, history, tagging, tags


def alias(name, source, **more):
    return tag(name, source, kind="ImageStreamTag", **more)


def heads(one):
    return {entry["tag"]: entry["items"][0]["image"] for entry in tags.status_tags(one) if entry["items"]}


def generations(one):
    return {entry["tag"]: [item["generation"] for item in entry["items"]] for entry in tags.status_tags(one)}


def write(new, old):
    after, findings = tagging.resolve(
        generation.after_update(new, old),
        old,
        load=lambda *_: None,
        authorize=lambda *_: None,
        integrated=INTEGRATED,
        now=NOW,
    )
    assert findings == []
    return after


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        pytest.param(alias("x", "2.0"), "2.0", id="a bare tag"),
        pytest.param(alias("x", "app:2.0"), "2.0", id="a tag of this stream by name"),
        pytest.param(alias("x", "app:2.0", namespace="shop"), "2.0", id="the own namespace"),
        pytest.param(alias("x", "2.0", reference=True), "2.0", id="reference does not matter"),
        pytest.param(alias("x", "app:"), "latest", id="an empty tag is latest"),
        pytest.param(alias("x", "x"), "x", id="itself"),
        pytest.param(alias("x", "php:2.0"), None, id="another stream"),
        pytest.param(alias("x", "app:2.0", namespace="base"), None, id="another namespace"),
        pytest.param(alias("x", "app:2:0"), None, id="a malformed name"),
        pytest.param(tag("x", "2.0"), None, id="a registry image"),
        pytest.param(tag("x"), None, id="no source"),
    ],
)
def test_an_alias_names_a_tag_of_its_own_stream(given_, expected):
    assert tagging.alias_target(stream("app"), given_) == expected


def test_a_head_reaches_aliases_of_aliases():
    given_ = stream(tags=[alias("b", "a"), alias("c", "b"), alias("d", "app:c")], history={"a": [event(AA, 4)]})
    after = tagging.follow_aliases(given_, {"a"})
    assert {name: history.head(after, name) for name in "bcd"} == dict.fromkeys("bcd", event(AA, 4))


def test_only_aliases_of_changed_tags_move():
    given_ = stream(tags=[alias("b", "a")], history={"a": [event(AA)], "b": [event(BB)]})
    assert tagging.follow_aliases(given_, set()) == given_


def test_a_cycle_is_accepted_and_goes_round_once():
    given_ = stream(tags=[alias("a", "b"), alias("b", "a"), alias("self", "self")], history={"a": [event(AA)]})
    assert heads(tagging.follow_aliases(given_, {"a"})) == {"a": AA, "b": AA}


def test_a_cycle_with_two_new_heads_ends_with_one_of_them():
    given_ = stream(
        tags=[alias("a", "d"), alias("b", "a"), alias("c", "b"), alias("d", "c")],
        history={"a": [event(AA)], "c": [event(BB)]},
    )
    assert set(heads(tagging.follow_aliases(given_, {"a", "c"})).values()) == {AA}


def test_an_alias_marks_the_tag_it_is_made_from_with_the_generation_of_the_write():
    old = stream("shop", history={"build-1": [event(AA, 1)]}, generation=2)
    after = write(tags.with_spec_tag(old, alias("stage", "build-1")), old)
    assert generations(after) == {"build-1": [3], "stage": [3]}


def test_pointing_the_followed_tag_elsewhere_takes_its_aliases_along():
    old = stream(
        "shop",
        [alias("stage", "build-1", generation=2), alias("prod", "stage", generation=3)],
        {
            "build-1": [event(AA, 2)],
            "build-2": [event(BB, 1)],
            "stage": [event(AA, 3)],
            "prod": [event(AA, 3)],
        },
        generation=3,
    )
    after = write(tags.with_spec_tag(old, alias("stage", "build-2")), old)
    assert generations(after) == {"build-1": [2], "build-2": [4], "prod": [4, 3], "stage": [4, 3]}
    assert tags.spec_tag(after, "prod")["generation"] == 3


def test_an_alias_of_a_tag_that_is_still_empty_fills_when_that_one_does():
    old = generation.after_create(stream(tags=[alias("stable", "rolling")]))
    pushed, _ = history.record(old, "rolling", event(AA, 1))
    assert heads(write(pushed, old)) == {"rolling": AA, "stable": AA}


def test_deleting_the_followed_tag_leaves_the_alias_its_image():
    old = stream(
        tags=[alias("prod", "8", generation=1), tag("8", "quay.io/lib/php:8", generation=1)],
        history={"8": [event(AA)], "prod": [event(AA)]},
    )
    assert heads(write(tags.without_tag(old, "8"), old)) == {"prod": AA}


def test_an_event_on_the_alias_itself_does_not_travel_back():
    old = stream(tags=[alias("b", "a", generation=1)], history={"a": [event(AA)], "b": [event(AA)]})
    pushed, _ = history.record(old, "b", event(BB))
    assert heads(write(pushed, old)) == {"a": AA, "b": BB}


NAMES = "abcdef"


@given(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from([AA, BB])),
)
def test_following_ends_and_a_second_time_does_nothing(targets, images):
    given_ = stream(
        tags=[alias(name, target) for name, target in targets.items()],
        history={name: [event(image)] for name, image in images.items()},
    )
    after = tagging.follow_aliases(given_, set(images))
    assert tagging.follow_aliases(after, set(images)) == after
    for name, target in targets.items():
        if history.head(after, target) is not None:
            assert heads(after)[name] == heads(after)[target]
