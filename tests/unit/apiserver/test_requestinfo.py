"""What a method on a path asks for."""

import pytest

from webhook.apiserver import requestinfo
from webhook.apiserver.requestinfo import RequestInfo

IMAGE = ("image.openshift.io", "v1")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        pytest.param(
            "GET",
            "/apis/image.openshift.io/v1/namespaces/shop/imagestreams/php",
            RequestInfo("get", *IMAGE, "imagestreams", namespace="shop", name="php"),
            id="one stream",
        ),
        pytest.param(
            "GET",
            "/apis/image.openshift.io/v1/imagestreams",
            RequestInfo("list", *IMAGE, "imagestreams"),
            id="streams of all namespaces",
        ),
        pytest.param(
            "GET",
            "/apis/image.openshift.io/v1/namespaces/shop/imagestreams/php/layers",
            RequestInfo("get", *IMAGE, "imagestreams", "layers", "shop", "php"),
            id="a subresource",
        ),
        pytest.param(
            "DELETE",
            "/apis/image.openshift.io/v1/namespaces/shop/imagestreams",
            RequestInfo("deletecollection", *IMAGE, "imagestreams", namespace="shop"),
            id="deleting without a name deletes the collection",
        ),
        pytest.param(
            "PUT",
            "/apis/image.openshift.io/v1/namespaces/shop/imagestreamtags/php:8.2",
            RequestInfo("update", *IMAGE, "imagestreamtags", namespace="shop", name="php:8.2"),
            id="a name with a colon is one name",
        ),
        pytest.param(
            "GET",
            "/api/v1/namespaces/shop/pods",
            RequestInfo("list", "", "v1", "pods", namespace="shop"),
            id="the core group has no name",
        ),
        pytest.param(
            "GET",
            "/api/v1/namespaces/shop",
            RequestInfo("get", "", "v1", "namespaces", name="shop"),
            id="a namespace itself is cluster-scoped",
        ),
        pytest.param(
            "PUT",
            "/api/v1/namespaces/shop/status",
            RequestInfo("update", "", "v1", "namespaces", "status", "", "shop"),
            id="the status of a namespace is not a resource in it",
        ),
        pytest.param(
            "GET",
            "/apis/image.openshift.io/v1/namespaces/shop/imagestreams/",
            RequestInfo("list", *IMAGE, "imagestreams", namespace="shop"),
            id="a slash at the end changes nothing",
        ),
        pytest.param(
            "PUT",
            "/apis/image.openshift.io/v1/namespaces/shop/imagestreams",
            RequestInfo("", *IMAGE, "imagestreams", namespace="shop"),
            id="a method that means nothing on a collection has no verb",
        ),
    ],
)
def test_a_method_on_a_path_is_a_verb_on_a_resource(method, path, expected):
    assert requestinfo.parse(method, path) == expected


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/", id="the root"),
        pytest.param("/apis", id="the list of groups"),
        pytest.param("/apis/image.openshift.io/v1", id="a group version"),
        pytest.param("/api/v1", id="the core group version"),
        pytest.param("/healthz", id="something else"),
        pytest.param("/apis/image.openshift.io/v1/namespaces/shop/imagestreams/php/layers/more", id="a part too many"),
    ],
)
def test_a_path_outside_of_the_resources_is_no_request_for_one(path):
    assert requestinfo.parse("GET", path) is None


@pytest.mark.parametrize(
    ("method", "verb"),
    [pytest.param("GET", "watch", id="reading"), pytest.param("DELETE", "deletecollection", id="deleting")],
)
def test_only_a_reading_becomes_a_watch(method, verb):
    found = requestinfo.parse(method, "/apis/image.openshift.io/v1/namespaces/shop/imagestreams", watch=True)

    assert found is not None
    assert found.verb == verb


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        pytest.param("/", True, id="the root"),
        pytest.param("/apis/", True, id="one slash at the end"),
        pytest.param("/apis/image.openshift.io/v1/imagestreams", True, id="an ordinary path"),
        pytest.param("//apis", False, id="two slashes at the start"),
        pytest.param("/apis//image.openshift.io", False, id="an empty segment"),
        pytest.param("/apis//", False, id="two slashes at the end"),
        pytest.param("/apis/../metrics", False, id="one up"),
        pytest.param("/apis/./v1", False, id="here"),
        pytest.param("/apis/..", False, id="one up at the end"),
        pytest.param("/apis/..v1", True, id="dots that are part of a name"),
    ],
)
def test_paths_with_empty_or_relative_segments_are_recognized(path, plain):
    assert requestinfo.is_plain(path) is plain
