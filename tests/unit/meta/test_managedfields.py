"""Server-side apply and who owns what, on image streams."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.image import schema as image_schema
from webhook.meta import fieldcompare, managedfields
from webhook.meta.managedfields import Actor, ApplyConflict

GV = "image.openshift.io/v1"
SCHEMA = image_schema.for_kind("ImageStream")
FIRST, LATER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def source(name: str) -> dict:
    return {"kind": "DockerImage", "name": name}


def stream(*tags: dict, **labels: str) -> dict:
    meta = {"name": "app", **({"labels": labels} if labels else {})}
    return {"apiVersion": GV, "kind": "ImageStream", "metadata": meta, **({"spec": {"tags": [*tags]}} if tags else {})}


def tag(name: str, image: str = "quay.io/a/b:1", **more: object) -> dict:
    return {"name": name, "from": source(image), **more}


def apply(live, config, entries, manager, now=FIRST, *, force=False):
    return managedfields.apply(live, config, entries, Actor(manager, GV), SCHEMA, now, force=force)


def names(obj: dict) -> list[str]:
    return [one["name"] for one in obj["spec"]["tags"]]


def test_each_manager_keeps_its_tags():
    live, owners = apply(stream(), stream(tag("t1"), tag("t2")), [], "a")
    live, owners = apply(live, stream(tag("t3")), owners, "b")
    live, owners = apply(live, stream(tag("t1")), owners, "a")
    assert names(live) == ["t1", "t3"]
    assert {one.manager for one in owners} == {"a", "b"}


def test_another_value_is_a_conflict_about_the_field():
    live, owners = apply(stream(), stream(tag("t")), [], "a")
    with pytest.raises(ApplyConflict) as refused:
        apply(live, stream(tag("t", "quay.io/a/b:2")), owners, "b")
    assert refused.value.message == 'Apply failed with 1 conflict: conflict with "a": .spec.tags[name="t"].from'


def test_several_conflicts_are_listed_by_manager():
    live, owners = apply(stream(), stream(x="1", y="2"), [], "a")
    with pytest.raises(ApplyConflict) as refused:
        apply(live, stream(x="3", y="4"), owners, "b")
    assert refused.value.message == (
        'Apply failed with 2 conflicts: conflicts with "a":\n- .metadata.labels.x\n- .metadata.labels.y'
    )


def test_a_conflict_with_an_update_tells_its_version_and_time():
    live = stream(x="1")
    owners = managedfields.update({"metadata": {}}, live, [], Actor("edit", GV), SCHEMA, FIRST)
    with pytest.raises(ApplyConflict) as refused:
        apply(live, stream(x="2"), owners, "b")
    assert refused.value.details["causes"][0] == {
        "reason": "FieldManagerConflict",
        "message": f'conflict with "edit" using {GV} at {FIRST}',
        "field": ".metadata.labels.x",
    }


def test_force_takes_the_field_from_the_other():
    live, owners = apply(stream(), stream(x="1"), [], "a")
    live, owners = apply(live, stream(x="2"), owners, "b", force=True)
    assert live["metadata"]["labels"] == {"x": "2"}
    assert {one.manager: ("f:metadata", "f:labels", "f:x") in one.fields for one in owners} == {"b": True}


def test_applying_again_changes_nothing():
    live, owners = apply(stream(), stream(tag("t"), x="1"), [], "a")
    assert apply(live, stream(tag("t"), x="1"), owners, "a", LATER) == (live, owners)


def test_an_update_owns_what_it_changes():
    live, owners = apply(stream(), stream(x="1", y="1"), [], "a")
    owners = managedfields.update(live, stream(x="1", y="2", z="3"), owners, Actor("edit", GV), SCHEMA, LATER)
    labels = {one.manager: sorted(path[-1] for path in one.fields if len(path) == 3) for one in owners}
    assert labels == {"a": ["f:x"], "edit": ["f:y", "f:z"]}


def test_kubectl_takes_over_what_it_applied_from_the_client():
    live = stream(x="1")
    live["metadata"]["annotations"] = {managedfields.LAST_APPLIED: json.dumps(stream(x="1"))}
    actor = Actor("kubectl-client-side-apply", GV)
    owners = managedfields.update({"metadata": {}}, live, [], actor, SCHEMA, FIRST)
    new, _ = apply(live, stream(x="2"), owners, "kubectl")
    assert new["metadata"]["labels"] == {"x": "2"}
    assert json.loads(new["metadata"]["annotations"][managedfields.LAST_APPLIED])["metadata"]["labels"] == {"x": "2"}


def test_the_eleventh_updater_makes_the_oldest_ancient():
    live, owners = stream(), []
    for number in range(11):
        new = stream(**{f"l{one}": "1" for one in range(number + 1)})
        time = f"2026-01-01T00:00:{number:02}Z"
        owners = managedfields.update(live, new, owners, Actor(f"m{number:02}", GV), SCHEMA, time)
        live = new
    assert sorted(one.manager for one in owners) == ["ancient-changes", *(f"m{one:02}" for one in range(2, 11))]


def test_entries_survive_writing_and_reading():
    _, owners = apply(stream(), stream(tag("t"), x="1"), [], "a")
    assert managedfields.decode(managedfields.encode(owners)) == owners


@pytest.mark.parametrize("entries", [{}, [1], [{"operation": "Apply"}], [{"manager": "x", "fieldsType": "FieldsV1"}]])
def test_other_entries_are_refused(entries):
    with pytest.raises(ValueError, match=r"."):
        managedfields.decode(entries)


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"spec": {"color": "red"}}, ".spec.color: field not declared in schema"),
        ({"spec": {"tags": [tag("t"), tag("t")]}}, '.spec.tags: duplicate entries for key [name="t"]'),
        ({"spec": {"tags": [{"name": "t", "x": 1}]}}, '.spec.tags[name="t"].x: field not declared in schema'),
    ],
)
def test_what_cannot_be_applied_is_told(config, problem):
    assert list(fieldcompare.problems(config, SCHEMA)) == [problem]


tag_names = st.lists(st.sampled_from("abcdef"), unique=True, max_size=5)
streams = st.builds(
    lambda found, labels: stream(*(tag(one) for one in found), **labels),
    tag_names,
    st.dictionaries(st.sampled_from("xyz"), st.sampled_from("12"), max_size=3),
)


@given(streams, streams)
def test_a_merge_has_the_fields_of_both(live, config):
    merged = fieldcompare.merge(live, config, SCHEMA)
    both = fieldcompare.field_set(live, SCHEMA) | fieldcompare.field_set(config, SCHEMA)
    assert fieldcompare.field_set(merged, SCHEMA) == both
    assert fieldcompare.merge(merged, config, SCHEMA) == merged


@given(streams, streams)
def test_comparing_the_other_way_swaps_added_and_removed(old, new):
    there, back = fieldcompare.compare(old, new, SCHEMA), fieldcompare.compare(new, old, SCHEMA)
    assert (there.added, there.modified, there.removed) == (back.removed, back.modified, back.added)


@given(streams)
def test_an_object_does_not_differ_from_itself(obj):
    assert not fieldcompare.compare(obj, obj, SCHEMA).taken


@given(streams, streams)
def test_whoever_applies_nothing_leaves_nothing_of_his_own(first, second):
    live, owners = apply(stream(), first, [], "a")
    try:
        live, owners = apply(live, second, owners, "b")
    except ApplyConflict:
        return
    live, owners = apply(live, stream(), owners, "a")
    assert {one.manager for one in owners} <= {"b"}
    kept = {one["name"] for one in live.get("spec", {}).get("tags", [])}
    assert kept == {one["name"] for one in second.get("spec", {}).get("tags", [])}
