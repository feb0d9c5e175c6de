"""Options of a DELETE and their effect on one object."""

import pytest

from webhook.apiserver import deletion
from webhook.apiserver.deletion import DeleteOptions
from webhook.errors import BadRequest, Conflict, Invalid

GV = "image.openshift.io/v1"
UID = "28b2d9cf-9bf2-4d0d-aeb2-e3f101fb78a2"
OTHER_UID = "11111111-2222-3333-4444-555555555555"


def php(**more):
    return {"metadata": {"name": "php", "uid": UID, "resourceVersion": "7", **more}}


@pytest.mark.parametrize(
    ("query", "body", "expected"),
    [
        pytest.param({}, None, DeleteOptions(), id="nothing said"),
        pytest.param({"dryRun": ["All"]}, None, DeleteOptions(dry_run=True), id="a dry run in the query"),
        pytest.param({}, {"dryRun": ["All"]}, DeleteOptions(dry_run=True), id="a dry run in the body"),
        pytest.param(
            {"dryRun": ["All"]},
            {"kind": "DeleteOptions", "apiVersion": "v1"},
            DeleteOptions(),
            id="a body hides the query",
        ),
        pytest.param({"dryRun": ["All"]}, {}, DeleteOptions(), id="and so does an empty object"),
        pytest.param(
            {"propagationPolicy": ["Foreground"]}, None, DeleteOptions(policy="Foreground"), id="a policy in the query"
        ),
        pytest.param({"orphanDependents": ["1"]}, None, DeleteOptions(orphan_dependents=True), id="the old spelling"),
        pytest.param({}, {"orphanDependents": False}, DeleteOptions(orphan_dependents=False), id="and its opposite"),
        pytest.param({"uid": [UID]}, None, DeleteOptions(uid=UID), id="a precondition in the query"),
        pytest.param({}, {"dryRun": ["All", "All"]}, DeleteOptions(dry_run=True), id="a dry run asked for twice"),
        pytest.param({}, {"preconditions": {"uid": ""}}, DeleteOptions(uid=""), id="a precondition that never holds"),
        pytest.param(
            {},
            {"preconditions": {"uid": UID, "resourceVersion": "7"}},
            DeleteOptions(uid=UID, resource_version="7"),
            id="preconditions",
        ),
        pytest.param(
            {},
            {"kind": "DeleteOptions", "apiVersion": "image.openshift.io/v1", "gracePeriodSeconds": 30},
            DeleteOptions(),
            id="options in our own group, a grace period has no effect",
        ),
    ],
)
def test_options_come_from_the_body_or_else_from_the_query(query, body, expected):
    assert deletion.options(query, body, GV) == expected


@pytest.mark.parametrize(
    ("query", "body", "message"),
    [
        pytest.param(
            {"propagationPolicy": ["Sideways"]},
            None,
            'propagationPolicy: Unsupported value: "Sideways":'
            ' supported values: "Orphan", "Background", "Foreground", "nil"',
            id="a policy that there is not",
        ),
        pytest.param(
            {},
            {"dryRun": ["Some"]},
            'dryRun: Unsupported value: ["Some"]: supported values: "All"',
            id="half a dry run",
        ),
        pytest.param(
            {"dryRun": ["All", ""]},
            None,
            'dryRun: Unsupported value: ["All", ""]: supported values: "All"',
            id="a dry run and none",
        ),
        pytest.param(
            {"propagationPolicy": [""]},
            None,
            'propagationPolicy: Unsupported value: "": supported values: "Orphan", "Background", "Foreground", "nil"',
            id="an empty policy",
        ),
        pytest.param(
            {},
            {"propagationPolicy": "Background", "orphanDependents": False},
            'propagationPolicy: Invalid value: "Background": '
            "orphanDependents and deletionPropagation cannot be both set",
            id="both spellings at once",
        ),
    ],
)
def test_options_against_the_rules_are_invalid(query, body, message):
    with pytest.raises(Invalid) as refused:
        deletion.options(query, body, GV)

    assert refused.value.message == f'DeleteOptions.meta.k8s.io "" is invalid: {message}'


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"kind": "ImageStream", "apiVersion": "image.openshift.io/v1"}, id="another kind"),
        pytest.param({"kind": "DeleteOptions", "apiVersion": "apps/v1"}, id="another group"),
        pytest.param({"dryRun": "All"}, id="a dry run that is no list"),
        pytest.param({"dryRun": [True]}, id="a dry run that is no text"),
        pytest.param({"preconditions": ["uid"]}, id="preconditions that are no object"),
        pytest.param({"preconditions": {"uid": 5}}, id="a uid that is no text"),
        pytest.param({"preconditions": {"resourceVersion": 5}}, id="a version that is no text"),
        pytest.param({"propagationPolicy": 5}, id="a policy that is no text"),
        pytest.param({"gracePeriodSeconds": "30"}, id="seconds that are no number"),
        pytest.param({"gracePeriodSeconds": True}, id="seconds that are a truth"),
        pytest.param({"orphanDependents": "true"}, id="a truth that is a text"),
    ],
)
def test_a_body_that_is_no_delete_options_is_refused(body):
    with pytest.raises(BadRequest):
        deletion.options({}, body, GV)


