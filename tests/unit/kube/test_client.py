"""Requests and answers of the client, against a real HTTP server."""

import json
import threading

import pytest

from webhook import errors
from webhook.kube import failure
from webhook.kube.client import KubeClient
from webhook.kube.connection import Connection, NoConfiguration, from_kubeconfig
from webhook.kube.decoding import OBJECTS
from webhook.kube.failure import Unreachable
from webhook.kube.watch import lines

PODS = "/api/v1/namespaces/shop/pods"


def test_a_request_carries_token_query_and_body(api, client):
    api.expect("POST", PODS, (201, {"kind": "Pod"}))
    assert client.create(PODS, {"metadata": {"name": "web"}}, dryRun="All", pretty=None) == {"kind": "Pod"}
    (seen,) = api.requests
    assert seen["query"] == {"dryRun": "All"}
    assert json.loads(seen["body"]) == {"metadata": {"name": "web"}}
    assert seen["headers"]["Authorization"] == "Bearer secret"
    assert seen["headers"]["Content-Type"] == "application/json"


def test_a_token_is_asked_for_anew_each_time(api):
    tokens = iter(["Bearer one", "Bearer two"])
    client = KubeClient(api.connection(authorization=lambda: next(tokens)))
    api.expect("GET", PODS, (200, {}), (200, {}))
    client.get(PODS)
    client.get(PODS)
    client.close()
    assert [seen["headers"]["Authorization"] for seen in api.requests] == ["Bearer one", "Bearer two"]


@pytest.mark.parametrize("token", ["secret\r\nX-Remote-User: root", "sécret", "sec\x00ret"])
def test_a_token_that_no_header_can_carry_is_named_in_no_error(api, token):
    client = KubeClient(api.connection(token=token))
    with pytest.raises(Unreachable) as raised:
        client.get(PODS)
    assert "cret" not in str(raised.value)
    assert api.requests == []


def test_the_line_break_at_the_end_of_a_token_file_is_no_part_of_the_token(api):
    assert api.connection(token="secret\n").headers() == {"Authorization": "Bearer secret"}


@pytest.mark.parametrize(
    ("call", "method", "content_type"),
    [
        (lambda client: client.update(PODS, {}), "PUT", "application/json"),
        (lambda client: client.patch(PODS, {}), "PATCH", "application/merge-patch+json"),
        (
            lambda client: client.patch(PODS, b"a: b", "application/apply-patch+yaml"),
            "PATCH",
            "application/apply-patch+yaml",
        ),
        (lambda client: client.delete(PODS, {"propagationPolicy": "Background"}), "DELETE", "application/json"),
        (lambda client: client.delete(PODS), "DELETE", None),
    ],
)
def test_each_verb_sends_its_method_and_content_type(api, client, call, method, content_type):
    api.expect(method, PODS, (200, {}))
    assert call(client) == {}
    assert api.requests[0]["headers"].get("Content-Type") == content_type


def test_a_list_is_read_page_by_page(api, client):
    api.expect(
        "GET",
        PODS,
        (200, {"metadata": {"continue": "more"}, "items": [{"n": 1}, {"n": 2}]}),
        (200, {"metadata": {}, "items": [{"n": 3}]}),
    )
    assert [item["n"] for item in client.list(PODS, limit=2, labelSelector="app=web")] == [1, 2, 3]
    assert api.requests[1]["query"] == {"limit": "2", "continue": "more", "labelSelector": "app=web"}


@pytest.mark.parametrize(
    ("code", "body", "expected"),
    [
        (404, {"kind": "Status", "reason": "NotFound", "code": 404, "details": {"name": "web"}}, errors.NotFound),
        (409, {"kind": "Status", "reason": "Conflict", "code": 409}, errors.Conflict),
        (409, {"kind": "Status", "reason": "AlreadyExists", "code": 409}, errors.AlreadyExists),
        (409, b"conflict", errors.Conflict),
        (410, {"kind": "Status", "reason": "Gone", "code": 410}, errors.Expired),
        (410, {"kind": "Status", "reason": "Expired", "code": 410}, errors.Expired),
        (422, {"kind": "Status", "reason": "Invalid", "code": 422}, errors.Invalid),
        (429, {"kind": "Status", "code": 429, "details": {"retryAfterSeconds": 7}}, errors.TooManyRequests),
        (500, {"kind": "Status", "reason": "InternalError", "code": 500}, errors.InternalError),
        (503, b"<html>", errors.ServiceUnavailable),
        (418, b"", errors.StatusError),
    ],
)
def test_a_refusal_is_an_error_of_the_tree(api, client, code, body, expected):
    api.expect("GET", PODS, (code, body))
    with pytest.raises(expected) as refusal:
        client.get(PODS)
    assert type(refusal.value) is expected
    assert refusal.value.code == code


