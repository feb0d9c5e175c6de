"""Streams: what the server forces, resolves and computes."""

import pytest

from tests.unit.apiserver.api import ADDRESS, INTEGRATED, PHP_82, PHP_83, Api, causes, path, spec_tag, stream

PHP = path("imagestreams", "php")
UBI = "registry.access.redhat.com/ubi9/php-82:latest"
EVENT = {"created": "2026-01-02T03:04:05Z", "dockerImageReference": f"{ADDRESS}@{PHP_82}", "image": PHP_82}


def status(*items, tag="8.2"):
    return {"status": {"tags": [{"tag": tag, "items": list(items)}]}}


def history(obj, tag):
    (found,) = [one["items"] for one in obj["status"]["tags"] if one["tag"] == tag]
    return found


def generations(obj):
    return obj["metadata"]["generation"], {one["name"]: one["generation"] for one in obj["spec"]["tags"]}


def test_a_new_stream_starts_at_generation_one_with_defaults(api: Api):
    made = api.create("php", spec_tag("8.2", UBI, generation=9))

    assert generations(made) == (1, {"8.2": 1})
    assert made["spec"]["lookupPolicy"] == {"local": False}
    (tag,) = made["spec"]["tags"]
    assert (tag["importPolicy"], tag["referencePolicy"]) == ({"importMode": "Legacy"}, {"type": "Source"})


def test_the_import_mode_of_the_server_is_the_default(serve):
    made = serve(import_mode="PreserveOriginal").create("php", spec_tag("8.2", UBI))

    assert made["spec"]["tags"][0]["importPolicy"] == {"importMode": "PreserveOriginal"}


def test_tags_are_kept_by_name_and_the_last_of_two_wins(api: Api):
    made = api.create("php", spec_tag("8.3", UBI), spec_tag("8.2", "quay.io/acme/old:1"), spec_tag("8.2", UBI))

    assert [(one["name"], one["from"]["name"]) for one in made["spec"]["tags"]] == [("8.2", UBI), ("8.3", UBI)]


@pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH"])
def test_the_status_of_a_client_is_dropped(api: Api, verb):
    if verb == "POST":
        made = api.post(path("imagestreams"), {**stream(), **status(EVENT)})
    else:
        before = api.create("php")
        made = api.put(PHP, {**before, **status(EVENT)}) if verb == "PUT" else api.patch(PHP, status(EVENT))

    assert "tags" not in made["status"]


def test_a_client_that_leaves_out_the_status_does_not_remove_it(api: Api):
    api.create("php")
    api.push("8.2")
    before = api.stream()

    after = api.put(PHP, {key: value for key, value in before.items() if key != "status"})

    assert after["status"] == before["status"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param(
            {},
            {"dockerImageRepository": f"{INTEGRATED}/shop/php"},
            id="the integrated registry",
        ),
        pytest.param(
            {"public_registry": "registry.apps.example.com"},
            {
                "dockerImageRepository": f"{INTEGRATED}/shop/php",
                "publicDockerImageRepository": "registry.apps.example.com/shop/php",
            },
            id="and its public name",
        ),
        pytest.param(
            {"integrated_registry": ""},
            {"dockerImageRepository": "quay.io/acme/php"},
            id="without one, the stream's own",
        ),
    ],
)
def test_the_repository_is_computed(serve, settings, expected):
    api = serve(**settings)
    api.create("php", spec={"dockerImageRepository": "quay.io/acme/php"})

    assert api.stream()["status"] == expected


def test_a_selector_finds_the_computed_repository(api: Api):
    api.create("php")

    query = f"fieldSelector=status.dockerImageRepository%3D{INTEGRATED}/shop/php"

    assert len(api.get(f"{path('imagestreams')}?{query}")["items"]) == 1


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        pytest.param({"metadata": {"labels": {"lang": "php"}}}, (1, {"8.2": 1}), id="labels do not count"),
        pytest.param({"spec": {"lookupPolicy": {"local": True}}}, (2, {"8.2": 1}), id="the policy is the stream's"),
        pytest.param(
            {"spec": {"tags": [spec_tag("8.2", UBI, generation=7)]}}, (1, {"8.2": 1}), id="a client's number is ignored"
        ),
        pytest.param(
            {"spec": {"tags": [spec_tag("8.2", UBI, generation=0)]}}, (2, {"8.2": 2}), id="zero asks for an import"
        ),
        pytest.param(
            {"spec": {"tags": [spec_tag("8.2", "quay.io/acme/php:8.2")]}}, (2, {"8.2": 2}), id="another source"
        ),
        pytest.param(
            {"spec": {"tags": [spec_tag("8.2", UBI, annotations={"a": "b"})]}}, (2, {"8.2": 1}), id="an annotation"
        ),
        pytest.param(
            {"spec": {"tags": [spec_tag("8.2", UBI), spec_tag("8.3", UBI)]}}, (2, {"8.2": 1, "8.3": 2}), id="a new tag"
        ),
    ],
)
def test_generations_say_what_changed(api: Api, patch, expected):
    api.create("php", spec_tag("8.2", UBI))

    assert generations(api.patch(PHP, patch)) == expected


