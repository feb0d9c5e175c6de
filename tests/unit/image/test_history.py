import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.image.streams import AA, BB, EARLIER, NOW, event, stream
from webhook.image import history

OLD = event(AA, 2)
FAILED = [{"type": "ImportSuccess", "status": "False", "lastTransitionTime": EARLIER, "generation": 2}]


@pytest.mark.parametrize(
    ("new", "items", "changed"),
    [
        pytest.param(event(AA, 2, created=NOW), [OLD], False, id="the same again is nothing"),
        pytest.param(event(AA, 5, created=NOW), [{**OLD, "generation": 5}], True, id="a generation moves in place"),
        pytest.param(
            {**event(AA, 5, created=NOW), "image": BB},
            [{**OLD, "image": BB, "generation": 5}],
            True,
            id="the same reference gets the new image in place",
        ),
        pytest.param(
            event(AA, 5, repository="mirror.example.com/app", created=NOW),
            [{**event(AA, 5, repository="mirror.example.com/app"), "created": EARLIER}],
            True,
            id="the same image gets the new reference in place",
        ),
        pytest.param(event(BB, 5, created=NOW), [event(BB, 5, created=NOW), OLD], True, id="another goes in front"),
    ],
)
def test_an_event_meets_the_head_of_the_history(new, items, changed):
    after, did_change = history.push({"tag": "latest", "items": [OLD]}, new)
    assert (after, did_change) == ({"tag": "latest", "items": items}, changed)


def test_the_first_event_drops_the_conditions_of_failed_imports():
    entry = {"tag": "latest", "items": None, "conditions": FAILED}
    assert history.push(entry, OLD) == ({"tag": "latest", "items": [OLD]}, True)


def test_any_change_clears_the_conditions():
    entry = {"tag": "latest", "items": [OLD], "conditions": FAILED}
    assert "conditions" not in history.push(entry, event(AA, 3))[0]


def test_no_change_keeps_the_conditions():
    entry = {"tag": "latest", "items": [OLD], "conditions": FAILED}
    assert history.push(entry, OLD) == (entry, False)


def test_recording_makes_the_entry_of_a_new_tag():
    after, changed = history.record(stream(), "latest", OLD)
    assert changed
    assert history.entry(after, "latest") == {"tag": "latest", "items": [OLD]}
    assert history.head(after, "latest") == OLD


def test_a_tag_without_events_has_no_head():
    assert history.head(stream(), "latest") is None
    assert history.items(stream(), "latest") == []


def test_two_hundred_pushes_are_all_kept():
    entry = None
    for number in range(200):
        entry, _ = history.push(entry, event(f"sha256:{number:064x}"))
    assert len(entry["items"]) == 200


EVENTS = st.builds(
    history.event,
    created=st.sampled_from([EARLIER, NOW]),
    reference=st.sampled_from(["quay.io/a@1", "quay.io/a@2", "quay.io/a@3"]),
    image=st.sampled_from(["", AA, BB]),
    generation=st.integers(1, 4),
)


def _shown(one):
    return {key: one[key] for key in ("dockerImageReference", "image", "generation")}


@given(st.lists(EVENTS, min_size=1, max_size=12))
def test_the_head_is_always_the_last_event_pushed(events):
    entry = None
    for one in events:
        before = copy.deepcopy(entry)
        after, _ = history.push(entry, one)
        assert entry == before
        entry = after
    assert _shown(entry["items"][0]) == _shown(events[-1])


@given(st.lists(EVENTS, min_size=1, max_size=12))
def test_pushing_twice_is_pushing_once(events):
    entry = None
    for one in events:
        entry, _ = history.push(entry, one)
        assert history.push(entry, one) == (entry, False)


@given(st.lists(EVENTS, min_size=1, max_size=12))
def test_a_push_adds_at_most_one_item_and_leaves_those_behind_the_head_alone(events):
    entry = {"tag": "latest", "items": []}
    for one in events:
        after, _ = history.push(entry, one)
        old, new = entry["items"], after["items"]
        assert new[1:] in (old, old[1:])
        entry = after


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        pytest.param([{"type": "ImportSuccess", "status": "False", "reason": "NotFound"}], "NotFound", id="failed"),
        pytest.param([{"type": "ImportSuccess", "status": "True", "reason": "Done"}], None, id="succeeded"),
        pytest.param([{"type": "ImportRetry", "status": "False", "reason": "BackOff"}], None, id="another condition"),
        pytest.param([], None, id="no condition"),
    ],
)
def test_a_failed_import_is_told_by_its_condition(conditions, reason):
    assert (history.failed_import(conditions) or {}).get("reason") == reason
