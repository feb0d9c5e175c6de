import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.image.streams import AA, BB, CC, event, stream, tag
from webhook.image import generation, history, tags

SOURCE = "q.io/a/b:1"


def _edit(given_, **changes):
    """The stream as a client sends it back with some fields of its tag `latest` changed."""
    return tags.with_spec_tag(given_, {**tags.spec_tag(given_, "latest"), **changes})


def _fail(given_, text, at):
    entry = history.entry(given_, "latest")
    condition = {"type": "ImportSuccess", "status": "False", "reason": "NotFound", "message": text, "generation": at}
    return history.with_entry(given_, {**entry, "conditions": [condition]})


def _import(image):
    """An import writes the event with the generation that the write will have."""

    def step(old):
        coming = old["metadata"]["generation"] + 1
        return history.record(_client(generation=0)(old), "latest", event(image, coming))[0]

    return step


def _fails(text):
    def step(old):
        coming = old["metadata"]["generation"] + 1
        return _fail(_client(generation=0)(old), text, coming)

    return step


def _client(**changes):
    return lambda old: generation.after_update(_edit(old, **changes), old)


TRACE = [
    ("the controller imports aa", _import(AA), 2, 2, [2], None),
    ("the client asks again with 0", _client(generation=0), 3, 3, [2], None),
    ("the controller finds the same digest", _import(AA), 4, 4, [4], None),
    ("a scheduled import finds bb", _import(BB), 5, 5, [5, 4], None),
    ("an annotation of the tag changes", _client(annotations={"description": "x"}), 6, 5, [5, 4], None),
    ("the source changes", _client(**{"from": {"kind": "DockerImage", "name": "q.io/a/b:2"}}), 7, 7, [5, 4], None),
    ("the import fails", _fails("not found"), 8, 8, [5, 4], 8),
    ("it fails with another message", _fails("refused"), 9, 9, [5, 4], 9),
    ("the client asks again with 0", _client(generation=0), 10, 10, [5, 4], 9),
    ("the import finds cc", _import(CC), 11, 11, [11, 5, 4], None),
]


def test_the_worked_trace_of_the_specification():
    current = generation.after_create(stream(tags=[tag("latest", SOURCE)], generation=42))
    seen = [_counters("create", current)]
    for name, step, *_ in TRACE:
        current = step(current)
        seen.append(_counters(name, current))
    assert seen == [("create", 1, 1, [], None), *((name, *rest) for name, _, *rest in TRACE)]


def _counters(name, one):
    entry = history.entry(one, "latest") or {}
    observed = [condition["generation"] for condition in entry.get("conditions") or []]
    return (
        name,
        one["metadata"]["generation"],
        tags.spec_tag(one, "latest")["generation"],
        [item["generation"] for item in entry.get("items") or []],
        observed[0] if observed else None,
    )


def test_a_new_stream_starts_at_one_whatever_the_client_sent():
    after = generation.after_create(stream(tags=[tag("a", SOURCE, generation=42), tag("b")], generation=7))
    assert after["metadata"]["generation"] == 1
    assert [one["generation"] for one in tags.spec_tags(after)] == [1, 1]


OLD = stream(tags=[tag("latest", SOURCE, generation=2), tag("stable", "latest", kind="ImageStreamTag", generation=1)])
OLD["metadata"]["generation"] = 3


@pytest.mark.parametrize(
    ("change", "stream_generation", "tag_generation"),
    [
        pytest.param({}, 3, 2, id="nothing changes"),
        pytest.param({"generation": 99}, 3, 2, id="a number from the client is ignored"),
        pytest.param({"generation": None}, 3, 2, id="null from an old client is ignored"),
        pytest.param({"generation": 0}, 4, 4, id="zero asks for an import"),
        pytest.param({"importPolicy": {"importMode": "Legacy", "scheduled": True}}, 4, 2, id="scheduled flips"),
        pytest.param({"importPolicy": {"importMode": "Legacy", "insecure": True}}, 4, 2, id="insecure flips"),
        pytest.param({"importPolicy": {"importMode": "PreserveOriginal"}}, 4, 4, id="the import mode changes"),
        pytest.param({"referencePolicy": {"type": "Local"}}, 4, 2, id="the reference policy changes"),
        pytest.param({"annotations": {"a": "1"}}, 4, 2, id="an annotation comes"),
        pytest.param({"annotations": {}}, 3, 2, id="empty annotations are none"),
        pytest.param({"reference": True}, 4, 4, id="reference flips"),
        pytest.param({"reference": False}, 3, 2, id="a false that was absent is the same"),
        pytest.param({"from": {"kind": "ImageStreamTag", "name": SOURCE}}, 4, 2, id="only the kind changes"),
        pytest.param(
            {"from": {"kind": "DockerImage", "name": SOURCE, "namespace": "shop"}},
            4,
            2,
            id="the own namespace is said",
        ),
        pytest.param(
            {"from": {"kind": "DockerImage", "name": SOURCE, "namespace": "base"}}, 4, 4, id="the namespace changes"
        ),
        pytest.param({"from": None}, 4, 2, id="the source goes"),
    ],
)
def test_a_change_of_a_tag_moves_the_generations(change, stream_generation, tag_generation):
    after = generation.after_update(_edit(OLD, **change), OLD)
    assert after["metadata"]["generation"] == stream_generation
    assert tags.spec_tag(after, "latest")["generation"] == tag_generation
    assert tags.spec_tag(after, "stable")["generation"] == 1