@pytest.mark.parametrize("text", ["soon", "", "1.5", "9" * 20, "9" * 9999])
def test_seconds_in_a_query_are_a_number(text):
    with pytest.raises(BadRequest):
        deletion.options({"gracePeriodSeconds": [text]}, None, GV)


@pytest.mark.parametrize(("text", "orphan"), [("true", True), ("1", True), ("", True), ("False", False), ("0", False)])
def test_a_flag_in_a_query_is_read_as_kubernetes_reads_it(text, orphan):
    assert deletion.options({"orphanDependents": [text]}, None, GV).orphan_dependents is orphan


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(DeleteOptions(), id="none"),
        pytest.param(DeleteOptions(uid=UID), id="the uid"),
        pytest.param(DeleteOptions(uid=UID, resource_version="7"), id="uid and version"),
    ],
)
def test_preconditions_that_hold_let_through(asked):
    deletion.check_preconditions(php(), asked, "ImageStream", "image.openshift.io")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        pytest.param(
            DeleteOptions(uid=OTHER_UID),
            f"the UID in the precondition ({OTHER_UID}) does not match the UID in record ({UID})."
            " The object might have been deleted and then recreated",
            id="another incarnation",
        ),
        pytest.param(
            DeleteOptions(resource_version="1"),
            "the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (7)."
            " The object might have been modified",
            id="another version",
        ),
    ],
)
def test_preconditions_that_fail_are_a_conflict_of_the_kind(asked, why):
    with pytest.raises(Conflict) as refused:
        deletion.check_preconditions(php(), asked, "ImageStream", "image.openshift.io")

    assert refused.value.message == f'Operation cannot be fulfilled on ImageStream.image.openshift.io "php": {why}'
    assert refused.value.details == {"name": "php", "group": "image.openshift.io", "kind": "ImageStream"}


@pytest.mark.parametrize(
    ("held", "asked", "expected"),
    [
        pytest.param([], DeleteOptions(), [], id="nothing asked, nothing there"),
        pytest.param(["orphan"], DeleteOptions(), ["orphan"], id="nothing asked keeps what is there"),
        pytest.param([], DeleteOptions(policy="Orphan"), ["orphan"], id="orphan"),
        pytest.param([], DeleteOptions(orphan_dependents=True), ["orphan"], id="orphan in the old spelling"),
        pytest.param([], DeleteOptions(policy="Foreground"), ["foregroundDeletion"], id="foreground"),
        pytest.param(["orphan", "foregroundDeletion"], DeleteOptions(policy="Background"), [], id="background frees"),
        pytest.param(
            ["orphan"], DeleteOptions(policy="Foreground"), ["foregroundDeletion"], id="one replaces the other"
        ),
        pytest.param(
            ["example.com/hold"],
            DeleteOptions(policy="Background"),
            ["example.com/hold"],
            id="finalizers of others are theirs",
        ),
    ],
)
def test_a_policy_is_written_into_the_finalizers(held, asked, expected):
    assert deletion.finalizers_after(php(finalizers=held), asked, collectable=True) == expected


@pytest.mark.parametrize("policy", ["Orphan", "Foreground", "Background"])
def test_a_kind_without_garbage_collection_has_no_policies(policy):
    assert deletion.finalizers_after(php(), DeleteOptions(policy=policy), collectable=False) == []


def test_an_object_that_waits_is_marked_and_its_generation_rises():
    marked = deletion.marked(php(generation=3), ["example.com/hold"])["metadata"]

    assert marked["deletionTimestamp"].endswith("Z")
    assert (marked["deletionGracePeriodSeconds"], marked["generation"]) == (0, 4)
    assert marked["finalizers"] == ["example.com/hold"]


def test_marking_an_object_again_changes_nothing():
    once = deletion.marked(php(generation=3), ["example.com/hold"])

    assert deletion.marked(once, ["example.com/hold"]) == once
