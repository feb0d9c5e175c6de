"""Names, labels, annotations, finalizers and owners."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.meta import names

OWNER = {"apiVersion": "v1", "kind": "Secret", "name": "pull", "uid": "11111111-2222-3333-4444-555555555555"}


@pytest.mark.parametrize("key", ["app", "image.openshift.io/triggers", "a.b_c-d", "x" * 63, "e.io/" + "x" * 63])
def test_a_qualified_name_may_have_a_dns_prefix(key):
    assert names.qualified_name_problems(key) == []


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("bad key", "name part must consist of alphanumeric characters"),
        ("", "name part must be non-empty"),
        ("a/b/c", "a qualified name must consist of"),
        ("/x", "prefix part must be non-empty"),
        ("Upper.io/x", "prefix part a lowercase RFC 1123 subdomain"),
        ("x" * 64, "name part must be no more than 63 bytes"),
        ("-x", "name part must consist of"),
    ],
)
def test_a_qualified_name_is_refused_with_its_problem(key, problem):
    assert names.qualified_name_problems(key)[0].startswith(problem)


def test_a_bad_annotation_key_is_reported_with_every_problem():
    """As recorded from OpenShift for the key `also bad/`."""
    findings = names.annotation_findings({"also bad/": "x"}, "metadata.annotations")
    assert [one.message.removeprefix('Invalid value: "also bad/": ')[:24] for one in findings] == [
        "prefix part a lowercase ",
        "name part must be non-em",
        "name part must consist o",
    ]


def test_keys_of_annotations_may_have_capitals():
    assert names.annotation_findings({"Example.COM/Note": "x"}, "metadata.annotations") == []


def test_annotations_have_a_total_size():
    (finding,) = names.annotation_findings({"note": "x" * 262144}, "metadata.annotations")
    assert str(finding) == "metadata.annotations: Too long: may not be more than 262144 bytes"


@pytest.mark.parametrize("value", ["", "1", "MyValue", "my_value", "a.b-c"])
def test_label_values_may_be_empty(value):
    assert names.label_findings({"team": value}, "metadata.labels") == []


@pytest.mark.parametrize("value", ["not a value!", "-x", "x" * 64, "ü"])
def test_bad_label_values_are_reported_by_value(value):
    findings = names.label_findings({"team": value}, "metadata.labels")
    assert findings
    assert all(one.message.startswith(f'Invalid value: "{value}": ') for one in findings)


@pytest.mark.parametrize("finalizer", ["kubernetes", "orphan", "foregroundDeletion", "example.com/hold"])
def test_finalizers_are_standard_or_have_a_prefix(finalizer):
    assert names.finalizer_findings([finalizer], "metadata.finalizers") == []


def test_other_finalizers_are_refused():
    (finding,) = names.finalizer_findings(["nogroup"], "metadata.finalizers")
    assert finding.field == "metadata.finalizers[0]"
    assert finding.message.endswith("name is neither a standard finalizer name nor is it fully qualified")


def test_a_finalizer_that_is_no_name_is_found_by_both_checks():
    found = names.finalizer_findings(["a b"], "metadata.finalizers")
    assert [one.field for one in found] == ["metadata.finalizers", "metadata.finalizers[0]"]


@pytest.mark.parametrize("version", ["", "a/b/c"])
def test_an_owner_has_a_version(version):
    (finding,) = names.owner_findings([{**OWNER, "apiVersion": version}], "metadata.ownerReferences")
    assert finding.message == f'Invalid value: "{version}": version must not be empty'


@pytest.mark.parametrize("missing", ["kind", "name", "uid"])
def test_owners_are_complete(missing):
    (finding,) = names.owner_findings([{**OWNER, missing: ""}], "metadata.ownerReferences")
    assert str(finding) == f'metadata.ownerReferences.{missing}: Invalid value: "": must not be empty'


def test_an_object_has_one_controller():
    owners = [{**OWNER, "controller": True}, {**OWNER, "name": "other", "uid": "2", "controller": True}]
    (finding,) = names.owner_findings(owners, "metadata.ownerReferences")
    assert "Only one reference can have Controller set to true" in finding.message


def test_an_event_owns_nothing():
    (finding,) = names.owner_findings([{**OWNER, "kind": "Event"}], "metadata.ownerReferences")
    assert "is disallowed from being an owner" in finding.message


@pytest.mark.parametrize(("name", "count"), [("app", 0), ("", 1), (".", 1), ("..", 1), ("a/b%c", 2), ("App:1@x", 0)])
def test_a_path_segment_is_the_least_that_a_name_must_be(name, count):
    assert len(names.path_segment_findings(name, "metadata.name")) == count


@given(st.text(alphabet="abcxyz-", max_size=80))
def test_a_generated_name_keeps_its_base_and_fits_a_label(base):
    name = names.generate_name(base)
    assert re.fullmatch(re.escape(base[:58]) + "[bcdfghjklmnpqrstvwxz2456789]{5}", name)
    assert len(name) <= 63
