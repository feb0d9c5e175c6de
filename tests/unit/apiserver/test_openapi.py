"""The OpenAPI documents."""

import json

import pytest

from webhook.apiserver import discovery, openapi, resources, sandbox, sandbox_schema
from webhook.image import group
from webhook.image import schema as image_schema

PREFIX = "/apis/image.openshift.io/v1"
IMAGE_DOCUMENT = openapi.document(resources.IMAGE_GROUP, image_schema.DEFINITIONS)
SANDBOX = discovery.group_versions((*sandbox.PLAIN, *sandbox.WORKLOADS))
DOCUMENTS = [
    pytest.param(IMAGE_DOCUMENT, id="apis/image.openshift.io/v1"),
    *(pytest.param(openapi.document(found, sandbox_schema.DEFINITIONS), id=root) for root, found in SANDBOX.items()),
]


def operations(document):
    for path, found in document["paths"].items():
        for method in ("get", "put", "post", "patch", "delete"):
            if method in found:
                yield path, method, found[method]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_reference_has_its_target(document):
    schemas = document["components"]["schemas"]
    for name in openapi.reachable(schemas, schemas):
        assert name in schemas


@pytest.mark.parametrize("document", DOCUMENTS)
def test_operations_say_what_they_do_and_to_what(document):
    ids = []
    for path, method, operation in operations(document):
        assert operation["x-kubernetes-action"], (path, method)
        assert set(operation["x-kubernetes-group-version-kind"]) == {"group", "version", "kind"}
        ids.append(operation["operationId"])
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_patches_take_field_validation_and_strategic_merge(document):
    """kubectl looks for both before it validates on the server and applies (contract 2.5)."""
    patches = [operation for _, method, operation in operations(document) if method == "patch"]
    assert patches
    for operation in patches:
        assert "fieldValidation" in [one["name"] for one in operation["parameters"]]
        assert set(operation["requestBody"]["content"]) == set(openapi.PATCH_TYPES)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_kinds_are_found_by_group_version_and_kind(document):
    known = [
        tuple(sorted(gvk.items()))
        for schema in document["components"]["schemas"].values()
        for gvk in schema.get("x-kubernetes-group-version-kind", ())
    ]
    assert len(known) == len(set(known))
    for path, _, operation in operations(document):
        # The SecretList of a stream is a kind of the core group, which has a document of its own.
        if not path.endswith("/{name}/secrets"):
            assert tuple(sorted(operation["x-kubernetes-group-version-kind"].items())) in known, path


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        (f"{PREFIX}/images", {"get", "post", "delete"}),
        (f"{PREFIX}/images/{{name}}", {"get", "put", "patch", "delete"}),
        (f"{PREFIX}/imagestreams", {"get"}),
        (f"{PREFIX}/namespaces/{{namespace}}/imagestreams", {"get", "post", "delete"}),
        (f"{PREFIX}/namespaces/{{namespace}}/imagestreams/{{name}}/status", {"get", "put", "patch"}),
        (f"{PREFIX}/namespaces/{{namespace}}/imagestreams/{{name}}/layers", {"get"}),
        (f"{PREFIX}/namespaces/{{namespace}}/imagestreamimports", {"post"}),
        (f"{PREFIX}/namespaces/{{namespace}}/imagestreamimages/{{name}}", {"get"}),
        (f"{PREFIX}/namespaces/{{namespace}}/imagestreamtags", {"get", "post"}),
    ],
)
def test_paths_have_the_methods_of_their_verbs(path, methods):
    assert set(IMAGE_DOCUMENT["paths"][path]) - {"parameters"} == methods


def test_tags_of_a_stream_can_be_merged_by_their_names():
    spec = IMAGE_DOCUMENT["components"]["schemas"][group.name_of("ImageStreamSpec")]
    assert spec["properties"]["tags"]["x-kubernetes-patch-merge-key"] == "name"
    assert spec["properties"]["tags"]["x-kubernetes-patch-strategy"] == "merge"


def test_every_field_of_the_image_group_is_explained():
    for name, schema in IMAGE_DOCUMENT["components"]["schemas"].items():
        for field, node in schema.get("properties", {}).items():
            assert node.get("description"), f"{name}.{field}"


def test_an_apply_patch_is_announced_only_where_it_is_served():
    types = tuple(one for one in openapi.PATCH_TYPES if one != "application/apply-patch+yaml")
    document = openapi.document(resources.IMAGE_GROUP, image_schema.DEFINITIONS, patch_types=types)
    patch = document["paths"][f"{PREFIX}/images/{{name}}"]["patch"]
    assert tuple(patch["requestBody"]["content"]) == types


def test_the_index_leads_to_each_document_by_its_hash():
    body = openapi.encode(IMAGE_DOCUMENT)
    address = openapi.index({"apis/image.openshift.io/v1": body})["paths"]["apis/image.openshift.io/v1"]
    assert address == {"serverRelativeURL": f"/openapi/v3{PREFIX}?hash={openapi.content_hash(body)}"}
    assert json.loads(body) == IMAGE_DOCUMENT


def test_documents_are_the_same_each_time():
    again = openapi.document(resources.IMAGE_GROUP, image_schema.DEFINITIONS)
    assert openapi.encode(again) == openapi.encode(IMAGE_DOCUMENT)
