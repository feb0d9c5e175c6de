"""Reviews as an API server sends them, and everything else that may arrive: api-server contract 8."""

import base64
import io
import json
import sys
import threading
from pathlib import Path

import jsonpatch
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.admission.streams import INTEGRATED, V1, V2, event, stream, view
from webhook.admission import notices
from webhook.admission.endpoint import MAX_BODY, PATH, AdmissionEndpoint
from webhook.admission.policy import Policy
from webhook.admission.reviewer import Reviewer
from webhook.view.index import View

REVIEWS = Path(__file__).parent / "reviews"
POLICY = Policy(INTEGRATED)
CAPTURED = View.from_objects(
    [
        stream(
            "capture",
            "php",
            local=True,
            latest=event("quay.io/php/php:latest", V1),
            **{tag: event(f"quay.io/php/php:{tag}", V2) for tag in ("7.4", "8.1", "8.2", "8.2-cli")},
        ),
        stream("capture", "agent", local=True, **{"1": event("quay.io/acme/agent:1", V1)}),
    ]
)


def other(environ, start_response):
    start_response("404 Not Found", [])
    return [b"the application"]


def call(endpoint, body=b"", method="POST", path=PATH, **environ):
    seen = {}

    def start_response(status, headers):
        seen.update(status=int(status[:3]), headers=dict(headers))

    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "timeout=5s",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **environ,
    }
    answer = b"".join(endpoint(environ, start_response))
    return seen["status"], seen["headers"], answer


def endpoint_of(streams=None, *, policy=POLICY, observe=lambda *_: None, most=sys.maxsize, **more):
    reviewer = Reviewer(view() if streams is None else streams, lambda: policy, **more)
    return AdmissionEndpoint(other, reviewer, observe=observe, most=most)


ENDPOINT = endpoint_of()


def review(obj, resource="pods", group="", **request):
    request = {
        "uid": "1c27752f-ba42-4d48-a756-29c4c5306f80",
        "kind": {"group": group, "version": "v1", "kind": "Pod"},
        "resource": {"group": group, "version": "v1", "resource": resource},
        "namespace": "shop",
        "operation": "CREATE",
        "object": obj,
        "oldObject": None,
        **request,
    }
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}


def ask(asked, endpoint=ENDPOINT):
    status, headers, body = call(endpoint, json.dumps(asked).encode())
    assert (status, headers["Content-Type"]) == (200, "application/json")
    answered = json.loads(body)
    assert (answered["apiVersion"], answered["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    assert answered["response"]["uid"] == asked["request"]["uid"]
    return answered["response"]


def operations(response):
    assert ("patch" in response) == ("patchType" in response)
    return json.loads(base64.b64decode(response["patch"])) if "patch" in response else []


def pod(*images):
    return {
        "metadata": {"name": "web"},
        "spec": {"containers": [{"name": f"c{i}", "image": x} for i, x in enumerate(images)]},
    }


PHP_V1, PHP_V2 = f"quay.io/php/php@{V1}", f"quay.io/php/php@{V2}"
TEMPLATE = "/spec/template/spec/containers/0/image"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("001-create-pods", {"/spec/initContainers/0/image": PHP_V2, "/spec/containers/0/image": PHP_V1}),
        ("003-create-deployments", {TEMPLATE: PHP_V2}),
        ("004-create-statefulsets", {}),
        ("005-create-daemonsets", {TEMPLATE: f"quay.io/acme/agent@{V1}"}),
        ("006-create-replicasets", {}),
        ("007-create-replicationcontrollers", {TEMPLATE: PHP_V1}),
        ("008-create-podtemplates", {}),
        ("009-create-jobs", {TEMPLATE: PHP_V2}),
        ("010-create-cronjobs", {"/spec/jobTemplate/spec/template/spec/containers/0/image": PHP_V2}),
        ("012-create-pods", {"/spec/containers/0/image": PHP_V1}),
        ("013-update-deployments", {TEMPLATE: PHP_V2}),
        ("014-update-deployments-scale", {}),
        ("015-update-deployments", {}),
        ("016-update-pods", {}),
        ("017-update-pods-ephemeralcontainers", {}),
        ("018-update-cronjobs", {}),
        ("019-update-pods", {"/spec/containers/1/image": PHP_V2}),
    ],
)
def test_a_review_recorded_from_an_api_server_is_answered(name, expected):
    asked = json.loads((REVIEWS / f"{name}.json").read_text())["review"]
    response = ask(asked, endpoint_of(CAPTURED))
    assert response["allowed"] is True
    patch = operations(response)
    assert patch == [{"op": "replace", "path": path, "value": value} for path, value in expected.items()]
    jsonpatch.apply_patch(asked["request"]["object"], patch)


def test_nothing_to_do_is_answered_without_a_patch():
    assert ask(review(pod("nginx"))) == {"uid": "1c27752f-ba42-4d48-a756-29c4c5306f80", "allowed": True}


def test_a_refusal_carries_code_and_reason():
    asked = review({"metadata": {"name": "web"}, "spec": {}}, "replicationcontrollers")
    response = ask(asked)
    assert response["allowed"] is False
    assert (response["status"]["code"], response["status"]["reason"]) == (403, "Forbidden")


@pytest.mark.parametrize("namespace", ["default", "labelled"])
def test_platform_namespaces_are_left_alone(namespace):
    labels = {"labelled": {"metadata": {"labels": {"openshift.io/run-level": "0"}}}}
    endpoint = endpoint_of(
        View.from_objects([stream(namespace, "app", local=True, v1=event("q.io/a/b:1", V1))]), namespaces=labels.get
    )
    assert operations(ask(review(pod("app:v1"), namespace=namespace), endpoint)) == []


