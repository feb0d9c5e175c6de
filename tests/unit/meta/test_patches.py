"""JSON patch and JSON merge patch."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.errors import BadRequest, Invalid, RequestEntityTooLarge
from webhook.meta import jsonpatch, mergepatch

STREAM = {"metadata": {"name": "app", "labels": {"a": "1"}}, "spec": {"tags": [{"name": "v1"}]}}


@pytest.mark.parametrize(
    ("operations", "path", "value"),
    [
        (
            [{"op": "add", "path": "/metadata/labels/b~1c", "value": "2"}],
            ("metadata", "labels"),
            {"a": "1", "b/c": "2"},
        ),
        (
            [{"op": "add", "path": "/metadata/labels/b~0c", "value": "2"}],
            ("metadata", "labels"),
            {"a": "1", "b~c": "2"},
        ),
        ([{"op": "remove", "path": "/metadata/labels/a"}], ("metadata", "labels"), {}),
        (
            [{"op": "add", "path": "/spec/tags/-", "value": {"name": "v2"}}],
            ("spec", "tags"),
            [{"name": "v1"}, {"name": "v2"}],
        ),
        (
            [{"op": "add", "path": "/spec/tags/0", "value": {"name": "v0"}}],
            ("spec", "tags"),
            [{"name": "v0"}, {"name": "v1"}],
        ),
        (
            [{"op": "copy", "from": "/spec/tags/0", "path": "/spec/tags/1"}],
            ("spec", "tags"),
            [{"name": "v1"}, {"name": "v1"}],
        ),
        (
            [{"op": "move", "from": "/metadata/labels/a", "path": "/metadata/labels/b"}],
            ("metadata", "labels"),
            {"b": "1"},
        ),
        ([{"op": "test", "path": "/metadata/name", "value": "app"}], ("metadata", "name"), "app"),
        ([{"op": "replace", "path": "/metadata/labels", "value": {}}], ("metadata", "labels"), {}),
        pytest.param(
            [{"op": "replace", "path": "/metadata/labels/b", "value": "2"}],
            ("metadata", "labels"),
            {"a": "1", "b": "2"},
            id="replace of a key that is not there adds it, as recorded",
        ),
        pytest.param(
            [{"op": "test", "path": "/metadata/annotations", "value": None}],
            ("metadata", "labels"),
            {"a": "1"},
            id="a key that is not there is null",
        ),
        pytest.param(
            [{"op": "copy", "from": "/metadata/labels/b", "path": "/metadata/labels/c"}],
            ("metadata", "labels"),
            {"a": "1", "c": None},
            id="and null can be copied",
        ),
    ],
)
def test_a_json_patch_changes_what_it_names(operations, path, value):
    before = copy.deepcopy(STREAM)
    found = jsonpatch.apply(STREAM, jsonpatch.parse(json.dumps(operations).encode()))
    for step in path:
        found = found[step]
    assert found == value
    assert before == STREAM


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "test", "path": "/metadata/name", "value": "other"}],
        [{"op": "test", "path": "/metadata/annotations", "value": {}}],
        [{"op": "test", "path": "/none/x", "value": None}],
        [{"op": "copy", "from": "/none/x", "path": "/metadata/labels/c"}],
        [{"op": "copy", "path": "/metadata/labels/c"}],
        [{"op": "move", "from": "/metadata/labels/b", "path": "/metadata/labels/c"}],
        [{"op": "remove", "path": "/metadata/annotations/none"}],
        [{"op": "remove", "path": "/metadata/labels/none"}],
        [{"op": "replace", "path": "/none/x", "value": 1}],
        [{"op": "add", "path": "/spec/tags/7", "value": 1}],
        [{"op": "add", "path": "/spec/tags/x", "value": 1}],
        [{"op": "jump", "path": "/spec"}],
        [{"op": "add", "path": "no-slash", "value": 1}],
        [{"op": "add", "path": "/x"}],
        [{"path": "/x", "value": 1}],
        [{"op": "move", "path": "/x"}],
        [{"op": "replace", "path": "", "value": []}],
        [{"op": "replace", "path": "", "value": 1}],
        [None],
    ],
)
def test_a_json_patch_that_cannot_be_applied_is_unprocessable(operations):
    with pytest.raises(Invalid, match="the server rejected our request due to an error in our request") as failure:
        jsonpatch.apply(STREAM, jsonpatch.parse(json.dumps(operations).encode()))
    assert failure.value.details == {}


@pytest.mark.parametrize(
    "body",
    [b"{}", b'"x"', b"[", b"", b"[" * 100_000, b'["add"]', b"[1]", b'[{"op": 1}]', b'[{"path": 5}]'],
)
def test_a_json_patch_is_a_list_of_operations(body):
    with pytest.raises(BadRequest, match="error decoding patch: "):
        jsonpatch.parse(body)


def test_a_json_patch_has_a_limit():
    operations = [{"op": "test", "path": "/metadata/name", "value": "app"}] * 10_001
    with pytest.raises(RequestEntityTooLarge):
        jsonpatch.apply(STREAM, jsonpatch.parse(json.dumps(operations).encode()))


@pytest.mark.parametrize(
    ("document", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_follows_the_examples_of_its_rfc(document, patch, expected):
    assert mergepatch.apply(document, json.dumps(patch).encode()) == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{not json", "error decoding patch: "),
        (b"[]", "error decoding patch: json: cannot unmarshal array into Go value of type map"),
        (b"null", "error decoding patch: json: cannot unmarshal null"),
    ],
)
def test_a_merge_patch_is_an_object(body, message):
    with pytest.raises(BadRequest) as failure:
        mergepatch.apply(STREAM, body)
    assert failure.value.message.startswith(message)


DOCUMENTS = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(
        st.none() | st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2),
        lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        max_leaves=8,
    ),
)


@given(DOCUMENTS, DOCUMENTS)
def test_a_merge_patch_changes_nothing_the_second_time(document, patch):
    once = mergepatch.apply(document, patch)
    assert mergepatch.apply(once, patch) == once


@given(DOCUMENTS, DOCUMENTS)
def test_a_merge_patch_leaves_its_arguments_alone(document, patch):
    before = copy.deepcopy((document, patch))
    mergepatch.apply(document, patch)
    assert (document, patch) == before