def test_labels_do_not_count():
    new = {**OLD, "metadata": {**OLD["metadata"], "labels": {"team": "web"}, "generation": 17}}
    assert generation.after_update(new, OLD)["metadata"]["generation"] == 3


def test_the_lookup_policy_counts_for_the_stream_alone():
    new = {**OLD, "spec": {**OLD["spec"], "lookupPolicy": {"local": True}}}
    after = generation.after_update(new, OLD)
    assert after["metadata"]["generation"] == 4
    assert [one["generation"] for one in tags.spec_tags(after)] == [2, 1]


def test_a_new_tag_has_the_new_generation():
    after = generation.after_update(tags.with_spec_tag(OLD, tag("new", generation=1)), OLD)
    assert tags.spec_tag(after, "new")["generation"] == after["metadata"]["generation"] == 4


def test_removing_a_tag_leaves_the_others_alone():
    after = generation.after_update(tags.without_spec_tag(OLD, "stable"), OLD)
    assert (after["metadata"]["generation"], tags.spec_tag(after, "latest")["generation"]) == (4, 2)


def test_a_tag_stored_without_a_generation_gets_one():
    old = tags.with_spec_tag(OLD, tag("latest", SOURCE))
    assert tags.spec_tag(generation.after_update(old, old), "latest")["generation"] == 3


def test_a_stream_stored_without_a_generation_gets_one():
    old = {**OLD, "metadata": {"name": "app", "namespace": "shop"}}
    assert generation.after_update(old, old)["metadata"]["generation"] == 1


def test_the_order_of_tags_does_not_count():
    new = {**OLD, "spec": {**OLD["spec"], "tags": OLD["spec"]["tags"][::-1]}}
    assert generation.after_update(new, OLD)["metadata"]["generation"] == 3


SPEC_TAGS = st.lists(
    st.builds(
        tag,
        name=st.sampled_from(["a", "b", "c"]),
        source=st.sampled_from(["", "quay.io/x:1", "quay.io/x:2"]),
        reference=st.booleans(),
        generation=st.sampled_from([None, 0, 1, 5, 99]),
        annotations=st.sampled_from([None, {}, {"k": "v"}]),
    ),
    max_size=4,
)
STORED = st.builds(
    lambda spec_tags, number: {
        **(made := generation.after_create(stream(tags=spec_tags))),
        "metadata": {**made["metadata"], "generation": number},
    },
    SPEC_TAGS,
    st.integers(1, 50),
)


@given(STORED, SPEC_TAGS)
def test_a_generation_grows_by_one_or_stays_and_every_tag_has_one_within_it(old, wanted):
    new = stream(tags=wanted, generation=old["metadata"]["generation"])
    before = copy.deepcopy((new, old))
    after = generation.after_update(new, old)
    assert after["metadata"]["generation"] - old["metadata"]["generation"] in (0, 1)
    assert all(1 <= one["generation"] <= after["metadata"]["generation"] for one in tags.spec_tags(after))
    assert (new, old) == before


@given(STORED, SPEC_TAGS)
def test_writing_back_what_was_answered_changes_nothing(old, wanted):
    after = generation.after_update(stream(tags=wanted), old)
    assert generation.after_update(after, after) == after


@given(STORED)
def test_zero_always_asks_again(old):
    asked = tags.with_spec_tags(old, [{**one, "generation": 0} for one in tags.spec_tags(old)])
    after = generation.after_update(asked, old)
    assert all(one["generation"] == old["metadata"]["generation"] + 1 for one in tags.spec_tags(after))
