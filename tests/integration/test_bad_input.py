"""What is wrong is refused with a clear answer, and the server goes on: requests, data folders, ports, registries."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.integration import fakes
from tests.integration.api import IMPORTS, STREAMS, Answer, Api, give, import_request, stream
from tests.integration.servers import Server, free_port, until
from webhook.tls.authority import Authority

DIGEST = "sha256:" + "e5" * 32
SOURCE = "quay.io/library/php"
REVIEW = "/admission/mutate"


def refused(answer: Answer, code: int, reason: str) -> str:
    """The message of a Status with this code and reason."""
    assert (answer.code, answer.json["kind"], answer.json["reason"]) == (code, "Status", reason), answer.body
    return answer.json["message"]


def causes(answer: Answer) -> list[str]:
    """The fields that a 422 complains about."""
    return [cause["field"] for cause in answer.json["details"]["causes"]]


@pytest.mark.parametrize(
    "body",
    [b"{", b"", b"[]", b'"text"', b"\xff\xfe{}", b"[" * 100_000, b'{"kind":"ImageStream"'],
    ids=["cut off", "empty", "a list", "a text", "not UTF-8", "nested without end", "cut off later"],
)
def test_malformed_json_is_a_bad_request(api, namespace, body):
    refused(api.post(STREAMS.format(namespace), body), 400, "BadRequest")


@pytest.mark.parametrize(
    "body",
    [
        "kind: [",
        "a: b: c",
        "\tkind: ImageStream",
        "- just\n- a list",
        "&a [*a, *a]",
        "!!python/none x",
    ],
    ids=["an open bracket", "two colons", "a tab", "a list", "an anchor in itself", "a python tag"],
)
def test_malformed_yaml_is_a_bad_request(api, namespace, body):
    refused(api.call("POST", STREAMS.format(namespace), body, "application/yaml"), 400, "BadRequest")


def test_yaml_that_explodes_is_refused(api, namespace):
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
    bomb += "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    answer = api.call("POST", STREAMS.format(namespace), bomb, "application/yaml")
    assert answer.code in (400, 413), answer.body[:300]


def test_another_kind_is_a_bad_request(api, namespace):
    body = {**stream("php"), "kind": "Image"}
    refused(api.post(STREAMS.format(namespace), body), 400, "BadRequest")


def test_another_version_is_a_bad_request(api, namespace):
    body = {**stream("php"), "apiVersion": "image.openshift.io/v2"}
    refused(api.post(STREAMS.format(namespace), body), 400, "BadRequest")


@pytest.mark.parametrize("name", ["PHP", "php__8", "-php", "php/8", "..", "a" * 300])
def test_a_name_that_no_stream_can_have_is_invalid(api, namespace, name):
    answer = api.post(STREAMS.format(namespace), stream(name))
    refused(answer, 422, "Invalid")
    assert set(causes(answer)) == {"metadata.name"}


def test_no_name_is_invalid(api, namespace):
    refused(api.post(STREAMS.format(namespace), stream("")), 422, "Invalid")


@pytest.mark.parametrize("reference", ["Foo/Bar:1", "https://quay.io/x", "a:b:c", "x@md5:12", " "])
def test_a_source_that_is_no_reference_is_invalid(api, namespace, reference):
    tag = {"name": "latest", "from": {"kind": "DockerImage", "name": reference}}
    answer = api.post(STREAMS.format(namespace), stream("php", tags=[tag]))
    refused(answer, 422, "Invalid")
    assert causes(answer) == ["spec.tags[latest].from.name"]


@pytest.mark.parametrize("name", ["php", "php:", ":8.2", "php:8:2", "php@8.2"])
def test_a_stream_tag_without_its_two_halves_is_a_bad_request(api, namespace, name):
    path = f"/apis/image.openshift.io/v1/namespaces/{namespace}/imagestreamtags/{name}"
    refused(api.get(path), 400, "BadRequest")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"spec": "text"}, "spec"),
        ({"spec": {"tags": {}}}, "tags"),
        ({"spec": {"lookupPolicy": {"local": "yes"}}}, "local"),
        ({"metadata": {"name": 5}}, "name"),
        ({"metadata": {"name": "php", "labels": {"a": 1}}}, "labels"),
    ],
    ids=["a text for an object", "an object for a list", "a text for a bool", "a number for a name", "a number label"],
)
def test_a_value_of_the_wrong_type_is_a_bad_request(api, namespace, body, field):
    answer = api.post(STREAMS.format(namespace), {**stream("php"), **body})
    assert field in refused(answer, 400, "BadRequest")


def test_a_body_of_4_mib_is_too_large_and_the_next_request_works(api, namespace):
    body = stream("php")
    body["metadata"]["annotations"] = {"long": "x" * 4 * 1024 * 1024}
    refused(api.post(STREAMS.format(namespace), body), 413, "RequestEntityTooLarge")
    assert api.get(STREAMS.format(namespace)).code == 200


def test_unknown_fields_are_refused_when_validation_is_strict(api, namespace):
    body = stream("php")
    body["spec"]["bogus"] = 1
    message = refused(api.post(f"{STREAMS.format(namespace)}?fieldValidation=Strict", body), 400, "BadRequest")
    assert 'unknown field "spec.bogus"' in message


def test_unknown_fields_are_warned_about_and_dropped_otherwise(api, namespace):
    body = stream("php")
    body["spec"]["bogus"] = 1
    answer = api.post(STREAMS.format(namespace), body)
    assert answer.code == 201
    assert 'unknown field \\"spec.bogus\\"' in answer.headers["Warning"]
    assert "bogus" not in answer.json["spec"]


def test_a_wrong_token_is_unauthorized(server, namespace):
    with Api(server, token="wrong") as stranger:
        refused(stranger.get(STREAMS.format(namespace)), 401, "Unauthorized")


def test_an_unknown_path_is_not_found(api):
    refused(api.get("/apis/image.openshift.io/v1/nothing"), 404, "NotFound")


def test_an_unknown_verb_is_not_allowed(api, namespace):
    refused(api.get(IMPORTS.format(namespace)), 405, "MethodNotAllowed")


def test_a_patch_without_a_type_is_unsupported(api, namespace):
    assert api.post(STREAMS.format(namespace), stream("php")).code == 201
    answer = api.call("PATCH", f"{STREAMS.format(namespace)}/php", b"{}", "application/json")
    refused(answer, 415, "UnsupportedMediaType")


# The admission endpoint: never 5xx for what it could admit unchanged.


def review(pod: object, **more: object) -> dict:
    request = {
        "uid": "1-2-3",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "namespace": "any",
        "operation": "CREATE",
        "object": pod,
        **more,
    }
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}


def pod_of(containers: object) -> dict:
    return {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web"}, "spec": {"containers": containers}}


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_truncated_review_is_a_bad_request(api, share):
    whole = json.dumps(review(pod_of([{"name": "web", "image": "php:8.2"}]))).encode()
    answer = api.post(REVIEW, whole[: int(len(whole) * share)])
    assert answer.code in (200, 400), answer.body
    assert answer.code == 400 or answer.json["response"]["allowed"]


@pytest.mark.parametrize(
    "pod",
    [
        None,
        [],
        "text",
        {},
        {"spec": None},
        pod_of(None),
        pod_of({}),
        pod_of("text"),
        pod_of([None]),
        pod_of(["text"]),
        pod_of([{"name": "web"}]),
        pod_of([{"name": "web", "image": 5}]),
        pod_of([{"name": None, "image": None}]),
        {**pod_of([]), "metadata": "text"},
        {**pod_of([]), "metadata": {"annotations": []}},
        {**pod_of([]), "metadata": {"ownerReferences": "text"}},
        pod_of([{"name": "web", "image": "x" * 100_000}]),
    ],
    ids=range(17),
)
def test_a_strange_object_is_admitted_unchanged(api, pod):
    answer = api.post(REVIEW, review(pod))
    assert answer.code == 200, answer.body
    response = answer.json["response"]
    assert (response["uid"], response["allowed"]) == ("1-2-3", True)
    assert "patch" not in response


@pytest.mark.parametrize(
    "body",
    [{}, {"request": None}, {"request": {}}, {"kind": "Pod"}, [], {**review({}), "apiVersion": "admission.k8s.io/v9"}],
    ids=["empty", "no request", "an empty request", "a Pod", "a list", "another version"],
)
def test_what_is_no_review_is_a_bad_request(api, body):
    assert api.post(REVIEW, body).code in (200, 400)


def test_a_pod_with_10000_containers_is_resolved_whole(api, namespace):
    assert api.post(STREAMS.format(namespace), stream("php", lookup=True)).code == 201
    give(api, namespace, "php", "8.2", SOURCE, DIGEST)
    pod = pod_of([{"name": f"c{number}", "image": "php:8.2"} for number in range(10_000)])
    answer = api.post(f"/api/v1/namespaces/{namespace}/pods?dryRun=All", pod)
    assert answer.code == 201, answer.body[:300]
    assert {one["image"] for one in answer.json["spec"]["containers"]} == {f"{SOURCE}@{DIGEST}"}
    reviewed = api.post(REVIEW, review(pod, namespace=namespace))
    assert (reviewed.code, reviewed.json["response"]["allowed"]) == (200, True)


def test_a_review_of_4_mib_is_answered(api):
    pod = pod_of([{"name": "web", "image": "php:8.2", "env": [{"name": "LONG", "value": "x" * 4 * 1024 * 1024}]}])
    assert api.post(REVIEW, review(pod)).code in (200, 413)


# The server itself: one sentence and a way out.


def fails_to_serve(data: Path, port: int) -> str:
    """What `serve` prints when it cannot start."""
    command = [sys.executable, "-m", "webhook", "serve", "--data", str(data), "--listen", f"127.0.0.1:{port}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode != 0
    text = done.stdout + done.stderr
    assert "Traceback" not in text
    return text


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in fails_to_serve(tmp_path / "file" / "data", free_port())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_folder_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    assert str(tmp_path) in fails_to_serve(tmp_path / "data", free_port())


def test_a_database_that_is_none_is_named(tmp_path):
    (tmp_path / "state.db").write_bytes(b"this is no database " * 500)
    assert "state.db" in fails_to_serve(tmp_path, free_port())


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert str(port) in fails_to_serve(tmp_path, port)


def test_a_second_server_on_the_same_data_is_refused(server):
    assert str(server.data) in fails_to_serve(server.data, free_port())


def test_an_expired_certificate_is_renewed_at_the_start(tmp_path):
    data = tmp_path / "data"
    (data / "pki").mkdir(parents=True)
    Authority(data / "pki").ensure(["127.0.0.1", "localhost"], now=datetime.now(UTC) - timedelta(days=400))
    before = (data / "pki" / "ca.crt").read_text()
    with Server(data, "--no-controllers") as server:
        assert server.authority() == before


# Registries: an import answers 201, and says for each image what went wrong.


def outcome(api: Api, namespace: str, source: str, insecure: bool = True) -> dict:
    answer = api.post(IMPORTS.format(namespace), import_request("app", (source, "v1"), insecure=insecure))
    assert answer.code == 201, answer.body
    found = answer.json["status"]["images"][0]
    assert "image" not in found
    return found["status"]


@pytest.mark.parametrize("registry", [fakes.Liar, fakes.Html, fakes.Garbage], ids=["lies", "answers HTML", "garbage"])
def test_a_registry_without_sense_is_an_error_of_that_image(api, namespace, registry):
    with fakes.serving(registry) as address:
        status = outcome(api, namespace, f"{address}/library/php@{DIGEST}")
    assert (status["code"], status["reason"]) == (500, "InternalError")
    assert address in status["message"]
    assert "Traceback" not in status["message"]


@pytest.mark.parametrize("registry", [fakes.Html, fakes.Garbage], ids=["answers HTML", "garbage"])
def test_by_tag_too(api, namespace, registry):
    with fakes.serving(registry) as address:
        status = outcome(api, namespace, f"{address}/library/php:8.2")
    assert (status["code"], status["reason"]) == (500, "InternalError")


def test_a_registry_that_nobody_runs_is_an_error_of_that_image(api, namespace):
    status = outcome(api, namespace, f"127.0.0.1:{free_port()}/library/php:8.2")
    assert (status["code"], status["reason"]) == (500, "InternalError")
    assert "refused" in status["message"]


def test_a_registry_with_an_expired_certificate_is_an_error_of_that_image(api, namespace):
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with fakes.serving(fakes.Html, context) as address:
        status = outcome(api, namespace, f"{address}/library/php:8.2", insecure=False)
    assert (status["code"], status["reason"]) == (500, "InternalError")
    assert "certificate" in status["message"]


def test_a_registry_that_hangs_is_given_up_while_others_are_served(api, namespace):
    with fakes.serving(fakes.Hang) as address:
        request = import_request("app", (f"{address}/library/php:8.2", "v1"))
        answer = api.post(IMPORTS.format(namespace), request)
    assert answer.code == 201, answer.body
    status = answer.json["status"]["images"][0]["status"]
    assert status["reason"] in ("InternalError", "Timeout"), status


def test_the_server_has_logged_no_traceback(server, api):
    """Stands last: whatever came before, nothing surprised the server."""
    until(lambda: api.get("/readyz").code == 200, "/readyz")
    assert "Traceback" not in server.output()
