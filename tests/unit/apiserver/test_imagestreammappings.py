"""Pushes as a registry reports them."""

import pytest

from tests.unit.apiserver.api import ADDRESS, INTEGRATED, PHP_82, PHP_83, Api, causes, image, mapping, path, spec_tag
from webhook.errors import Conflict
from webhook.storage.store import Update

MAPPINGS = path("imagestreammappings")
MANAGED = {"metadata": {"name": PHP_82, "annotations": {"openshift.io/image.managed": "true"}}}


def history(api, tag="8.2", name="php"):
    return [
        (one["dockerImageReference"], one["image"])
        for entry in api.stream(name)["status"].get("tags", [])
        if entry["tag"] == tag
        for one in entry["items"]
    ]


def test_a_push_stores_the_image_and_puts_it_on_top(api: Api):
    api.create("php")
    api.push("8.2", PHP_82)

    answer = api.post(MAPPINGS, mapping("8.2", PHP_83))

    assert answer == {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    assert history(api) == [(f"{ADDRESS}@{PHP_83}", PHP_83), (f"{ADDRESS}@{PHP_82}", PHP_82)]
    assert api.get(path("images", PHP_83, namespace=""))["metadata"]["name"] == PHP_83


def test_a_push_is_no_change_of_the_spec(api: Api):
    api.create("php", spec_tag("planned", "quay.io/acme/php:1"))
    before = api.stream()
    api.push("8.2")
    after = api.stream()

    assert after["spec"] == before["spec"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"] == 1


def test_the_same_push_again_writes_nothing(api: Api, store):
    api.create("php")
    api.push("8.2")
    before = store.revision()

    api.push("8.2")

    assert store.revision() == before


def test_an_alias_follows_a_push(api: Api):
    api.create("php", spec_tag("latest", "8.2", kind="ImageStreamTag"))

    api.push("8.2")

    assert history(api, "latest") == history(api, "8.2") == [(f"{ADDRESS}@{PHP_82}", PHP_82)]


def test_an_address_that_is_left_out_is_that_of_the_integrated_registry(api: Api):
    api.create("php")

    api.push("8.2", dockerImageReference="")

    assert history(api) == [(f"{INTEGRATED}/shop/php@{PHP_82}", PHP_82)]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param(MANAGED, f"{INTEGRATED}/shop/site@{PHP_82}", id="a managed one is pulled through this stream"),
        pytest.param({}, f"{ADDRESS}@{PHP_82}", id="another one keeps its address"),
    ],
)
def test_an_image_that_was_known_before(api: Api, more, expected):
    api.post(path("images", namespace=""), image(PHP_82))
    api.create("site")

    api.push("8.2", name="site", **more)

    assert history(api, name="site") == [(expected, PHP_82)]


def test_signatures_do_not_come_along(api: Api):
    api.create("php")

    api.push("8.2", signatures=[{"metadata": {"name": f"{PHP_82}@one"}, "type": "atomic", "content": "c2lnbmVk"}])

    assert "signatures" not in api.get(path("images", PHP_82, namespace=""))


def test_a_stream_is_never_created_by_a_push(api: Api):
    refused = api.post(MAPPINGS, mapping(name="nothing"), code=404)

    assert refused["details"] == {"name": "nothing", "group": "image.openshift.io", "kind": "imagestreammappings"}
    api.get(path("images", PHP_82, namespace=""), code=404)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"tag": ""}, [("tag", "Required value")], id="no tag"),
        pytest.param(
            {"image": {**image(), "metadata": {}}},
            [("image.metadata.name", "Required value: name or generateName is required")],
            id="no image name",
        ),
        pytest.param(
            {"image": {**image(), "dockerImageReference": "Quay.io/Acme/App:1"}},
            [
                (
                    "image.dockerImageReference",
                    'Invalid value: "Quay.io/Acme/App:1": repository name must be lowercase',
                )
            ],
            id="no address",
        ),
    ],
)
def test_a_push_against_the_rules_changes_nothing(api: Api, change, expected):
    before = api.create("php")

    refused = api.post(MAPPINGS, {**mapping(), **change}, code=422)

    assert causes(refused) == expected
    assert api.stream() == before


def test_a_dry_run_stores_nothing(api: Api, store):
    api.create("php")
    before = store.revision()

    api.post(f"{MAPPINGS}?dryRun=All", mapping())

    assert store.revision() == before


def race(store, monkeypatch, tag):
    """Somebody else pushes to that tag just before each status write, once."""
    commit, left = store.commit, [tag]

    def racing(writes, dry_run=False):
        if left and isinstance(writes[0], Update):
            mine = left.pop()
            found = store.get("imagestreams.image.openshift.io", "shop", "php")
            marker = (
                b'"tags":[{"tag":"%s","items":[{"created":"2026-01-02T03:04:05Z","dockerImageReference":"%s",'
                % (
                    mine.encode(),
                    f"{ADDRESS}@{PHP_83}".encode(),
                )
                + b'"image":"%s","generation":1}]}],' % PHP_83.encode()
            )
            value = found.value.replace(b'"status":{', b'"status":{' + marker)
            commit([Update(found.resource, found.namespace, found.name, value, found.rv)])
        return commit(writes, dry_run)

    monkeypatch.setattr(store, "commit", racing)


def test_a_push_to_another_tag_meanwhile_does_not_matter(api: Api, store, monkeypatch):
    api.create("php")
    race(store, monkeypatch, "8.3")

    api.push("8.2")

    assert (history(api, "8.2"), history(api, "8.3")) == (
        [(f"{ADDRESS}@{PHP_82}", PHP_82)],
        [(f"{ADDRESS}@{PHP_83}", PHP_83)],
    )


def test_a_push_to_the_same_tag_meanwhile_is_a_conflict(api: Api, store, monkeypatch):
    api.create("php")
    race(store, monkeypatch, "8.2")

    refused = api.post(MAPPINGS, mapping("8.2", PHP_82), code=Conflict.code)

    assert refused["reason"] == "Conflict"
    assert history(api, "8.2") == [(f"{ADDRESS}@{PHP_83}", PHP_83)]
