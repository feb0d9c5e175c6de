"""The generic verbs over the store: versions, races, generated names, dry runs."""

import re

import pytest

from tests.unit.apiserver.api import Api, causes, path, stream
from webhook.apiserver.bodies import decoded
from webhook.apiserver.reading import objects
from webhook.apiserver.rest import Call, Selection
from webhook.apiserver.stored import StoredRest
from webhook.apiserver.strategy import Strategy
from webhook.errors import AlreadyExists, Conflict, NotFound
from webhook.meta.identity import ADMINISTRATOR
from webhook.meta.resources import ResourceInfo
from webhook.meta.selectors import FieldSelector, LabelSelector
from webhook.storage.store import Delete, Update

GROUP = "image.openshift.io"
INFO = ResourceInfo(GROUP, "v1", "imagestreams", "imagestream", "ImageStream", True, ("get",))
PHP = path("imagestreams", "php")
MODIFIED = (
    'Operation cannot be fulfilled on imagestreams.image.openshift.io "php": the object has been modified;'
    " please apply your changes to the latest version and try again"
)


def call(**more):
    return Call(ADMINISTRATOR, "shop", **more)


def php(**metadata):
    return {"kind": "ImageStream", "apiVersion": f"{GROUP}/v1", "metadata": {"name": "php", **metadata}}


def everything(**more):
    return Selection(LabelSelector.parse(""), FieldSelector.parse("", set()), **more)


@pytest.fixture
def rest(store):
    return StoredRest(INFO, store, Strategy(), unconditional_update=True)


def labelled(value):
    def transform(old):
        return {**old, "metadata": {**old["metadata"], "labels": {"app": value}, "resourceVersion": ""}}

    return transform


def test_versions_rise_with_every_change(rest):
    first = decoded(rest.create(call(), php(namespace="shop")))
    shown, created = rest.update(call(), "php", labelled("shop"))
    second = decoded(shown)

    assert int(second["metadata"]["resourceVersion"]) > int(first["metadata"]["resourceVersion"])
    assert created is False


def test_an_update_that_changes_nothing_keeps_the_version(rest, store):
    first = decoded(rest.create(call(), php(namespace="shop")))
    before = store.revision()

    same, _ = rest.update(call(), "php", lambda old: old)

    assert (decoded(same), store.revision()) == (first, before)


def named(name):
    return {**php(), "metadata": {"name": name}}


def test_many_are_created_in_one_commit(rest, store, monkeypatch):
    commits, commit = [], store.commit
    monkeypatch.setattr(store, "commit", lambda writes, **more: commits.append(len(writes)) or commit(writes, **more))
    found = rest.create_all(call(), [named("php"), named("perl")])
    assert [one["metadata"]["resourceVersion"] for one in found] == ["2", "3"]
    assert commits == [2]


def test_many_are_created_all_or_not_at_all(rest, store):
    rest.create(call(), named("perl"))
    with pytest.raises(AlreadyExists, match='"perl" already exists'):
        rest.create_all(call(), [named("php"), named("perl")])
    assert store.get("imagestreams.image.openshift.io", "shop", "php") is None


def test_a_dry_run_of_many_keeps_nothing(rest, store):
    found = rest.create_all(call(dry_run=True), [named("php"), named("perl")])
    assert [one["metadata"]["name"] for one in found] == ["php", "perl"]
    assert store.revision() == 1


def test_a_lost_race_is_run_again_on_the_newer_object(rest, store):
    rest.create(call(), php(namespace="shop"))
    seen = []

    def annotate(old):
        seen.append(old["metadata"].get("labels"))
        if len(seen) == 1:
            rest.update(call(), "php", labelled("faster"))
        return {**old, "metadata": {**old["metadata"], "annotations": {"slow": "yes"}}}

    shown = decoded(rest.update(call(), "php", annotate)[0])

    assert seen == [None, {"app": "faster"}]
    assert shown["metadata"]["labels"] == {"app": "faster"}
    assert shown["metadata"]["annotations"] == {"slow": "yes"}