def test_a_tag_that_is_a_reference_has_its_history_at_once(api: Api):
    made = api.create("php", spec_tag("8.2", UBI, reference=True))

    ((event),) = history(made, "8.2")
    assert (event["dockerImageReference"], event["image"], event["generation"]) == (UBI, "", 1)


def test_a_tag_of_another_stream_is_copied_with_the_time_of_its_image(api: Api):
    api.create("php")
    api.push("8.2")
    source = history(api.stream(), "8.2")[0]

    made = api.create("site", spec_tag("base", "php:8.2", kind="ImageStreamTag"))

    assert history(made, "base") == [{**source, "generation": 1}]


def test_an_image_of_another_stream_is_found_by_the_start_of_its_digest(api: Api):
    api.create("php")
    api.push("8.2")

    made = api.create("site", spec_tag("base", f"php@{PHP_82[:20]}", kind="ImageStreamImage"))

    assert history(made, "base")[0]["image"] == PHP_82


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        pytest.param(
            "nothing:8.2",
            "ImageStreamTag",
            'imagestreams "site" is invalid: spec.tags[base].from.name: Not found: "nothing:8.2"',
            id="a stream that there is not",
        ),
        pytest.param(
            f"php@{PHP_83}",
            "ImageStreamImage",
            f'error generating tag event: imagestreamimage.image.openshift.io "{PHP_83}" not found',
            id="an image that the stream does not have",
        ),
        pytest.param(
            "a:b:c",
            "ImageStreamTag",
            "must be of the form <tag>, <repo>:<tag>, <id>, or <repo>@<id>",
            id="a name that is none",
        ),
    ],
)
def test_a_source_that_cannot_be_resolved_is_one_internal_finding(api: Api, source, kind, message):
    api.create("php")
    api.push("8.2")

    refused = api.post(path("imagestreams"), stream("site", spec_tag("base", source, kind=kind)), code=422)

    ((field, text),) = causes(refused)
    assert field == "[]"
    assert message in text
    assert refused["message"].startswith('ImageStream.image.openshift.io "site" is invalid: []: Internal error: ')


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param(stream("PHP"), "metadata.name", id="capitals in the name"),
        pytest.param(stream("php", generateName="build-"), "metadata.generateName", id="a prefix that is no name"),
        pytest.param(
            stream("php", spec={"dockerImageRepository": UBI}),
            "spec.dockerImageRepository",
            id="a repository with a tag",
        ),
        pytest.param(stream("php", spec_tag("8.2", "Quay.io/A:1")), "spec.tags[8.2].from.name", id="no reference"),
        pytest.param(
            stream("php", spec_tag("8.2", UBI, referencePolicy={"type": "Remote"})),
            "spec.tags[8.2].referencePolicy.type",
            id="a policy that there is not",
        ),
        pytest.param(
            stream("php", spec_tag("8.2", UBI, importPolicy={"importMode": "Some"})),
            "spec.tags[8.2].importPolicy.importMode",
            id="an import mode that there is not",
        ),
    ],
)
def test_a_stream_against_the_rules_is_invalid(api: Api, body, field):
    refused = api.post(path("imagestreams"), body, code=422)

    assert [one for one, _ in causes(refused)] == [field]


def test_a_prefix_is_looked_at_before_the_name_that_was_made_of_it(api: Api):
    refused = api.post(path("imagestreams"), {"metadata": {"generateName": "X_/", "labels": {"a b": "c"}}}, code=422)

    assert [field for field, _ in causes(refused)] == ["metadata.generateName", "metadata.name", "metadata.labels"]


def test_a_source_without_a_name_is_told_twice_as_openshift_does(api: Api):
    tag = {"name": "8.2", "from": {"kind": "DockerImage"}}

    refused = api.post(path("imagestreams"), stream("php", tag), code=422)

    (field, message), missing = causes(refused)
    assert (field, missing) == ("[]", ("spec.tags[8.2].from.name", "Required value"))
    assert "must be of the form <tag>, <repo>:<tag>, <id>, or <repo>@<id>" in message


def test_removing_a_tag_from_the_spec_keeps_its_history(api: Api):
    api.create("php", spec_tag("8.2", UBI))
    api.push("8.2")

    after = api.patch(PHP, {"spec": {"tags": None}})

    assert history(after, "8.2")[0]["image"] == PHP_82


