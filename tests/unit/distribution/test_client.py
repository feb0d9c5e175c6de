import base64
import json
import time

import pytest

from tests.unit.distribution.stub import API_VERSION, digest, errors
from webhook.distribution import failures
from webhook.distribution.client import RegistryClient, Usage
from webhook.distribution.credentials import Credential
from webhook.distribution.limits import Limits
from webhook.distribution.pacing import Pacing
from webhook.distribution.sessions import Session, SessionCache, SessionKey, Sessions
from webhook.distribution.tokens import TokenCache
from webhook.distribution.transport import Transport
from webhook.image import manifest as manifests

READER = Credential("reader", "hunter2")
BASIC = f"Basic {base64.b64encode(b'reader:hunter2').decode()}"
OTHER = "sha256:" + "ee" * 32


@pytest.fixture
def transport(trusting):
    one = Transport(time.monotonic() + 20, outbound=trusting, connect_timeout=2, read_timeout=1)
    yield one
    one.close()


@pytest.fixture
def client(transport):
    """Makes clients: of a registry, for `team/app` unless told otherwise, insecure because the stub has no TLS."""

    def make(registry, repository="team/app", *, cache=None, insecure=True, **more):
        return RegistryClient(transport, cache or TokenCache(), registry.host, repository, insecure=insecure, **more)

    return make


def test_a_manifest_comes_with_its_media_type_and_digest(registry, client):
    wanted = registry.put_image("team/app", "v1")
    body, media_type, found = client(registry).manifest("v1")
    assert (media_type, found, digest(body)) == (manifests.DOCKER_MANIFEST, wanted, wanted)


def test_a_manifest_request_accepts_lists_and_manifests_of_both_families(registry, client):
    registry.put_image("team/app", "v1")
    client(registry).manifest("v1")
    accepted = registry.seen("/v2/team/app/manifests/v1")[0]["headers"]["Accept"].split(", ")
    assert {manifests.OCI_INDEX, manifests.OCI_MANIFEST, manifests.DOCKER_LIST, manifests.DOCKER_MANIFEST} <= set(
        accepted
    )


def test_one_connection_and_one_ping_serve_many_requests(registry, client):
    registry.put_image("team/app", "v1")
    one = client(registry)
    for _ in range(5):
        one.manifest("v1")
    assert len(registry.seen("/v2/")) == 1
    # The first connection was an attempt at HTTPS and never became a request.
    assert len({request["port"] for request in registry.requests}) == 1


@pytest.mark.parametrize("asked", ["v1", OTHER], ids=["claimed by the registry", "asked for"])
def test_bytes_of_another_digest_are_refused(registry, client, asked):
    answer = (200, [("Docker-Content-Digest", OTHER)], b'{"schemaVersion": 2}')
    registry.routes[f"/v2/team/app/manifests/{asked}"] = answer
    with pytest.raises(failures.ContentMismatch, match="content integrity error"):
        client(registry).manifest(asked)


