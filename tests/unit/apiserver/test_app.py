"""One request's way: who may ask, which paths there are, which formats, and how failures look."""

import json

import pytest

from tests.unit.apiserver.api import GV, Api, path, stream
from webhook.apiserver.app import MAX_BODY, create_app
from webhook.errors import Unauthorized
from webhook.meta.identity import ADMINISTRATOR
from webhook.settings import Settings
from webhook.storage.memory import MemoryStore
from webhook.storage.store import Busy

STREAMS = path("imagestreams")
PHP = path("imagestreams", "php")
NOT_ALLOWED = "the server does not allow this method on the requested resource"


def nobody(environ):
    raise Unauthorized


@pytest.mark.parametrize(
    ("method", "url"),
    [
        pytest.param("GET", STREAMS, id="a list"),
        pytest.param("POST", STREAMS, id="a creation with a broken body"),
        pytest.param("GET", "/apis", id="discovery"),
        pytest.param("GET", f"{GV}/nothing", id="a resource that there is not"),
    ],
)
def test_strangers_learn_nothing(method, url):
    app = create_app(MemoryStore(), Settings(), authenticate=nobody)

    refused = Api(app.test_client()).send(method, url, code=401)

    assert refused.json == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "Unauthorized",
        "reason": "Unauthorized",
        "code": 401,
    }


def test_authentication_sees_the_environment_of_the_request():
    seen = []

    def remember(environ):
        seen.append(environ["HTTP_AUTHORIZATION"])
        return ADMINISTRATOR

    app = create_app(MemoryStore(), Settings(), authenticate=remember)
    Api(app.test_client()).get(STREAMS, Authorization="Bearer abc")

    assert seen == ["Bearer abc"]


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("/nothing", id="no page"),
        pytest.param("/apis/route.openshift.io", id="a group that there is not"),
        pytest.param("//apis/image.openshift.io/v1", id="two slashes"),
        pytest.param(f"{GV}//imagestreams", id="an empty segment"),
        pytest.param("/apis/../apis/image.openshift.io/v1", id="one up"),
        pytest.param(f"{GV}/namespaces/shop/imagestreams/..", id="one up instead of a name"),
        pytest.param(f"{GV}/%2e%2e/v1/imagestreams", id="one up in disguise"),
    ],
)
def test_a_path_that_there_is_not_is_a_plain_404_and_never_a_redirect(api: Api, url):
    answer = api.client.open(path="/", method="GET", environ_overrides={"PATH_INFO": url.replace("%2e", ".")})

    assert (answer.status_code, answer.get_data(as_text=True)) == (404, "404 page not found\n")
    assert answer.content_type.startswith("text/plain")
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"{GV}/nothing", id="a resource that there is not"),
        pytest.param(f"{GV}/imagestreams/php", id="a namespaced object without its namespace"),
        pytest.param(f"{GV}/namespaces/shop/images", id="a cluster-scoped resource in a namespace"),
        pytest.param(path("imagestreams", "php/nothing"), id="a subresource that there is not"),
        pytest.param(path("imagestreamimages"), id="a collection that there is not"),
        pytest.param(path("imagestreamimports", "php"), id="a command by name"),
        pytest.param("/apis/image.openshift.io/v2/imagestreams", id="another version"),
    ],
)
def test_a_resource_that_there_is_not_is_a_status(api: Api, url):
    answer = api.send("GET", url, code=404).json

    assert (answer["reason"], answer["details"]) == ("NotFound", {})
    assert answer["message"] == "the server could not find the requested resource"


@pytest.mark.parametrize(
    ("method", "url"),
    [
        pytest.param("PUT", STREAMS, id="replacing a collection"),
        pytest.param("PATCH", STREAMS, id="patching a collection"),
        pytest.param("POST", PHP, id="creating under a name"),
        pytest.param("DELETE", f"{PHP}/status", id="deleting a status"),
        pytest.param("POST", f"{PHP}/layers", id="writing what is computed"),
        pytest.param("GET", path("imagestreamimports"), id="listing a command"),
        pytest.param("GET", path("imagestreammappings"), id="listing pushes"),
        pytest.param("DELETE", f"{GV}/imagestreams", id="deleting the streams of all namespaces"),
        pytest.param("POST", f"{GV}/imagestreams", id="creating in no namespace"),
        pytest.param("DELETE", path("imagestreamtags"), id="deleting all tags"),
        pytest.param("GET", f"{GV}/imagesignatures", id="listing signatures"),
        pytest.param("OPTIONS", PHP, id="a method without a meaning"),
    ],
)
def test_a_verb_that_a_resource_lacks_is_not_allowed(api: Api, method, url):
    answer = api.send(method, url, code=405).json

    assert (answer["reason"], answer["message"], answer["details"]) == ("MethodNotAllowed", NOT_ALLOWED, {})


