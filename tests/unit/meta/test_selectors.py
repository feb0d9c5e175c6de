"""Label and field selectors."""

import contextlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.errors import BadRequest
from webhook.meta.selectors import FieldSelector, LabelSelector

FRONT = {"tier": "front", "env": "prod", "size": "10"}
SUPPORTED = {"metadata.name", "metadata.namespace", "spec.dockerImageRepository"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("tier", True),
        ("!tier", False),
        ("!none", True),
        ("tier=front", True),
        ("tier==front", True),
        ("tier = back", False),
        ("tier!=back", True),
        ("none!=x", True),
        ("none=x", False),
        ("tier in (front,back)", True),
        ("tier in(back)", False),
        ("tier notin (back)", True),
        ("none notin (x)", True),
        ("none in (x)", False),
        ("tier=front,env!=test", True),
        ("tier=front,env=test", False),
        ("none=", False),
        ("tier in (,front)", True),
        ("tier notin ()", True),
        ("size>9", True),
        ("size > 10", False),
        ("size<11", True),
        ("tier>1", False),
        ("none>1", False),
        (" tier , env ", True),
        ("tier in (notin,in),env", False),
        ("in,notin", False),
    ],
)
def test_labels_are_selected(text, matches):
    assert LabelSelector.parse(text).matches(FRONT) is matches


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tier in front", "unable to parse requirement: found 'front' expected: '('"),
        ("=front", "found '=', expected: !, identifier, or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("a b", "unable to parse requirement: found 'b', expected: !=, <, =, ==, >, in, notin"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("a in (", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a==!", "unable to parse requirement: found '!', expected: identifier"),
        ("a>x", "unable to parse requirement: values[0]: Invalid value"),
        ("b/c/d", "unable to parse requirement: key: Invalid value"),
        ("a=" + "x" * 64, "unable to parse requirement: values[0][a]: Invalid value"),
    ],
)
def test_other_selectors_are_bad_requests(text, message):
    with pytest.raises(BadRequest) as failure:
        LabelSelector.parse(text)
    assert failure.value.message.startswith(message)


KEYS = st.text("abcin", min_size=1, max_size=5)
VALUES = st.text(string.ascii_letters, max_size=3)
REQUIREMENTS = st.one_of(
    KEYS,
    KEYS.map(lambda key: f"!{key}"),
    st.builds("{}{}{}".format, KEYS, st.sampled_from(["=", "==", "!="]), VALUES),
    st.builds("{}{}{}".format, KEYS, st.sampled_from(["<", ">"]), st.integers(0, 99)),
    st.builds(
        lambda key, word, values: f"{key} {word} ({','.join(values)})",
        KEYS,
        st.sampled_from(["in", "notin"]),
        st.lists(VALUES, max_size=3),
    ),
)


@given(st.lists(REQUIREMENTS, max_size=4).map(",".join), st.dictionaries(KEYS, VALUES, max_size=4))
def test_a_selector_means_the_same_after_formatting(text, labels):
    parsed = LabelSelector.parse(text)
    again = LabelSelector.parse(str(parsed))
    assert again == parsed
    assert again.matches(labels) is parsed.matches(labels)


@given(st.text("ab!=<>(), in", max_size=20))
def test_any_text_is_a_selector_or_a_bad_request(text):
    with contextlib.suppress(BadRequest):
        LabelSelector.parse(text).matches({"a": "b"})


def test_no_selector_is_false_and_selects_everything():
    assert not LabelSelector.parse("")
    assert LabelSelector().matches(None)


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("metadata.name=two", True),
        ("metadata.name==two", True),
        ("metadata.name!=two", False),
        ("metadata.name!=one,metadata.namespace=web", True),
        ("metadata.name=two,metadata.namespace=other", False),
        (r"spec.dockerImageRepository=a\,b\=c\\d", True),
        ("spec.dockerImageRepository=", False),
        (",metadata.name=two,", True),
    ],
)
def test_fields_are_selected(text, matches):
    fields = {"metadata.name": "two", "metadata.namespace": "web", "spec.dockerImageRepository": r"a,b=c\d"}
    assert FieldSelector.parse(text, SUPPORTED).matches(fields) is matches


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
        ("spec.foo=1", "field label not supported: spec.foo"),
        ("metadata.name=a=b", "invalid field selector: unescaped character in value: ="),
        (r"metadata.name=a\b", "invalid field selector: invalid escape sequence"),
        ("metadata.name=a\\", "invalid field selector: invalid escape sequence"),
    ],
)
def test_other_field_selectors_are_bad_requests(text, message):
    with pytest.raises(BadRequest) as failure:
        FieldSelector.parse(text, SUPPORTED)
    assert failure.value.message.startswith(message)


def test_a_field_selector_takes_one_more_condition():
    selector = FieldSelector.parse("metadata.namespace!=b", SUPPORTED)
    assert str(selector.and_equal("metadata.name", "a")) == "metadata.namespace!=b,metadata.name=a"


@given(st.text(max_size=20))
def test_a_value_survives_its_escaping(value):
    selector = FieldSelector().and_equal("metadata.name", value)
    assert FieldSelector.parse(str(selector), SUPPORTED) == selector
