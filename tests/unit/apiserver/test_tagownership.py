"""Server-side apply of tags: who owns what of a tag is kept on its stream (contract 6.2, image-api 12.20)."""

import pytest

from tests.unit.apiserver.api import JSON_PATCH, MERGE, Api, path, spec_tag

APPLY = "application/apply-patch+yaml"
PHP_82 = {"kind": "DockerImage", "name": "registry.access.redhat.com/ubi9/php-82:latest"}
PHP_83 = {"kind": "DockerImage", "name": "registry.access.redhat.com/ubi9/php-83:latest"}
PHP_84 = {"kind": "DockerImage", "name": "registry.access.redhat.com/ubi9/php-84:latest"}
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
KINDS = [
    pytest.param("imagestreamtags", "ImageStreamTag", "tag", id="an image stream tag"),
    pytest.param("imagetags", "ImageTag", "spec", id="an image tag"),
]


def at(name="php:8.2", resource="imagestreamtags"):
    return path(resource, name)


def istag(tag=None, name="php:8.2", *, kind="ImageStreamTag", part="tag", **metadata):
    body = {"kind": kind, "apiVersion": "image.openshift.io/v1", "metadata": {"name": name, **metadata}}
    return body if tag is None else {**body, part: tag}


def apply(api: Api, body, manager="one", *, resource="imagestreamtags", query="", code=200):
    url = f"{at(body['metadata']['name'], resource)}?fieldManager={manager}{query}"
    return api.patch(url, body, code=code, kind=APPLY)


def owners(api: Api, name="php"):
    """(manager, operation, subresource) to the fields as texts without the path of the tags."""
    found = {}
    for entry in api.stream(name)["metadata"].get("managedFields", []):
        key = (entry["manager"], entry["operation"], entry.get("subresource", ""))
        found[key] = sorted(_leaves(entry["fieldsV1"]))
    return found


def _leaves(tree, before=""):
    for key, below in tree.items():
        name = key.removeprefix("f:")
        if name == ".":
            continue
        where = f"{before}/{name}" if before else name
        if set(below) - {"."}:
            yield from _leaves(below, where)
        else:
            yield where


@pytest.mark.parametrize(("resource", "kind", "part"), KINDS)
def test_applying_creates_stream_and_tag_and_applying_again_writes_nothing(api: Api, resource, kind, part):
    wanted = istag({"from": PHP_82}, kind=kind, part=part)

    made = apply(api, wanted, resource=resource, code=201)
    before = api.stream()
    again = apply(api, wanted, resource=resource)

    assert (made[part]["from"], made[part]["generation"]) == (PHP_82, 1)
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    assert api.stream() == before
    assert owners(api) == {
        ("one", "Apply", resource): [
            'spec/tags/k:{"name":"8.2"}/from',
            'spec/tags/k:{"name":"8.2"}/name',
        ]
    }


@pytest.mark.parametrize(("resource", "kind", "part"), KINDS)
def test_another_value_is_a_conflict_that_force_resolves(api: Api, resource, kind, part):
    apply(api, istag({"from": PHP_82}, kind=kind, part=part), resource=resource, code=201)
    other = istag({"from": PHP_83}, kind=kind, part=part)

    refused = apply(api, other, "two", resource=resource, code=409)
    assert refused["details"]["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "one" with subresource "{resource}"',
            "field": f".{part}.from",
        }
    ]
    apply(api, other, "two", resource=resource, query="&force=true")
    assert api.stream()["spec"]["tags"][0]["from"] == PHP_83
    assert set(owners(api)) == {("one", "Apply", resource), ("two", "Apply", resource)}
    assert owners(api)["one", "Apply", resource] == ['spec/tags/k:{"name":"8.2"}/name']


def test_what_two_managers_want_alike_is_owned_by_both_and_goes_with_the_last(api: Api):
    apply(api, istag({"from": PHP_82}), code=201)
    apply(api, istag({"from": PHP_82, "importPolicy": {"scheduled": True}}), "two")

    apply(api, istag(), "one")
    assert api.stream()["spec"]["tags"][0]["from"] == PHP_82
    assert set(owners(api)) == {("two", "Apply", "imagestreamtags")}
    apply(api, istag(), "two")
    assert "tags" not in api.stream()["spec"]
    assert owners(api) == {}


@pytest.mark.parametrize(("resource", "kind", "part"), KINDS)
def test_a_field_that_is_no_longer_applied_goes_and_the_history_of_a_tag_stays(api: Api, resource, kind, part):
    first = {"from": PHP_82, "importPolicy": {"insecure": True, "scheduled": True}}
    apply(api, istag(first, kind=kind, part=part), resource=resource, code=201)
    api.push("8.2")

    second = {"from": PHP_82, "importPolicy": {"insecure": True}}
    shown = apply(api, istag(second, kind=kind, part=part), resource=resource)
    assert shown[part]["importPolicy"] == {"importMode": "Legacy", "insecure": True}
    apply(api, istag(kind=kind), resource=resource)
    left = api.stream()
    assert "tags" not in left["spec"]
    assert [one["tag"] for one in left["status"]["tags"]] == ["8.2"]


