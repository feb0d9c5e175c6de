"""Image stream tags: read from a stream, written into it."""

import pytest

from tests.unit.apiserver.api import ADDRESS, PHP_82, PHP_83, Api, causes, path, spec_tag
from webhook.storage.store import Update

TAGS = path("imagestreamtags")
UBI = "registry.access.redhat.com/ubi9/php-82:latest"
SOURCE = {"kind": "DockerImage", "name": UBI}


def at(name="php:8.2"):
    return path("imagestreamtags", name)


def istag(name="php:8.2", tag=None, **metadata):
    body = {"kind": "ImageStreamTag", "apiVersion": "image.openshift.io/v1", "metadata": {"name": name, **metadata}}
    return body if tag is None else {**body, "tag": tag}


def spec_names(stream):
    return [one["name"] for one in stream["spec"].get("tags", [])]


def status_names(stream):
    return [one["tag"] for one in stream["status"].get("tags", [])]


@pytest.fixture
def pushed(api):
    """A stream with one tag in spec and status."""
    api.create("php", spec_tag("8.2", UBI, annotations={"description": "PHP 8.2"}), labels={"lang": "php"})
    api.push("8.2")
    return api.stream()


def test_a_tag_is_put_together_from_stream_event_and_image(api: Api, pushed):
    (event,) = pushed["status"]["tags"][0]["items"]

    found = api.get(at())

    assert found["metadata"] == {
        "name": "php:8.2",
        "namespace": "shop",
        "uid": pushed["metadata"]["uid"],
        "resourceVersion": pushed["metadata"]["resourceVersion"],
        "creationTimestamp": event["created"],
        "labels": {"lang": "php"},
        "annotations": {"description": "PHP 8.2"},
    }
    assert (found["tag"]["from"], found["generation"]) == (SOURCE, event["generation"])
    assert found["image"]["dockerImageReference"] == f"{ADDRESS}@{PHP_82}"
    assert found["image"]["metadata"]["annotations"]["description"] == "PHP 8.2"


def test_a_tag_that_was_only_pushed_has_no_spec(api: Api):
    api.create("php")
    api.push("8.2")

    assert api.get(at())["tag"] is None


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        pytest.param("nothing:8.2", "nothing", id="a stream that there is not"),
        pytest.param("php:nothing", "php:nothing", id="a tag that there is not"),
        pytest.param("php:planned", "php:planned", id="a tag without an image"),
    ],
)
def test_what_there_is_not_is_named(api: Api, name, missing):
    api.create("php", spec_tag("planned", UBI))

    refused = api.get(at(name), code=404)

    assert refused["details"] == {"name": missing, "group": "image.openshift.io", "kind": "imagestreamtags"}


def test_a_tag_whose_image_was_deleted_names_the_image(api: Api, pushed):
    api.delete(path("images", PHP_82, namespace=""))

    assert api.get(at(), code=404)["details"]["name"] == PHP_82


@pytest.mark.parametrize("name", ["php", "php:", "php:a:b", f"php@{PHP_82}"])
def test_a_name_that_is_none_is_a_bad_request(api: Api, name):
    assert api.get(at(name), code=400)["message"] == "ImageStreamTags must be retrieved with <name>:<tag>"


def test_a_list_has_every_tag_with_an_image_and_no_version(api: Api, pushed):
    api.push("8.3", PHP_83)
    api.patch(path("imagestreams", "php"), {"spec": {"tags": [spec_tag("planned", UBI)]}})

    listed = api.get(TAGS)

    assert [one["metadata"]["name"] for one in listed["items"]] == ["php:8.2", "php:8.3"]
    assert listed["metadata"] == {}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        pytest.param("labelSelector=lang%3Dphp", 1, id="labels are those of the stream"),
        pytest.param("labelSelector=lang%3Druby", 0, id="other labels"),
        pytest.param("fieldSelector=metadata.namespace%3Dshop", 1, id="the namespace"),
        pytest.param("fieldSelector=metadata.name%3Dphp:8.2", 0, id="the name selects among streams, hence nothing"),
        pytest.param("limit=1", 1, id="a limit is ignored"),
    ],
)
def test_selectors_choose_among_the_streams(api: Api, pushed, query, count):
    assert len(api.get(f"{TAGS}?{query}")["items"]) == count


