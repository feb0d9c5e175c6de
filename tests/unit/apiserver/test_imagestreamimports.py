"""Imports, with a stub in place of the registries."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit.apiserver.api import ADDRESS, INTEGRATED, PHP_82, PHP_83, Api, causes, image, path, spec_tag
from webhook.apiserver import imagestreamimports
from webhook.apiserver.stored import StoredRest
from webhook.errors import AlreadyExists
from webhook.importer import setup
from webhook.importer.fetched import Fetched, FetchedImage
from webhook.settings import Settings

IMPORTS = path("imagestreamimports")
CHECKED = "openshift.io/image.dockerRepositoryCheck"
MISSING = {
    "metadata": {},
    "status": "Failure",
    "reason": "NotFound",
    "message": f'dockerimage.image.openshift.io "{ADDRESS}:latest" not found',
    "code": 404,
}


class Registries:
    """An importer that finds what it was given and remembers what it was asked."""

    def __init__(self):
        self.found = fetched()
        self.asked = []

    def fetch(self, isi, stream, secrets):
        self.asked.append((isi, stream, secrets))
        return self.found


def fetched(digest=PHP_82):
    return Fetched(images=(FetchedImage("latest", {**_bare(image(digest)), "dockerImageManifest": "{}"}),))


def failed():
    return Fetched(images=(FetchedImage("latest", failure=MISSING),))


def isi(*, storing=True, to="8.2", source=f"{ADDRESS}:latest", name="php", **metadata):
    wanted = {"from": {"kind": "DockerImage", "name": source}, **({"to": {"name": to}} if to else {})}
    return {
        "kind": "ImageStreamImport",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": name, **metadata},
        "spec": {"import": storing, "images": [wanted]},
    }


@pytest.fixture
def registries(monkeypatch):
    stub = Registries()
    monkeypatch.setattr(setup, "Importer", lambda **_: stub)
    return stub


@pytest.fixture
def api(registries, serve):
    return serve()


def test_an_import_creates_stream_tag_and_image(api: Api):
    made = api.post(IMPORTS, isi())

    stream = api.stream()
    assert stream["metadata"]["annotations"][CHECKED].endswith("Z")
    assert stream["metadata"]["generation"] == 1
    assert (stream["spec"]["tags"][0]["name"], stream["spec"]["tags"][0]["generation"]) == ("8.2", 1)
    (event,) = stream["status"]["tags"][0]["items"]
    assert (event["image"], event["generation"]) == (PHP_82, 1)
    assert event["dockerImageReference"] == f"{ADDRESS}@{PHP_82}"
    assert made["status"]["import"] == {key: stream[key] for key in ("metadata", "spec", "status")}
    assert api.get(path("images", PHP_82, namespace=""))["dockerImageReference"] == f"{ADDRESS}@{PHP_82}"


def test_the_answer_names_each_image_and_only_a_new_one_has_a_version(api: Api):
    first = api.post(IMPORTS, isi())["status"]["images"][0]
    again = api.post(IMPORTS, isi())["status"]["images"][0]

    assert (first["status"]["status"], first["image"]["metadata"]["name"]) == ("Success", PHP_82)
    assert "dockerImageManifest" not in first["image"]
    assert ("resourceVersion" in first["image"]["metadata"], "resourceVersion" in again["image"]["metadata"]) == (
        True,
        False,
    )


def test_a_preview_stores_nothing(api: Api, store):
    before = store.revision()

    made = api.post(IMPORTS, isi(storing=False))

    assert made["status"]["images"][0]["image"]["metadata"]["name"] == PHP_82
    assert "import" not in made["status"]
    assert store.revision() == before


def test_a_dry_run_stores_nothing(api: Api, store):
    before = store.revision()

    made = api.post(f"{IMPORTS}?dryRun=All", isi())

    assert made["status"]["import"]["metadata"]["name"] == "php"
    assert store.revision() == before


def test_importing_the_same_again_does_not_even_wait_to_write(api: Api, store, monkeypatch):
    api.post(IMPORTS, isi())
    monkeypatch.setattr(store, "commit", None)

    again = api.post(IMPORTS, isi())

    assert again["status"]["images"][0]["image"]["metadata"]["name"] == PHP_82


def test_an_image_that_another_import_stores_meanwhile_is_shown_as_fetched(api: Api, monkeypatch):
    create_all = StoredRest.create_all

    def later(rest, call, images):
        create_all(rest, call, [_labelled(one) for one in images])
        return create_all(rest, call, images)

    monkeypatch.setattr(StoredRest, "create_all", later)
    shown = api.post(IMPORTS, isi())["status"]["images"][0]["image"]["metadata"]
    stored = api.get(path("images", PHP_82, namespace=""))["metadata"]
    assert stored["labels"] == {"first": "true"}
    assert shown == {"name": PHP_82, **{key: stored[key] for key in ("uid", "creationTimestamp")}}


def test_an_image_that_comes_and_goes_meanwhile_is_stored(api: Api, monkeypatch):
    create_all, others = StoredRest.create_all, ["faster"]

    def later(rest, call, images):
        if others:
            others.clear()
            raise AlreadyExists("another import stored it, and somebody deleted it since")
        return create_all(rest, call, images)

    monkeypatch.setattr(StoredRest, "create_all", later)
    api.post(IMPORTS, isi())
    assert api.get(f"/apis/image.openshift.io/v1/images/{PHP_82}")["metadata"]["name"] == PHP_82


def test_images_that_do_not_fit_one_commit_are_stored_in_order(api: Api, registries, store, monkeypatch):
    monkeypatch.setattr(imagestreamimports, "_IMAGES_PER_COMMIT", 2)
    digests = [f"sha256:{number:064}" for number in range(5)]
    registries.found = Fetched(images=tuple(FetchedImage("latest", _bare(image(one))) for one in digests))
    request = isi()
    request["spec"]["images"] = [{**request["spec"]["images"][0], "to": {"name": f"t{n}"}} for n in range(5)]

    shown = api.post(IMPORTS, request)["status"]["images"]

    versions = [int(one["image"]["metadata"]["resourceVersion"]) for one in shown]
    assert [one["image"]["metadata"]["name"] for one in shown] == digests
    assert versions == list(range(versions[0], versions[0] + 5))
    assert store.get("imagestreams.image.openshift.io", "shop", "php").rv == versions[-1] + 1


def _bare(obj):
    return {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}


def _labelled(obj):
    return {**obj, "metadata": {**obj["metadata"], "labels": {"first": "true"}}}


def test_what_others_wrote_on_a_stored_image_is_not_answered(api: Api):
    api.post(IMPORTS, isi())
    address = path("images", PHP_82, namespace="")
    api.patch(address, {"metadata": {"labels": {"team": "web"}, "annotations": {"note": "mine"}}})

    shown = api.post(IMPORTS, isi())["status"]["images"][0]["image"]["metadata"]

    assert set(shown) == {"name", "uid", "creationTimestamp"}
    assert api.get(address)["metadata"]["labels"] == {"team": "web"}


def test_an_image_without_a_target_shows_that_it_is_not_stored(api: Api, registries):
    body = isi()
    body["spec"]["images"].append({"from": {"kind": "DockerImage", "name": f"{ADDRESS}@{PHP_82}"}})
    registries.found = Fetched(fetched().images * 2)

    stored, bare = (one["image"]["metadata"] for one in api.post(IMPORTS, body)["status"]["images"])

    assert ("uid" in stored, "uid" in bare) == (True, False)


def test_images_of_one_digest_show_the_first_while_each_tag_has_its_own_address(api: Api, registries):
    mirror = "mirror.example.com/acme/php"
    body = isi()
    body["spec"]["images"].append({"from": {"kind": "DockerImage", "name": f"{mirror}:8.2"}, "to": {"name": "copy"}})
    (one,) = fetched().images
    other = FetchedImage("8.2", {**one.image, "dockerImageReference": f"{mirror}@{PHP_82}"})
    registries.found = Fetched((one, other))

    status = api.post(IMPORTS, body)["status"]

    assert [entry["image"]["dockerImageReference"] for entry in status["images"]] == [f"{ADDRESS}@{PHP_82}"] * 2
    events = [entry["items"][0]["dockerImageReference"] for entry in status["import"]["status"]["tags"]]
    assert events == [f"{ADDRESS}@{PHP_82}", f"{mirror}@{PHP_82}"]


def test_the_metadata_is_answered_without_what_says_nothing_and_what_only_a_server_says(api: Api):
    deleted = {"deletionTimestamp": "2026-01-02T03:04:05Z", "deletionGracePeriodSeconds": 30}
    made = api.post(IMPORTS, isi(labels={}, annotations={"note": "mine"}, generation=0, finalizers=[], **deleted))
    assert set(made["metadata"]) == {"name", "namespace", "annotations", "uid", "creationTimestamp"}


def test_a_newer_image_comes_on_top(api: Api, registries):
    api.post(IMPORTS, isi())
    registries.found = fetched(PHP_83)
    api.post(IMPORTS, isi())

    stream = api.stream()
    events = [(one["image"], one["generation"]) for one in stream["status"]["tags"][0]["items"]]
    assert (events, stream["metadata"]["generation"]) == ([(PHP_83, 2), (PHP_82, 1)], 2)


def test_an_alias_follows_an_import(api: Api):
    api.create("php", spec_tag("latest", "8.2", kind="ImageStreamTag"))

    api.post(IMPORTS, isi())

    heads = {one["tag"]: one["items"][0]["image"] for one in api.stream()["status"]["tags"]}
    assert heads == {"8.2": PHP_82, "latest": PHP_82}


def test_a_failure_is_an_answer_and_a_condition(api: Api, registries):
    registries.found = failed()

    made = api.post(IMPORTS, isi())

    assert made["status"]["images"][0]["status"] == MISSING
    (entry,) = api.stream()["status"]["tags"]
    (condition,) = [one for one in entry["conditions"] if one["type"] == "ImportSuccess"]
    assert (condition["status"], condition["reason"]) == ("False", "NotFound")
    assert condition["message"] == MISSING["message"]


def test_a_failure_keeps_the_history(api: Api, registries):
    api.post(IMPORTS, isi())
    registries.found = failed()
    api.post(IMPORTS, isi())

    assert api.get(path("imagestreamtags", "php:8.2"))["image"]["metadata"]["name"] == PHP_82


def test_the_status_of_a_client_is_dropped(api: Api, registries):
    registries.found = failed()

    made = api.post(IMPORTS, {**isi(storing=False), "status": {"images": [{"status": {"status": "Success"}}]}})

    assert [one["status"] for one in made["status"]["images"]] == [MISSING]


def test_registries_are_asked_with_the_stream_and_the_pull_secrets_of_the_namespace(api: Api, registries):
    stream = api.create("php")
    for name, namespace, more in (
        ("pull", "shop", {}),
        ("hidden", "shop", {"openshift.io/image.excludeSecret": "true"}),
        ("elsewhere", "office", {}),
    ):
        body = {
            "kind": "Secret",
            "apiVersion": "v1",
            "metadata": {"name": name, "annotations": more},
            "type": "kubernetes.io/dockerconfigjson",
            "stringData": {".dockerconfigjson": "{}"},
        }
        api.post(f"/api/v1/namespaces/{namespace}/secrets", body)

    api.post(IMPORTS, isi())

    ((request, given, secrets),) = registries.asked
    assert request["spec"]["images"][0]["importPolicy"] == {"importMode": "Legacy"}
    assert given == stream
    assert [one["metadata"]["name"] for one in secrets] == ["pull"]


def test_a_target_that_is_left_out_is_the_tag_of_the_source(api: Api):
    api.post(IMPORTS, isi(to="", source=f"{ADDRESS}:1-147"))

    assert [one["name"] for one in api.stream()["spec"]["tags"]] == ["1-147"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        pytest.param({**isi(), "spec": {"import": True}}, ["spec.images"], id="nothing asked for"),
        pytest.param(isi(source="Quay.io/A:1"), ["spec.images[0].from.name"], id="no reference"),
        pytest.param(isi(name="PHP"), ["metadata.name"], id="no name for a stream"),
    ],
)
def test_an_import_against_the_rules_asks_no_registry(api: Api, registries, body, fields):
    assert [field for field, _ in causes(api.post(IMPORTS, body, code=422))] == fields
    assert registries.asked == []


@pytest.mark.parametrize(
    ("exists", "code", "kind"),
    [
        pytest.param(True, 409, "imagestream", id="an old version"),
        pytest.param(False, 404, "imagestreamimports", id="a version of a stream that there is not"),
    ],
)
def test_a_version_must_be_the_stream_s(api: Api, registries, exists, code, kind):
    if exists:
        api.create("php")

    refused = api.post(IMPORTS, isi(resourceVersion="1"), code=code)

    assert refused["details"] == {"name": "php", "group": "image.openshift.io", "kind": kind}
    assert registries.asked == []


def test_a_uid_is_not_compared(api: Api):
    api.post(IMPORTS, isi(uid="11111111-2222-3333-4444-555555555555"))


def limit_tags(api, most):
    limit = {"type": "openshift.io/ImageStream", "max": {"openshift.io/image-tags": most}}
    body = {"kind": "LimitRange", "apiVersion": "v1", "metadata": {"name": "few"}, "spec": {"limits": [limit]}}
    api.post("/api/v1/namespaces/shop/limitranges", body)


def test_an_import_over_the_limit_leaves_a_condition_on_the_stream(api: Api):
    api.create("php", spec_tag("8.1", "quay.io/acme/php:8.1"))
    limit_tags(api, "1")

    refused = api.post(IMPORTS, isi(), code=422)

    assert "exceeds the maximum limit" in refused["message"]
    stream = api.stream()
    assert [one["name"] for one in stream["spec"]["tags"]] == ["8.1"]
    (entry,) = stream["status"]["tags"]
    assert (entry["tag"], entry["conditions"][0]["reason"]) == ("8.2", "Invalid")
    assert entry["conditions"][0]["generation"] == 2


def test_an_import_over_the_limit_does_not_create_a_stream(api: Api):
    limit_tags(api, "0")

    api.post(IMPORTS, isi(), code=422)

    api.get(path("imagestreams", "php"), code=404)


def test_a_stream_that_changes_during_the_import_is_a_conflict(api: Api, registries):
    api.create("php")

    def meanwhile(isi, stream, secrets):
        api.patch(path("imagestreams", "php"), {"metadata": {"labels": {"lang": "php"}}})
        return fetched()

    registries.fetch = meanwhile

    assert api.post(IMPORTS, isi(), code=409)["reason"] == "Conflict"
    assert api.stream()["status"] == {"dockerImageRepository": f"{INTEGRATED}/shop/php"}


@pytest.fixture
def allowing(registries, serve, tmp_path):
    """An API that imports from quay.io only."""
    path_ = tmp_path / "registries.yaml"
    path_.write_text("allowedRegistriesForImport: [{domainName: quay.io}]")
    return serve(registries=path_)


def test_an_import_from_a_registry_that_is_not_allowed_is_refused(allowing: Api, registries):
    status = allowing.post(IMPORTS, isi(), code=422)

    host = ADDRESS.partition("/")[0]
    refusal = f'registry "{host}:443" not allowed by whitelist: "quay.io:443"'
    why = f'Forbidden: importing images from registry "{host}:443" is forbidden: {refusal}'
    assert causes(status) == [("spec.images[0].from.name", why)]
    assert (status["reason"], status["details"]["kind"]) == ("Invalid", "ImageStreamImport")
    assert registries.asked == []


def test_an_import_from_an_allowed_registry_is_made(allowing: Api):
    allowing.post(IMPORTS, isi(source="quay.io/acme/php:latest", storing=False))


def test_the_integrated_registry_is_always_allowed(allowing: Api):
    allowing.post(IMPORTS, isi(source=f"{INTEGRATED}/shop/php:latest", storing=False))


def test_what_is_allowed_follows_the_file(allowing: Api, tmp_path):
    new = tmp_path / "new.yaml"
    new.write_text(f"allowedRegistriesForImport: [{{domainName: {ADDRESS.partition('/')[0]}}}]")
    new.replace(tmp_path / "registries.yaml")
    allowing.post(IMPORTS, isi())


def test_imports_that_wait_for_registries_leave_threads_to_others(registries, serve):
    api, entered, go = serve(threads=8), threading.Semaphore(0), threading.Event()
    at_once = Settings(threads=8).imports

    def waiting(isi, stream, secrets):
        entered.release()
        assert go.wait(10)
        return fetched()

    registries.fetch = waiting
    with ThreadPoolExecutor(at_once) as threads:
        slow = [threads.submit(api.post, IMPORTS, isi(name=f"php{number}")) for number in range(at_once)]
        assert all(entered.acquire(timeout=10) for _ in slow)
        refused = api.post(IMPORTS, isi(), code=429)
        go.set()
    assert refused["message"] == "this process makes 3 imports, as many as it may: try again later"
    assert refused["details"] == {"retryAfterSeconds": 1}
    assert len({one.result()["metadata"]["uid"] for one in slow}) == at_once
    assert api.post(IMPORTS, isi())
