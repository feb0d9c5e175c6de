"""What clients learn about the server before they use it, over the wire (api-server contract 2, checks 18 to 31)."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.api import Api, stream
from tests.integration.servers import Server

GROUP = "/apis/image.openshift.io"
GV = f"{GROUP}/v1"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"
V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
ALL = "create,delete,deletecollection,get,list,patch,update,watch"
VIEW = "create,delete,get,list,patch,update"


def raw_status(server: Server, target: str) -> int:
    """The code for a request target that every client library would tidy up first."""
    context = ssl.create_default_context(cadata=server.authority())
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    with context.wrap_socket(plain, server_hostname="localhost") as connection:
        head = (
            f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token()}\r\nConnection: close\r\n\r\n"
        )
        connection.sendall(head.encode())
        return int(connection.recv(4096).split()[1])


@pytest.mark.parametrize(
    "target",
    [
        f"/{GV}",
        f"{GV}/../v1",
        f"{GV}/./imagestreams",
        f"{GV}//imagestreams",
        f"{GV}/",
        f"{GV}/imagestreams/",
        f"{GV}/namespaces/shop/imagestreams//",
        f"{GV}/namespaces/shop/imagestreams/php/",
        "/apis/",
        "/openapi/v3/",
        "//",
        "///",
        "/..",
        "/%2e%2e/apis",
        "/api/v1/namespaces//",
    ],
)
def test_no_path_is_ever_redirected(server, target):
    assert raw_status(server, target) in (200, 400, 404)


@pytest.mark.parametrize(
    "target",
    [
        f"{GV}/namespaces/%ff/imagestreams",
        f"{GV}/namespaces/shop/imagestreams/%00",
        f"{GV}/namespaces/shop/imagestreams/a%2Fb",
        f"{GV}/namespaces/shop/imagestreams/%F0%9F%90%98",
        f"{GV}/namespaces/shop/imagestreamtags/%ff:%ff",
        f"{GV}/namespaces/shop/imagestreamimages/php@%00",
        f"{GV}/namespaces//imagestreams",
        f"{GV}/namespaces/shop/imagestreams?labelSelector=%ff",
        f"{GV}/namespaces/shop/imagestreams?limit=99999999999999999999999",
        f"{GV}/namespaces/shop/imagestreams?resourceVersion=99999999999999999999999",
        f"{GV}/namespaces/shop/imagestreams?continue=%00",
        f"{GV}/namespaces/shop/imagestreams?limit=1&limit=x&&=&a",
        f"{GV}/namespaces/shop/imagestreams/php?resourceVersion=99999999999999999999999",
        f"{GV}?{'x' * 100_000}",
        "/openapi/v3/../../etc/passwd",
        "*",
    ],
)
def test_no_path_and_no_query_is_a_failure_of_the_server(server, target):
    assert raw_status(server, target) in (200, 400, 404, 504)


def test_the_resources_are_exactly_those_of_openshift(kubectl):
    header, *lines = kubectl.ok("api-resources", "--api-group", "image.openshift.io", "-o", "wide").splitlines()
    # kubectl before 1.24 writes [get list] for get,list, and no categories.
    rows = [re.sub(r"\[(.+)\]", lambda verbs: verbs[1].replace(" ", ","), line).split() for line in lines]
    in_all = ["all"] if "CATEGORIES" in header else []
    assert rows == [
        ["images", "image.openshift.io/v1", "false", "Image", ALL],
        ["imagesignatures", "image.openshift.io/v1", "false", "ImageSignature", "create,delete"],
        ["imagestreamimages", "isimage", "image.openshift.io/v1", "true", "ImageStreamImage", "get"],
        ["imagestreamimports", "image.openshift.io/v1", "true", "ImageStreamImport", "create"],
        ["imagestreammappings", "image.openshift.io/v1", "true", "ImageStreamMapping", "create"],
        ["imagestreams", "is", "image.openshift.io/v1", "true", "ImageStream", ALL, *in_all],
        ["imagestreamtags", "istag", "image.openshift.io/v1", "true", "ImageStreamTag", VIEW],
        ["imagetags", "itag", "image.openshift.io/v1", "true", "ImageTag", VIEW],
    ]


@pytest.mark.parametrize("version", ["v2", "v2beta1"])
def test_discovery_in_one_piece_has_a_kind_for_every_resource_and_is_sent_once(api, version):
    asked = AGGREGATED.format(version)
    first = api.get("/apis", Accept=asked)
    again = api.get("/apis", Accept=asked, If_None_Match=first.headers["ETag"])

    assert first.headers["Content-Type"] == asked
    assert first.json["apiVersion"] == f"apidiscovery.k8s.io/{version}"
    resources = [one for item in first.json["items"] for one in item["versions"][0]["resources"]]
    assert all(one["responseKind"]["kind"] for res in resources for one in [res, *res.get("subresources", [])])
    assert (again.code, again.body) == (304, b"")


@pytest.mark.parametrize(
    ("path", "accept", "kind"),
    [
        ("/apis", "application/json", "APIGroupList"),
        ("/apis", "*/*", "APIGroupList"),
        ("/apis", "application/vnd.kubernetes.protobuf,application/json", "APIGroupList"),
        ("/apis", f"{AGGREGATED.format('v2')};profile=nopeer,application/json", "APIGroupDiscoveryList"),
        (GROUP, "application/json", "APIGroup"),
        (GV, "application/json", "APIResourceList"),
    ],
)
def test_discovery_has_the_shape_that_was_asked_for(api, path, accept, kind):
    assert api.get(path, Accept=accept).json["kind"] == kind


def test_the_root_lists_paths_that_are_all_there(api):
    paths = api.get("/").json["paths"]
    assert {path: api.get(path).code for path in paths} == dict.fromkeys(paths, 200)


def test_a_path_outside_of_every_group_is_not_found_in_plain_text(api):
    answer = api.get("/nope")
    assert (answer.code, answer.headers["Content-Type"], answer.body) == (
        404,
        "text/plain; charset=utf-8",
        b"404 page not found\n",
    )


@pytest.mark.parametrize("hash_", ["?hash=WRONG", ""])
def test_a_schema_is_served_whatever_hash_is_asked_for(api, hash_):
    answer = api.get(f"/openapi/v3{GV}{hash_}")
    assert answer.code == 200
    assert "schemas" in answer.json["components"]


def test_the_schema_of_the_index_may_be_kept_for_a_year(api):
    link = api.get("/openapi/v3").json["paths"][GV[1:]]["serverRelativeURL"]
    answer = api.get(link)
    assert answer.headers["Cache-Control"] == "public, immutable"
    assert "Expires" in answer.headers
    assert api.call("GET", link, If_None_Match=answer.headers["ETag"]).code == 304


def test_the_second_version_of_the_schema_is_protobuf_for_kubectl_and_json_for_the_aggregator(api):
    protobuf = api.get("/openapi/v2", Accept=V2_PROTOBUF)
    plain = api.get("/openapi/v2", Accept="application/json")
    assert (protobuf.code, protobuf.headers["Content-Type"]) == (
        200,
        "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
    )
    assert plain.json["swagger"] == "2.0"


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("imagestream", "KIND: ImageStream"),
        ("imagestream.spec.tags", "tags <[]"),
        ("imagestream.spec.tags.importPolicy", "scheduled <boolean>"),
        ("imagestream.status.tags.items.image", "image <string>"),
        ("image.dockerImageMetadata", "The image's configuration and size"),
        ("imagestreamimport.spec.images.importPolicy", "importMode <string>"),
    ],
)
def test_kubectl_explains_the_fields(kubectl, field, said):
    assert said in " ".join(kubectl.ok("explain", field).split())


@pytest.mark.parametrize("kind", ["imagestreams", "images", "imagestreamtags", "imagetags", "imagestreamimages"])
def test_kubectl_explains_every_level_of_every_kind_that_can_be_read(kubectl, kind):
    assert "metadata" in kubectl.ok("explain", kind, "--recursive")


def test_kubectl_shows_the_version_of_the_server(kubectl):
    assert "+imagestreams-" in kubectl.run("version").stdout


def test_kubectl_reads_paths_as_they_are(kubectl):
    assert kubectl.ok("get", "--raw", GV).startswith('{"kind":"APIResourceList"')
    assert kubectl.ok("get", "--raw", "/livez") == "ok"


def test_kubectl_refuses_a_field_that_there_is_not_unless_told_otherwise(kubectl):
    body = {**stream("php"), "spec": {"tagz": []}}

    refused = kubectl.run("create", "-f", "-", given=body)
    ignored = kubectl.run("create", "-f", "-", "--validate=false", given=body)

    assert refused.returncode == 1
    # kubectl before 1.27 looks itself and has other words.
    assert "unknown field" in refused.stderr
    assert "tagz" in refused.stderr
    assert (ignored.returncode, ignored.stdout) == (0, "imagestream.image.openshift.io/php created\n")
    assert "tagz" not in kubectl.ok("get", "is", "php", "-o", "jsonpath={.spec}")


def test_kubectl_warns_of_a_field_that_there_is_not_where_it_can(kubectl):
    done = kubectl.run("create", "-f", "-", "--validate=warn", given={**stream("php"), "spec": {"tagz": []}})
    assert (done.returncode, done.stderr) == (0, 'Warning: unknown field "spec.tagz"\n') or (
        # kubectl before 1.25 knows only true and false.
        done.returncode == 1 and 'invalid argument "warn"' in done.stderr
    )


def test_kubectl_creates_a_kind_that_can_only_be_created(kubectl):
    image = {"from": {"kind": "DockerImage", "name": "127.0.0.1:1/team/app:1"}, "to": {"name": "v1"}}
    request = {
        "kind": "ImageStreamImport",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": "app"},
        "spec": {"import": False, "images": [image]},
    }
    assert kubectl.ok("create", "-f", "-", given=request) == "imagestreamimport.image.openshift.io/app created\n"


def test_what_needs_a_group_that_is_not_served_says_so(kubectl):
    done = kubectl.run("auth", "can-i", "create", "imagestreams")
    assert (done.returncode, done.stderr) == (
        1,
        "Error from server (NotFound): the server could not find the requested resource\n",
    )


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", "--no-controllers", "--workers", "1") as server:
        yield server


def test_a_server_that_has_lost_its_storage_is_alive_and_discovered_but_not_ready(own):
    with Api(own) as api:
        assert api.get("/readyz").body == b"ok"
        (own.data / "state.db").write_bytes(b"this is no database " * 500)

        ready, alive = api.get("/readyz?verbose"), api.get("/livez?verbose")
        codes = {path: api.get(path).code for path in ("/apis", GV, "/openapi/v3", "/readyz?exclude=storage")}

        assert (ready.code, alive.code) == (500, 200)
        assert "[-]storage failed: reason withheld" in ready.body.decode()
        assert "[+]ping ok" in alive.body.decode()
        assert codes == {"/apis": 200, GV: 200, "/openapi/v3": 200, "/readyz?exclude=storage": 200}