def test_a_blob_of_another_digest_is_refused(registry, client):
    registry.routes[f"/v2/team/app/blobs/{OTHER}"] = (200, [], b"{}")
    with pytest.raises(failures.ContentMismatch, match="content integrity error"):
        client(registry).blob(OTHER)


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        ((404, [], errors("MANIFEST_UNKNOWN", "manifest unknown")), failures.ManifestUnknown, "manifest unknown"),
        ((404, [], errors("NAME_UNKNOWN")), failures.RepositoryUnknown, "name unknown"),
        ((401, [], errors("UNAUTHORIZED")), failures.Denied, "refuses access"),
        ((401, [], b"<html>login</html>"), failures.Denied, "refuses access"),
        (
            (403, [], errors("DENIED", "requested access is denied")),
            failures.UnexpectedAnswer,
            "denied: requested access",
        ),
        ((429, [], errors("TOOMANYREQUESTS", "slow down")), failures.UnexpectedAnswer, "toomanyrequests: slow down"),
        ((503, [], b""), failures.UnexpectedAnswer, "received unexpected HTTP status: 503 Service Unavailable"),
        ((404, [], b"<html>not here</html>"), failures.UnexpectedAnswer, "unexpected HTTP status: 404"),
        ((200, [("Content-Type", "text/html; charset=utf-8")], b"<html>"), failures.UnexpectedAnswer, "a web page"),
        ((302, [("Location", "/v2/team/app/manifests/v1")], b""), failures.UnexpectedAnswer, "more than 5 redirects"),
        ((302, [("Location", "file:///etc/passwd")], b""), failures.UnexpectedAnswer, "not on the web"),
        ((302, [("Location", "http://[")], b""), failures.UnexpectedAnswer, "cannot be read"),
        ((200, [("Content-Length", str(1 << 40))], b""), failures.TooLarge, "at most 4194304 are taken"),
        ((200, [], b"x" * (4 * 1024 * 1024 + 1)), failures.TooLarge, "at most 4194304 are taken"),
        (None, failures.Unreachable, "broke off"),
    ],
)
def test_a_failure_says_what_happened(registry, client, answer, error, text):
    registry.routes["/v2/team/app/manifests/v1"] = answer if answer else lambda _request: None
    with pytest.raises(error, match=text):
        client(registry).manifest("v1")


def test_a_body_without_end_is_cut_at_the_limit(registry, client):
    def endless(request):
        request.send_response(200)
        request.end_headers()
        for _ in range(200):
            request.wfile.write(b"x" * 65536)

    registry.routes["/v2/team/app/manifests/v1"] = endless
    with pytest.raises(failures.TooLarge, match="more than 4194304"):
        client(registry).manifest("v1")


def test_an_answer_that_does_not_come_is_not_waited_for(registry, client):
    registry.routes["/v2/team/app/manifests/v1"] = lambda _request: registry.let_go.wait(10) and None
    begun = time.monotonic()
    with pytest.raises(failures.Unreachable, match="no answer in time"):
        client(registry).manifest("v1")
    assert time.monotonic() - begun < 5


def test_a_registry_that_fails_its_ping_is_asked_once(registry, client):
    registry.routes["/v2/"] = (404, [], b"<html>")
    one = client(registry)
    for _ in range(3):
        with pytest.raises(failures.UnexpectedAnswer, match="does not support v2 API"):
            one.manifest("v1")
    assert len(registry.seen("/v2/")) == 1


# TLS and plain HTTP.


def test_a_certificate_of_a_known_authority_is_accepted(secure, client):
    secure.put_image("team/app", "v1")
    assert client(secure, insecure=False).manifest("v1")


def test_a_certificate_of_an_unknown_authority_is_refused(secure):
    transport = Transport(time.monotonic() + 5)
    with pytest.raises(failures.Unreachable, match="failed to verify certificate"):
        RegistryClient(transport, TokenCache(), secure.host, "team/app").manifest("v1")


def test_an_insecure_request_does_not_check_the_certificate(secure):
    secure.put_image("team/app", "v1")
    transport = Transport(time.monotonic() + 5)
    assert RegistryClient(transport, TokenCache(), secure.host, "team/app", insecure=True).manifest("v1")


def test_plain_http_is_not_used_unless_insecure(registry, client):
    with pytest.raises(failures.PlainHttp, match="HTTP response to an HTTPS client"):
        client(registry, insecure=False).manifest("v1")
    assert registry.requests == []


def test_a_refused_connection_is_named(client, registry, transport):
    one = RegistryClient(transport, TokenCache(), "127.0.0.1:1", "team/app")
    with pytest.raises(failures.Unreachable, match=r'Get "https://127.0.0.1:1/v2/": connection refused'):
        one.manifest("v1")


# Redirects.


def redirected(registry, target):
    registry.routes["/v2/"] = (401, [API_VERSION, ("WWW-Authenticate", 'Basic realm="fixtures"')], b"")
    registry.routes["/v2/team/app/manifests/v1"] = (307, [("Location", target)], b"")


