"""Decoding of bodies, strict findings and pruning."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.apiserver import sandbox_schema
from webhook.errors import BadRequest, UnsupportedMediaType
from webhook.image import schema as image_schema
from webhook.meta import decode

STREAM = image_schema.for_kind("ImageStream")
YAML = "application/yaml"


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b'{"kind": "ImageStream"}', "application/json", {"kind": "ImageStream"}),
        (b'{"kind": "ImageStream"}', None, {"kind": "ImageStream"}),
        (b'{"kind": "ImageStream"}', "application/json; charset=utf-8", {"kind": "ImageStream"}),
        (b'{"kind": "ImageStream"}', YAML, {"kind": "ImageStream"}),
        (
            b"kind: ImageStream\nspec: {tags: [{name: v1}]}",
            YAML,
            {"kind": "ImageStream", "spec": {"tags": [{"name": "v1"}]}},
        ),
        (b"at: 2026-01-02\nn: 1\nyes: off", YAML, {"at": "2026-01-02", "n": 1, "yes": False}),
    ],
)
def test_json_and_yaml_are_read(body, content_type, expected):
    assert decode.decode(body, content_type) == (expected, [])


@pytest.mark.parametrize(("body", "content_type"), [(b"null", None), (b"null", YAML), (b"", YAML)])
def test_null_is_an_object_without_fields(body, content_type):
    assert decode.decode(body, content_type) == ({}, [])


@pytest.mark.parametrize("content_type", ["text/plain", "application/vnd.kubernetes.protobuf", "application/cbor"])
def test_other_formats_are_unsupported(content_type):
    with pytest.raises(UnsupportedMediaType, match="accepted media types include: application/json, application/yaml"):
        decode.decode(b"{}", content_type)


def test_protobuf_is_read_of_the_kinds_that_have_it():
    body = b"k8s\0" + bytes.fromhex("0a060a02763112001200")
    assert decode.decode(body, "application/vnd.kubernetes.protobuf", kind="Pod", api_version="v1") == (
        {"apiVersion": "v1", "kind": "Pod"},
        [],
    )
    with pytest.raises(UnsupportedMediaType, match=r"application/yaml, application/vnd\.kubernetes\.protobuf$"):
        decode.decode(b"{}", "text/plain", kind="Pod", api_version="v1")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"kind": "Ima', None),
        (b"[]", None),
        (b"", None),
        (b"\xff\xfe", None),
        (b'\xef\xbb\xbf{"kind": "ImageStream"}', None),
        ('{"kind": "ImageStream"}'.encode("utf-16"), None),
        (b'{"a": NaN}', None),
        (b"[" * 100_000, None),
        (b'{"a":' * 300 + b"1" + b"}" * 300, None),
        (b"a: [", YAML),
        (b"a: &x [1]\nb: *x", YAML),
        (b"a: .inf", YAML),
        (b"a: !!python/name:os.system ''", YAML),
        (b"? [a, b]\n: 1", YAML),
        (b"a: [" + b"[" * 250 + b"]" * 251, YAML),
    ],
)
def test_what_is_no_object_is_a_bad_request(body, content_type):
    with pytest.raises(BadRequest, match=r"the object provided is unrecognized \(must be of type ImageStream\)"):
        decode.decode(body, content_type, kind="ImageStream")


@pytest.mark.parametrize(
    ("body", "content_type", "findings"),
    [
        (b'{"a": 1, "a": 2}', None, ['duplicate field "a"']),
        (
            b'{"spec": {"tags": [{"name": "x"}, {"name": "x", "name": "y"}]}}',
            None,
            ['duplicate field "spec.tags[1].name"'],
        ),
        (b"spec: {x: 1, x: 2}", YAML, ['duplicate field "spec.x"']),
    ],
)
def test_duplicate_keys_are_found_and_the_last_one_wins(body, content_type, findings):
    assert decode.decode(body, content_type)[1] == findings


@pytest.mark.parametrize(
    "obj",
    [
        {"metadata": {}},
        {"kind": "ImageStream", "metadata": {}},
        {"apiVersion": "image.openshift.io/v1", "metadata": {}},
    ],
)
def test_version_and_kind_may_be_left_out(obj):
    found = decode.identify(obj, "image.openshift.io/v1", "ImageStream")
    assert found == {"apiVersion": "image.openshift.io/v1", "kind": "ImageStream", "metadata": {}}


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("image.openshift.io/v1", "ImageStreamTag"),
        ("image.openshift.io/v1alpha1", "ImageStream"),
        ("apps/v1", "Deployment"),
    ],
)
def test_another_version_or_kind_is_a_bad_request(version, kind):
    with pytest.raises(BadRequest):
        decode.identify({"apiVersion": version, "kind": kind}, "image.openshift.io/v1", "ImageStream")


def test_unknown_fields_are_found_in_the_order_of_the_document_and_dropped():
    obj = {
        "metadata": {"name": "app", "nickname": "x"},
        "spec": {"tags": [{"name": "v1", "form": {"kind": "DockerImage"}}], "tagz": []},
        "color": "red",
    }
    pruned, findings = decode.prune(obj, STREAM)
    assert pruned == {"metadata": {"name": "app"}, "spec": {"tags": [{"name": "v1"}]}}
    assert findings == [
        'unknown field "metadata.nickname"',
        'unknown field "spec.tags[0].form"',
        'unknown field "spec.tagz"',
        'unknown field "color"',
    ]


def test_metadata_of_a_docker_image_is_kept_whatever_it_is():
    image = {"dockerImageMetadata": {"os": "linux", "Config": {"Env": None}, "x": [1, None]}}
    assert decode.prune(image, image_schema.for_kind("Image")) == (image, [])


def test_unknown_fields_of_a_pod_are_kept():
    pod = {
        "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "c", "lifecycle": {"x": 1}}], "dnsPolicy": "Default"},
    }
    assert decode.prune(pod, sandbox_schema.for_kind("", "Pod")) == (pod, [])


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        ({"spec": None}, {}),
        (
            {"spec": {"tags": [{"name": "v1", "annotations": None, "generation": None}]}},
            {"spec": {"tags": [{"name": "v1"}]}},
        ),
        ({"metadata": {"labels": {"a": None}}}, {"metadata": {"labels": {"a": ""}}}),
        ({"spec": {"tags": [None]}}, {"spec": {"tags": [{}]}}),
    ],
)
def test_null_is_absent_or_the_empty_value(obj, expected):
    assert decode.prune(obj, STREAM) == (expected, [])


def test_times_become_utc():
    obj = {"metadata": {"creationTimestamp": "2026-01-02T03:04:05.678+01:00"}}
    assert decode.prune(obj, STREAM)[0] == {"metadata": {"creationTimestamp": "2026-01-02T02:04:05Z"}}


@pytest.mark.parametrize(
    ("obj", "where"),
    [
        ({"spec": {"tags": "none"}}, "cannot unmarshal string into field spec.tags of type array"),
        ({"spec": {"lookupPolicy": {"local": "yes"}}}, "field spec.lookupPolicy.local of type boolean"),
        ({"spec": {"tags": [{"name": 1}]}}, r"cannot unmarshal number into field spec.tags\[0\].name of type string"),
        ({"spec": {"tags": [{"generation": 1.5}]}}, "of type integer"),
        ({"spec": {"tags": [{"generation": True}]}}, "cannot unmarshal bool"),
        ({"spec": {"tags": [{"generation": 2**63}]}}, "is not of format int64"),
        ({"metadata": {"creationTimestamp": "yesterday"}}, "is not of format date-time"),
        ({"metadata": {"labels": {"a": 1}}}, "field metadata.labels.a of type string"),
        ({"metadata": []}, "cannot unmarshal array into field metadata of type object"),
    ],
)
def test_a_value_of_another_type_is_a_bad_request(obj, where):
    full = {"apiVersion": "image.openshift.io/v1", "kind": "ImageStream", **obj}
    with pytest.raises(BadRequest, match=where) as failure:
        decode.prune(full, STREAM)
    assert failure.value.message.startswith('ImageStream in version "v1" cannot be handled as a ImageStream: ')


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["spec", "tags", "name", "metadata", "labels", "x"]), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(["spec", "metadata", "status", "x"]), JSON_VALUES))
def test_pruning_is_done_after_once(obj):
    try:
        pruned, _ = decode.prune(obj, STREAM)
    except BadRequest:
        return
    assert decode.prune(pruned, STREAM) == (pruned, [])


@given(JSON_VALUES.filter(lambda value: isinstance(value, dict)))
def test_what_is_written_as_json_is_read_back(obj):
    assert decode.decode(json.dumps(obj).encode()) == (obj, [])
