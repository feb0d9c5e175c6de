"""Namespaces of the standalone server."""

from tests.unit.apiserver.api import Api, path, stream

NAMESPACES = "/api/v1/namespaces"
SHOP = f"{NAMESPACES}/shop"
NAMESPACE = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop"}}
POD = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "php"}, "spec": {}}


def fill(api):
    api.create("php")
    api.post(f"{SHOP}/pods", POD)
    api.post(path("imagestreams", namespace="office"), stream("php"))
    api.push("8.2")


def count(api, namespace="shop"):
    return (
        len(api.get(path("imagestreams", namespace=namespace))["items"]),
        len(api.get(f"{NAMESPACES}/{namespace}/pods")["items"]),
    )


def test_a_namespace_is_an_object_like_any_other(api: Api):
    made = api.post(NAMESPACES, NAMESPACE)

    assert api.get(SHOP) == made
    assert [one["metadata"]["name"] for one in api.get(NAMESPACES)["items"]] == ["shop"]


def test_deleting_a_namespace_deletes_what_is_in_it_and_nothing_else(api: Api):
    api.post(NAMESPACES, NAMESPACE)
    fill(api)

    api.delete(SHOP)

    assert count(api) == (0, 0)
    assert count(api, "office") == (1, 0)
    assert len(api.get(path("images", namespace=""))["items"]) == 1
    api.get(SHOP, code=404)


def test_a_dry_run_deletes_nothing(api: Api):
    api.post(NAMESPACES, NAMESPACE)
    fill(api)

    api.delete(f"{SHOP}?dryRun=All")

    assert count(api) == (1, 1)
    api.get(SHOP)


def test_a_failed_precondition_keeps_the_contents(api: Api):
    api.post(NAMESPACES, NAMESPACE)
    fill(api)

    api.delete(SHOP, {"preconditions": {"uid": "11111111-2222-3333-4444-555555555555"}}, code=409)

    assert count(api) == (1, 1)


def test_watchers_hear_of_every_deletion(api: Api):
    api.post(NAMESPACES, NAMESPACE)
    fill(api)

    with api.watch(f"{path('imagestreams')}?watch=1") as watch:
        present = watch.names(1)
        api.delete(SHOP)

        assert [*present, *watch.names(1)] == ["ADDED php", "DELETED php"]


def test_a_namespace_that_was_never_created_is_not_found(api: Api):
    fill(api)

    api.delete(SHOP, code=404)

    assert count(api) == (1, 1)
