"""Bodies in Kubernetes' protobuf: what its own encoder wrote, what we write, and what nobody should."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.meta import protobuf_bodies
from webhook.apiserver import sandbox
from webhook.errors import BadRequest
from webhook.meta import protobuf

# One object of each kind with random fields, as Kubernetes 1.36 encodes it in both formats.
RECORDED = [
    json.loads(line) for line in Path(__file__).with_name("kubernetes_bodies.jsonl").read_text("utf-8").splitlines()
]
# kubectl 1.32: create namespace shop
NAMESPACE = bytes.fromhex(
    "6b3873000a0f0a02763112094e616d657370616365121c0a140a0473686f7012001a0022002a0032003800420012001a020a001a002200"
)
# kubectl 1.32: create secret docker-registry pull --docker-server=quay.io --docker-username=reader …
SECRET = bytes.fromhex(
    "6b3873000a0c0a027631120653656372657412aa010a140a0470756c6c12001a0022002a0032003800420012720a112e646f636b6572636f"
    "6e6669676a736f6e125d7b226175746873223a7b22717561792e696f223a7b22757365726e616d65223a22726561646572222c2270617373"
    "776f7264223a22736563726574222c2261757468223a22636d56685a4756794f6e4e6c59334a6c64413d3d227d7d7d1a1e6b756265726e65"
    "7465732e696f2f646f636b6572636f6e6669676a736f6e1a002200"
)


def without_nulls(value: Any) -> Any:
    """A null is as good as an absent field to everybody who reads Kubernetes' JSON."""
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def enveloped(raw: bytes = b"", *, api_version: str = "v1", kind: str = "Pod", **more: str) -> bytes:
    envelope = protobuf.message(protobuf.ENVELOPE)(raw=raw, **more)
    envelope.typeMeta.apiVersion, envelope.typeMeta.kind = api_version, kind
    return b"k8s\0" + envelope.SerializeToString()