def test_credentials_do_not_follow_to_another_host(registry, elsewhere, client):
    elsewhere.routes["/signed"] = (200, [("Content-Type", manifests.OCI_MANIFEST)], b"{}")
    redirected(registry, f"{elsewhere.url}/signed?signature=x")
    client(registry, credential=READER).manifest("v1")
    assert registry.seen("/v2/team/app/manifests/v1")[0]["headers"]["Authorization"] == BASIC
    assert "Authorization" not in elsewhere.seen("/signed")[0]["headers"]


def test_credentials_stay_on_the_same_host(registry, client):
    registry.routes["/moved"] = (200, [("Content-Type", manifests.OCI_MANIFEST)], b"{}")
    redirected(registry, "/moved")
    client(registry, credential=READER).manifest("v1")
    assert registry.seen("/moved")[0]["headers"]["Authorization"] == BASIC


def test_credentials_do_not_come_back_after_a_detour(registry, elsewhere, client):
    registry.routes["/back"] = (200, [("Content-Type", manifests.OCI_MANIFEST)], b"{}")
    elsewhere.routes["/away"] = (307, [("Location", f"{registry.url}/back")], b"")
    redirected(registry, f"{elsewhere.url}/away")
    client(registry, credential=READER).manifest("v1")
    assert "Authorization" not in registry.seen("/back")[0]["headers"]


def test_a_redirect_does_not_leave_tls(secure, registry, client):
    secure.routes["/v2/team/app/manifests/v1"] = (307, [("Location", f"{registry.url}/plain")], b"")
    with pytest.raises(failures.UnexpectedAnswer, match="from HTTPS to HTTP"):
        client(secure, insecure=False).manifest("v1")
    assert registry.requests == []


# Passwords and tokens.


def basic(registry):
    def answer(request):
        if request.headers.get("Authorization") == BASIC:
            return 200, [("Content-Type", manifests.OCI_MANIFEST)], b'{"tags": ["v1"]}'
        return 401, [], errors("UNAUTHORIZED")

    registry.routes["/v2/"] = (401, [API_VERSION, ("WWW-Authenticate", 'Basic realm="fixtures"')], b"")
    registry.routes["/v2/team/app/manifests/v1"] = registry.routes["/v2/team/app/tags/list"] = answer


def test_a_password_is_sent_where_it_is_asked_for(registry, client):
    basic(registry)
    assert client(registry, credential=READER).manifest("v1")
    assert client(registry, credential=READER).tags() == ["v1"]
    assert "Authorization" not in registry.seen("/v2/")[0]["headers"]


def test_a_password_is_not_sent_to_who_does_not_ask(registry, client):
    registry.put_image("team/app", "v1")
    client(registry, credential=READER).manifest("v1")
    assert not any("Authorization" in request["headers"] for request in registry.requests)


def test_a_wrong_password_is_refused_access(registry, client):
    basic(registry)
    with pytest.raises(failures.Denied):
        client(registry, credential=Credential("reader", "wrong")).manifest("v1")


def test_without_a_password_an_image_is_denied_and_a_list_of_tags_lacks_credentials(registry, client):
    basic(registry)
    with pytest.raises(failures.Denied):
        client(registry).manifest("v1")
    with pytest.raises(failures.CredentialsMissing, match="no basic auth credentials"):
        client(registry).tags()


def bearer(registry, realm=None, answer=(200, [], b'{"token": "abc", "expires_in": 300}')):
    """The registry asks for tokens and takes `abc`; its token service is `realm`, or lies at /token."""
    challenge = f'Bearer realm="{realm or registry.url}/token",service="stub"'

    def manifest(request):
        if request.headers.get("Authorization") == "Bearer abc":
            return 200, [("Content-Type", manifests.OCI_MANIFEST)], b"{}"
        return 401, [], errors("UNAUTHORIZED")

    registry.routes["/v2/"] = (401, [API_VERSION, ("WWW-Authenticate", challenge)], b"")
    registry.routes["/v2/team/app/manifests/v1"] = manifest
    registry.routes["/token"] = answer


