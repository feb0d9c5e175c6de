"""Strategic merge patches."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.apiserver import sandbox_schema
from webhook.errors import BadRequest, Invalid
from webhook.image import schema as image_schema
from webhook.meta import strategicpatch

STREAM = image_schema.for_kind("ImageStream")
DEPLOYMENT = sandbox_schema.for_kind("apps", "Deployment")


def stream(*tags, **metadata):
    return {"metadata": metadata, "spec": {"tags": list(tags)}}


def tag(name, **fields):
    return {"name": name, **fields}


BASE = stream(tag("v1", annotations={"keep": "yes"}), tag("v2"), finalizers=["e.io/a", "e.io/b"])


@pytest.mark.parametrize(
    ("patch", "tags"),
    [
        pytest.param(
            [tag("v1", importPolicy={"scheduled": True}), tag("v3")],
            [tag("v2"), tag("v1", annotations={"keep": "yes"}, importPolicy={"scheduled": True}), tag("v3")],
            id="items merge by name and new ones are added",
        ),
        pytest.param(
            [{"name": "v2", "$patch": "delete"}, tag("v1", annotations={"keep": None, "new": "yes"})],
            [tag("v1", annotations={"new": "yes"})],
            id="an item is deleted",
        ),
        pytest.param([{"$patch": "replace"}, tag("only")], [tag("only")], id="the list is replaced"),
        pytest.param(
            [{"name": "none", "$patch": "delete"}], [BASE["spec"]["tags"][0], tag("v2")], id="nothing to delete"
        ),
        pytest.param(
            [{"name": "v1", "$patch": "replace", "reference": True}],
            [],
            id="a replace in an item empties the list and the item goes with it",
        ),
        pytest.param(
            [{"name": "v1", "annotations": {"$patch": "replace", "a": "b"}}],
            [tag("v2"), tag("v1", annotations={"a": "b"})],
            id="a map in an item is replaced",
        ),
        pytest.param(
            [{"name": "v2", "$patch": "merge", "reference": True}],
            [BASE["spec"]["tags"][0], tag("v2", reference=True)],
            id="merge is what happens anyway",
        ),
        pytest.param([], [BASE["spec"]["tags"][0], tag("v2")], id="an empty list changes nothing"),
    ],
)
def test_tags_merge_by_name(patch, tags):
    patched = strategicpatch.apply(BASE, json.dumps({"spec": {"tags": patch}}).encode(), STREAM)
    assert sorted(patched["spec"]["tags"], key=lambda one: one["name"]) == sorted(tags, key=lambda one: one["name"])


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        pytest.param({"spec": None}, {"metadata": BASE["metadata"]}, id="null deletes"),
        pytest.param({"spec": {"$patch": "delete"}}, {"metadata": BASE["metadata"]}, id="a map is deleted"),
        pytest.param(
            {"spec": {"$patch": "replace", "dockerImageRepository": "quay.io/a/b"}},
            {"metadata": BASE["metadata"], "spec": {"dockerImageRepository": "quay.io/a/b"}},
            id="a map is replaced",
        ),
        pytest.param(
            {"metadata": {"$deleteFromPrimitiveList/finalizers": ["e.io/a"]}},
            {**BASE, "metadata": {"finalizers": ["e.io/b"]}},
            id="texts are deleted from a list",
        ),
        pytest.param(
            {"metadata": {"finalizers": ["e.io/c"]}, "$x": 1},
            {**BASE, "metadata": {"finalizers": ["e.io/c", "e.io/a", "e.io/b"]}},
            id="texts are added to a set",
        ),
        pytest.param(
            {"metadata": {"$setElementOrder/finalizers": ["e.io/b", "e.io/a"]}},
            {**BASE, "metadata": {"finalizers": ["e.io/b", "e.io/a"]}},
            id="texts are put in order",
        ),
        pytest.param(
            {"metadata": {"$retainKeys": ["name"], "name": "app"}},
            {**BASE, "metadata": {"name": "app"}},
            id="only named keys are retained",
        ),
        pytest.param(
            {"metadata": {"labels": {"a": None, "b": "1"}}},
            {**BASE, "metadata": {**BASE["metadata"], "labels": {"b": "1"}}},
            id="nulls do not get into new maps",
        ),
        pytest.param({"status": {"$patch": "delete"}}, BASE, id="what is not there stays away"),
    ],
)
def test_directives_are_followed_and_not_stored(patch, expected):
    assert strategicpatch.apply(BASE, json.dumps(patch).encode(), STREAM) == expected


def order(*names):
    return [{"name": name} for name in names]


@pytest.mark.parametrize(
    ("before", "patch", "wanted", "after"),
    [
        ("abc", "", "cba", "cba"),
        ("abc", "d", "adbc", "adbc"),
        ("abc", "d", None, "dabc"),
        ("abc", "ca", None, "bca"),
        ("abc", "", "ba", "bac"),
        ("", "ba", "ab", "ab"),
    ],
)
def test_the_order_of_items_is_that_of_the_patch(before, patch, wanted, after):
    spec = {"tags": order(*patch)}
    if wanted is not None:
        spec["$setElementOrder/tags"] = order(*wanted)
    patched = strategicpatch.apply(stream(*order(*before)), {"spec": spec}, STREAM)
    assert "".join(one["name"] for one in patched["spec"]["tags"]) == after
    assert list(patched["spec"]) == ["tags"]


def test_an_order_alone_moves_items():
    patched = strategicpatch.apply(stream(*order(*"abc")), {"spec": {"$setElementOrder/tags": order(*"cab")}}, STREAM)
    assert patched["spec"]["tags"] == order(*"cab")


def test_containers_and_their_lists_merge_by_their_keys():
    container = {
        "name": "web",
        "image": "web:1",
        "env": [{"name": "A", "value": "1"}],
        "ports": [{"containerPort": 80}],
        "args": ["a"],
    }
    before = {"spec": {"template": {"spec": {"containers": [container], "tolerations": [{"key": "a"}]}}}}
    change = {
        "name": "web",
        "env": [{"name": "B", "value": "2"}],
        "ports": [{"containerPort": 80, "name": "http"}],
        "args": ["b"],
    }
    patch = {"spec": {"template": {"spec": {"containers": [change], "tolerations": [{"key": "b"}]}}}}
    spec = strategicpatch.apply(before, patch, DEPLOYMENT)["spec"]["template"]["spec"]
    assert spec["containers"] == [
        {
            "name": "web",
            "image": "web:1",
            "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
            "ports": [{"containerPort": 80, "name": "http"}],
            "args": ["b"],
        }
    ]
    assert spec["tolerations"] == [{"key": "b"}]


def test_a_change_of_the_update_strategy_drops_keys_that_are_not_retained():
    before = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert strategicpatch.apply(before, patch, DEPLOYMENT) == {"spec": {"strategy": {"type": "Recreate"}}}


def test_metadata_of_an_image_is_replaced():
    image = {"dockerImageMetadata": {"Id": "a", "Size": 1}}
    patched = strategicpatch.apply(image, {"dockerImageMetadata": {"Id": "b"}}, image_schema.for_kind("Image"))
    assert patched == {"dockerImageMetadata": {"Id": "b"}}


@pytest.mark.parametrize(
    ("patch", "error"),
    [
        ({"spec": {"tags": [{"reference": True}]}}, Invalid),
        ({"spec": {"tags": [{"$patch": "delete"}]}}, Invalid),
        ({"spec": {"tags": ["v1"]}}, Invalid),
        ({"spec": {"$patch": "explode"}}, Invalid),
        ({"metadata": {"$retainKeys": ["name"], "labels": {}}}, Invalid),
        ({"metadata": {"$retainKeys": "name"}}, BadRequest),
        ({"spec": {"$setElementOrder/tags": "v1"}}, BadRequest),
        ({"metadata": {"$deleteFromPrimitiveList/finalizers": "x"}}, BadRequest),
        ([], BadRequest),
    ],
)
def test_a_malformed_patch_is_refused(patch, error):
    with pytest.raises(error):
        strategicpatch.apply(BASE, json.dumps(patch).encode(), STREAM)


def test_an_item_without_its_merge_key_is_named():
    with pytest.raises(Invalid, match="does not contain declared merge key: name"):
        strategicpatch.apply(BASE, {"spec": {"tags": [{"reference": True}]}}, STREAM)


NAMES = st.text("abc", min_size=1, max_size=2)
TAGS = st.lists(NAMES, unique=True, max_size=4).flatmap(
    lambda names: st.tuples(
        *(st.fixed_dictionaries({"name": st.just(name)}, optional={"reference": st.booleans()}) for name in names)
    )
)


@given(TAGS, NAMES)
def test_setting_and_deleting_a_tag_leaves_the_others_as_they_were(tags, name):
    before = stream(*(one for one in tags if one["name"] != name))
    there = strategicpatch.apply(before, {"spec": {"tags": [{"name": name, "reference": True}]}}, STREAM)
    assert {"name": name, "reference": True} in there["spec"]["tags"]
    gone = strategicpatch.apply(there, {"spec": {"tags": [{"name": name, "$patch": "delete"}]}}, STREAM)
    assert gone == before


@given(TAGS, TAGS)
def test_a_strategic_patch_changes_nothing_the_second_time(tags, changes):
    patch = {"spec": {"tags": list(changes)}}
    untouched = copy.deepcopy(patch)
    once = strategicpatch.apply(stream(*tags), patch, STREAM)
    assert strategicpatch.apply(once, patch, STREAM) == once
    assert patch == untouched
    assert {one["name"] for one in once["spec"]["tags"]} == {one["name"] for one in (*tags, *changes)}
