import copy

import pytest

from tests.unit.image.streams import AA, BB, EARLIER, INTEGRATED, NOW, event, stream, tag
from webhook.errors import NotFound
from webhook.image import assemble, tags

SCHEMA2 = "application/vnd.docker.distribution.manifest.v2+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
CONFIG = "sha256:" + "c0" * 32
BASE, TOP = "sha256:" + "1a" * 32, "sha256:" + "2a" * 32

STREAM = stream(
    "app",
    [tag("v1", "quay.io/acme/app:1", generation=7, annotations={"description": "tag"})],
    {"v1": [event(AA, 5)]},
    generation=7,
    uid="u-1",
    resourceVersion="41",
    labels={"team": "web"},
    annotations={"owner": "platform"},
    creationTimestamp=NOW,
)
IMAGE = {
    "kind": "Image",
    "apiVersion": "image.openshift.io/v1",
    "metadata": {
        "name": AA,
        "uid": "i-1",
        "creationTimestamp": NOW,
        "annotations": {"description": "image", "maintainer": "ops"},
    },
    "dockerImageReference": "elsewhere.example.com/app:1",
    "dockerImageManifest": "{}",
    "dockerImageConfig": "{}",
    "dockerImageManifestMediaType": SCHEMA2,
    "dockerImageMetadata": {"Id": CONFIG, "Size": 12},
    "dockerImageLayers": [
        {"name": BASE, "size": 118, "mediaType": LAYER},
        {"name": TOP, "size": 119, "mediaType": LAYER},
    ],
}


class TestStreamTag:
    def test_it_wears_the_identity_and_labels_of_its_stream(self):
        found = assemble.stream_tag(STREAM, "v1", IMAGE)
        assert found["metadata"] == {
            "name": "app:v1",
            "namespace": "shop",
            "uid": "u-1",
            "resourceVersion": "41",
            "labels": {"team": "web"},
            "creationTimestamp": EARLIER,
            "annotations": {"description": "tag"},
        }

    def test_it_shows_both_generations(self):
        found = assemble.stream_tag(STREAM, "v1", IMAGE)
        assert (found["generation"], found["tag"]["generation"]) == (5, 7)

    def test_annotations_of_the_tag_lie_over_those_of_the_image(self):
        image = assemble.stream_tag(STREAM, "v1", IMAGE)["image"]
        assert image["metadata"]["annotations"] == {"description": "tag", "maintainer": "ops"}

    def test_the_image_has_the_address_of_the_event_and_no_raw_content(self):
        image = assemble.stream_tag(STREAM, "v1", IMAGE)["image"]
        assert image["dockerImageReference"] == f"quay.io/acme/app@{AA}"
        assert not {"kind", "apiVersion", "dockerImageManifest", "dockerImageConfig"} & set(image)
        assert image["dockerImageLayers"] == IMAGE["dockerImageLayers"]

    def test_policy_local_gives_the_address_of_the_stream(self):
        local = tags.with_spec_tag(STREAM, tag("v1", referencePolicy={"type": "Local"}))
        image = assemble.stream_tag(local, "v1", IMAGE)["image"]
        assert image["dockerImageReference"] == f"{INTEGRATED}/shop/app@{AA}"

    def test_without_an_image_only_its_name_and_address_show(self):
        assert assemble.stream_tag(STREAM, "v1", None)["image"] == {
            "metadata": {"name": AA},
            "dockerImageReference": f"quay.io/acme/app@{AA}",
            "dockerImageMetadata": {
                "kind": "DockerImage",
                "apiVersion": "image.openshift.io/1.0",
                "Id": "",
                "Created": None,
                "ContainerConfig": {},
            },
            "dockerImageMetadataVersion": "1.0",
        }

    def test_a_pushed_tag_has_no_spec(self):
        assert assemble.stream_tag(stream(history={"x": [event(AA)]}), "x", None)["tag"] is None

    def test_conditions_show_beside_the_old_image(self):
        failed = [{"type": "ImportSuccess", "status": "False", "generation": 7}]
        one = tags.with_status_tag(STREAM, {"tag": "v1", "items": [event(AA, 5)], "conditions": failed})
        assert assemble.stream_tag(one, "v1", None)["conditions"] == failed
        assert "conditions" not in assemble.stream_tag(STREAM, "v1", None)

    @pytest.mark.parametrize(
        ("one", "name"),
        [
            pytest.param(STREAM, "unknown", id="the tag is unknown"),
            pytest.param(stream("app", [tag("x", "quay.io/a:1")]), "x", id="nothing is imported yet"),
            pytest.param(
                stream("app", history={"x": [{**event(AA), "image": ""}]}), "x", id="the event is only a reference"
            ),
        ],
    )
    def test_a_tag_without_an_image_is_not_found(self, one, name):
        with pytest.raises(NotFound) as missing:
            assemble.stream_tag(one, name, None)
        assert missing.value.details == {
            "name": f"app:{name}",
            "group": "image.openshift.io",
            "kind": "imagestreamtags",
        }

    def test_a_write_is_answered_with_an_empty_image(self):
        one = stream("app", [tag("x", "quay.io/a:1", generation=1)], creationTimestamp=NOW)
        found = assemble.stream_tag(one, "x", None, for_write=True)
        assert (found["generation"], found["metadata"]["creationTimestamp"]) == (0, NOW)
        assert found["image"]["metadata"] == {}
        assert "dockerImageReference" not in found["image"]

    def test_nothing_that_is_passed_in_changes(self):
        before = copy.deepcopy((STREAM, IMAGE))
        assemble.stream_tag(STREAM, "v1", IMAGE)
        assert before == (STREAM, IMAGE)