def test_tags_of_one_manager_do_not_prune_each_other(api: Api):
    apply(api, istag({"from": PHP_82}), code=201)
    apply(api, istag({"from": PHP_83}, "php:8.3"), code=201)
    apply(api, istag({"from": PHP_82}))

    assert [one["name"] for one in api.stream()["spec"]["tags"]] == ["8.2", "8.3"]
    assert owners(api)["one", "Apply", "imagestreamtags"] == [
        'spec/tags/k:{"name":"8.2"}/from',
        'spec/tags/k:{"name":"8.2"}/name',
        'spec/tags/k:{"name":"8.3"}/from',
        'spec/tags/k:{"name":"8.3"}/name',
    ]


def applied_stream(*tags):
    return {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStream",
        "metadata": {"name": "php"},
        "spec": {"tags": list(tags)},
    }


def test_a_manager_that_applies_the_stream_leaves_the_tags_that_it_applies_one_by_one(api: Api):
    url = f"{path('imagestreams', 'php')}?fieldManager=one"
    api.patch(url, applied_stream(spec_tag("8.2", PHP_82["name"])), kind=APPLY, code=201)
    apply(api, istag({"from": PHP_83}, "php:8.3"), code=201)

    api.patch(url, applied_stream(spec_tag("8.2", PHP_82["name"])), kind=APPLY)
    assert [one["name"] for one in api.stream()["spec"]["tags"]] == ["8.2", "8.3"]
    api.patch(url, applied_stream(), kind=APPLY)
    assert [one["name"] for one in api.stream()["spec"]["tags"]] == ["8.3"]


def test_stream_and_tag_are_one_for_conflicts(api: Api):
    url = f"{path('imagestreams', 'php')}?fieldManager=one"
    api.patch(url, applied_stream(spec_tag("8.2", PHP_82["name"])), kind=APPLY, code=201)

    refused = apply(api, istag({"from": PHP_83}), "two", code=409)
    assert refused["message"] == 'Apply failed with 1 conflict: conflict with "one": .tag.from'
    apply(api, istag({"from": PHP_83}), "two", query="&force=true")
    refused = api.patch(url, applied_stream(spec_tag("8.2", PHP_82["name"])), kind=APPLY, code=409)
    assert refused["details"]["causes"][0]["field"] == '.spec.tags[name="8.2"].from'
    assert owners(api)["one", "Apply", ""] == ['spec/tags/k:{"name":"8.2"}/name']


def test_a_tag_that_was_there_before_belongs_to_nobody_in_particular(api: Api):
    api.create("php", spec_tag("8.2", PHP_82["name"]))
    api.put(path("imagestreamtags", "php:8.3"), istag({"from": PHP_83}, "php:8.3"), code=201)

    refused = apply(api, istag({"from": PHP_84}, "php:8.3"), code=409)
    assert 'conflict with "before-first-apply" with subresource "imagestreamtags"' in refused["message"]
    apply(api, istag({"from": PHP_83}, "php:8.3"))
    assert 'spec/tags/k:{"name":"8.3"}/from' in owners(api)["before-first-apply", "Update", "imagestreamtags"]


def test_writes_of_a_tag_that_nobody_applied_are_not_tracked(api: Api):
    api.create("php", spec_tag("8.2", PHP_82["name"]))
    before = owners(api)

    api.put(at(), istag({"from": PHP_83}))
    api.patch(at(), {"metadata": {"annotations": {"description": "PHP"}}})
    assert owners(api) == before


@pytest.mark.parametrize(("resource", "kind", "part"), KINDS)
def test_another_write_of_an_applied_tag_takes_what_it_changes(api: Api, resource, kind, part):
    apply(api, istag({"from": PHP_82, "reference": True}, kind=kind, part=part), resource=resource, code=201)

    patch = [{"op": "replace", "path": f"/{part}/from", "value": PHP_83}]
    api.patch(f"{at(resource=resource)}?fieldManager=edit", patch, kind=JSON_PATCH)
    assert owners(api)["edit", "Update", resource] == [
        'spec/tags/k:{"name":"8.2"}/from',
        'spec/tags/k:{"name":"8.2"}/name',
    ]
    refused = apply(api, istag({"from": PHP_82}, kind=kind, part=part), resource=resource, code=409)
    assert refused["details"]["causes"][0]["field"] == f".{part}.from"