def test_a_namespace_that_cannot_be_read_is_an_ordinary_one():
    def broken(_):
        raise OSError("no route to host")

    assert operations(ask(review(pod("app:v1")), endpoint_of(namespaces=broken)))


def test_an_internal_fault_admits_unchanged_with_a_warning():
    class Broken:
        ready = True

        def stream(self, namespace, name):
            raise RuntimeError("lost")

    response = ask(review(pod("app:v1")), endpoint_of(Broken()))
    assert response["allowed"] is True
    assert operations(response) == []
    assert response["warnings"]


def test_a_view_that_is_not_filled_yet_is_admitted_with_a_warning():
    response = ask(review(pod("app:v1")), endpoint_of(View()))
    assert response["allowed"] is True
    assert response["warnings"]


@pytest.mark.parametrize(
    "spec",
    ["no object", [], {"containers": 1}, {"containers": [{"image": 7}]}, {"containers": {"0": {"image": "app:v1"}}}],
)
def test_an_object_of_an_odd_shape_is_admitted_with_a_warning(spec):
    response = ask(review({"metadata": {"name": "web"}, "spec": spec}))
    assert (response["allowed"], operations(response)) == (True, [])
    assert response["warnings"]


def test_an_odd_shape_of_a_kind_that_is_not_covered_is_nobodys_business():
    assert "warnings" not in ask(review({"spec": [1, 2]}, "widgets", "example.com"))


def test_an_observer_that_fails_does_no_harm():
    def observe(outcome, images, seconds):
        raise RuntimeError("no space left on device")

    assert operations(ask(review(pod("app:v1")), endpoint_of(observe=observe)))


def test_the_observer_sees_outcome_and_images():
    seen = []
    endpoint = endpoint_of(observe=lambda outcome, images, seconds: seen.append((outcome, len(images))))
    ask(review(pod("app:v1", "nginx")), endpoint)
    ask(review(pod("nginx")), endpoint)
    call(endpoint, b"?")
    assert seen == [("rewritten", 2), ("allowed", 1), ("malformed", 0)]


def test_a_worker_with_too_much_to_do_admits_unchanged_at_once():
    waiting, go_on, outcomes = threading.Event(), threading.Event(), []

    class Slow(View):
        def stream(self, namespace, name):
            waiting.set()
            assert go_on.wait(10)
            return CAPTURED.stream("capture", "php")

    endpoint = endpoint_of(Slow(), most=1, observe=lambda outcome, *_: outcomes.append(outcome))
    slow = threading.Thread(target=ask, args=(review(pod("php:8.2")), endpoint))
    slow.start()
    assert waiting.wait(10)
    response = ask(review(pod("php:8.2")), endpoint)
    go_on.set()
    slow.join(10)
    assert response["allowed"]
    assert "too much to do" in response["warnings"][0]
    assert "patch" not in response
    assert outcomes == ["overloaded", "rewritten"]
    assert "patch" in ask(review(pod("php:8.2")), endpoint)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'"\\ud800"',
        b"[" * 100_000,
        b"{}",
        b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1","request":{"uid":"1"}}',
        b'{"kind":"Pod","apiVersion":"admission.k8s.io/v1","request":{"uid":"1"}}',
        b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}',
        b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":""}}',
        b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":7}}',
    ],
)
def test_malformed_bytes_are_400_with_one_sentence(body):
    status, headers, text = call(ENDPOINT, body)
    assert status == 400
    assert text.decode().count("\n") == 1
    assert int(headers["Content-Length"]) == len(text)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_other_methods_are_405(method):
    status, headers, _ = call(ENDPOINT, method=method)
    assert (status, headers["Allow"]) == (405, "POST")


def test_other_paths_are_the_applications():
    assert call(ENDPOINT, path="/healthz")[2] == b"the application"


def test_a_body_over_the_limit_is_413():
    assert call(ENDPOINT, CONTENT_LENGTH=str(MAX_BODY + 1))[0] == 413
    chunked = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    assert call(ENDPOINT, b" " * (MAX_BODY + 1), **chunked)[0] == 413


def test_a_chunked_body_is_read():
    body = json.dumps(review(pod("app:v1"))).encode()
    assert call(ENDPOINT, body, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")[0] == 200


def test_a_body_that_breaks_off_is_400():
    class Torn:
        def read(self, size):
            raise TimeoutError("timed out")

    assert call(ENDPOINT, b"x", **{"wsgi.input": Torn()})[0] == 400


def test_ten_thousand_containers_are_no_trouble():
    old, new = pod(*["nginx"] * 10_000), pod(*["app:v1"] * 10_000)
    response = ask(review(new, operation="UPDATE", oldObject=old))
    patched = jsonpatch.apply_patch(new, operations(response), in_place=True)
    assert {one["image"] for one in patched["spec"]["containers"]} == {f"quay.io/team/app@{V1}"}


def test_more_images_than_that_stay_as_they_are():
    assert ask(review(pod(*["app:v1"] * 10_001))) == {
        "uid": "1c27752f-ba42-4d48-a756-29c4c5306f80",
        "allowed": True,
        "warnings": [notices.TOO_MANY],
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["app:v1", "*"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["metadata", "spec", "template", "containers", "image", "name", "annotations", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.binary())
@example(b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"1","object":' + b"[" * 5000)
def test_any_bytes_are_answered(body):
    assert call(ENDPOINT, body)[0] in (200, 400)


@given(st.sampled_from(["pods", "deployments", "cronjobs", "builds", "replicationcontrollers"]), JSON, JSON)
def test_any_object_is_answered(resource, obj, old):
    group = {"deployments": "apps", "cronjobs": "batch", "builds": "build.openshift.io"}.get(resource, "")
    response = ask(review(obj, resource, group, operation="UPDATE", oldObject=old))
    assert response["allowed"] or response["status"]["code"] == 403
