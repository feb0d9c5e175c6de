"""Image tags: spec and history of one tag, also without an image."""

import pytest

from tests.unit.apiserver.api import ADDRESS, PHP_82, PHP_83, Api, causes, path, spec_tag
from webhook.storage.store import Update

TAGS = path("imagetags")
UBI = "registry.access.redhat.com/ubi9/php-82:latest"
SOURCE = {"kind": "DockerImage", "name": UBI}


def at(name="php:8.2"):
    return path("imagetags", name)


def itag(name="php:8.2", spec=None, **metadata):
    body = {"kind": "ImageTag", "apiVersion": "image.openshift.io/v1", "metadata": {"name": name, **metadata}}
    return body if spec is None else {**body, "spec": spec}


@pytest.fixture
def pushed(api):
    api.create("php", spec_tag("8.2", UBI), spec_tag("planned", UBI), labels={"lang": "php"})
    api.push("8.2")
    api.push("8.3", PHP_83)
    return api.stream()


def test_a_tag_has_the_metadata_of_its_stream_and_all_of_its_history(api: Api, pushed):
    found = api.get(at())

    assert found["metadata"] == {**pushed["metadata"], "name": "php:8.2"}
    assert found["spec"] == pushed["spec"]["tags"][0]
    assert found["status"] == pushed["status"]["tags"][0]
    assert found["image"]["dockerImageReference"] == f"{ADDRESS}@{PHP_82}"


@pytest.mark.parametrize(
    ("name", "has_spec", "has_status"),
    [
        pytest.param("php:planned", True, False, id="a tag without an image"),
        pytest.param("php:8.3", False, True, id="a tag that was only pushed"),
    ],
)
def test_one_side_is_enough(api: Api, pushed, name, has_spec, has_status):
    found = api.get(at(name))

    assert (found["spec"] is not None, found["status"] is not None) == (has_spec, has_status)


def test_a_deleted_image_is_shown_as_none(api: Api, pushed):
    api.delete(path("images", PHP_82, namespace=""))

    found = api.get(at())

    assert found["image"] is None
    assert found["status"]["items"][0]["image"] == PHP_82


@pytest.mark.parametrize(("name", "missing"), [("php:nothing", "php:nothing"), ("nothing:8.2", "nothing")])
def test_what_there_is_not_is_named(api: Api, pushed, name, missing):
    refused = api.get(at(name), code=404)

    assert refused["details"] == {"name": missing, "group": "image.openshift.io", "kind": "imagetags"}


def test_a_name_that_is_none_is_a_bad_request(api: Api):
    assert api.get(at("php"), code=400)["message"] == "ImageTags must be retrieved with <name>:<tag>"


def test_a_list_has_the_tags_of_spec_and_status_without_images(api: Api, pushed):
    listed = api.get(TAGS)

    assert [one["metadata"]["name"] for one in listed["items"]] == ["php:8.2", "php:8.3", "php:planned"]
    assert {one["image"] for one in listed["items"]} == {None}


def test_creating_a_tag_creates_its_stream(api: Api):
    made = api.post(TAGS, itag(spec={"from": SOURCE, "annotations": {"description": "PHP"}}))

    assert (made["spec"]["name"], made["spec"]["annotations"]) == ("8.2", {"description": "PHP"})
    assert [one["name"] for one in api.stream()["spec"]["tags"]] == ["8.2"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(itag(), ("spec", "Required value: spec is a required field during creation"), id="no spec"),
        pytest.param(
            itag(spec={"name": "8.3", "from": SOURCE}),
            ("spec.name", 'Invalid value: "8.3": must match image tag name'),
            id="another tag",
        ),
    ],
)
def test_a_new_tag_against_the_rules_is_invalid(api: Api, body, expected):
    assert causes(api.post(TAGS, body, code=422)) == [expected]


def test_a_spec_tag_that_is_there_is_not_created_again(api: Api, pushed):
    assert api.post(TAGS, itag(spec={"from": SOURCE}), code=409)["details"]["kind"] == "imagetags"


def test_a_tag_that_was_only_pushed_gets_its_spec_by_a_replacement(api: Api, pushed):
    made = api.put(at("php:8.3"), itag("php:8.3", {"name": "8.3", "from": SOURCE}), code=201)

    assert made["image"]["metadata"]["name"] == PHP_83


def test_what_was_read_can_be_written_back(api: Api, pushed):
    assert api.put(at(), api.get(at())) == api.get(at())
    assert api.stream() == pushed


def test_a_spec_that_is_null_takes_the_tag_out_and_leaves_the_history(api: Api, pushed):
    after = api.patch(at(), {"spec": None})

    assert after["spec"] is None
    assert after["status"] == pushed["status"]["tags"][0]


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        pytest.param({"metadata": {"labels": {"lang": "ruby"}}}, "metadata", id="labels"),
        pytest.param({"metadata": {"annotations": {"a": "b"}}}, "metadata", id="annotations"),
        pytest.param({"status": {"tag": "8.2", "items": []}}, "status", id="the history"),
    ],
)
def test_nothing_but_the_spec_can_be_changed(api: Api, pushed, patch, field):
    refused = api.patch(at(), patch, code=422)

    assert [one for one, _ in causes(refused)] == [field]
    assert "may not update fields other than spec" in refused["message"]


def test_a_lost_race_is_a_conflict_at_once(api: Api, store, monkeypatch, pushed):
    commit, tries = store.commit, []

    def racing(writes, dry_run=False):
        if isinstance(writes[0], Update):
            tries.append(writes)
            found = store.get("imagestreams.image.openshift.io", "shop", "php")
            commit([Update(found.resource, found.namespace, found.name, found.value + b" ", found.rv)])
        return commit(writes, dry_run)

    monkeypatch.setattr(store, "commit", racing)

    api.put(at(), itag(spec={"name": "8.2", "from": {**SOURCE, "name": "quay.io/acme/php:8.2"}}), code=409)

    assert len(tries) == 1


def test_deleting_a_tag_takes_it_out_of_spec_and_status(api: Api, pushed):
    api.delete(at())

    assert api.get(at(), code=404)["details"]["kind"] == "imagetags"
    assert [one["metadata"]["name"] for one in api.get(TAGS)["items"]] == ["php:8.3", "php:planned"]
