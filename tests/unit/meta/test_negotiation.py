"""Accept headers and what is answered to them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.errors import NotAcceptable
from webhook.meta import negotiation
from webhook.meta.negotiation import JSON, YAML, Representation

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
KCM = (
    "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,"
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param(None, Representation(), id="no header"),
        pytest.param("", Representation(), id="an empty header"),
        pytest.param("*/*", Representation(), id="curl"),
        pytest.param("application/json, */*", Representation(), id="kubectl get --raw"),
        pytest.param("text/html,application/xml;q=0.9,*/*;q=0.8", Representation(), id="a browser"),
        pytest.param("application/yaml", Representation(media_type=YAML), id="yaml"),
        pytest.param("application/json;q=0.5, application/yaml", Representation(media_type=YAML), id="quality decides"),
        pytest.param("application/json;stream=watch", Representation(), id="stream is ignored"),
        pytest.param("application/json;charset=utf-8", Representation(), id="charset is ignored"),
        pytest.param(f"{TABLE},application/json", Representation("table"), id="kubectl get"),
        pytest.param(
            "application/json;as=Table;v=v1beta1;g=meta.k8s.io", Representation("table", "v1beta1"), id="an old table"
        ),
        pytest.param(
            "application/json;as=Table;v=v2;g=meta.k8s.io,application/json", Representation(), id="an unknown table"
        ),
        pytest.param("application/vnd.kubernetes.protobuf,application/json", Representation(), id="protobuf or JSON"),
        pytest.param(KCM, Representation("partial"), id="the controller manager"),
        pytest.param(
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
            Representation("partiallist"),
            id="a list",
        ),
    ],
)
def test_the_first_clause_that_can_be_served_wins(accept, expected):
    assert negotiation.negotiate(accept) == expected


@pytest.mark.parametrize(
    ("accept", "details"),
    [
        ("text/html", {}),
        ("application/vnd.kubernetes.protobuf", {}),
        ("application/json;q=0", {}),
        ("application/json;as=Table;v=v2;g=meta.k8s.io", None),
        ("application/json;as=Chart;v=v1;g=meta.k8s.io", None),
    ],
)
def test_nothing_servable_is_not_acceptable(accept, details):
    with pytest.raises(NotAcceptable) as failure:
        negotiation.negotiate(accept)
    assert failure.value.details == details


@pytest.mark.parametrize(
    ("kind", "is_list", "good"),
    [
        ("partial", False, True),
        ("partial", True, False),
        ("partiallist", True, True),
        ("partiallist", False, False),
        ("object", True, True),
        ("table", False, True),
    ],
)
def test_partial_objects_and_lists_are_not_mixed(kind, is_list, good):
    if good:
        negotiation.check_pairing(Representation(kind), is_list=is_list, go_type="*v1.ImageStream")
    else:
        with pytest.raises(NotAcceptable, match=r"\(\*v1\.ImageStream\)"):
            negotiation.check_pairing(Representation(kind), is_list=is_list, go_type="*v1.ImageStream")


@given(st.text())
def test_any_header_is_answered_or_refused(accept):
    with contextlib.suppress(NotAcceptable):
        assert negotiation.negotiate(accept).media_type in (JSON, YAML)


def test_a_watch_is_json_where_the_client_reads_that():
    assert negotiation.negotiate("application/yaml,application/json", negotiation.STREAMED).media_type == JSON
    with pytest.raises(NotAcceptable, match=r"accepted: application/json$"):
        negotiation.negotiate("application/yaml", negotiation.STREAMED)
