"""The v2 document is read back with a protobuf reader as small as its writer."""

from __future__ import annotations

import json

import pytest

from webhook.apiserver import openapi_v2

GVK = {"group": "image.openshift.io", "version": "v1", "kind": "ImageStream"}
DOCUMENT = {
    "paths": {
        "/apis/x/{name}": {
            "patch": {
                "parameters": [{"name": "dryRun", "in": "query", "schema": {"type": "string"}}],
                "x-kubernetes-group-version-kind": GVK,
            },
            "parameters": [{"name": "name", "in": "path"}],
        },
        "/apis/x": {"get": {}},
    },
    "components": {
        "schemas": {
            "Stream": {
                "type": "object",
                "properties": {"spec": {"allOf": [{"$ref": "#/components/schemas/Spec"}]}},
                "x-kubernetes-group-version-kind": [GVK],
            },
            "Spec": {"type": "object", "required": ["tags"], "properties": {"tags": {"type": "array", "items": {}}}},
            "Stranger": {"type": "object"},
        }
    },
}


def read(message: bytes) -> dict[int, list[bytes]]:
    """The fields of a message whose every field has a length: number → contents."""
    fields: dict[int, list[bytes]] = {}
    while message:
        key, message = number(message)
        assert key & 7 == 2
        length, message = number(message)
        fields.setdefault(key >> 3, []).append(message[:length])
        message = message[length:]
    return fields


def number(data: bytes) -> tuple[int, bytes]:
    value = 0
    for index, byte in enumerate(data):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, data[index + 1 :]
    raise AssertionError("cut off")


def at(message: bytes, *path: int) -> bytes:
    for step in path:
        [message] = read(message)[step]
    return message


@pytest.fixture
def document() -> bytes:
    return openapi_v2.document([DOCUMENT], with_schemas=frozenset({"image.openshift.io"}))


def test_it_says_that_it_is_version_2(document):
    assert at(document, 1) == b"2.0"


def test_only_paths_that_can_be_patched_are_told(document):
    assert at(document, 8, 2, 1) == b"/apis/x/{name}"


def test_a_patch_names_its_kind_and_its_query_parameters(document):
    operation = at(document, 8, 2, 2, 8)
    assert at(operation, 13, 1) == b"x-kubernetes-group-version-kind"
    assert json.loads(at(operation, 13, 2, 2)) == GVK
    assert at(operation, 8, 1, 2, 3, 4) == b"dryRun"


def test_the_schemas_of_the_group_come_with_what_they_refer_to_and_nothing_else(document):
    assert [at(one, 1) for one in read(at(document, 9))[1]] == [b"Spec", b"Stream"]


def test_a_reference_points_into_the_definitions(document):
    stream = read(at(document, 9))[1][1]
    assert at(stream, 2, 25, 1, 2, 1) == b"#/definitions/Spec"


def test_required_fields_are_not_told(document):
    spec = read(at(document, 9))[1][0]
    assert 19 not in read(at(spec, 2))


@pytest.mark.parametrize(
    ("value", "encoded"), [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (16384, "808001")]
)
def test_lengths_are_varints(value, encoded):
    assert openapi_v2._varint(value).hex() == encoded