def test_deleting_a_stream_keeps_its_images(api: Api):
    api.create("php")
    api.push("8.2")
    api.delete(PHP)

    api.get(path("images", PHP_82, namespace=""))


def limit_range(api, most):
    limit = {"type": "openshift.io/ImageStream", "max": {"openshift.io/image-tags": most}}
    body = {"kind": "LimitRange", "apiVersion": "v1", "metadata": {"name": "few"}, "spec": {"limits": [limit]}}
    api.post("/api/v1/namespaces/shop/limitranges", body)


def test_a_limit_on_tags_holds(api: Api):
    limit_range(api, "1")
    api.create("php", spec_tag("8.2", "quay.io/acme/php:8.2"))

    patch = {"spec": {"tags": [spec_tag("8.2", "quay.io/acme/php:8.2"), spec_tag("8.3", "quay.io/acme/php:8.3")]}}
    refused = api.patch(PHP, patch, code=422)

    excess = "requested usage of openshift.io/image-tags exceeds the maximum limit per openshift.io/ImageStream (2 > 1)"
    assert excess in refused["message"]
    assert causes(refused)[0][0] == "[]"


def test_a_status_write_changes_the_status_alone(api: Api):
    made = api.create("php", spec_tag("8.2", UBI))

    body = {**made, **status({**EVENT, "generation": 1}), "spec": {"tags": [spec_tag("8.3", UBI)]}}
    after = api.put(f"{PHP}/status", body)

    assert [one["name"] for one in after["spec"]["tags"]] == ["8.2"]
    assert history(after, "8.2")[0]["image"] == PHP_82
    assert after["metadata"]["generation"] == 1
    assert after["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]


def test_an_event_without_a_generation_gets_the_one_of_the_stream(api: Api):
    made = api.create("php", spec_tag("8.2", UBI))

    after = api.put(f"{PHP}/status", {**made, **status({**EVENT, "generation": 0})})

    assert history(after, "8.2")[0]["generation"] == 1


def test_the_repository_of_a_status_write_is_shown_as_written_there_and_computed_elsewhere(api: Api):
    made = api.create("php")

    after = api.put(f"{PHP}/status", {**made, "status": {}})

    assert after["status"]["dockerImageRepository"] == ""
    assert api.get(f"{PHP}/status")["status"]["dockerImageRepository"] == ""
    assert api.stream()["status"]["dockerImageRepository"] == f"{INTEGRATED}/shop/php"


def test_a_status_with_an_event_without_an_address_is_invalid(api: Api):
    made = api.create("php")

    refused = api.put(f"{PHP}/status", {**made, **status({**EVENT, "dockerImageReference": ""})}, code=422)

    assert refused["details"]["causes"][0]["reason"] == "FieldValueInvalid"


@pytest.fixture
def allowing(serve, tmp_path):
    """An API that imports from quay.io only."""
    file = tmp_path / "registries.yaml"
    file.write_text("allowedRegistriesForImport: [{domainName: quay.io}]")
    return serve(registries=file)


@pytest.mark.parametrize(
    ("resource", "body"),
    [
        pytest.param("imagestreams", stream("php", spec_tag("8.2", "ghcr.io/acme/php:8.2")), id="a stream"),
        pytest.param(
            "imagestreamtags",
            {"metadata": {"name": "php:8.2"}, "tag": spec_tag("8.2", "ghcr.io/acme/php:8.2")},
            id="a stream tag",
        ),
    ],
)
def test_a_tag_from_a_registry_that_is_not_allowed_is_refused(allowing: Api, resource, body):
    status = allowing.post(path(resource), body, code=422)

    why = 'Forbidden: registry "ghcr.io:443" not allowed by whitelist: "quay.io:443"'
    assert causes(status) == [("spec.tags[8.2].from.name", why)]


def test_a_history_from_a_registry_that_is_not_allowed_is_refused(allowing: Api):
    made = allowing.create("php")
    item = {"dockerImageReference": f"ghcr.io/acme/php@{PHP_82}", "image": PHP_82, "created": "2026-01-02T03:04:05Z"}
    made["status"] = {"tags": [{"tag": "8.2", "items": [item]}]}

    status = allowing.put(path("imagestreams", "php/status"), made, code=422)

    assert [field for field, _ in causes(status)] == ["status.tags[8.2].items[0].dockerImageReference"]


def test_a_stream_from_before_the_list_can_still_be_changed(serve, tmp_path):
    serve().create("php", spec_tag("8.2", "ghcr.io/acme/php:8.2"))
    file = tmp_path / "registries.yaml"
    file.write_text("allowedRegistriesForImport: [{domainName: quay.io}]")

    later = serve(registries=file)
    later.patch(path("imagestreams", "php"), {"metadata": {"labels": {"team": "web"}}})
