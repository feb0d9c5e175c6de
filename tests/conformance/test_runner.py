"""The runner itself: what it overlooks, what it does not, and that its lists and images are those of the recordings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.comparison import differences
from tests.conformance.conversations import load
from tests.conformance.documents import drop, fill, value_at
from tests.conformance.exceptions import Exceptions, Outcome
from tests.conformance.images import catalogue
from tests.conformance.placeholders import Placeholders
from tests.conformance.report import table


def answer(body: Any, status: int = 200) -> list[dict[str, Any]]:
    return [{"request": "GET /x", "status": status, "body": body}]


def failure(**changed: Any) -> dict[str, Any]:
    details = {"name": "php", "kind": "imagestreams"}
    status = {"kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound", "message": "gone"}
    return {**status, "details": details, **changed}


@pytest.mark.parametrize(
    ("want", "got"),
    [
        pytest.param({"a": 1}, {"a": 1}, id="the same"),
        pytest.param(failure(), failure(message="not here"), id="another message of a failure"),
        pytest.param(
            {"reason": "X", "message": "a"}, {"reason": "X", "message": "b"}, id="another message of a condition"
        ),
    ],
)
def test_what_no_client_acts_on_is_no_difference(want: Any, got: Any) -> None:
    assert differences(answer(want), answer(got)) == []


@pytest.mark.parametrize(
    ("want", "got", "line"),
    [
        ({"a": 1}, {"a": 2}, ".a: want 1, got 2"),
        ({"a": 1}, {}, ".a: missing, want 1"),
        ({}, {"a": 1}, ".a: unexpected 1"),
        ({"a": [1, 2]}, {"a": [1]}, ".a: 2 items wanted, 1 got"),
        ({"message": "a"}, {"message": "b"}, '.message: want "a", got "b"'),
    ],
)
def test_every_other_field_counts(want: Any, got: Any, line: str) -> None:
    assert differences(answer(want), answer(got)) == [f"step 0 GET /x: {line}"]


@pytest.mark.parametrize("changed", [{"reason": "Gone"}, {"details": {"name": "php"}}, {"details": {"causes": [{}]}}])
def test_reason_and_details_of_a_failure_count(changed: dict[str, Any]) -> None:
    assert len(differences(answer(failure()), answer(failure(**changed)))) == 1


def test_another_code_is_reported_instead_of_the_body() -> None:
    assert differences(answer({"a": 1}), answer({}, 500)) == ["step 0 GET /x: want HTTP 200, got 500: {}"]


def test_a_missing_answer_is_a_difference() -> None:
    assert differences(answer({}), []) == ["1 answers wanted, 0 got"]


def test_what_changes_from_run_to_run_becomes_a_placeholder() -> None:
    given: dict[str, Any] = {
        "uid": "4d2a",
        "resourceVersion": "17",
        "creationTimestamp": "2026-01-02T03:04:05Z",
        "managedFields": [],
        "namespace": "ns-abc-a",
        "image": "127.0.0.1:5000/team/app:v1",
        "created": None,
    }
    names = Placeholders({"ns": "ns-abc-a", "rnd": "abc", "registry": "127.0.0.1:5000"})
    assert names.document(given) == {
        "uid": "<uid>",
        "resourceVersion": "<rv>",
        "creationTimestamp": "<time>",
        "namespace": "{ns}",
        "image": "{registry}/team/app:v1",
    }


def test_ages_in_tables_become_placeholders() -> None:
    columns = [{"name": "Name"}, {"name": "Updated"}]
    rows = [{"cells": ["php", "5m"]}, {"cells": ["empty", ""]}]
    given = Placeholders({}).document({"kind": "Table", "columnDefinitions": columns, "rows": rows})
    assert [row["cells"] for row in given["rows"]] == [["php", "<age>"], ["empty", ""]]


def test_paths_lead_through_lists_and_keys_with_dots() -> None:
    assert value_at({"items": [{"openshift.io/x": "y"}]}, "items.0.openshift~1io/x") == "y"
    assert value_at({"items": []}, "items.0") is None


def test_ignored_fields_are_dropped_from_every_item() -> None:
    document = {"items": [{"image": 1, "tag": "a"}, {"image": 2, "tag": "b"}]}
    drop(document, "items.*.image")
    assert document == {"items": [{"tag": "a"}, {"tag": "b"}]}


def test_a_placeholder_that_stands_alone_keeps_its_type() -> None:
    assert fill({"{ns}": ["{spec}", "in {ns}", "{other}"]}, {"ns": "a", "spec": {"b": 1}}) == {
        "a": [{"b": 1}, "in a", "{other}"]
    }


@pytest.mark.parametrize(
    ("name", "found", "outcome"),
    [
        ("import/a", [], Outcome.PASSED),
        ("import/a", ["x"], Outcome.FAILED),
        ("import/odd", ["x"], Outcome.DEVIATION),
        ("import/odd", [], Outcome.FAILED),
        ("machinery/apply-a", ["x"], Outcome.NOT_THERE_YET),
        ("machinery/apply-a", [], Outcome.FAILED),
    ],
)
def test_listed_conversations_must_differ_and_others_must_not(name: str, found: list[str], outcome: Outcome) -> None:
    listed = Exceptions({"import/odd": "better so"}, {"machinery/apply-*": "later"})
    assert listed.judge(name, found).outcome is outcome


def test_every_listed_exception_is_the_name_of_a_conversation() -> None:
    assert Exceptions.read().unknown(conversation.id for conversation in load()) == []


def test_every_conversation_has_its_answers() -> None:
    assert all(conversation.answers() for conversation in load())


@pytest.mark.parametrize(
    ("repository", "tag", "digest"),
    [
        ("library/php", "8.2", "sha256:73b45d39ced1c0340b12890a74e28de00ee445a4edd22a6cd58fce5f7bb41d7b"),
        ("library/mysql", "latest", "sha256:24dc19216c3829f8d389537e54ed5b957be74902a36beef6d870e38297b7910c"),
        ("team/app", "v1", "sha256:78fe3440c9a40eb6f394e35f4e183a83653d730c570ed754ab0885b7a6440030"),
        ("team/oci", "latest", "sha256:92b48f5865d24b91a26cd316e7801dce1011463b1627b8a26f1dcadfbf825939"),
        ("team/multi", "latest", "sha256:c637a12213742ecce8ed2672b1d203e9b6b47ca08b5c3736b1b843c3962441b5"),
        ("team/multi", "oci", "sha256:081c092889f1e2b00206c4db4d6d511433e73214638af24c31a38c6720273a79"),
        ("team/many", "t00", "sha256:4d85d521f16efb4cad47c0b2d6b990cb7e11e20ad4f2781e2390877e0a92e9ef"),
        ("single", "latest", "sha256:4ea6e5234f1772cd03b0c505683eeaddf1cd2ac30ed1bd850da3ec3aa78de26c"),
    ],
)
def test_images_have_the_digests_of_the_recordings(repository: str, tag: str, digest: str) -> None:
    assert catalogue()[repository][tag].digest == digest


def test_the_report_counts_by_area() -> None:
    lines = table([("import", Outcome.PASSED), ("import", Outcome.SKIPPED), ("tags", Outcome.FAILED)]).splitlines()
    assert [line.split()[:4] for line in lines[1:]] == [
        ["import", "1", "0", "1"],
        ["tags", "0", "1", "0"],
        ["all", "1", "1", "1"],
    ]
