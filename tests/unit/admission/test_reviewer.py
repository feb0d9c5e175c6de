"""Reviews under a configuration: what is patched, refused, warned of and logged."""

import json
import logging

import jsonpatch
import msgspec
import pytest

from tests.unit.admission.objects import configured, pod, workload
from tests.unit.admission.streams import V1
from tests.unit.admission.test_endpoint import REVIEWS, ask, call, endpoint_of, operations, review
from webhook.admission import notices
from webhook.admission.endpoint import VALIDATE_PATH, AdmissionEndpoint
from webhook.admission.locations import ORIGINS
from webhook.view.index import View

APP = f"quay.io/team/app@{V1}"
DEFAULT, STRICT = configured(), configured(strict=True)
REQUIRED = configured("resolveImages: Required")
WORKFLOWS = configured(
    customResources=[{"group": "argoproj.io", "resource": "workflows", "images": ["spec.steps[*].image"]}],
    recordOrigin=True,
)


def patched(obj, under, resource="pods", group="", **more):
    asked = review(obj, resource, group, **more)
    return jsonpatch.apply_patch(obj, operations(ask(asked, endpoint_of(policy=under))))


def test_the_patch_rewrites_and_records():
    before = pod("app:v1", labels={"app": "web"})
    after = patched(before, DEFAULT)
    (text,) = after["metadata"].pop("annotations").values()
    assert json.loads(text)["c0"]["image"] == APP
    assert after == pod(APP, labels={"app": "web"})


def test_annotations_that_are_there_stay():
    after = patched(pod("app:v1", annotations={"note": "app:v1"}), DEFAULT)
    assert set(after["metadata"]["annotations"]) == {"note", ORIGINS}
    assert after["metadata"]["annotations"]["note"] == "app:v1"


def test_a_strict_patch_only_replaces():
    assert operations(ask(review(pod("app:v1")), endpoint_of(policy=STRICT))) == [
        {"op": "replace", "path": "/spec/containers/0/image", "value": APP}
    ]


def test_operations_can_be_tested():
    under = configured(testOperations=True, recordOrigin=False)
    assert operations(ask(review(pod("app:v1")), endpoint_of(policy=under))) == [
        {"op": "test", "path": "/spec/containers/0/image", "value": "app:v1"},
        {"op": "replace", "path": "/spec/containers/0/image", "value": APP},
    ]


def test_a_custom_resource_of_any_shape_keeps_its_metadata():
    obj = {"metadata": {"name": "x", "labels": {"a": "b"}}, "spec": {"template": 7, "steps": [{"image": "app:v1"}]}}
    after = patched(obj, WORKFLOWS, "workflows", "argoproj.io")
    assert after["spec"]["steps"] == [{"image": APP}]
    assert (after["metadata"]["labels"], ORIGINS in after["metadata"]["annotations"]) == ({"a": "b"}, True)


@pytest.mark.parametrize("obj", [{"metadata": 7}, {"metadata": {"annotations": []}, "spec": {"steps": []}}])
def test_a_custom_resource_with_odd_metadata_is_let_through_with_a_warning(obj):
    response = ask(review(obj, "workflows", "argoproj.io"), endpoint_of(policy=WORKFLOWS))
    assert (response["allowed"], response["warnings"]) == (True, [notices.UNREADABLE])


def test_labels_are_read_where_objects_are_skipped_by_them():
    under = configured(skip={"objects": {"matchLabels": {"lookup": "none"}}})
    assert "patch" not in ask(review(pod("app:v1", labels={"lookup": "none"})), endpoint_of(policy=under))
    assert "patch" in ask(review(pod("app:v1", labels={"lookup": "all"})), endpoint_of(policy=under))


def test_a_refusal_is_invalid_with_causes():
    asked = review(pod("ghost:1"), kind={"group": "", "version": "v1", "kind": "Pod"})
    response = ask(asked, endpoint_of(policy=REQUIRED))
    assert response["allowed"] is False
    assert response["status"] == {
        "code": 422,
        "reason": "Invalid",
        "message": 'Pod "web" is invalid: spec.containers[0].image: Forbidden: this image is prohibited by policy: ',
        "details": {
            "name": "web",
            "kind": "Pod",
            "causes": [
                {
                    "reason": "FieldValueForbidden",
                    "message": "Forbidden: this image is prohibited by policy: ",
                    "field": "spec.containers[0].image",
                }
            ],
        },
    }


def validated(obj, under=REQUIRED):
    status, _, body = call(endpoint_of(policy=under), json.dumps(review(obj)).encode(), path=VALIDATE_PATH)
    assert status == 200
    return json.loads(body)["response"]


def test_validation_patches_nothing_and_warns_of_nothing():
    uid = "1c27752f-ba42-4d48-a756-29c4c5306f80"
    assert validated(pod("app:v1")) == {"uid": uid, "allowed": True}
    assert validated(pod("closed:v1"), DEFAULT) == {"uid": uid, "allowed": True}


def test_validation_says_that_it_is_validation():
    assert validated(pod("ghost:1"))["status"]["message"].startswith(
        'error in image policy validation: Pod "web" is invalid: '
    )


@pytest.mark.parametrize(("under", "warning"), [(DEFAULT, [notices.OVERLOAD]), (REQUIRED, None)])
def test_with_too_much_to_do_objects_pass_unless_something_may_be_refused(under, warning):
    endpoint = AdmissionEndpoint(None, endpoint_of(policy=under).reviewer, most=0)
    response = ask(review(pod("ghost:1")), endpoint)
    assert (response["allowed"], response.get("warnings")) == (warning is not None, warning)


