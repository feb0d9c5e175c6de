import pytest

from tests.unit.image.streams import AA, event, stream, tag
from webhook.image import defaults, validation

KINDS = "valid values are 'DockerImage', 'ImageStreamImage', 'ImageStreamTag'"
MODES = "invalid import mode, valid modes are '', 'Legacy', 'PreserveOriginal'"
SCHEDULED = "only tags pointing to Docker repositories may be scheduled for background import"


def shown(findings):
    return [(one.field, one.reason.removeprefix("FieldValue"), one.message) for one in findings]


TAGS = [
    pytest.param(tag("x"), [], id="a tag without a source"),
    pytest.param(tag("x", "quay.io/acme/app:1"), [], id="a registry image"),
    pytest.param(tag("x", "php:8", kind="ImageStreamTag"), [], id="a stream tag"),
    pytest.param(
        {**tag("x"), "from": {}},
        [(".from.name", "Required", "Required value"), (".from.kind", "Required", f"Required value: {KINDS}")],
        id="an empty source",
    ),
    pytest.param(
        {**tag("x"), "from": {"kind": "DockerImage"}},
        [(".from.name", "Required", "Required value")],
        id="an image without a name",
    ),
    pytest.param(
        tag("x", "a:1", kind="Image"), [(".from.kind", "Required", f"Required value: {KINDS}")], id="an unknown kind"
    ),
    pytest.param(
        tag("x", "quay.io/Acme/app"),
        [(".from.name", "Invalid", 'Invalid value: "quay.io/Acme/app": repository name must be lowercase')],
        id="an unreadable image",
    ),
    pytest.param(
        tag("x", "1", kind="ImageStreamTag", importPolicy={"scheduled": True}),
        [(".importPolicy.scheduled", "Invalid", f"Invalid value: true: {SCHEDULED}")],
        id="a scheduled stream tag",
    ),
    pytest.param(tag("x", "quay.io/a:1", importPolicy={"scheduled": True}), [], id="a scheduled image"),
    pytest.param(
        tag("x", referencePolicy={"type": "Remote"}),
        [(".referencePolicy.type", "Invalid", 'Invalid value: "Remote": valid values are "Source", "Local"')],
        id="an unknown reference policy",
    ),
    pytest.param(
        tag("x", importPolicy={"importMode": "Flat"}),
        [(".importPolicy.importMode", "Invalid", f'Invalid value: "Flat": {MODES}')],
        id="an unknown import mode",
    ),
]


@pytest.mark.parametrize(("given", "expected"), TAGS)
def test_a_tag_is_judged_under_its_path(given, expected):
    found = shown(validation.tag_reference(given, "tag"))
    assert found == [(f"tag{field}", reason, text) for field, reason, text in expected]


def test_every_wrong_field_of_a_stream_is_found_at_once():
    given = stream(
        tags=[tag("a", "a b"), tag("b", importPolicy={"importMode": "Some"}, referencePolicy={"type": "Both"})]
    )
    given["spec"]["dockerImageRepository"] = "registry.example.com/acme/shop:1"
    assert [one.field for one in validation.stream(given)] == [
        "spec.dockerImageRepository",
        "spec.tags[a].from.name",
        "spec.tags[b].referencePolicy.type",
        "spec.tags[b].importPolicy.importMode",
    ]


@pytest.mark.parametrize(
    ("repository", "text"),
    [
        pytest.param("a/b:tag", "the repository name may not contain a tag", id="a tag"),
        pytest.param(f"a/b@{AA}", "the repository name may not contain an ID", id="a digest"),
        pytest.param("a/B", "repository name must be lowercase", id="upper case"),
    ],
)
def test_the_repository_of_a_stream_names_no_image(repository, text):
    found = validation.stream({"spec": {"dockerImageRepository": repository}})
    assert shown(found) == [("spec.dockerImageRepository", "Invalid", f'Invalid value: "{repository}": {text}')]


def test_a_reference_written_to_the_status_must_parse():
    given = stream(history={"x": [event(AA), {**event(AA), "dockerImageReference": ""}]})
    assert shown(validation.status_update(given)) == [
        (
            "status.tags[x].items[1].dockerImageReference",
            "Invalid",
            'Invalid value: "": repository name must have at least one component',
        )
    ]


def test_a_reference_that_is_stored_already_is_not_read_again():
    given = stream(history={"x": [{**event(AA), "dockerImageReference": "Broken"}]})
    assert validation.status_update(given, given) == []


