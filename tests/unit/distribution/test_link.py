import pytest

from webhook.distribution.link import next_target


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        pytest.param("", "", id="no header"),
        pytest.param(
            '</v2/a/tags/list?last=v1>; rel="next"', "/v2/a/tags/list?last=v1", id="what docker-registry says"
        ),
        pytest.param("</next?n=1>;rel=next", "/next?n=1", id="without quotes and blanks"),
        pytest.param('</a>; rel="prev", </b>; rel="next"', "/b", id="the second of two"),
        pytest.param('</a>; title="more; rel=next"; rel="last"', "", id="a relation inside a title"),
        pytest.param('</a>; title="more"; REL="last Next"', "/a", id="one of several relations, in any case"),
        pytest.param('</a>; rel="nextish"', "", id="another relation"),
        pytest.param("/a; rel=next", "", id="no angle brackets"),
        pytest.param('</a; rel="next"', "", id="an unfinished target"),
        pytest.param('</a>; rel="next', "", id="an unfinished relation"),
    ],
)
def test_the_target_of_the_next_page(header, wanted):
    assert next_target(header) == wanted
