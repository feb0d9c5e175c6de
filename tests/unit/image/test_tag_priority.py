import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.image.tag_priority import ordered


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        pytest.param(
            "other latest v5.5 5.2.3 5.5 v5.3.6-bother 5.3.6-abba 5.6",
            "latest 5.6 5.5 v5.5 v5.3.6-bother 5.3.6-abba 5.2.3 other",
            id="latest, minor versions, full versions, the rest",
        ),
        pytest.param("7.4 8.2 8.1 latest", "latest 8.2 8.1 7.4", id="high versions first"),
        pytest.param("3 b a B", "3 B a b", id="the rest in byte order, a lone number among it"),
        pytest.param("1.9.0 1.10.0 1.2.0", "1.10.0 1.9.0 1.2.0", id="numbers are numbers"),
        pytest.param(
            "1.0.0-alpha 1.0.0-alpha.1 1.0.0 1.0.0-beta 1.0.0-2 1.0.0-11",
            "1.0.0 1.0.0-beta 1.0.0-alpha.1 1.0.0-alpha 1.0.0-11 1.0.0-2",
            id="pre-releases below their release",
        ),
        pytest.param("8.2-fpm 8.2 8.1-fpm", "8.2 8.2-fpm 8.1-fpm", id="minor versions with a word"),
        pytest.param(
            "8.2-fpm-alpine 8.1 8.2-rc.1 8.2-a_b", "8.1 8.2-a_b 8.2-fpm-alpine 8.2-rc.1", id="with one word only"
        ),
        pytest.param(
            "22.04 1.0 18.04.6 1.0.01", "1.0 1.0.01 18.04.6 22.04", id="numbers with zeros before them are dates"
        ),
        pytest.param("2.0.0-01 1.0.0-0a 1.0.0-0", "1.0.0-0a 1.0.0-0 2.0.0-01", id="also in pre-releases"),
        pytest.param(
            f"1.0.0 9.0.{'9' * 20} 1.2.3.4 V1.0 vv1.0",
            f"1.0.0 1.2.3.4 9.0.{'9' * 20} V1.0 vv1.0",
            id="what is no version",
        ),
        pytest.param("a a latest latest", "latest a", id="each once"),
    ],
)
def test_the_most_important_tags_come_first(tags, wanted):
    assert ordered(tags.split()) == wanted.split()


def test_a_tag_without_a_name_is_latest():
    assert ordered(["", "a"]) == ["latest", "a"]


TAGS = st.lists(
    st.from_regex(r"v?[0-9]{1,3}(\.[0-9]{1,3}){0,2}(-[a-z0-9.]{1,5})?", fullmatch=True) | st.text(max_size=5)
)


@given(TAGS)
def test_the_order_does_not_depend_on_the_order_before(tags):
    assert ordered(tags) == ordered(reversed(tags))
