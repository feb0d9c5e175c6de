"""Looks at tags go where imports go."""

import json

import pytest

from tests.unit.distribution.stub import digest
from webhook.distribution.access import Access
from webhook.importer.checking import Checker, Verdict
from webhook.importer.engine import Importer
from webhook.importer.results import CHECK_ANNOTATION

SOURCE = "quay.io/team/app"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "registries.yaml"


@pytest.fixture
def look(file):
    """Looks at a tag of quay.io/team/app as the controller does it, for a stream that has this image of it."""
    file.touch()
    checker = Checker(Importer(access=Access(registries=file, environ={})))

    def one(tag, image):
        source = {"kind": "DockerImage", "name": f"{SOURCE}:{tag}"}
        event = {"image": image, "dockerImageReference": f"{SOURCE}@{image}", "generation": 1}
        stream = {
            "metadata": {"name": "app", "namespace": "shop", "annotations": {CHECK_ANNOTATION: "2026-03-01T12:00:00Z"}},
            "spec": {"tags": [{"name": tag, "from": source, "generation": 1}]},
            "status": {"tags": [{"tag": tag, "items": [event]}]},
        }
        images = [{"from": source, "to": {"name": tag}, "importPolicy": {"insecure": True}}]
        return checker.check({"spec": {"images": images}}, stream, [])[tag]

    return one


def mirrored(*mirrors):
    return json.dumps(
        {"imageTagMirrors": [{"source": "quay.io", "mirrors": mirrors, "mirrorSourcePolicy": "NeverContactSource"}]}
    )


def test_a_tag_is_looked_at_in_the_mirror_and_compared_under_its_own_name(registry, look, file):
    image = registry.put_image("team/app", "v1")
    file.write_text(mirrored(registry.host))
    assert look("v1", image) is Verdict.UNCHANGED
    assert look("v1", digest(b"an older image")) is Verdict.CHANGED


def test_the_next_mirror_is_asked_where_one_fails(registry, elsewhere, look, file):
    image = registry.put_image("team/app", "v1")
    file.write_text(mirrored(elsewhere.host, registry.host))
    assert look("v1", image) is Verdict.UNCHANGED


def test_looks_follow_the_file_of_registries(registry, look, file):
    images = [registry.put_image("team/app", tag) for tag in ("v1", "v2")]
    file.write_text(mirrored(registry.host))
    assert look("v1", images[0]) is Verdict.UNCHANGED
    file.write_text("blockedRegistries: [quay.io]")
    assert look("v2", images[1]) is Verdict.CHANGED
    assert not registry.seen("/v2/team/app/manifests/v2")
