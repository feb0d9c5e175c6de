"""What `imagestreams tag` makes of its arguments."""

from __future__ import annotations

import pytest

from webhook.cli import tag_request
from webhook.cli.tag_request import CannotTag, Destination, Flags

DIGEST = "sha256:" + "4b" * 32


@pytest.mark.parametrize(
    ("text", "hint", "kind", "name", "namespace"),
    [
        pytest.param("ruby:2.0", None, "ImageStreamTag", "ruby:2.0", "demo", id="a colon is a tag of a stream"),
        pytest.param("shop/ruby:2.0", None, "ImageStreamTag", "ruby:2.0", "shop", id="of another namespace"),
        pytest.param(f"ruby@{DIGEST}", None, "ImageStreamImage", f"ruby@{DIGEST}", "demo", id="an image of a stream"),
        pytest.param("quay.io/a/ruby:2", None, "DockerImage", "quay.io/a/ruby:2", "a", id="a registry is a pull spec"),
        pytest.param("ruby", None, "DockerImage", "ruby", "", id="a bare name is a container image"),
        pytest.param("shop/ruby:2", "docker", "DockerImage", "shop/ruby:2", "shop", id="the hint makes it an image"),
        pytest.param("library/ruby:2", "istag", "ImageStreamTag", "ruby:2", "demo", id="the hub's namespace is none"),
        pytest.param(
            f"ruby@{DIGEST}", "isimage", "ImageStreamImage", f"ruby@{DIGEST}", "demo", id="a hint that agrees"
        ),
    ],
)
def test_the_source_is_an_object_reference(text, hint, kind, name, namespace):
    found = tag_request.source(text, hint, "demo")
    assert (found.kind, found.name, found.reference.namespace) == (kind, name, namespace)


@pytest.mark.parametrize(
    ("text", "hint", "says"),
    [
        pytest.param("quay.io/a/b:1", "istag", "names a registry", id="a registry for a stream"),
        pytest.param("ruby", "istag", "write it NAME:TAG", id="no tag"),
        pytest.param("ruby:1", "isimage", "write it NAME@DIGEST", id="no digest"),
        pytest.param("Ruby:1", None, "is no image: repository name must be lowercase", id="capitals"),
    ],
)
def test_a_source_that_makes_no_sense_is_refused(text, hint, says):
    with pytest.raises(CannotTag, match=says):
        tag_request.source(text, hint, "demo")


@pytest.mark.parametrize(
    ("event", "kind", "name"),
    [
        pytest.param({"image": DIGEST}, "ImageStreamImage", f"ruby@{DIGEST}", id="the image that the tag has now"),
        pytest.param(
            {"image": "", "dockerImageReference": "quay.io/a/ruby:2"},
            "DockerImage",
            "quay.io/a/ruby:2",
            id="no image yet",
        ),
    ],
)
def test_a_tag_is_copied_as_it_is_now(event, kind, name):
    source = tag_request.source("ruby:2", None, "demo")
    found = tag_request.pinned(source, {"status": {"tags": [{"tag": "2", "items": [event]}]}})
    assert (found.kind, found.name) == (kind, name)


@pytest.mark.parametrize(
    "entry", [{"tag": "2", "items": None}, {"tag": "2", "items": [{"dockerImageReference": "::"}]}]
)
def test_a_tag_without_an_image_cannot_be_copied(entry):
    with pytest.raises(CannotTag, match="demo/ruby:2 has"):
        tag_request.pinned(tag_request.source("ruby:2", None, "demo"), {"status": {"tags": [entry]}})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("php:8.2", Destination("demo", "php", "8.2")),
        ("shop/php:8.2", Destination("shop", "php", "8.2")),
    ],
)
def test_a_destination_is_a_tag_of_a_stream(text, expected):
    assert tag_request.destination(text, "demo") == expected


@pytest.mark.parametrize(
    "text", ["php", "php:", ":8.2", "/php:8.2", "a/b/php:8.2", "php:-8", "php:a:b", "php:" + "a" * 129]
)
def test_what_is_no_tag_is_no_destination(text):
    with pytest.raises(CannotTag):
        tag_request.destination(text, "demo")


def test_an_existing_tag_may_have_any_name():
    assert tag_request.destination("php:-8", "demo", new=False).tag == "-8"


@pytest.mark.parametrize(
    ("source", "to", "flags"),
    [
        pytest.param("php:8", "php:9", Flags(alias=True, scheduled=True), id="an alias that is scheduled"),
        pytest.param("php:8", "php:9", Flags(scheduled=True), id="a stream's tag that is scheduled"),
        pytest.param("php:8", "ruby:9", Flags(alias=True), id="an alias in another stream"),
        pytest.param("shop/php:8", "php:9", Flags(alias=True), id="an alias in another namespace"),
    ],
)
def test_flags_that_do_not_fit_are_refused(source, to, flags):
    with pytest.raises(CannotTag):
        tag_request.check(tag_request.source(source, None, "demo"), [tag_request.destination(to, "demo")], flags)


def test_a_container_image_asks_for_its_import():
    source = tag_request.source("quay.io/a/php:8", None, "demo")
    body = tag_request.body(source, Destination("demo", "php", "8"), Flags(scheduled=True, reference_policy="Local"))
    assert body["metadata"] == {"name": "php:8", "namespace": "demo"}
    assert body["tag"] == {
        "name": "8",
        "from": {"kind": "DockerImage", "name": "quay.io/a/php:8"},
        "reference": False,
        "generation": 0,
        "importPolicy": {"insecure": False, "scheduled": True, "importMode": "Legacy"},
        "referencePolicy": {"type": "Local"},
    }


def test_a_source_of_a_stream_names_its_namespace():
    source = tag_request.source("php:8", None, "demo")
    tag = tag_request.body(source, Destination("shop", "php", "8"), Flags())["tag"]
    assert tag["from"] == {"kind": "ImageStreamTag", "name": "php:8", "namespace": "demo"}
    assert "generation" not in tag