def absurd():
    return review({"spec": {"containers": [{}] * 300_000}})


def test_an_object_of_absurdly_many_parts_is_let_through_unread():
    response = ask(absurd(), endpoint_of(policy=DEFAULT))
    assert (response["allowed"], response["warnings"]) == (True, [notices.UNREADABLE])


def test_but_not_past_a_policy_that_refuses():
    response = ask(absurd(), endpoint_of(policy=REQUIRED))
    assert (response["allowed"], response["status"]["code"]) == (False, 403)


def test_a_name_that_looks_like_a_streams_is_warned_of():
    (warning,) = ask(review(pod("closed:v1")), endpoint_of(policy=DEFAULT))["warnings"]
    assert warning.startswith("closed:v1 stays as written: ")


def test_each_object_that_is_rewritten_is_one_line_in_the_log(caplog):
    caplog.set_level(logging.INFO)
    asked = review(workload("app:v1", "nginx", "app:v1"), "deployments", "apps", dryRun=True)
    asked["request"]["kind"]["kind"] = "Deployment"
    ask(asked, endpoint_of(policy=DEFAULT))
    ask(review(pod("nginx")), endpoint_of(policy=DEFAULT))
    (line,) = caplog.records
    assert line.getMessage() == f"deployments shop/web: app:v1 -> {APP} and 1 more"
    assert line.fields.pop("duration_ms") > 0
    assert line.fields == {
        "uid": "1c27752f-ba42-4d48-a756-29c4c5306f80",
        "namespace": "shop",
        "kind": "Deployment",
        "name": "web",
        "operation": "CREATE",
        "dryRun": True,
        "images": [{"from": "app:v1", "to": APP, "reason": "Resolved"}] * 2,
    }


def test_a_generated_name_is_logged_as_what_it_comes_from(caplog):
    caplog.set_level(logging.INFO)
    ask(review({"metadata": {"generateName": "web-"}, "spec": pod("app:v1")["spec"]}), endpoint_of(policy=DEFAULT))
    assert caplog.records[0].fields["generateName"] == "web-"


def test_no_name_can_write_a_line_of_its_own_into_the_log(caplog):
    caplog.set_level(logging.INFO)
    ask(review(pod("app:v1"), name="web\n12:00:00 all is well\x1b[2J"), endpoint_of(policy=DEFAULT))
    assert caplog.records[0].getMessage().isprintable()


class Broken(View):
    """A view whose `part` fails."""

    def __init__(self, part):
        super().__init__()
        self._part = part

    def __getattribute__(self, name):
        if not name.startswith("_") and name == self._part:
            raise RuntimeError("a fault of ours")
        return super().__getattribute__(name)


SECRET = {"name": "TOKEN", "value": "hunter2"}
SECRETIVE = {
    "metadata": {"name": "web", "annotations": {"last-applied": "hunter2"}},
    "spec": {"containers": [{"name": "web", "image": "app:v1", "env": [SECRET]}]},
}


@pytest.mark.parametrize(
    ("endpoint", "changed", "warning"),
    [
        pytest.param(endpoint_of(Broken("stream"), policy=DEFAULT), {}, notices.FAULT, id="the view"),
        pytest.param(endpoint_of(Broken("ready"), policy=STRICT), {}, notices.FAULT, id="whether it is ready"),
        pytest.param(
            endpoint_of(policy=DEFAULT),
            {"spec": {"containers": [{"image": ["hunter2"]}]}},
            notices.UNREADABLE,
            id="odd",
        ),
        pytest.param(
            endpoint_of(policy=msgspec.structs.replace(DEFAULT, max_images=None)), {}, notices.FAULT, id="the policy"
        ),
    ],
)
def test_a_fault_is_a_warning_and_shows_nothing_of_the_object(caplog, endpoint, changed, warning):
    caplog.set_level(logging.DEBUG)
    response = ask(review({**SECRETIVE, **changed}), endpoint)
    assert (response["allowed"], response["warnings"], "patch" in response) == (True, [warning], False)
    assert caplog.records
    assert "hunter2" not in caplog.text + json.dumps(response)


def test_what_is_logged_of_an_object_are_its_name_and_images(caplog):
    caplog.set_level(logging.DEBUG)
    for under in (DEFAULT, REQUIRED):
        for image in ("app:v1", "ghost:1"):
            obj = {**SECRETIVE, "spec": {"containers": [{"name": "web", "image": image, "env": [SECRET]}]}}
            ask(review(obj), endpoint_of(policy=under))
    assert len(caplog.records) == 3
    assert "hunter2" not in caplog.text + "".join(str(one.__dict__) for one in caplog.records)


def test_a_refusal_is_logged_with_its_reason(caplog):
    caplog.set_level(logging.INFO)
    ask(review(pod("ghost:1")), endpoint_of(policy=REQUIRED))
    assert "is refused: " in caplog.records[0].getMessage()


@pytest.mark.parametrize("path", sorted(REVIEWS.glob("*.json")), ids=lambda path: path.stem)
def test_recorded_reviews_that_went_through_once_are_left_alone_afterwards(path):
    from tests.unit.admission.test_endpoint import CAPTURED

    endpoint = endpoint_of(CAPTURED, policy=DEFAULT)
    asked = json.loads(path.read_text())["review"]
    after = jsonpatch.apply_patch(asked["request"]["object"], operations(ask(asked, endpoint)))
    again = {**asked, "request": {**asked["request"], "object": after}}
    assert operations(ask(again, endpoint)) == []