def test_a_race_that_is_always_lost_ends_as_a_conflict(rest, store):
    rest.create(call(), php(namespace="shop"))
    tries = []

    def always_late(old):
        tries.append(old)
        record = store.get(rest.key, "shop", "php")
        store.commit([Update(rest.key, "shop", "php", record.value + b" " * len(tries), record.rv)])
        return {**old, "metadata": {**old["metadata"], "annotations": {"slow": "yes"}}}

    with pytest.raises(Conflict) as lost:
        rest.update(call(), "php", always_late)

    assert lost.value.message == MODIFIED
    assert len(tries) == 200


def test_a_transform_that_names_a_version_means_that_version(rest):
    rest.create(call(), php(namespace="shop"))
    tries = []

    def outdated(old):
        tries.append(old)
        return {**old, "metadata": {**old["metadata"], "resourceVersion": "1"}}

    with pytest.raises(Conflict):
        rest.update(call(), "php", outdated)

    assert len(tries) == 1


def test_an_object_that_vanishes_during_its_update_is_not_found(rest, store):
    rest.create(call(), php(namespace="shop"))

    def vanish(old):
        store.commit([Delete(rest.key, "shop", "php", None)])
        return {**old, "metadata": {**old["metadata"], "annotations": {"slow": "yes"}}}

    with pytest.raises(NotFound):
        rest.update(call(), "php", vanish)


def test_a_generated_name_that_is_taken_is_generated_again(rest, monkeypatch):
    names = iter(["php-22222", "php-22222", "php-44444"])
    monkeypatch.setattr("webhook.meta.names.generate_name", lambda base: next(names))
    wanted = {**php(), "metadata": {"generateName": "php-", "namespace": "shop"}}

    made = [decoded(rest.create(call(), wanted))["metadata"]["name"] for _ in range(2)]

    assert made == ["php-22222", "php-44444"]


def test_eight_taken_names_are_enough(rest, monkeypatch):
    asked = []
    monkeypatch.setattr("webhook.meta.names.generate_name", lambda base: asked.append(base) or "php-22222")
    wanted = {**php(), "metadata": {"generateName": "php-", "namespace": "shop"}}
    rest.create(call(), wanted)
    asked.clear()

    with pytest.raises(AlreadyExists) as taken:
        rest.create(call(), wanted)

    assert len(asked) == 8
    assert taken.value.message == (
        'imagestreams.image.openshift.io "php-22222" already exists,'
        " the server was not able to generate a unique name for the object"
    )
    assert taken.value.details["retryAfterSeconds"] == 1


def test_a_page_is_filled_over_objects_that_a_selector_leaves_out(rest):
    for number in range(9):
        labels = {"app": "shop"} if number in (0, 7, 8) else {}
        rest.create(call(), php(name=f"php-{number}", namespace="shop", labels=labels))
    selection = Selection(LabelSelector.parse("app=shop"), FieldSelector.parse("", set()), limit=2)

    page = rest.list(call(), selection)

    assert [one["metadata"]["name"] for one in objects(page)] == ["php-0", "php-7"]
    assert page.after is not None
    assert page.remaining is None


def test_all_pages_show_the_state_of_the_first(rest):
    for name in ("a", "b", "c"):
        rest.create(call(), php(name=name, namespace="shop"))
    first = rest.list(call(), everything(limit=1))
    rest.create(call(), php(name="bb", namespace="shop"))

    second = rest.list(call(), everything(limit=5, after=first.after, at=first.revision))

    assert [one["metadata"]["name"] for one in objects(second)] == ["b", "c"]
    assert (second.revision, first.remaining) == (first.revision, 2)


def test_lists_are_ordered_by_namespace_and_name(rest):
    for namespace, name in (("shop", "b"), ("office", "z"), ("shop", "a")):
        rest.create(Call(ADMINISTRATOR, namespace), php(name=name, namespace=namespace))

    listed = objects(rest.list(Call(ADMINISTRATOR), everything()))

    where = [(one["metadata"]["namespace"], one["metadata"]["name"]) for one in listed]
    assert where == [("office", "z"), ("shop", "a"), ("shop", "b")]


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        pytest.param("POST", path("imagestreams"), stream("ruby"), id="a creation"),
        pytest.param("PATCH", PHP, {"metadata": {"labels": {"app": "shop"}}}, id="a patch"),
        pytest.param("DELETE", PHP, None, id="a deletion"),
        pytest.param("DELETE", path("imagestreams"), None, id="a deletion of all"),
    ],
)
def test_a_dry_run_answers_as_if_and_keeps_nothing(api: Api, store, method, url, body):
    api.create("php")
    before = (store.revision(), api.stream())
    headers = {"Content_Type": "application/merge-patch+json"} if method == "PATCH" else {}

    api.send(method, f"{url}?dryRun=All", body, code=201 if method == "POST" else 200, **headers)

    assert (store.revision(), api.stream()) == before


