import threading

import pytest

from webhook.distribution.failures import RateLimited, UnexpectedAnswer, Unreachable
from webhook.distribution.sessions import Session, SessionCache, SessionKey, Sessions
from webhook.distribution.transport import Answer

QUAY = SessionKey("quay.io", insecure=False)
LOCAL = SessionKey("127.0.0.1:5000", insecure=True)
BEARER = 'Bearer realm="https://auth.example.com/token",service="registry"'


class Registry:
    """Answers pings; `down` are the addresses without a connection."""

    def __init__(self, status=200, challenges=(), headers=None, down=()):
        self.pings, self.down = [], down
        self.status, self.challenges, self.headers = status, challenges, headers or {}

    def get(self, url):
        self.pings.append(url)
        if url in self.down:
            raise Unreachable("connection refused")
        return Answer(self.status, "", self.headers, b"", url, tuple(self.challenges))


@pytest.mark.parametrize(
    ("registry", "scheme"),
    [
        pytest.param(Registry(), "", id="open"),
        pytest.param(Registry(401, ['Basic realm="a"']), "basic", id="with passwords"),
        pytest.param(Registry(401, [BEARER]), "bearer", id="with tokens"),
        pytest.param(Registry(401, ['Basic realm="a"', BEARER]), "bearer", id="tokens before passwords"),
        pytest.param(Registry(403), "", id="forbidden counts as a registry"),
        pytest.param(Registry(401, ['Negotiate x="y"']), "", id="only what nobody here speaks"),
        pytest.param(Registry(500, headers={"Docker-Distribution-API-Version": "registry/2.0"}), "", id="it says so"),
    ],
)
def test_a_ping_tells_how_a_registry_wants_to_be_asked(registry, scheme):
    session = Sessions().established(QUAY, registry.get)
    assert (session.base, session.scheme) == ("https://quay.io", scheme)


def test_a_session_with_a_registry_in_trouble_is_not_kept():
    kept, registry = SessionCache(), Registry(503, headers={"Docker-Distribution-API-Version": "registry/2.0"})
    assert Sessions(kept).established(QUAY, registry.get).scheme == ""
    assert kept.get(QUAY) is None


def test_too_many_requests_tell_nothing_about_how_to_ask():
    registry = Registry(429, headers={"Docker-Distribution-API-Version": "registry/2.0"})
    with pytest.raises(RateLimited, match="too many requests"):
        Sessions().established(QUAY, registry.get)


def test_what_is_no_registry_is_refused():
    with pytest.raises(UnexpectedAnswer, match="does not support v2 API"):
        Sessions().established(QUAY, Registry(404).get)


def test_plain_http_is_tried_only_where_it_may_be():
    without_tls = Registry(down=["https://127.0.0.1:5000/v2/", "https://quay.io/v2/"])
    assert Sessions().established(LOCAL, without_tls.get).base == "http://127.0.0.1:5000"
    with pytest.raises(Unreachable):
        Sessions().established(QUAY, without_tls.get)
    assert "http://quay.io/v2/" not in without_tls.pings


def test_threads_share_one_ping():
    registry, sessions, entered, go = Registry(), Sessions(), threading.Event(), threading.Event()

    def slow(url):
        entered.set()
        assert go.wait(10)
        return registry.get(url)

    threads = [threading.Thread(target=sessions.established, args=(QUAY, slow)) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert entered.wait(10)
    go.set()
    for thread in threads:
        thread.join(10)
    assert registry.pings == ["https://quay.io/v2/"]


def test_a_failure_is_shared_by_an_import_and_forgotten_after_it():
    kept, registry = SessionCache(), Registry(down=["https://quay.io/v2/"])
    sessions = Sessions(kept)
    for _ in range(3):
        with pytest.raises(Unreachable):
            sessions.established(QUAY, registry.get)
    assert len(registry.pings) == 1
    registry.down = ()
    assert Sessions(kept).established(QUAY, registry.get)


def test_a_kept_session_is_used_until_it_is_too_old():
    now, registry = 0.0, Registry()
    kept = SessionCache(timer=lambda: now)
    for now in (0.0, 299.0, 301.0):  # noqa: B007 # read by the timer
        Sessions(kept).established(QUAY, registry.get)
    assert len(registry.pings) == 2


def test_a_session_of_an_earlier_import_is_renewed_once_and_a_fresh_one_never():
    kept, registry = SessionCache(), Registry()
    kept.put(QUAY, Session("http://quay.io", None))
    sessions = Sessions(kept)
    assert sessions.established(QUAY, registry.get).base == "http://quay.io"
    assert sessions.renew(QUAY)
    assert sessions.established(QUAY, registry.get).base == "https://quay.io"
    assert not sessions.renew(QUAY)