def test_a_token_is_fetched_once_for_all_requests_and_clients(registry, client):
    bearer(registry)
    cache = TokenCache()
    for _ in range(3):
        client(registry, cache=cache).manifest("v1")
    assert [one["url"] for one in registry.seen("/token")] == [
        "/token?service=stub&scope=repository%3Ateam%2Fapp%3Apull"
    ]


def test_the_password_goes_to_the_token_service_only(registry, elsewhere, client):
    bearer(registry, elsewhere.url)
    elsewhere.routes["/token"] = registry.routes["/token"]
    client(registry, credential=READER).manifest("v1")
    assert elsewhere.seen("/token")[0]["headers"]["Authorization"] == BASIC
    assert not any(request["headers"].get("Authorization") == BASIC for request in registry.requests)


def test_a_token_service_without_tls_gets_no_password_from_a_secure_client(secure, registry, client):
    bearer(secure, registry.url)
    with pytest.raises(failures.UnexpectedAnswer, match="without TLS"):
        client(secure, insecure=False, credential=READER).manifest("v1")
    assert registry.requests == []


def test_a_token_that_is_no_longer_taken_is_replaced_once(registry, client):
    given = iter(["old", "abc"])
    bearer(registry, answer=lambda _request: (200, [], json.dumps({"token": next(given)}).encode()))
    assert client(registry).manifest("v1")
    assert len(registry.seen("/token")) == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((401, [], b'{"details": "incorrect username or password"}'), failures.WrongPassword),
        ((401, [], errors("UNAUTHORIZED", "no")), failures.Denied),
        ((403, [], b""), failures.Denied),
        ((500, [], b""), failures.UnexpectedAnswer),
        ((200, [], b"<html>"), failures.UnexpectedAnswer),
    ],
)
def test_a_token_service_that_refuses_is_asked_once(registry, client, answer, error):
    bearer(registry, answer=answer)
    one = client(registry, credential=READER)
    for _ in range(3):
        with pytest.raises(error):
            one.manifest("v1")
    assert len(registry.seen("/token")) == 1


def test_no_failure_shows_the_password(registry, client, caplog):
    basic(registry)
    registry.routes["/v2/team/app/manifests/v1"] = (400, [], errors("UNSUPPORTED", "bad password hunter2 \x1b[31m"))
    with pytest.raises(failures.UnexpectedAnswer, match=r"bad password \*\*\*") as caught:
        client(registry, credential=READER).manifest("v1")
    assert "hunter2" not in str(caught.value) + caplog.text
    assert "\x1b" not in str(caught.value)


def test_too_many_requests_are_waited_out_once(registry, client):
    answers = iter([(429, [("Retry-After", "0")], b""), (200, [("Content-Type", manifests.OCI_MANIFEST)], b"{}")])
    registry.routes["/v2/team/app/manifests/v1"] = lambda _request: next(answers)
    assert client(registry).manifest("v1")


def test_a_ping_that_is_put_off_is_made_again(registry, client):
    registry.put_image("team/app", "v1")
    pings = iter([(429, [("Retry-After", "0")], b""), (503, [("Retry-After", "0")], b""), registry.routes["/v2/"]])
    registry.routes["/v2/"] = lambda _request: next(pings)
    assert client(registry).manifest("v1")


def refusing(registry, times, *headers, body=b""):
    """The registry refuses so many requests, then gives the manifest."""
    answers = [(429, list(headers), body)] * times
    answers.append((200, [("Content-Type", manifests.OCI_MANIFEST)], b"{}"))
    registry.routes["/v2/team/app/manifests/v1"] = lambda _request: answers.pop(0)
    return answers