@pytest.mark.parametrize("resource", ["imagestreamtags", "imagetags"])
def test_a_deleted_tag_is_owned_by_nobody(api: Api, resource):
    url = f"{path('imagestreams', 'php')}?fieldManager=one"
    api.patch(url, applied_stream(spec_tag("8.2", PHP_82["name"])), kind=APPLY, code=201)
    apply(api, istag({"from": PHP_82}), "two")

    api.delete(at(resource=resource))
    assert owners(api) == {}
    apply(api, istag({"from": PHP_83}), "three", code=201)


def test_annotations_of_the_tag_are_those_of_the_object(api: Api):
    made = apply(api, istag({"from": PHP_82}, annotations={"description": "PHP"}), code=201)
    assert made["metadata"]["annotations"] == made["tag"]["annotations"] == {"description": "PHP"}

    refused = apply(api, istag(annotations={"description": "Ruby"}), "two", code=409)
    assert refused["details"]["causes"][0]["field"] == ".metadata.annotations.description"
    assert api.stream()["spec"]["tags"][0]["annotations"] == {"description": "PHP"}
    again = apply(api, istag({"from": PHP_82, "annotations": {"description": "PHP"}}))
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_annotations_of_object_and_tag_that_differ_are_refused(api: Api):
    body = istag({"from": PHP_82, "annotations": {"a": "1"}}, annotations={"a": "2"})

    assert apply(api, body, code=422)["details"]["causes"][0]["field"] == "tag.annotations"


def test_what_was_read_can_be_applied(api: Api):
    api.create("php", spec_tag("8.2", PHP_82["name"], annotations={"description": "PHP"}), labels={"lang": "php"})
    api.push("8.2")
    before = api.stream()

    for resource in ("imagestreamtags", "imagetags"):
        found = api.get(at(resource=resource))
        found["metadata"].pop("managedFields", None)
        found["metadata"].pop("resourceVersion")
        apply(api, found, resource=resource)
    after = api.stream()
    assert (after["spec"], after["status"]) == (before["spec"], before["status"])
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


@pytest.mark.parametrize(
    ("body", "query", "code"),
    [
        pytest.param(istag({"from": PHP_82}, labels={"lang": "perl"}), "", 422, id="labels are the stream's"),
        pytest.param(istag({"from": PHP_82}, uid="11111111-2222-3333-4444-555555555555"), "", 422, id="another uid"),
        pytest.param(istag({"from": PHP_82}, resourceVersion="1"), "", 409, id="an old version"),
        pytest.param(istag({"form": PHP_82}), "", 500, id="an unknown field, which Kubernetes answers so"),
        pytest.param(istag({"from": {"kind": "Tag", "name": "x"}}), "", 422, id="a source that is none"),
        pytest.param(istag({"from": PHP_82}, managedFields=[{"manager": "x"}]), "", 400, id="managedFields"),
        pytest.param({**istag({"from": PHP_82}), "kind": "ImageTag"}, "", 400, id="another kind"),
    ],
)
def test_what_cannot_be_applied_changes_nothing(api: Api, body, query, code):
    before = api.create("php", labels={"lang": "php"})

    apply(api, body, query=query, code=code)
    assert api.stream() == before


def test_an_apply_without_a_manager_is_refused(api: Api):
    refused = api.patch(at(), istag({"from": PHP_82}), kind=APPLY, code=422)

    assert refused["details"]["causes"][0]["field"] == "fieldManager"


def test_a_dry_run_stores_nothing(api: Api):
    made = apply(api, istag({"from": PHP_82}), query="&dryRun=All", code=201)

    assert made["tag"]["from"] == PHP_82
    api.get(path("imagestreams", "php"), code=404)


def test_kubectl_takes_over_what_it_applied_from_the_client_side(api: Api):
    last = '{"apiVersion":"image.openshift.io/v1","kind":"ImageStreamTag","tag":{"from":{"kind":"DockerImage"}}}'
    api.put(at(), istag({"from": PHP_82}, annotations={LAST_APPLIED: last}), code=201)

    changed = apply(api, istag({"from": PHP_83}), "kubectl")
    assert changed["tag"]["from"] == PHP_83
    assert PHP_83["name"] in changed["metadata"]["annotations"][LAST_APPLIED]


def test_the_stream_s_managed_fields_do_not_hinder_writes_of_image_tags(api: Api):
    """image-api 12.21."""
    api.create("php", spec_tag("8.2", PHP_82["name"]))
    found = api.get(at(resource="imagetags"))
    assert found["metadata"]["managedFields"]

    found["spec"]["from"] = PHP_83
    api.put(at(resource="imagetags"), found)
    found = api.patch(at(resource="imagetags"), {"spec": {"from": PHP_84}}, kind=MERGE)
    assert found["spec"]["from"] == PHP_84
