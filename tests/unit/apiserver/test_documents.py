"""What the server says about itself, over HTTP."""

import pytest

from tests.unit.apiserver.api import GV, Api

V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
OPENAPI = "/openapi/v3/apis/image.openshift.io/v1"


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        pytest.param("/apis", "APIGroupList", id="the groups"),
        pytest.param("/apis/image.openshift.io", "APIGroup", id="one group"),
        pytest.param(GV, "APIResourceList", id="the resources of one"),
        pytest.param("/api", "APIVersions", id="the versions of the core group"),
        pytest.param("/api/v1", "APIResourceList", id="its resources"),
        pytest.param(f"{GV}/", "APIResourceList", id="with a slash at the end"),
    ],
)
def test_discovery_is_at_its_paths(api: Api, url, kind):
    assert api.get(url)["kind"] == kind


def test_the_resources_are_those_of_openshift(api: Api):
    found = {one["name"]: (one["kind"], one["namespaced"]) for one in api.get(GV)["resources"]}

    assert found == {
        "images": ("Image", False),
        "imagesignatures": ("ImageSignature", False),
        "imagestreamimages": ("ImageStreamImage", True),
        "imagestreamimports": ("ImageStreamImport", True),
        "imagestreammappings": ("ImageStreamMapping", True),
        "imagestreams": ("ImageStream", True),
        "imagestreams/layers": ("ImageStreamLayers", True),
        "imagestreams/secrets": ("SecretList", True),
        "imagestreams/status": ("ImageStream", True),
        "imagestreamtags": ("ImageStreamTag", True),
        "imagetags": ("ImageTag", True),
    }


def test_the_root_lists_paths(api: Api):
    assert {"/apis", GV, "/openapi/v3", "/version"} <= set(api.get("/")["paths"])


def test_the_version_can_be_parsed(api: Api):
    found = api.get("/version")

    assert found["gitVersion"].startswith(f"v{found['major']}.{found['minor']}.0")


@pytest.mark.parametrize(
    ("url", "accept"),
    [
        pytest.param("/apis", V2, id="discovery in one piece"),
        pytest.param("/api", V2, id="of the core group"),
        pytest.param(OPENAPI, "application/json", id="an openapi document"),
        pytest.param("/openapi/v2", PROTOBUF, id="the one that kubectl reads"),
    ],
)
def test_a_document_that_the_client_has_is_not_sent_again(api: Api, url, accept):
    first = api.send("GET", url, Accept=accept)
    again = api.send("GET", url, code=304, Accept=accept, If_None_Match=first.headers["ETag"])

    assert first.data
    assert again.data == b""
    assert api.send("GET", url, Accept=accept, If_None_Match='"other"').data == first.data


@pytest.mark.parametrize(("url", "mine"), [("/apis", True), ("/api", False)])
def test_discovery_in_one_piece_is_split_by_core_and_groups(api: Api, url, mine):
    answer = api.send("GET", url, Accept=V2)

    groups = [one.get("metadata", {}).get("name", "") for one in answer.json["items"]]
    assert ("image.openshift.io" in groups) is mine
    assert "as=APIGroupDiscoveryList" in answer.content_type


def test_a_wrong_hash_is_answered_all_the_same(api: Api):
    assert api.send("GET", f"{OPENAPI}?hash=WRONG").json["openapi"].startswith("3.")


def test_the_index_leads_to_documents_that_are_there(api: Api):
    paths = api.get("/openapi/v3")["paths"]

    assert "apis/image.openshift.io/v1" in paths
    for entry in paths.values():
        api.send("GET", entry["serverRelativeURL"])


def test_an_openapi_document_that_there_is_not_is_not_found(api: Api):
    api.send("GET", "/openapi/v3/apis/route.openshift.io/v1", code=404)


def test_version_two_is_empty_in_json_and_full_in_protobuf(api: Api):
    plain = api.send("GET", "/openapi/v2")
    packed = api.send("GET", "/openapi/v2", Accept=PROTOBUF)

    assert (plain.json["swagger"], plain.json["paths"]) == ("2.0", {})
    assert "protobuf" in packed.content_type
    assert b"ImageStream" in packed.data


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_documents_are_read_only(api: Api, method):
    assert api.send(method, GV, code=404).data == b"404 page not found\n"
