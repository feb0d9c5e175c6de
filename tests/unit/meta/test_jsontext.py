"""What JSON is read."""

import pytest

from webhook.errors import BadRequest, RequestEntityTooLarge
from webhook.meta import decode, jsonpatch, jsontext, mergepatch

HALF = b'{"metadata": {"name": "php", "labels": {"a": "\\ud83d"}}}'


@pytest.mark.parametrize("text", [b'"\\ud83d\\ude00"', b'"\\u00e9"', b'"php:8.2"', b'"\\\\ud800"'], ids=str)
def test_whole_characters_are_read(text):
    assert jsontext.loads(text).encode()


@pytest.mark.parametrize("read", [decode.decode, mergepatch.parse], ids=["an object", "a merge patch"])
def test_half_a_surrogate_pair_is_a_bad_request(read):
    with pytest.raises(BadRequest, match="surrogate"):
        read(HALF)


def test_half_a_surrogate_pair_in_yaml_is_a_bad_request():
    with pytest.raises(BadRequest, match="surrogate"):
        decode.decode(b'metadata: {name: "\\ud83d"}', "application/yaml")


def test_half_a_surrogate_pair_in_a_json_patch_is_a_bad_request():
    with pytest.raises(BadRequest, match="surrogate"):
        jsonpatch.parse(b'[{"op": "add", "path": "/a", "value": "\\ud83d"}]')


def test_copies_that_double_the_document_end_at_a_limit():
    doubling = [{"op": "copy", "from": "/a", "path": f"/a/k{n}"} for n in range(60)]
    with pytest.raises(RequestEntityTooLarge):
        jsonpatch.apply({"a": {"text": "x" * 1000}}, doubling)
