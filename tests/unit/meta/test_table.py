"""Tables and partial metadata."""

import pytest

from webhook.meta import partial, table

STREAM = {
    "kind": "ImageStream",
    "apiVersion": "image.openshift.io/v1",
    "metadata": {"name": "app", "namespace": "web", "creationTimestamp": "2026-01-02T03:04:05Z"},
    "spec": {},
}
PARTIAL = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": STREAM["metadata"]}


@pytest.mark.parametrize(("include", "shown"), [("Metadata", PARTIAL), ("Object", STREAM), ("None", None)])
def test_a_row_carries_as_much_of_its_object_as_was_asked_for(include, shown):
    made = table.build(table.FALLBACK_COLUMNS, [(table.fallback_cells(STREAM), STREAM)], {}, include=include)
    assert made["rows"] == [{"cells": ["app", "2026-01-02T03:04:05Z"], "object": shown}]


def test_a_table_says_its_version_and_that_of_the_list():
    made = table.build(table.FALLBACK_COLUMNS, [], {"resourceVersion": "7"}, api_version="meta.k8s.io/v1beta1")
    assert made["apiVersion"] == "meta.k8s.io/v1beta1"
    assert made["metadata"] == {"resourceVersion": "7"}
    assert made["rows"] == []


def test_later_tables_of_a_watch_have_null_for_their_columns():
    assert table.build(None, [], {})["columnDefinitions"] is None


def test_every_column_has_all_five_keys_and_one_is_the_name():
    for column in table.FALLBACK_COLUMNS:
        assert set(column) == {"name", "type", "format", "description", "priority"}
    assert [one["name"] for one in table.FALLBACK_COLUMNS if one["format"] == "name"] == ["Name"]


def test_a_list_of_partial_objects_keeps_the_metadata_of_the_list():
    made = partial.object_list([STREAM], {"resourceVersion": "7"})
    assert made == {
        "kind": "PartialObjectMetadataList",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "7"},
        "items": [PARTIAL],
    }