def test_a_creation_that_is_a_dry_run_has_a_uid_and_no_version(api: Api):
    made = api.post(f"{path('imagestreams')}?dryRun=All", stream())["metadata"]

    assert made["uid"]
    assert "resourceVersion" not in made


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        pytest.param({"resourceVersion": "1"}, 409, MODIFIED, id="an old version"),
        pytest.param(
            {"resourceVersion": ""},
            422,
            'imagestreams.image.openshift.io "php" is invalid: metadata.resourceVersion:'
            " Invalid value: 0: must be specified for an update",
            id="no version",
        ),
        pytest.param(
            {"name": "ruby"},
            400,
            "the name of the object (ruby) does not match the name on the URL (php)",
            id="another name",
        ),
        pytest.param(
            {"namespace": "office"},
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
            id="another namespace",
        ),
    ],
)
def test_a_replacement_must_be_of_the_object_as_it_is(api: Api, change, code, message):
    made = api.create("php")

    refused = api.put(PHP, {**made, "metadata": {**made["metadata"], **change}}, code=code)

    assert refused["message"] == message


def test_replacing_what_is_missing_does_not_create_it(api: Api):
    refused = api.put(PHP, stream("php", resourceVersion="1"), code=404)

    assert refused["details"] == {"name": "php", "group": GROUP, "kind": "imagestreams"}


@pytest.mark.parametrize(
    ("metadata", "code", "message"),
    [
        pytest.param({"name": "php"}, 409, 'imagestreams.image.openshift.io "php" already exists', id="a taken name"),
        pytest.param(
            {"name": "ruby", "resourceVersion": "1"},
            500,
            "resourceVersion should not be set on objects to be created",
            id="a version",
        ),
        pytest.param(
            {},
            422,
            'ImageStream.image.openshift.io "" is invalid: metadata.name: Required value:'
            " name or generateName is required",
            id="no name",
        ),
    ],
)
def test_a_creation_against_the_rules_is_refused(api: Api, metadata, code, message):
    api.create("php")

    assert api.post(path("imagestreams"), {**stream(), "metadata": metadata}, code=code)["message"] == message


def test_labels_are_checked(api: Api):
    refused = api.post(path("imagestreams"), stream("php", labels={"app": "not a label"}), code=422)

    ((field, _),) = causes(refused)
    assert field == "metadata.labels"


def test_a_finalizer_holds_an_object_until_it_is_taken_away(api: Api):
    api.create("php", finalizers=["example.com/hold"])

    held = api.delete(PHP)
    assert held["metadata"]["deletionTimestamp"]
    assert api.delete(PHP) == held
    assert "object is being deleted: " in api.post(path("imagestreams"), stream(), code=409)["message"]

    last = api.patch(PHP, {"metadata": {"finalizers": None}})
    assert last["metadata"]["uid"] == held["metadata"]["uid"]
    api.get(PHP, code=404)


def test_a_new_object_of_an_old_name_has_another_uid(api: Api):
    first = api.create("php")["metadata"]["uid"]
    api.delete(PHP)

    assert api.create("php")["metadata"]["uid"] != first


@pytest.mark.parametrize(("method", "body"), [("POST", stream()), ("DELETE", None)])
def test_a_status_is_neither_created_nor_deleted(api: Api, method, body):
    api.create("php")

    answer = api.send(method, f"{PHP}/status", body, code=405)

    assert answer.json["reason"] == "MethodNotAllowed"


def test_what_is_stored_carries_no_version_of_its_own(api: Api, store):
    api.create("php")

    record = store.get(f"imagestreams.{GROUP}", "shop", "php")

    assert re.findall(rb'"resourceVersion":"(.*?)"', record.value) == [b""]
