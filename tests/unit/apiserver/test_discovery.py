"""Discovery in all its shapes."""

import pytest

from webhook.apiserver import discovery
from webhook.errors import NotAcceptable
from webhook.meta.resources import ResourceInfo, SubresourceInfo

ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
STREAMS = ResourceInfo(
    "image.openshift.io",
    "v1",
    "imagestreams",
    "imagestream",
    "ImageStream",
    True,
    ALL,
    ("is",),
    ("all",),
    (
        SubresourceInfo("status", "ImageStream", ("update", "get", "patch")),
        SubresourceInfo("secrets", "SecretList", ("get",), "", "v1"),
    ),
)
IMAGES = ResourceInfo("image.openshift.io", "v1", "images", "image", "Image", False, ALL)
PODS = ResourceInfo("", "v1", "pods", "pod", "Pod", True, ALL, ("po",))
SCALE = SubresourceInfo("scale", "Scale", ("get", "update"), "autoscaling", "v1")
DEPLOYMENTS = ResourceInfo("apps", "v1", "deployments", "deployment", "Deployment", True, ALL, subresources=(SCALE,))
RESOURCES = (STREAMS, IMAGES, PODS, DEPLOYMENTS)

V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
V2BETA1 = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"


@pytest.mark.parametrize(
    ("accept", "version"),
    [
        pytest.param(None, None, id="no header"),
        pytest.param("application/json", None, id="an old client"),
        pytest.param("*/*", None, id="curl"),
        pytest.param(f"{V2},{V2BETA1}", "v2", id="the aggregator"),
        pytest.param(f"{V2},{V2BETA1},application/json", "v2", id="kubectl"),
        pytest.param(f"{V2};profile=nopeer,{V2},application/json", "v2", id="a profile is ignored"),
        pytest.param(V2BETA1, "v2beta1", id="only the beta"),
        pytest.param(
            "application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList,application/json", None, id="v3"
        ),
        pytest.param("application/vnd.kubernetes.protobuf,application/json", None, id="protobuf first"),
    ],
)
def test_the_accept_header_decides_the_shape(accept, version):
    assert discovery.aggregated_version(accept) == version


@pytest.mark.parametrize(
    "accept", ["text/html", "application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList"]
)
def test_a_shape_that_there_is_not_is_not_acceptable(accept):
    with pytest.raises(NotAcceptable):
        discovery.aggregated_version(accept)


def test_the_content_type_repeats_the_parameters():
    assert discovery.content_type("v2") == V2


def test_a_group_prefers_its_first_version():
    assert discovery.api_group(RESOURCES, "image.openshift.io") == {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": "image.openshift.io",
        "versions": [{"groupVersion": "image.openshift.io/v1", "version": "v1"}],
        "preferredVersion": {"groupVersion": "image.openshift.io/v1", "version": "v1"},
    }


def test_a_group_that_is_not_served_has_no_answer():
    assert discovery.api_group(RESOURCES, "route.openshift.io") is None
    assert discovery.api_resource_list(RESOURCES, "image.openshift.io", "v2") is None


def test_the_core_group_is_listed_apart():
    assert [one["name"] for one in discovery.api_group_list(RESOURCES)["groups"]] == ["image.openshift.io", "apps"]
    assert discovery.api_versions(RESOURCES)["versions"] == ["v1"]
    assert discovery.api_resource_list(RESOURCES, "", "v1")["groupVersion"] == "v1"


def test_resources_are_listed_with_their_subresources_by_name():
    listed = discovery.api_resource_list(RESOURCES, "image.openshift.io", "v1")
    assert listed["resources"] == [
        {"name": "images", "singularName": "image", "namespaced": False, "kind": "Image", "verbs": list(ALL)},
        {
            "name": "imagestreams",
            "singularName": "imagestream",
            "namespaced": True,
            "kind": "ImageStream",
            "verbs": list(ALL),
            "shortNames": ["is"],
            "categories": ["all"],
        },
        {
            "name": "imagestreams/secrets",
            "singularName": "",
            "namespaced": True,
            "kind": "SecretList",
            "verbs": ["get"],
        },
        {
            "name": "imagestreams/status",
            "singularName": "",
            "namespaced": True,
            "kind": "ImageStream",
            "verbs": ["get", "patch", "update"],
        },
    ]


def test_a_subresource_names_the_group_of_its_kind_where_it_is_another():
    entry = discovery.api_resource_list(RESOURCES, "apps", "v1")["resources"][1]
    assert (entry["group"], entry["version"], entry["kind"]) == ("autoscaling", "v1", "Scale")


@pytest.mark.parametrize("version", ["v2", "v2beta1"])
def test_the_aggregated_list_has_a_response_kind_everywhere(version):
    found = discovery.aggregated(RESOURCES, version)
    assert found["apiVersion"] == f"apidiscovery.k8s.io/{version}"
    for group in found["items"]:
        for resource in group["versions"][0]["resources"]:
            for one in (resource, *resource.get("subresources", ())):
                assert set(one["responseKind"]) == {"group", "version", "kind"}
                assert one["verbs"] == sorted(one["verbs"])


def test_the_aggregated_list_tells_of_a_resource_what_kubectl_needs():
    (group,) = discovery.aggregated([STREAMS])["items"]
    (version,) = group["versions"]
    (resource,) = version["resources"]
    assert (group["metadata"]["name"], version["version"], version["freshness"]) == (
        "image.openshift.io",
        "v1",
        "Current",
    )
    assert resource["scope"] == "Namespaced"
    assert resource["shortNames"] == ["is"]
    assert [one["subresource"] for one in resource["subresources"]] == ["secrets", "status"]
    assert resource["subresources"][0]["responseKind"] == {"group": "", "version": "v1", "kind": "SecretList"}


def test_the_root_lists_the_paths():
    paths = discovery.root_paths(RESOURCES)["paths"]
    assert paths == sorted(paths)
    assert {"/api/v1", "/apis/apps/v1", "/apis/image.openshift.io", "/openapi/v3", "/version"} <= set(paths)


def test_a_tag_is_quoted_and_changes_with_the_body():
    assert discovery.etag(b"a").startswith('"')
    assert discovery.etag(b"a") != discovery.etag(b"b")


def test_resources_are_gathered_by_group_version():
    assert set(discovery.group_versions(RESOURCES)) == {"api/v1", "apis/apps/v1", "apis/image.openshift.io/v1"}