def test_a_registry_that_says_how_long_is_asked_until_it_answers(registry, client):
    refusing(registry, 12, ("Retry-After", "0"), body=errors("TOOMANYREQUESTS"))
    assert client(registry).manifest("v1")


def test_a_standard_refusal_without_a_time_is_final(registry, client):
    left = refusing(registry, 5, body=errors("TOOMANYREQUESTS", "slow down"))
    with pytest.raises(failures.UnexpectedAnswer, match="toomanyrequests: slow down"):
        client(registry).manifest("v1")
    assert len(left) == 5


def test_a_pause_beyond_the_time_of_the_import_is_not_waited_for(registry, client):
    refusing(registry, 5, ("Retry-After", "600"), body=errors("TOOMANYREQUESTS", "slow down"))
    one = client(registry, deadline=time.monotonic() + 5)
    with pytest.raises(failures.UnexpectedAnswer, match="toomanyrequests: slow down"):
        one.manifest("v1")
    with pytest.raises(failures.RateLimited, match="left alone"):
        one.manifest("v1")
    assert len(registry.seen("/v2/team/app/manifests/v1")) == 1


def test_a_token_service_that_refuses_for_a_time_closes_its_registry(registry, client):
    bearer(registry, answer=(429, [("Retry-After", "600")], b""))
    pacing = Pacing()
    with pytest.raises(failures.UnexpectedAnswer, match="the token service answered 429"):
        client(registry, pacing=pacing, deadline=time.monotonic() + 5).manifest("v1")
    assert pacing.of(registry.host).opens("") > time.monotonic() + 500


def test_a_token_service_has_a_budget_of_its_own(registry, elsewhere, client):
    bearer(registry, elsewhere.url)
    elsewhere.routes["/token"] = registry.routes["/token"]
    one_now = Limits(requests_per_second=0.01)
    pacing = Pacing(lambda host: one_now if host == elsewhere.host else Limits())
    for repository in ("team/app", "team/other"):
        registry.routes[f"/v2/{repository}/manifests/v1"] = registry.routes["/v2/team/app/manifests/v1"]
    assert client(registry, pacing=pacing).manifest("v1")
    with pytest.raises(failures.RateLimited, match="budget"):
        client(registry, "team/other", pacing=pacing, deadline=time.monotonic() + 5).manifest("v1")
    assert len(elsewhere.seen("/token")) == 1


def test_what_was_asked_is_counted(registry, client):
    registry.put_image("team/app", "v1")
    status, headers, body = registry.routes["/v2/team/app/manifests/v1"]
    registry.routes["/v2/team/app/manifests/v1"] = (status, [*headers, ("RateLimit-Remaining", "76;w=21600")], body)
    usage = Usage()
    client(registry, usage=usage).manifest("v1")
    # An attempt at HTTPS, the ping, and the manifest.
    assert (usage.requests, usage.bytes, usage.remaining) == (3, len(b"{}") + len(body), 76.0)


# Looking without fetching.


def test_a_descriptor_is_asked_for_without_its_manifest(registry, client):
    wanted = registry.put_image("team/app", "v1")
    assert client(registry).descriptor("v1") == (wanted, manifests.DOCKER_MANIFEST)
    assert [one["method"] for one in registry.seen("/v2/team/app/manifests/v1")] == ["HEAD"]


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, failures.ManifestUnknown), (401, failures.Denied), (503, failures.UnexpectedAnswer)],
)
def test_a_look_that_fails_says_why_without_an_error_list(registry, client, status, error):
    registry.routes["/v2/team/app/manifests/v1"] = (status, [], b"")
    with pytest.raises(error):
        client(registry).descriptor("v1")


# Sessions.


def test_a_session_serves_all_repositories_and_imports(registry, client):
    kept = SessionCache()
    for repository in ("team/app", "team/web"):
        registry.put_image(repository, "v1")
        for _ in range(2):
            client(registry, repository, sessions=Sessions(kept)).manifest("v1")
    assert len(registry.seen("/v2/")) == 1


