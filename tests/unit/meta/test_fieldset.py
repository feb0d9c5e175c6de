"""FieldsV1: sets of fields as trees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.meta import fieldset

TREE = {
    "f:metadata": {"f:labels": {".": {}, "f:a": {}}},
    "f:spec": {"f:tags": {'k:{"name":"v1"}': {".": {}, "f:from": {}, "f:name": {}}}},
}
PATHS = {
    ("f:metadata", "f:labels"),
    ("f:metadata", "f:labels", "f:a"),
    ("f:spec", "f:tags", 'k:{"name":"v1"}'),
    ("f:spec", "f:tags", 'k:{"name":"v1"}', "f:from"),
    ("f:spec", "f:tags", 'k:{"name":"v1"}', "f:name"),
}
elements = st.one_of(
    st.text(max_size=4).map(fieldset.field),
    st.dictionaries(st.text(max_size=2), st.text(max_size=2) | st.integers(), min_size=1, max_size=2).map(
        fieldset.item
    ),
    (st.text(max_size=3) | st.integers() | st.booleans()).map(fieldset.member),
)
sets = st.frozensets(st.lists(elements, min_size=1, max_size=4).map(tuple), max_size=8)


def test_a_tree_is_read():
    assert fieldset.decode(TREE) == PATHS


def test_a_set_is_written():
    assert fieldset.encode(PATHS) == TREE


@given(sets)
def test_what_is_written_is_read_back(fields):
    assert fieldset.decode(fieldset.encode(fields)) == fields


def test_keys_are_read_in_any_spelling():
    assert fieldset.decode({'k:{ "b": 1, "a": "x"}': {}}) == {('k:{"a":"x","b":1}',)}


@pytest.mark.parametrize("tree", [[], None, {"f:a": 1}, {"x:a": {}}, {"k:[]": {}}, {"k:{": {}}, {"spec": {}}])
def test_anything_else_is_refused(tree):
    with pytest.raises(ValueError, match=r"."):
        fieldset.decode(tree)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("f:spec", "f:tags", 'k:{"name":"v1"}', "f:from"), '.spec.tags[name="v1"].from'),
        (("f:ports", 'k:{"containerPort":80,"protocol":"TCP"}'), '.ports[containerPort=80,protocol="TCP"]'),
        (("f:metadata", "f:finalizers", 'v:"a"'), '.metadata.finalizers[="a"]'),
        (("f:list", "i:3"), ".list[3]"),
    ],
)
def test_paths_are_printed_as_in_kubernetes(path, text):
    assert fieldset.text(path) == text