MANIFEST = {
    "digest": AA,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "manifestSize": 10,
    "architecture": "amd64",
    "os": "linux",
}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param({}, [], id="a reference is enough"),
        pytest.param({"dockerImageReference": ""}, [("dockerImageReference", "Required")], id="without one"),
        pytest.param({"dockerImageReference": "A"}, [("dockerImageReference", "Invalid")], id="an unreadable one"),
        pytest.param({"dockerImageManifests": [MANIFEST]}, [], id="a good member"),
        pytest.param(
            {"dockerImageManifests": [MANIFEST, {**MANIFEST, "digest": "sha256:12"}]},
            [("dockerImageManifests[1].digest", "Invalid")],
            id="a short digest",
        ),
        pytest.param(
            {
                "dockerImageManifests": [
                    {**MANIFEST, "mediaType": "no type", "manifestSize": -1, "architecture": "", "os": ""}
                ]
            },
            [
                ("dockerImageManifests[0].mediaType", "Invalid"),
                ("dockerImageManifests[0].architecture", "Required"),
                ("dockerImageManifests[0].os", "Required"),
                ("dockerImageManifests[0].size", "Invalid"),
            ],
            id="a member of nonsense",
        ),
        pytest.param(
            {"dockerImageManifests": [MANIFEST], "dockerImageLayers": [{"name": AA}]},
            [("dockerImageLayers", "Invalid")],
            id="members and layers",
        ),
    ],
)
def test_an_image_is_judged(more, expected):
    found = validation.image({"dockerImageReference": "quay.io/acme/app:1", **more})
    assert [(field, reason) for field, reason, _ in shown(found)] == expected


def test_an_embedded_image_is_judged_under_its_path():
    assert [one.field for one in validation.image({}, "image.")] == ["image.dockerImageReference"]


def request(name="app", metadata=(), **spec):
    return defaults.import_request({"metadata": {"name": name, "namespace": "shop", **dict(metadata)}, "spec": spec})


def noted(**metadata):
    return request(metadata=metadata, images=[docker("quay.io/a:1")])


def docker(name):
    return {"from": {"kind": "DockerImage", "name": name}}


NOTHING = "Invalid value: null: you must specify at least one image or a repository import"
KIND = "only DockerImage is supported"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(request(images=[docker("quay.io/a:1")]), [], id="an image"),
        pytest.param(request(repository=docker("quay.io/a")), [], id="a repository"),
        pytest.param(request(images=[docker("*")]), [], id="a star passes and fails later"),
        pytest.param(
            request(images=[{**docker("*"), "importPolicy": {"importMode": "Newest"}}]),
            [],
            id="of a star not even the import mode is looked at",
        ),
        pytest.param(request("a" * 255, images=[docker("a:1")]), [], id="a long name passes until it is written"),
        pytest.param(request(), [("spec.images", NOTHING)], id="nothing to import"),
        pytest.param(
            request(images=[{"from": {"kind": "ImageStreamTag", "name": ""}, "to": {"name": ""}}]),
            [("spec.images[0].from.kind", f'Invalid value: "ImageStreamTag": {KIND}')],
            id="a wrong kind hides the rest",
        ),
        pytest.param(
            request(images=[{"importPolicy": {"importMode": "Newest"}}]),
            [
                ("spec.images[0].from.kind", f'Invalid value: "": {KIND}'),
                ("spec.images[0].importPolicy.importMode", f'Invalid value: "Newest": {MODES}'),
            ],
            id="but not the import mode",
        ),
        pytest.param(
            request(images=[docker("")]), [("spec.images[0].from.name", "Required value")], id="an image without a name"
        ),
        pytest.param(
            request(images=[docker("a"), docker("A:1")]),
            [("spec.images[1].from.name", 'Invalid value: "A:1": repository name must be lowercase')],
            id="an unreadable image",
        ),
        pytest.param(
            request(images=[{**docker("a"), "to": {"name": ""}}]),
            [("spec.images[0].to.name", 'Invalid value: "": the name of the target tag must be specified')],
            id="a target without a name",
        ),
        pytest.param(
            request(repository={"from": {"kind": "ImageStreamTag", "name": "a"}}),
            [("spec.repository.from.kind", f'Invalid value: "ImageStreamTag": {KIND}')],
            id="a repository of a wrong kind",
        ),
        pytest.param(
            request(repository=docker("")),
            [("spec.repository.from.name", "Required value: container image references require a name")],
            id="a repository without a name",
        ),
        pytest.param(
            request(repository=docker("a:1")),
            [
                (
                    "spec.repository.from.name",
                    'Invalid value: "a:1": you must specify an image repository, not a tag or ID',
                )
            ],
            id="a repository with a tag",
        ),
        pytest.param(
            request(repository=docker("A")),
            [("spec.repository.from.name", 'Invalid value: "A": repository name must be lowercase')],
            id="an unreadable repository",
        ),
        pytest.param(
            request("", images=[docker("a")]),
            [("metadata.name", "Required value: name or generateName is required")],
            id="no name",
        ),
    ],
)
def test_an_import_request_is_judged(given, expected):
    assert [(field, text) for field, _, text in shown(validation.import_request(given))] == expected


@pytest.mark.parametrize(
    ("given", "field"),
    [
        pytest.param(noted(labels={"team": "not a value"}), "metadata.labels", id="a label"),
        pytest.param(noted(annotations={"not a key": "x"}), "metadata.annotations", id="an annotation"),
        pytest.param(noted(finalizers=["mine"]), "metadata.finalizers[0]", id="a finalizer"),
        pytest.param(noted(ownerReferences=[{}]), "metadata.ownerReferences.kind", id="an owner"),
        pytest.param(noted(generateName="app-"), "metadata.generateName", id="a prefix beside the name"),
    ],
)
def test_the_metadata_of_an_import_is_judged_like_that_of_objects_that_are_stored(given, field):
    assert field in {one.field for one in validation.import_request(given)}