def test_a_view_cannot_be_watched(api: Api):
    answer = api.get(f"{path('imagestreamtags')}?watch=1", code=405)

    assert answer["message"] == 'watch is not supported on resources of kind "imagestreamtags.image.openshift.io"'


@pytest.mark.parametrize(
    ("url", "accept"),
    [
        pytest.param(STREAMS, "text/html", id="html"),
        pytest.param(STREAMS, "application/vnd.kubernetes.protobuf", id="nothing but protobuf"),
        pytest.param(path("imagestreamimports"), "application/json;as=Table;g=meta.k8s.io;v=v1", id="a command's rows"),
    ],
)
def test_a_format_that_there_is_not_is_not_acceptable(api: Api, url, accept):
    method = "GET" if url == STREAMS else "POST"

    answer = api.send(method, url, code=406, Accept=accept).json

    assert answer["reason"] == "NotAcceptable"
    assert "application/json" in answer["message"]


@pytest.mark.parametrize("kind", ["text/plain", "application/vnd.kubernetes.protobuf", "multipart/form-data"])
def test_a_body_in_another_format_is_not_read(api: Api, kind):
    answer = api.send("POST", STREAMS, stream(), code=415, Content_Type=kind).json

    assert answer["reason"] == "UnsupportedMediaType"
    assert answer["message"] == (
        "the body of the request was in an unknown format - accepted media types include:"
        " application/json, application/yaml"
    )


def test_a_body_without_a_type_is_json(api: Api):
    api.send("POST", STREAMS, stream(), code=201)


@pytest.mark.parametrize("size", [pytest.param(1, id="one byte over"), pytest.param(4 * MAX_BODY, id="far over")])
def test_a_body_over_the_limit_is_refused(api: Api, size):
    answer = api.send("POST", STREAMS, b" " * (MAX_BODY + size), code=413).json

    assert (answer["reason"], answer["message"]) == (
        "RequestEntityTooLarge",
        "Request entity too large: limit is 3145728",
    )


def test_a_body_of_exactly_the_limit_is_read(api: Api):
    body = json.dumps(stream()).encode()

    api.send("POST", STREAMS, body + b" " * (MAX_BODY - len(body)), code=201)


def test_an_unexpected_failure_says_nothing_of_its_cause(api: Api, store, monkeypatch, caplog):
    def burst(*_args, **_more):
        raise ValueError("the password is hunter2")

    monkeypatch.setattr(store, "get", burst)

    answer = api.send("GET", PHP, code=500)

    assert answer.json["reason"] == "InternalError"
    assert "hunter2" not in answer.get_data(as_text=True)
    assert "hunter2" in caplog.text


def test_a_storage_that_fails_is_unavailable_for_now(api: Api, store, monkeypatch):
    def locked(*_args, **_more):
        raise Busy("the database is locked")

    monkeypatch.setattr(store, "get", locked)

    answer = api.send("GET", PHP, code=503)

    assert (answer.json["reason"], answer.headers["Retry-After"]) == ("ServiceUnavailable", "1")


def test_the_audit_id_comes_back(api: Api):
    answer = api.send("GET", PHP, code=404, Audit_Id="6f0f0a1c")

    assert answer.headers["Audit-Id"] == "6f0f0a1c"


def test_a_namespace_must_exist_where_the_server_is_strict(serve):
    api = serve(strict=True)

    refused = api.post(STREAMS, stream(), code=404)
    assert refused["message"] == 'namespaces "shop" not found'
    assert refused["details"] == {"name": "shop", "kind": "namespaces"}

    api.post("/api/v1/namespaces", {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop"}})
    api.create("php")


@pytest.mark.parametrize("namespace", ["default", "kube-system", "kube-public", "kube-node-lease"])
def test_the_namespaces_that_every_cluster_has_need_not_be_made(serve, namespace):
    serve(strict=True).post(path("imagestreams", namespace=namespace), stream())


def test_any_namespace_will_do_where_it_is_not(api: Api):
    assert api.create("php")["metadata"]["namespace"] == "shop"


@pytest.mark.parametrize("code", [pytest.param(200, id="found"), pytest.param(404, id="not found")])
def test_the_head_of_an_answer_is_that_of_the_whole(api: Api, code):
    if code == 200:
        api.create("php")

    answer = api.send("HEAD", PHP, code=code)

    assert (answer.data, answer.content_type) == (b"", "application/json")