def test_creating_a_tag_creates_its_stream(api: Api):
    made = api.post(TAGS, istag("php:8.2", {"from": SOURCE}))

    assert (made["metadata"]["name"], made["tag"]["name"], made["tag"]["generation"]) == ("php:8.2", "8.2", 1)
    assert made["image"]["metadata"] == {}
    assert spec_names(api.stream()) == ["8.2"]


def test_a_tag_without_a_spec_makes_an_empty_stream(api: Api):
    api.post(TAGS, istag())

    assert spec_names(api.stream()) == []


def test_a_name_without_a_tag_means_latest(api: Api):
    assert api.post(TAGS, istag("php:", {"from": SOURCE}))["metadata"]["name"] == "php:latest"


def test_a_spec_tag_that_is_there_is_not_created_again(api: Api, pushed):
    refused = api.post(TAGS, istag(tag={"from": SOURCE}), code=409)

    assert refused["details"] == {"name": "php:8.2", "group": "image.openshift.io", "kind": "imagestreamtag"}


def test_a_tag_that_was_only_pushed_can_be_created(api: Api):
    api.create("php")
    api.push("8.2")

    made = api.post(TAGS, istag(tag={"from": SOURCE}))

    assert made["image"]["metadata"]["name"] == PHP_82


@pytest.mark.parametrize(
    ("body", "code", "expected"),
    [
        pytest.param(istag("php"), 500, '"php" must be of the form <stream_name>:<tag>', id="no colon"),
        pytest.param(
            istag(tag={"from": SOURCE, "annotations": {"a": "b"}}),
            422,
            "tag annotations must not be provided or must be equal to the object meta annotations",
            id="annotations in one place alone",
        ),
        pytest.param(
            istag(tag={"from": {"kind": "Dockerfile", "name": UBI}}), 422, "tag.from.kind: Required value", id="a kind"
        ),
    ],
)
def test_a_new_tag_against_the_rules_is_refused(api: Api, body, code, expected):
    assert expected in api.post(TAGS, body, code=code)["message"]
    api.get(path("imagestreams", "php"), code=404)


def test_replacing_a_tag_that_there_is_not_creates_it(api: Api):
    api.put(at(), istag(tag={"from": SOURCE}), code=201)

    assert api.put(at(), istag(tag={"from": SOURCE}))["tag"]["from"] == SOURCE


def test_the_annotations_of_a_tag_are_those_of_its_metadata(api: Api):
    made = api.put(at(), istag(tag={"from": SOURCE, "annotations": {"a": "old"}}, annotations={"a": "new"}), code=201)

    assert made["tag"]["annotations"] == made["metadata"]["annotations"] == {"a": "new"}


def test_replacing_without_a_spec_changes_the_annotations_alone(api: Api, pushed):
    after = api.put(at(), istag(annotations={"description": "new"}))

    assert (after["tag"]["from"], after["tag"]["annotations"]) == (SOURCE, {"description": "new"})


def test_a_tag_outside_of_the_spec_has_no_annotations_to_change(api: Api):
    api.create("php")
    api.push("8.2")

    refused = api.put(at(), istag(annotations={"a": "b"}), code=400)

    assert refused["message"] == "imagestreamtag 8.2 is not a spec tag in imagestream shop/php, cannot be updated"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"labels": {"lang": "ruby"}}, id="labels"),
        pytest.param({"finalizers": ["example.com/hold"]}, id="finalizers"),
    ],
)
def test_nothing_but_annotations_can_be_changed_in_the_metadata(api: Api, pushed, change):
    refused = api.patch(at(), {"metadata": change}, code=422)

    ((field, message),) = causes(refused)
    assert field == "metadata"
    assert "may not update fields other than metadata.annotations" in message


