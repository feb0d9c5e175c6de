"""Server-owned metadata on creation and update."""

import re
import uuid

import pytest

from webhook.apiserver import metadata
from webhook.errors import BadRequest, Untyped

UID = "28b2d9cf-9bf2-4d0d-aeb2-e3f101fb78a2"
OTHER_UID = "11111111-2222-3333-4444-555555555555"
CREATED = "2026-01-02T03:04:05Z"


def php(**more):
    return {"metadata": {"name": "php", **more}}


STORED = php(namespace="shop", uid=UID, creationTimestamp=CREATED, generation=3, resourceVersion="7")


@pytest.mark.parametrize(
    ("obj", "namespace", "expected"),
    [
        pytest.param(php(), "shop", {"name": "php", "namespace": "shop"}, id="the URL fills it in"),
        pytest.param(php(namespace="shop"), "shop", {"name": "php", "namespace": "shop"}, id="both agree"),
        pytest.param(php(namespace=""), "", {"name": "php"}, id="a cluster-scoped object has none"),
        pytest.param({}, "shop", {"namespace": "shop"}, id="an object without metadata gets some"),
    ],
)
def test_the_namespace_is_that_of_the_url(obj, namespace, expected):
    assert metadata.agree_on_namespace(obj, namespace)["metadata"] == expected


@pytest.mark.parametrize("namespace", [pytest.param("shop", id="another one"), pytest.param("", id="none")])
def test_a_namespace_against_the_url_is_refused(namespace):
    with pytest.raises(BadRequest, match="does not match the namespace sent on the request"):
        metadata.agree_on_namespace(php(namespace="office"), namespace)


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        pytest.param({}, "name must be provided", id="no metadata"),
        pytest.param(php(name=""), "name must be provided", id="an empty name"),
        pytest.param(
            php(name="ruby"), "the name of the object (ruby) does not match the name on the URL (php)", id="another one"
        ),
    ],
)
def test_a_body_must_name_the_object_of_the_url(obj, message):
    with pytest.raises(BadRequest) as refused:
        metadata.agree_on_name(obj, "php")

    assert refused.value.message == message


def test_a_new_object_gets_its_own_uid_and_time():
    made = metadata.for_create(php(uid=OTHER_UID, creationTimestamp="2001-01-01T00:00:00Z"))["metadata"]

    assert uuid.UUID(made["uid"]).version == 4
    assert made["uid"] != OTHER_UID
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made["creationTimestamp"])
    assert made["creationTimestamp"] > "2020"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("deletionTimestamp", CREATED),
        ("deletionGracePeriodSeconds", 30),
        ("selfLink", "/apis/image.openshift.io/v1/imagestreams/php"),
        ("managedFields", [{"manager": "kubectl"}]),
        ("generation", 9),
        ("labels", {}),
    ],
)
def test_a_new_object_does_not_keep_what_only_the_server_may_say(key, value):
    assert key not in metadata.for_create(php(**{key: value}))["metadata"]


def test_a_new_object_keeps_what_belongs_to_the_client():
    given = {
        "labels": {"app": "shop"},
        "annotations": {"description": "PHP"},
        "finalizers": ["example.com/hold"],
        "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "base", "uid": OTHER_UID}],
    }

    made = metadata.for_create(php(**given))["metadata"]

    assert {key: made[key] for key in given} == given


def test_a_new_object_must_not_claim_a_version():
    with pytest.raises(Untyped) as refused:
        metadata.for_create(php(resourceVersion="1"))

    status = refused.value.status()
    assert (status["code"], "reason" in status) == (500, False)
    assert status["message"] == "resourceVersion should not be set on objects to be created"


@pytest.mark.parametrize(
    ("given", "pattern"),
    [
        pytest.param({"generateName": "php-"}, "php-[bcdfghjklmnpqrstvwxz2456789]{5}", id="made of the prefix"),
        pytest.param({"generateName": "php-", "name": "php"}, "php", id="a name of its own wins"),
    ],
)
def test_a_name_is_generated_where_there_is_none(given, pattern):
    assert re.fullmatch(pattern, metadata.for_create({"metadata": given})["metadata"]["name"])