def test_a_stream_image_echoes_the_id_and_keeps_the_reference_of_the_image():
    found = assemble.stream_image(STREAM, "aaaa", IMAGE)
    assert found["metadata"] == {
        "name": "app@aaaa",
        "namespace": "shop",
        "creationTimestamp": NOW,
        "annotations": {"owner": "platform"},
    }
    assert found["image"]["dockerImageReference"] == "elsewhere.example.com/app:1"
    assert "dockerImageManifest" not in found["image"]


class TestImageTag:
    def test_it_has_all_metadata_of_the_stream_under_its_own_name(self):
        found = assemble.image_tag(STREAM, "v1", IMAGE)
        assert found["metadata"] == {**STREAM["metadata"], "name": "app:v1"}
        assert found["status"] == {"tag": "v1", "items": [event(AA, 5)]}
        assert found["image"]["dockerImageReference"] == f"quay.io/acme/app@{AA}"
        assert found["image"]["metadata"]["annotations"]["description"] == "image"

    def test_a_missing_image_is_null(self):
        assert assemble.image_tag(STREAM, "v1", None)["image"] is None

    def test_either_side_is_enough(self):
        planned = assemble.image_tag(stream(tags=[tag("x")]), "x", None)
        pushed = assemble.image_tag(stream(history={"x": [event(AA)]}), "x", None)
        assert (planned["spec"]["name"], planned["status"]) == ("x", None)
        assert (pushed["spec"], pushed["status"]["tag"]) == (None, "x")

    def test_without_both_it_is_not_found(self):
        with pytest.raises(NotFound) as missing:
            assemble.image_tag(STREAM, "v2", None)
        assert missing.value.details["kind"] == "imagetags"

    def test_a_write_that_removed_the_tag_is_still_answered(self):
        found = assemble.image_tag(STREAM, "v2", None, for_write=True)
        assert (found["spec"], found["status"], found["image"]) == (None, None, None)


class TestLayers:
    def test_an_image_has_its_layers_and_config(self):
        found = assemble.layers(STREAM, {AA: IMAGE}.get)
        assert found["metadata"] == STREAM["metadata"]
        assert found["images"] == {AA: {"imageMissing": False, "layers": [BASE, TOP], "config": CONFIG}}
        assert found["blobs"] == {
            BASE: {"size": 118, "mediaType": LAYER},
            TOP: {"size": 119, "mediaType": LAYER},
            AA: {"size": None, "mediaType": SCHEMA2},
            CONFIG: {"size": None, "mediaType": "application/vnd.docker.container.image.v1+json"},
        }

    def test_an_oci_image_has_an_oci_config(self):
        found = assemble.layers(STREAM, {AA: {**IMAGE, "dockerImageManifestMediaType": OCI}}.get)
        assert found["blobs"][CONFIG]["mediaType"] == "application/vnd.oci.image.config.v1+json"

    def test_the_members_of_a_list_are_there_too(self):
        index = {"dockerImageManifestMediaType": LIST, "dockerImageManifests": [{"digest": AA}, {"digest": BB}]}
        one = stream(history={"x": [event("sha256:list")]})
        found = assemble.layers(one, {"sha256:list": index, AA: IMAGE}.get)["images"]
        assert found["sha256:list"] == {"imageMissing": False, "layers": None, "config": None, "manifests": [AA, BB]}
        assert found[AA]["config"] == CONFIG
        assert found[BB] == {"imageMissing": True, "layers": None, "config": None}

    def test_layers_stored_from_the_top_are_turned_round(self):
        metadata = {"annotations": {"image.openshift.io/dockerLayersOrder": "descending"}}
        found = assemble.layers(STREAM, {AA: {**IMAGE, "metadata": metadata}}.get)
        assert found["images"][AA]["layers"] == [TOP, BASE]

    def test_an_image_of_unknown_make_has_no_config(self):
        found = assemble.layers(STREAM, {AA: {"dockerImageMetadata": {"Id": CONFIG}}}.get)
        assert found["images"][AA]["config"] is None
        assert found["blobs"] == {AA: {"size": None, "mediaType": SCHEMA2}}

    def test_all_of_the_history_counts_and_events_without_an_image_do_not(self):
        one = stream(history={"x": [{**event(AA), "image": ""}, event(BB)], "y": [event(AA)]})
        assert set(assemble.layers(one, lambda name: None)["images"]) == {AA, BB}


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        pytest.param("aaaa", AA, id="the first digits"),
        pytest.param("sha256:bb", BB, id="a member of a list"),
        pytest.param("sha256:", AA, id="of several the first by name"),
        pytest.param("dead", None, id="nothing"),
    ],
)
def test_an_image_of_a_stream_is_found_by_its_prefix(identity, expected):
    one = stream(history={"x": [event(AA)]})
    images = {AA: {"dockerImageManifests": [{"digest": BB}]}}
    assert assemble.find_image(one, identity, images.get) == expected