def test_policies_of_the_stream_and_images_are_ignored_in_a_write(api: Api, pushed):
    found = api.get(at())

    after = api.put(at(), {**found, "lookupPolicy": {"local": True}, "generation": 99, "image": {"metadata": {}}})

    assert (after["lookupPolicy"], after["generation"]) == (found["lookupPolicy"], found["generation"])
    assert after["image"] == found["image"]
    assert api.stream()["spec"]["lookupPolicy"] == {"local": False}


def test_generation_zero_asks_for_an_import(api: Api, pushed):
    after = api.patch(at(), {"tag": {"generation": 0}})

    assert after["tag"]["generation"] == api.stream()["metadata"]["generation"] == 2


@pytest.mark.parametrize(
    ("version", "name", "code"),
    [
        pytest.param("1", "php:8.2", 409, id="an old version"),
        pytest.param("1", "nothing:8.2", 404, id="a version of a stream that there is not"),
    ],
)
def test_a_version_in_the_body_must_be_the_stream_s(api: Api, pushed, version, name, code):
    body = istag(name, {"from": SOURCE}, resourceVersion=version)

    refused = api.put(at(name), body, code=code)

    if code == 409:
        current = pushed["metadata"]["resourceVersion"]
        assert f"another caller has updated the resource version to {current}" in refused["message"]


def test_a_tag_can_be_patched_before_it_exists(api: Api):
    made = api.patch(at(), {"tag": {"name": "8.2", "from": SOURCE}}, code=201)

    assert made["tag"]["from"] == SOURCE


def faster(store, monkeypatch, times):
    """Somebody else labels the stream just before each of the first `times` writes."""
    commit, left = store.commit, list(range(times))

    def racing(writes, dry_run=False):
        if left and isinstance(writes[0], Update):
            left.pop()
            found = store.get("imagestreams.image.openshift.io", "shop", "php")
            commit([Update(found.resource, found.namespace, found.name, found.value + b" ", found.rv)])
        return commit(writes, dry_run)

    monkeypatch.setattr(store, "commit", racing)


@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE"])
def test_a_write_without_a_version_is_tried_again(api: Api, store, monkeypatch, pushed, verb):
    faster(store, monkeypatch, 3)
    body = istag("php:8.3", {"from": SOURCE})

    if verb == "POST":
        api.post(TAGS, body)
    elif verb == "PUT":
        api.put(at("php:8.3"), body, code=201)
    else:
        api.delete(at())

    assert spec_names(api.stream()) == ([] if verb == "DELETE" else ["8.2", "8.3"])


def test_deleting_a_tag_takes_it_out_of_spec_and_status_and_keeps_the_image(api: Api, pushed):
    assert api.delete(at()) == {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}

    stream = api.stream()
    assert (spec_names(stream), status_names(stream), stream["metadata"]["generation"]) == ([], [], 2)
    api.get(path("images", PHP_82, namespace=""))


def test_deleting_a_pushed_tag_leaves_the_generation(api: Api):
    api.create("php")
    api.push("8.2")

    api.delete(at())

    assert api.stream()["metadata"]["generation"] == 1


@pytest.mark.parametrize("name", ["php:nothing", "nothing:8.2"])
def test_a_tag_that_there_is_not_cannot_be_deleted(api: Api, pushed, name):
    assert api.delete(at(name), code=404)["details"]["kind"] == "imagestreamtags"


def test_a_uid_in_the_preconditions_is_the_stream_s(api: Api, pushed):
    wrong = {"preconditions": {"uid": "11111111-2222-3333-4444-555555555555"}}
    assert "the UID precondition was not met" in api.delete(at(), wrong, code=409)["message"]

    api.delete(at(), {"preconditions": {"uid": pushed["metadata"]["uid"], "resourceVersion": "1"}})


@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE"])
def test_a_dry_run_changes_nothing(api: Api, store, pushed, verb):
    before = store.revision()
    url = f"{TAGS if verb == 'POST' else at()}?dryRun=All"

    api.send(
        verb,
        url,
        istag("php:8.3" if verb == "POST" else "php:8.2", {"from": SOURCE}) if verb != "DELETE" else None,
        code=201 if verb == "POST" else 200,
    )

    assert store.revision() == before
