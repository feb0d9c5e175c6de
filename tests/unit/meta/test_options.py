"""Options in the query of writes, lists and watches."""

from urllib.parse import parse_qs

import pytest

from webhook.errors import BadRequest, Invalid
from webhook.meta import options
from webhook.meta.options import ListOptions, WriteOptions


def query(text):
    return parse_qs(text, keep_blank_values=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", WriteOptions(field_manager="kubectl")),
        ("dryRun=All&dryRun=All", WriteOptions(dry_run=True, field_manager="kubectl")),
        ("fieldManager=ci", WriteOptions(field_manager="ci")),
        ("fieldValidation=Strict", WriteOptions(field_manager="kubectl", field_validation="Strict")),
        ("fieldValidation=", WriteOptions(field_manager="kubectl", field_validation="Warn")),
        ("fieldValidation=Ignore&pretty=true&x=y", WriteOptions(field_manager="kubectl", field_validation="Ignore")),
    ],
)
def test_write_options_have_defaults(text, expected):
    assert options.write_options(query(text), "Create", user_agent="kubectl/v1.34 (linux/amd64)") == expected


@pytest.mark.parametrize(
    ("text", "operation", "message"),
    [
        ("dryRun=", "Create", 'dryRun: Unsupported value: [""]: supported values: "All"'),
        ("dryRun=Server", "Create", 'dryRun: Unsupported value: ["Server"]: supported values: "All"'),
        (
            "fieldValidation=Harsh",
            "Create",
            'fieldValidation: Unsupported value: "Harsh": supported values: "", "Ignore", "Strict", "Warn"',
        ),
        ("fieldManager=" + "m" * 129, "Update", "fieldManager: Too long: may not be more than 128 bytes"),
        (
            "fieldManager=a%0Ab",
            "Patch",
            'fieldManager: Invalid value: "a\\nb": invalid character U+000A (at position 1)',
        ),
        ("force=true", "Patch", "force: Forbidden: may not be specified for non-apply patch"),
    ],
)
def test_bad_write_options_are_invalid_as_recorded(text, operation, message):
    with pytest.raises(Invalid) as failure:
        options.write_options(query(text), operation)
    assert failure.value.message == f'{operation}Options.meta.k8s.io "" is invalid: {message}'
    assert failure.value.details["kind"] == f"{operation}Options"


def test_an_apply_names_its_manager():
    with pytest.raises(Invalid, match="fieldManager: Required value: is required for apply patch"):
        options.write_options({}, "Patch", apply=True, user_agent="curl/8")


def test_an_apply_may_be_forced():
    assert options.write_options(query("fieldManager=ci&force=true"), "Patch", apply=True).force


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ListOptions()),
        ("limit=500&continue=abc", ListOptions(limit=500, continue_token="abc")),
        ("watch", ListOptions(watch=True)),
        ("watch=true&allowWatchBookmarks=1", ListOptions(watch=True, bookmarks=True)),
        ("watch=false&timeoutSeconds=1", ListOptions(timeout_seconds=1)),
        ("watch=0", ListOptions()),
        ("resourceVersion=0", ListOptions(resource_version="0")),
        ("resourceVersion=7&resourceVersionMatch=Exact", ListOptions(resource_version="7", match="Exact")),
        ("continue=abc&resourceVersion=0", ListOptions(continue_token="abc", resource_version="0")),
        (
            "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
            ListOptions(watch=True, send_initial_events=True, match="NotOlderThan"),
        ),
        ("labelSelector=a%3Db&fieldSelector=metadata.name%3Dx", ListOptions("a=b", "metadata.name=x")),
    ],
)
def test_list_options_are_read(text, expected):
    assert options.list_options(query(text)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("limit=", 'strconv.ParseInt: parsing "": invalid syntax'),
        ("timeoutSeconds=", 'strconv.ParseInt: parsing "": invalid syntax'),
        ("limit=99999999999999999999", 'strconv.ParseInt: parsing "99999999999999999999": value out of range'),
        (f"resourceVersion={2**64}", f'invalid resource version: resourceVersion: Invalid value: "{2**64}": strconv'),
        ("limit=many", 'strconv.ParseInt: parsing "many": invalid syntax'),
        ("watch=1&timeoutSeconds=soon", 'strconv.ParseInt: parsing "soon": invalid syntax'),
        (
            "resourceVersion=abc",
            'invalid resource version: resourceVersion: Invalid value: "abc":'
            ' strconv.ParseUint: parsing "abc": invalid syntax',
        ),
        ("watch=1&resourceVersion=-1", "invalid resource version"),
        ("continue=x&resourceVersion=5", "specifying resource version is not allowed when using continue"),
    ],
)
def test_what_cannot_be_read_is_a_bad_request(text, message):
    with pytest.raises(BadRequest) as failure:
        options.list_options(query(text))
    assert failure.value.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "field", "reasons"),
    [
        ("resourceVersionMatch=Exact", "resourceVersionMatch", "FieldValueForbidden"),
        ("resourceVersion=1&resourceVersionMatch=Newest", "resourceVersionMatch", "FieldValueNotSupported"),
        ("resourceVersion=0&resourceVersionMatch=Exact", "resourceVersionMatch", "FieldValueForbidden"),
        ("resourceVersion=1&resourceVersionMatch=Exact&continue=x", "resourceVersionMatch", "FieldValueForbidden"),
        ("sendInitialEvents=true", "sendInitialEvents", "FieldValueForbidden"),
        ("watch=1&resourceVersionMatch=NotOlderThan", "resourceVersionMatch", "FieldValueForbidden"),
        ("watch=1&sendInitialEvents=true", "resourceVersionMatch", "FieldValueForbidden"),
        (
            "watch=1&sendInitialEvents=true&resourceVersionMatch=Exact",
            "resourceVersionMatch",
            "FieldValueForbidden,FieldValueNotSupported",
        ),
    ],
)
def test_contradictions_are_invalid(text, field, reasons):
    with pytest.raises(Invalid) as failure:
        options.list_options(query(text))
    found = failure.value.details["causes"]
    assert {one["field"] for one in found} == {field}
    assert ",".join(one["reason"] for one in found) == reasons
    assert failure.value.details["kind"] == "ListOptions"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "Metadata"),
        ("includeObject=", "Metadata"),
        ("includeObject=None", "None"),
        ("includeObject=Object", "Object"),
    ],
)
def test_a_table_carries_metadata_unless_told_otherwise(text, expected):
    assert options.include_object(query(text)) == expected


def test_an_unknown_amount_of_object_is_a_bad_request():
    with pytest.raises(BadRequest, match=r'includeObject: Invalid value: "Everything": must be \'Metadata\''):
        options.include_object(query("includeObject=Everything"))