def field(number: int, value: bytes) -> bytes:
    """A field of bytes on the wire."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def managed(fields: bytes) -> bytes:
    """The metadata of an object whose managedFields have these fieldsV1."""
    return field(1, field(17, field(7, field(1, fields))))


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda one: one["json"]["kind"])
def test_what_kubernetes_encodes_is_read_as_the_json_that_it_writes(recorded):
    assert protobuf.decode(base64.b64decode(recorded["protobuf"]), "", "") == without_nulls(recorded["json"])


def test_kubectls_namespace_is_read():
    assert protobuf.decode(NAMESPACE, "v1", "Namespace") == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop"},
        "spec": {},
        "status": {},
    }


def test_kubectls_pull_secret_is_read():
    read = protobuf.decode(SECRET, "v1", "Secret")
    assert (read["type"], list(read["data"])) == ("kubernetes.io/dockerconfigjson", [".dockerconfigjson"])
    assert json.loads(base64.b64decode(read["data"][".dockerconfigjson"]))["auths"]["quay.io"]["password"] == "secret"


@pytest.mark.parametrize("info", [*sandbox.PLAIN, *sandbox.WORKLOADS], ids=lambda one: one.resource)
def test_every_kind_that_is_served_in_a_group_of_kubernetes_is_described(info):
    version = f"{info.group}/{info.version}" if info.group else info.version
    assert protobuf.is_read(version) == (not info.group.endswith("openshift.io"))
    if protobuf.is_read(version):
        assert protobuf.decode(enveloped(api_version=version, kind=info.kind), "", "")["kind"] == info.kind


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        pytest.param(b"", {}, id="nothing"),
        pytest.param(field(1, field(8, b"")), {"metadata": {}}, id="the zero time"),
        pytest.param(field(1, field(1, b"")), {"metadata": {}}, id="a text that JSON leaves out"),
        pytest.param(
            field(2, field(2, field(1, b""))), {"spec": {"containers": [{"name": ""}]}}, id="a text that JSON keeps"
        ),
        pytest.param(
            field(2, field(16, b"old")) + field(2, field(16, b"web")), {"spec": {"hostname": "web"}}, id="in two parts"
        ),
        pytest.param(field(1, field(1, b"web") + field(9999, b"x")), {"metadata": {"name": "web"}}, id="what is new"),
    ],
)
def test_fields_are_kept_and_left_out_as_go_does(wire, expected):
    assert protobuf.decode(enveloped(wire), "v1", "Pod") == {"apiVersion": "v1", "kind": "Pod", **expected}


def test_an_envelope_may_leave_out_the_kind():
    assert protobuf.decode(enveloped(api_version="", kind=""), "v1", "Pod") == {"apiVersion": "v1", "kind": "Pod"}


def test_managed_fields_are_json_within():
    read = protobuf.decode(enveloped(managed(b'{"f:spec":{}}')), "v1", "Pod")
    assert read["metadata"] == {"managedFields": [{"fieldsV1": {"f:spec": {}}}]}


@pytest.mark.parametrize("version", ["v1", "apps/v1", "policy/v1"])
def test_the_options_of_a_deletion_are_of_any_group(version):
    body = enveloped(field(4, b"Orphan"), api_version=version, kind="DeleteOptions")
    assert protobuf.decode(body, "v1", "DeleteOptions")["propagationPolicy"] == "Orphan"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"", "protobuf begins with", id="nothing"),
        pytest.param(b'{"kind": "Pod"}', "protobuf begins with", id="JSON"),
        pytest.param(b"k8s\0\x0a", "does not decode", id="an envelope that is cut"),
        pytest.param(enveloped(kind="ConfigMap"), "no kind that is served", id="a kind that is not served"),
        pytest.param(enveloped(api_version="v2"), "no kind that is served", id="a version that is not served"),
        pytest.param(enveloped(kind="PodSpec.x"), "no kind that is served", id="no kind"),
        pytest.param(enveloped(b"\xff"), "does not decode", id="a message that is cut"),
        pytest.param(enveloped(contentEncoding="gzip"), "another format", id="a compressed message"),
        pytest.param(enveloped(contentType="application/json"), "another format", id="JSON in an envelope"),
        pytest.param(enveloped(field(1, field(1, b"\xff"))), "does not decode", id="text that is not UTF-8"),
        pytest.param(
            enveloped(field(1, field(8, b"\x08" + varint(2**62)))), "does not decode", id="a time beyond all years"
        ),
        pytest.param(enveloped(managed(b"{b")), "does not decode", id="JSON that is cut"),
        pytest.param(enveloped(managed(b"[NaN]")), "does not decode", id="what is no JSON"),
        pytest.param(enveloped(managed(b"[" * 250 + b"]" * 250)), "does not decode", id="JSON that is too deep"),
        pytest.param(enveloped(managed(b"[" * 100_000)), "does not decode", id="JSON that is far too deep"),
        pytest.param(enveloped(b"\x0b" * 100_000), "does not decode", id="groups that are far too deep"),
    ],
)
def test_what_is_no_object_is_a_bad_request(body, why):
    with pytest.raises(BadRequest, match=rf"^the object provided is unrecognized \(must be of type Pod\): .*{why}"):
        protobuf.decode(body, "v1", "Pod")


def test_no_error_quotes_the_body():
    body = enveloped(field(2, field(1, b"password") + field(2, b"hunter2")) + field(3, b"\xffhunter2"), kind="Secret")
    with pytest.raises(BadRequest) as failure:
        protobuf.decode(body, "v1", "Secret")
    assert "hunter2" not in failure.value.message


@given(st.binary(max_size=200), st.sampled_from(["Pod", "Secret", "Namespace", "DeleteOptions"]))
def test_any_bytes_are_an_object_or_a_bad_request(raw, kind):
    for body in (raw, b"k8s\0" + raw, enveloped(raw, kind=kind)):
        with suppress(BadRequest):
            assert json.dumps(protobuf.decode(body, "v1", kind))


@given(st.sampled_from(RECORDED), st.data())
def test_a_body_with_a_byte_changed_is_an_object_or_a_bad_request(recorded, data):
    body = bytearray(base64.b64decode(recorded["protobuf"]))
    body[data.draw(st.integers(4, len(body) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadRequest):
        assert json.dumps(protobuf.decode(bytes(body), "v1", "Pod"))


@settings(deadline=None)
@pytest.mark.parametrize(
    ("api_version", "kind"),
    [("v1", "Pod"), ("v1", "Secret"), ("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("batch/v1", "CronJob")],
)
@given(data=st.data())
def test_an_object_that_is_written_is_read_back(api_version, kind, data):
    obj = data.draw(protobuf_bodies.objects(api_version, kind))
    assert protobuf.decode(protobuf_bodies.body(obj), "", "") == obj


def test_the_library_is_loaded_with_the_first_body():
    program = "import sys, webhook.cli.serve; print('google.protobuf' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"
