"""Reading schemas, and the schema of the image group."""

import pytest

from webhook.apiserver import sandbox_schema
from webhook.image import schema as image_schema
from webhook.meta.schema import ANYTHING, Schema


def at(schema: Schema, path: str) -> Schema:
    for step in path.split("."):
        child = schema.items if step == "[]" else schema.child(step)
        assert child is not None, step
        schema = child
    return schema


STREAM = image_schema.for_kind("ImageStream")
IMAGE = image_schema.for_kind("Image")
POD = sandbox_schema.for_kind("", "Pod")
DEPLOYMENT = sandbox_schema.for_kind("apps", "Deployment")
CRON_JOB = sandbox_schema.for_kind("batch", "CronJob")


@pytest.mark.parametrize(
    ("schema", "path", "key", "list_type"),
    [
        (STREAM, "spec.tags", "name", "map"),
        (STREAM, "status.tags", "tag", "map"),
        (STREAM, "status.tags.[].items", "", "atomic"),
        (STREAM, "metadata.finalizers", "", "set"),
        (STREAM, "metadata.ownerReferences", "uid", "map"),
        (STREAM, "metadata.managedFields", "", "atomic"),
        (IMAGE, "signatures", "name", "map"),
        (IMAGE, "signatures.[].conditions", "type", "map"),
        (IMAGE, "dockerImageLayers", "", "atomic"),
        (POD, "spec.containers", "name", "map"),
        (POD, "spec.containers.[].env", "name", "map"),
        (POD, "spec.containers.[].ports", "containerPort", "map"),
        (POD, "spec.containers.[].volumeMounts", "mountPath", "map"),
        (POD, "spec.containers.[].args", "", "atomic"),
        (POD, "spec.tolerations", "", "atomic"),
        (DEPLOYMENT, "spec.template.spec.initContainers", "name", "map"),
        (CRON_JOB, "spec.jobTemplate.spec.template.spec.containers", "name", "map"),
    ],
)
def test_lists_merge_as_in_kubernetes(schema, path, key, list_type):
    found = at(schema, path)
    assert (found.merge_key, found.list_type) == (key, list_type)


def test_ports_are_told_apart_by_number_and_protocol_in_an_apply():
    assert at(POD, "spec.containers.[].ports").list_keys == ("containerPort", "protocol")


def test_the_source_of_a_tag_is_applied_as_a_whole():
    assert at(STREAM, "spec.tags.[].from").is_atomic_map


def test_docker_metadata_is_opaque_and_replaced():
    metadata = at(IMAGE, "dockerImageMetadata")
    assert metadata.preserves_unknown
    assert metadata.strategies == {"replace"}


def test_unknown_fields_have_no_schema_where_fields_are_known():
    assert STREAM.child("tagz") is None
    assert POD.child("anything") is ANYTHING
    assert ANYTHING.child("x") is ANYTHING


def test_values_of_a_map_are_alike():
    labels = at(STREAM, "metadata.labels")
    assert labels.is_map
    assert at(labels, "any").type == "string"


def test_an_unknown_kind_has_no_schema():
    with pytest.raises(KeyError):
        image_schema.for_kind("ImageStreamTagz")


@pytest.mark.parametrize("definitions", [image_schema.DEFINITIONS, sandbox_schema.DEFINITIONS])
def test_every_definition_can_be_read_to_its_leaves(definitions):
    def read(schema: Schema, depth: int) -> None:
        if depth:
            for name in schema.node.get("properties", {}):
                child = schema.child(name)
                assert child is not None
                read(child, depth - 1)
            read(schema.items, depth - 1)

    for node in definitions.values():
        read(Schema(node, definitions), 5)


def test_no_map_has_a_boolean_for_its_values():
    """A controller of Kubernetes fails on those (contract 2.5)."""

    def nodes(value):
        if isinstance(value, dict):
            yield value
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from nodes(inner)

    every = [*nodes(image_schema.DEFINITIONS), *nodes(sandbox_schema.DEFINITIONS)]
    assert not [one for one in every if isinstance(one.get("additionalProperties"), bool)]
