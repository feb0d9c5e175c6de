"""Which tags a push concerns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.controllers.pushed import HOST, KEY, ON_PUSH, PUSH, stream, tag
from webhook.controllers.followers import Followers, following
from webhook.distribution.notifications import of_reference
from webhook.image.reference import parse


@pytest.mark.parametrize(
    ("one", "names"),
    [
        pytest.param(stream(tag()), ["live"], id="a scheduled tag follows"),
        pytest.param(stream(tag(scheduled=False)), [], id="a tag that was imported once stays"),
        pytest.param(stream(tag(scheduled=False, annotations=ON_PUSH)), ["live"], id="an annotated tag follows"),
        pytest.param(stream(tag(scheduled=False), **ON_PUSH), ["live"], id="all tags of an annotated stream follow"),
        pytest.param(stream(tag(reference=True)), [], id="a reference imports nothing"),
        pytest.param(stream(tag(source="ruby:1", kind="ImageStreamTag")), [], id="a tag of a stream is no registry's"),
        pytest.param(stream(tag(source=f"{HOST}/team/app@sha256:{'0' * 64}")), [], id="a digest never moves"),
        pytest.param(stream(tag(source="::")), [], id="what is no reference follows nothing"),
        pytest.param(stream(tag(), tag("b", f"{HOST.upper()}:443/team/app:1.2")), ["live", "b"], id="any spelling"),
    ],
)
def test_a_tag_follows_pushes_when_its_owner_asked_for_that(one, names):
    assert list(following(one)) == [(PUSH, name) for name in names]


def concerned(followers, *pushed):
    found = followers.concerned(pushed or [PUSH])
    return {key: {tag for _, tag in moved} for key, moved in found.items()}


def test_the_index_follows_the_streams():
    followers = Followers()
    followers.replace([stream(tag()), stream(tag("a"), tag("b"), name="two"), stream(name="three")], "1")
    assert concerned(followers) == {KEY: {"live"}, ("shop", "two"): {"a", "b"}}
    followers.apply("MODIFIED", stream(tag(source=f"{HOST}/team/app:2")))
    followers.apply("DELETED", stream(name="two"))
    assert concerned(followers) == {}
    assert concerned(followers, PUSH._replace(tag="2")) == {KEY: {"live"}}
    followers.apply("MODIFIED", stream(repository=f"{HOST}/team/app", **ON_PUSH))
    assert concerned(followers) == {KEY: {"1.2"}}
    followers.apply("DELETED", stream())
    assert concerned(followers) == {}
    followers.replace([], "2")
    assert concerned(followers) == {}


SOURCES = [f"{HOST}/team/app:1.2", f"{HOST}/team/app:2", "php:8"]
some_tags = st.lists(
    st.builds(tag, st.sampled_from("ab"), st.sampled_from(SOURCES), scheduled=st.booleans()), max_size=3
)
changes = st.lists(
    st.tuples(
        st.sampled_from(["ADDED", "MODIFIED", "DELETED"]),
        st.builds(
            lambda name, tags, whole: stream(*tags, name=name, repository=SOURCES[0] if whole else "", **ON_PUSH),
            st.sampled_from(["one", "two"]),
            some_tags,
            st.booleans(),
        ),
    ),
    max_size=8,
)


@given(changes)
def test_an_index_after_any_changes_is_the_index_of_what_is_there(made):
    followers, there = Followers(), {}
    for kind, one in made:
        followers.apply(kind, one)
        there[one["metadata"]["name"]] = one if kind != "DELETED" else None
    fresh = Followers()
    fresh.replace(filter(None, there.values()), "1")
    pushed = [of_reference(parse(source)) for source in SOURCES]
    assert followers.concerned(pushed) == fresh.concerned(pushed)
    for _, one in made:
        followers.apply("DELETED", one)
    assert followers.concerned(pushed) == {}