def test_an_update_cannot_change_what_the_server_owns():
    new = php(
        namespace="shop",
        creationTimestamp="2001-01-01T00:00:00Z",
        generation=99,
        deletionTimestamp=CREATED,
        managedFields=[{"manager": "kubectl"}],
        labels={"app": "shop"},
    )

    changed = metadata.for_update(new, STORED)["metadata"]

    assert changed == {
        "name": "php",
        "namespace": "shop",
        "uid": UID,
        "creationTimestamp": CREATED,
        "generation": 3,
        "labels": {"app": "shop"},
    }


def test_an_update_cannot_take_back_a_deletion():
    going = php(uid=UID, deletionTimestamp=CREATED, deletionGracePeriodSeconds=0)

    changed = metadata.for_update(php(), going)["metadata"]

    assert (changed["deletionTimestamp"], changed["deletionGracePeriodSeconds"]) == (CREATED, 0)


@pytest.mark.parametrize("version", ["", "0", "soon"])
def test_what_is_no_version_is_passed_over_in_a_new_object(version):
    assert "resourceVersion" not in metadata.for_create(php(resourceVersion=version))["metadata"]


@pytest.mark.parametrize(("version", "number"), [("", 0), ("0", 0), ("7", 7), ("007", 7)])
def test_the_version_of_an_update_is_a_number(version, number):
    assert metadata.version_of(php(resourceVersion=version)) == number


def test_a_version_that_is_no_number_fails_as_in_kubernetes():
    with pytest.raises(Untyped, match="invalid syntax"):
        metadata.version_of(php(resourceVersion="soon"))


@pytest.mark.parametrize("key", ["deletionTimestamp", "deletionGracePeriodSeconds"])
def test_only_a_delete_marks_an_object_as_deleted(key):
    (finding,) = metadata.immutable_findings(php(**{key: CREATED}), STORED)
    assert (finding.field, finding.reason) == (f"metadata.{key}", "FieldValueInvalid")
    assert metadata.immutable_findings(php(**{key: CREATED}), php(**{key: "another"})) == []


def test_an_owner_that_is_there_twice_is_kept_once():
    base = {"apiVersion": "v1", "kind": "ConfigMap", "name": "base", "uid": OTHER_UID}
    other = {**base, "name": "other"}

    obj, repeated = metadata.with_owners_once(php(ownerReferences=[base, other, base]))

    assert obj["metadata"]["ownerReferences"] == [base, other]
    assert repeated == [OTHER_UID]


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        pytest.param(php(), php(finalizers=["example.com/hold"]), True, id="added to a living object"),
        pytest.param(
            php(deletionTimestamp=CREATED, finalizers=["example.com/hold"]),
            php(finalizers=[]),
            True,
            id="removed from one that is being deleted",
        ),
        pytest.param(
            php(deletionTimestamp=CREATED, finalizers=["example.com/hold"]),
            php(finalizers=["example.com/hold", "example.com/more"]),
            False,
            id="added to one that is being deleted",
        ),
    ],
)
def test_finalizers_become_fewer_while_an_object_is_being_deleted(old, new, allowed):
    assert (metadata.finalizer_findings(new, old) == []) is allowed


def test_a_finalizer_that_comes_too_late_is_named():
    old = php(deletionTimestamp=CREATED, finalizers=["example.com/hold"])

    (finding,) = metadata.finalizer_findings(php(finalizers=["example.com/more"]), old)

    assert str(finding) == (
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
        'found new finalizers []string{"example.com/more"}'
    )


@pytest.mark.parametrize(
    ("obj", "finished"),
    [
        pytest.param(php(), False, id="alive"),
        pytest.param(php(deletionTimestamp=CREATED, finalizers=["example.com/hold"]), False, id="held"),
        pytest.param(php(deletionTimestamp=CREATED, finalizers=[]), True, id="no longer held"),
    ],
)
def test_an_object_is_finished_once_nothing_holds_it(obj, finished):
    assert metadata.is_finished(obj) is finished
