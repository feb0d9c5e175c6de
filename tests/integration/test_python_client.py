"""The kubernetes package against the server, as Python programs use it: custom objects and watches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kubernetes import client, config, watch

from tests.integration.api import stream

PLACE = {"group": "image.openshift.io", "version": "v1", "plural": "imagestreams"}


@pytest.fixture(scope="module")
def connection(server) -> Iterator[client.ApiClient]:
    with config.new_client_from_config(str(server.kubeconfig)) as connection:
        yield connection


@pytest.fixture
def streams(connection) -> client.CustomObjectsApi:
    return client.CustomObjectsApi(connection)


def test_it_creates_reads_patches_and_deletes(streams, namespace):
    place = {**PLACE, "namespace": namespace}
    created = streams.create_namespaced_custom_object(**place, body=stream("php"))
    assert created["metadata"]["generation"] == 1
    patch = {"spec": {"lookupPolicy": {"local": True}}}
    patched = streams.patch_namespaced_custom_object(**place, name="php", body=patch)
    assert (patched["spec"]["lookupPolicy"], patched["metadata"]["generation"]) == ({"local": True}, 2)
    assert streams.get_namespaced_custom_object(**place, name="php") == patched
    assert streams.delete_namespaced_custom_object(**place, name="php")["status"] == "Success"
    with pytest.raises(client.ApiException) as failure:
        streams.get_namespaced_custom_object(**place, name="php")
    assert (failure.value.status, failure.value.reason) == (404, "Not Found")


def test_it_lists_in_pages(streams, namespace):
    place = {**PLACE, "namespace": namespace}
    for number in range(5):
        streams.create_namespaced_custom_object(**place, body=stream(f"s{number}"))
    names, token = [], ""
    while True:
        page = streams.list_namespaced_custom_object(**place, limit=2, _continue=token)
        names += [item["metadata"]["name"] for item in page["items"]]
        token = page["metadata"].get("continue", "")
        if not token:
            break
    assert names == [f"s{number}" for number in range(5)]


def test_it_watches_from_where_its_list_ended(streams, namespace):
    place = {**PLACE, "namespace": namespace}
    listed = streams.list_namespaced_custom_object(**place)
    streams.create_namespaced_custom_object(**place, body=stream("php"))
    streams.patch_namespaced_custom_object(**place, name="php", body={"metadata": {"labels": {"team": "web"}}})
    streams.delete_namespaced_custom_object(**place, name="php")
    seen = []
    watcher = watch.Watch()
    start = listed["metadata"]["resourceVersion"]
    for event in watcher.stream(
        streams.list_namespaced_custom_object, **place, resource_version=start, timeout_seconds=20
    ):
        seen.append((event["type"], event["object"]["metadata"]["name"]))
        if len(seen) == 3:
            watcher.stop()
    assert seen == [("ADDED", "php"), ("MODIFIED", "php"), ("DELETED", "php")]


def test_its_errors_carry_our_status(streams, namespace):
    place = {**PLACE, "namespace": namespace}
    with pytest.raises(client.ApiException) as failure:
        streams.create_namespaced_custom_object(**place, body=stream("Not-A-Name"))
    assert failure.value.status == 422
    assert "must match" in failure.value.body


def test_core_objects_work_through_the_typed_client(connection, namespace):
    core = client.CoreV1Api(connection)
    secret = client.V1Secret(metadata=client.V1ObjectMeta(name="pull"), string_data={"password": "secret"})
    core.create_namespaced_secret(namespace, secret)
    assert [one.metadata.name for one in core.list_namespaced_secret(namespace).items] == ["pull"]
