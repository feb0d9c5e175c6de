"""The annotation that records where images came from: never in a template, and still after a second look."""

import json

import pytest

from tests.unit.admission.objects import configured, pod, verdict, workload
from tests.unit.admission.streams import INTEGRATED, V1, V2
from webhook.admission import origins, patch
from webhook.admission.locations import ORIGINS
from webhook.admission.review import Annotations, Meta

DEFAULT = configured()
APP = f"quay.io/team/app@{V1}"
RECORD = {"written": "app:v1", "image": APP, "stream": "shop/app", "tag": "v1", "generation": 1}


def recorded(resource, obj, old=None, under=DEFAULT):
    text = verdict(resource, obj, old, under=under).annotation
    return None if text is None else json.loads(text)


def admitted(resource, obj, old=None):
    found = verdict(resource, obj, old, under=DEFAULT)
    return patch.apply(obj, found.changes, found.annotation)


def test_each_image_is_recorded_by_its_container():
    assert recorded("pods", pod("app:v1", "nginx", init=["app:nope"])) == {
        "c0": RECORD,
        "i0": {
            "written": "app:nope",
            "image": f"{INTEGRATED}/shop/app:nope",
            "stream": "shop/app",
            "tag": "nope",
        },
    }


def test_an_image_volume_and_a_build_are_recorded_by_place():
    obj = pod("nginx")
    obj["spec"]["volumes"] = [{"name": "data", "image": {"reference": "app:v1"}}]
    assert recorded("pods", obj) == {"volume/data": RECORD}
    build = {"spec": {"strategy": {"dockerStrategy": {"from": {"kind": "DockerImage", "name": "app:v1"}}}}}
    assert recorded("builds.build.openshift.io", build) == {"spec.strategy.dockerStrategy.from.name": RECORD}


def test_it_stands_on_the_object_and_not_in_its_template():
    after = admitted("deployments.apps", workload("app:v1"))
    assert json.loads(after["metadata"]["annotations"][ORIGINS]) == {"c0": RECORD}
    assert "annotations" not in after["spec"]["template"]["metadata"]


@pytest.mark.parametrize("resource", ["pods", "deployments.apps"])
def test_a_second_look_changes_nothing(resource):
    after = admitted(resource, pod("app:v1") if resource == "pods" else workload("app:v1"))
    again = verdict(resource, after, under=DEFAULT)
    assert (again.changes, again.annotation) == ([], None)


def test_an_update_keeps_what_is_still_true_and_adds_what_is_new():
    stored = admitted("deployments.apps", workload("app:v1", "php"))
    sent = workload("app:v2", "php")
    sent["metadata"] = stored["metadata"]
    sent["spec"]["template"]["spec"]["containers"][1]["image"] = f"docker.io/library/php@{V1}"
    after = recorded("deployments.apps", sent, stored)
    assert (after["c0"]["image"], after["c1"]["written"]) == (f"quay.io/team/app@{V2}", "php")


def test_what_is_no_longer_there_is_forgotten():
    stored = admitted("deployments.apps", workload("app:v1", "php"))
    sent = workload("nginx")
    sent["metadata"] = stored["metadata"]
    assert recorded("deployments.apps", sent, stored) == {}


OLD = {"annotations": {ORIGINS: json.dumps({"c0": {**RECORD, "image": "quay.io/team/app:old"}})}}
DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "controller": True}


@pytest.mark.parametrize(
    ("resource", "obj"),
    [
        pytest.param(
            "replicasets.apps",
            workload("nginx", ownerReferences=[DEPLOYMENT], **OLD),
            id="a ReplicaSet, to which a Deployment copies its annotations as often as they differ",
        ),
        pytest.param("pods", pod(*["nginx"] * 10_001, **OLD), id="an object with too many images"),
    ],
)
def test_an_object_that_is_left_alone_keeps_its_record_too(resource, obj):
    assert recorded(resource, obj) is None
    assert recorded(resource, obj, obj) is None


def test_nothing_is_recorded_where_nothing_is_rewritten_or_nobody_wants_it():
    assert recorded("pods", pod("nginx")) is None
    assert recorded("pods", pod("app:v1"), under=configured(recordOrigin=False)) is None
    assert recorded("pods", pod("app:v1"), under=configured(strict=True)) is None


@pytest.mark.parametrize("odd", ["{", "[]", '{"c0": 1}', "", "[" * 100_000, 7, None, {"a": "b"}])
def test_a_value_of_another_making_is_replaced(odd):
    assert recorded("pods", pod("app:v1", annotations={ORIGINS: odd})) == {"c0": RECORD}
    assert recorded("pods", pod("nginx", annotations={ORIGINS: odd})) is None


def test_a_record_that_would_be_too_long_is_left_out():
    assert recorded("pods", pod(*["app:v1"] * 900)) is None


@pytest.mark.parametrize(
    ("metadata", "operation"),
    [
        (None, {"op": "add", "path": "/metadata", "value": {"annotations": {ORIGINS: "{}"}}}),
        (Meta(), {"op": "add", "path": "/metadata/annotations", "value": {ORIGINS: "{}"}}),
        (
            Meta(annotations=Annotations()),
            {"op": "add", "path": "/metadata/annotations/image.openshift.io~1resolved-images", "value": "{}"},
        ),
    ],
    ids=["no metadata", "no annotations", "annotations"],
)
def test_the_operation_fits_what_is_there(metadata, operation):
    assert patch.annotated("{}", metadata) == operation


def test_a_reader_gets_the_record_back():
    assert origins.read(json.dumps({"c0": RECORD})) == {"c0": origins.Origin(**RECORD)}