def test_a_registry_that_fails_its_ping_is_asked_once_by_all_repositories_of_an_import(registry, client):
    registry.routes["/v2/"] = (404, [], b"<html>")
    sessions = Sessions()
    for repository in ("team/app", "team/web"):
        with pytest.raises(failures.UnexpectedAnswer, match="does not support v2 API"):
            client(registry, repository, sessions=sessions).manifest("v1")
    assert len(registry.seen("/v2/")) == 1


def test_a_kept_session_with_a_registry_that_has_moved_to_tls_is_made_anew(secure, client):
    secure.put_image("team/app", "v1")
    kept = SessionCache()
    kept.put(SessionKey(secure.host, True), Session(f"http://{secure.host}", None))
    assert client(secure, sessions=Sessions(kept)).manifest("v1")
    assert kept.get(SessionKey(secure.host, True)).base == f"https://{secure.host}"


# Lists of tags.


def test_all_pages_of_tags_are_read(registry, client):
    following = [("Link", '</v2/team/app/tags/list?last=b&n=2>; rel="next"')]
    registry.routes["/v2/team/app/tags/list"] = (200, following, b'{"tags": ["a", "b"]}')
    registry.routes["/v2/team/app/tags/list?last=b&n=2"] = (200, [], b'{"tags": ["c"]}')
    assert client(registry).tags() == ["a", "b", "c"]


def test_the_next_page_is_asked_of_the_same_registry(registry, elsewhere, client):
    following = [("Link", f'<{elsewhere.url}/v2/team/app/tags/list?last=a>; rel="next"')]
    registry.routes["/v2/team/app/tags/list"] = (200, following, b'{"tags": ["a"]}')
    registry.routes["/v2/team/app/tags/list?last=a"] = (200, [], b'{"tags": ["b"]}')
    assert client(registry).tags() == ["a", "b"]
    assert elsewhere.requests == []


@pytest.mark.parametrize("circle", [["a"], ["a", "b"]], ids=["of one page", "of two pages"])
def test_a_list_of_tags_that_turns_in_circles_ends(registry, client, circle):
    for here, there in zip(["", *circle], [*circle, circle[0]], strict=True):
        following = [("Link", f'</v2/team/app/tags/list?last={there}>; rel="next"')]
        at = f"/v2/team/app/tags/list?last={here}" if here else "/v2/team/app/tags/list"
        registry.routes[at] = (200, following, b'{"tags": ["a"]}')
    with pytest.raises(failures.UnexpectedAnswer, match="does not end"):
        client(registry).tags()
    assert len(registry.seen("/v2/team/app/tags/list")) == 1 + len(circle)


def test_a_hundred_thousand_tags_are_all_taken(registry, client):
    names = [f"v{number}" for number in range(100_000)]
    registry.routes["/v2/team/app/tags/list"] = (200, [], json.dumps({"tags": names}).encode())
    assert client(registry).tags() == names


def test_more_tags_than_are_sorted_are_refused_rather_than_cut_off(registry, client):
    registry.routes["/v2/team/app/tags/list"] = (200, [], b'{"tags": [' + b'"a",' * 200_001 + b'"a"]}')
    with pytest.raises(failures.TooLarge, match="more than 200000 tags"):
        client(registry).tags()


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b'{"name": "team/app", "tags": null}', []),
        (b'{"tags": ["v1", "../../etc", 7, "v 2", ""]}', ["v1", ""]),
    ],
)
def test_only_tags_that_can_be_tags_are_taken(registry, client, body, wanted):
    registry.routes["/v2/team/app/tags/list"] = (200, [], body)
    assert client(registry).tags() == wanted


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"tags": "v1"}'])
def test_what_is_no_list_of_tags_is_refused(registry, client, body):
    registry.routes["/v2/team/app/tags/list"] = (200, [], body)
    with pytest.raises(failures.UnexpectedAnswer, match="list of tags"):
        client(registry).tags()
