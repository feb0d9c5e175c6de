import pytest

from webhook.distribution.challenge import Challenge, parse

HUB = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        pytest.param([], [], id="no header, no challenge"),
        pytest.param(
            [HUB],
            [Challenge("bearer", {"realm": "https://auth.docker.io/token", "service": "registry.docker.io"})],
            id="what Docker Hub says",
        ),
        pytest.param(
            ['Basic realm="fixtures"', HUB],
            [
                Challenge("basic", {"realm": "fixtures"}),
                Challenge("bearer", {"realm": "https://auth.docker.io/token", "service": "registry.docker.io"}),
            ],
            id="two headers",
        ),
        pytest.param(
            ['Negotiate, Basic realm="a, b", charset=UTF-8'],
            [Challenge("negotiate"), Challenge("basic", {"realm": "a, b", "charset": "UTF-8"})],
            id="two challenges in one header, and a comma inside quotes",
        ),
        pytest.param([r'Basic realm="say \"hi\""'], [Challenge("basic", {"realm": 'say "hi"'})], id="escaped quotes"),
        pytest.param(["BEARER Realm=x"], [Challenge("bearer", {"realm": "x"})], id="names in any case"),
        pytest.param(['Bearer realm="cut off'], [Challenge("bearer")], id="an unfinished value is left out"),
        pytest.param(["@@@"], [], id="what cannot be read is left out"),
    ],
)
def test_challenges_are_read_in_their_order(headers, wanted):
    assert parse(headers) == wanted
