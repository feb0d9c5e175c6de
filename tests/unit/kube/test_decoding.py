"""Lists and watch events as dicts or as the fields that somebody reads."""

import json

import msgspec
import pytest

from webhook.errors import Expired
from webhook.kube.decoding import OBJECTS, Change, Decoding
from webhook.kube.failure import Unreachable


class Meta(msgspec.Struct, rename="camel"):
    resource_version: str | None = None


class Thing(msgspec.Struct):
    metadata: Meta | None = None
    status: dict[str, int] | None = None


THINGS = Decoding(Thing)
GOOD = {"metadata": {"resourceVersion": "8"}, "status": {"n": 1}, "more": "that nobody reads"}
ODD = {"metadata": {"name": "odd", "resourceVersion": "9"}, "status": "not an object"}


def line(kind, item):
    return json.dumps({"type": kind, "object": item}).encode()


@pytest.mark.parametrize("decoding", [OBJECTS, THINGS], ids=["as dicts", "as structs"])
def test_an_event_carries_its_version(decoding):
    kind, item, version, end = decoding.event(line("MODIFIED", GOOD))
    assert (kind, version, end) == ("MODIFIED", "8", False)
    assert item == (GOOD if decoding is OBJECTS else Thing(Meta("8"), {"n": 1}))


@pytest.mark.parametrize("decoding", [OBJECTS, THINGS], ids=["as dicts", "as structs"])
@pytest.mark.parametrize(
    ("annotations", "end"), [(None, False), ({"k8s.io/initial-events-end": "true"}, True), ({"other": "true"}, False)]
)
def test_a_bookmark_has_no_object(decoding, annotations, end):
    bookmark = {"metadata": {"resourceVersion": "11", "annotations": annotations}}
    assert decoding.event(line("BOOKMARK", bookmark)) == Change("BOOKMARK", None, "11", end)


@pytest.mark.parametrize("decoding", [OBJECTS, THINGS], ids=["as dicts", "as structs"])
def test_an_error_event_is_raised_although_its_status_is_a_text(decoding):
    status = {"kind": "Status", "status": "Failure", "reason": "Expired", "code": 410, "message": "too old"}
    with pytest.raises(Expired, match="too old"):
        decoding.event(line("ERROR", status))


def test_an_object_of_an_odd_shape_is_left_out_and_passed_by(caplog):
    assert THINGS.event(line("ADDED", ODD)) == Change("ADDED", None, "9")
    page = THINGS.page(json.dumps({"metadata": {"resourceVersion": "9"}, "items": [GOOD, ODD, GOOD]}).encode())
    assert page.items == [Thing(Meta("8"), {"n": 1})] * 2
    assert page.metadata.version == "9"
    assert caplog.text.count("left out") == 2


@pytest.mark.parametrize("bad", [b"{", b"[]", b"{}", b'{"type":"ADDED"}', b"7", b"[" * 5000])
@pytest.mark.parametrize("decoding", [OBJECTS, THINGS], ids=["as dicts", "as structs"])
def test_a_line_that_is_no_event_is_an_answer_that_cannot_be_used(decoding, bad):
    with pytest.raises(Unreachable):
        decoding.event(bad)


@pytest.mark.parametrize("bad", [b"{", b"[]", b'{"items":{}}', b"7", b"[" * 5000])
def test_a_body_that_is_no_list_is_an_answer_that_cannot_be_used(bad):
    with pytest.raises(Unreachable):
        THINGS.page(bad)


@pytest.mark.parametrize("bad", [b"", b"[]", b'{"status":1}'])
def test_a_body_that_is_no_object_is_an_answer_that_cannot_be_used(bad):
    with pytest.raises(Unreachable):
        THINGS.item(bad)