def test_the_seconds_to_wait_are_kept():
    error = failure.of_status({"code": 429, "details": {"retryAfterSeconds": 7}})
    assert error.headers == {"Retry-After": "7"}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"[" * 5000])
def test_an_answer_that_is_no_object_counts_as_no_answer(api, client, body):
    api.expect("GET", PODS, (200, body))
    with pytest.raises(Unreachable):
        client.get(PODS)


def test_nobody_listening_is_unreachable():
    client = KubeClient(Connection("http://127.0.0.1:1"))
    with pytest.raises(Unreachable, match=r"^GET /version: Connection refused$"):
        client.get("/version")
    client.close()


def line(type_, **item):
    return json.dumps({"type": type_, "object": item}).encode() + b"\n"


def test_a_watch_gives_events_as_they_come(api, client):
    api.expect("GET", PODS, (200, [line("ADDED", n=1)[:9], line("ADDED", n=1)[9:] + line("DELETED", n=1), b"\n"]))
    watch = client.watch(PODS, OBJECTS, resource_version="7", timeout_seconds=300)
    assert [(kind, item) for kind, item, *_ in watch] == [("ADDED", {"n": 1}), ("DELETED", {"n": 1})]
    watch.close()
    assert api.requests[0]["query"] == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "7",
        "timeoutSeconds": "300",
    }


def test_an_error_event_is_raised(api, client):
    api.expect("GET", PODS, (200, [line("ERROR", kind="Status", code=410, reason="Expired", message="too old")]))
    watch = client.watch(PODS, OBJECTS, resource_version="7", timeout_seconds=300)
    with pytest.raises(errors.Expired, match="too old"):
        list(watch)
    watch.close()


def test_a_watch_that_is_cut_off_is_unreachable(api, client):
    api.expect("GET", PODS, (200, [line("ADDED", n=1), None]))
    watch = client.watch(PODS, OBJECTS, resource_version="7", timeout_seconds=300)
    with pytest.raises(Unreachable):
        list(watch)
    watch.close()


def test_a_watch_can_be_interrupted_from_another_thread(api, client):
    silence, started = threading.Event(), threading.Event()
    api.expect("GET", PODS, (200, [line("ADDED", n=1), silence]))
    watch = client.watch(PODS, OBJECTS, resource_version="7", timeout_seconds=300)
    ended = []

    def read():
        try:
            for _ in watch:
                started.set()
        except Unreachable as error:
            ended.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    assert started.wait(10)
    watch.interrupt()
    thread.join(10)
    assert not thread.is_alive()
    watch.close()
    watch.interrupt()
    silence.set()


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b"a\nb\n"], [b"a", b"b"]),
        ([b"a", b"b\nc", b"\n"], [b"ab", b"c"]),
        ([b"\n\n", b"a\n", b"unfinished"], [b"a"]),
        ([], []),
    ],
)
def test_chunks_are_cut_into_lines(chunks, expected):
    assert list(lines(chunks)) == expected


def test_one_object_is_read_within_a_deadline(api, client):
    api.expect("GET", PODS, (200, {"kind": "Pod"}))
    assert client.read(PODS, OBJECTS, deadline=5) == {"kind": "Pod"}
    silence = threading.Event()
    api.expect("GET", PODS, (200, [silence]))
    with pytest.raises(Unreachable):
        client.read(PODS, OBJECTS, deadline=0.05)
    silence.set()


def test_a_kubeconfig_gives_server_authority_and_token(tmp_path):
    path = tmp_path / "config"
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": "https://api.example.com:6443/k8s"}}],
                "users": [{"name": "u", "user": {"token": "secret"}}],
            }
        )
    )
    connection = from_kubeconfig(str(path))
    assert connection.server == "https://api.example.com:6443/k8s"
    assert connection.headers() == {"Authorization": "Bearer secret"}
    assert connection.secure


def test_a_missing_kubeconfig_is_said_so(tmp_path):
    with pytest.raises(NoConfiguration, match=f"^there is no file {tmp_path}/absent$"):
        from_kubeconfig(str(tmp_path / "absent"))


def test_a_kubeconfig_that_is_no_yaml_is_said_so_in_one_line(tmp_path):
    path = tmp_path / "config"
    path.write_text("clusters: [a")
    with pytest.raises(NoConfiguration, match=r"line 1, column 11 expected ',' or '\]'"):
        from_kubeconfig(str(path))
