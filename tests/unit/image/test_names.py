import pytest

from webhook.errors import BadRequest, StatusError
from webhook.image import names


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("app", id="no colon"),
        pytest.param("a:b:c", id="two colons"),
        pytest.param("a@b:c", id="an at sign"),
        pytest.param("app:", id="no tag"),
        pytest.param(":latest", id="no stream"),
    ],
)
def test_an_existing_tag_is_named_by_exactly_stream_and_tag(name):
    with pytest.raises(BadRequest) as refused:
        names.split_tag_strict(name, "ImageTags")
    assert refused.value.message == "ImageTags must be retrieved with <name>:<tag>"


def test_a_tag_name_splits_into_stream_and_tag():
    assert names.split_tag_strict("php:8.2", "ImageStreamTags") == ("php", "8.2")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("php:8.2", ("php", "8.2"), id="stream and tag"),
        pytest.param("php:", ("php", "latest"), id="an empty tag is latest"),
        pytest.param("a:b:c", ("a", "b:c"), id="only the first colon splits"),
    ],
)
def test_a_tag_to_create_splits_at_its_first_colon(name, expected):
    assert names.split_tag_create(name) == expected


def test_creating_a_tag_without_a_colon_is_an_untyped_failure():
    with pytest.raises(StatusError) as refused:
        names.split_tag_create("app")
    assert (refused.value.code, refused.value.reason) == (500, "")
    assert refused.value.message == '"app" must be of the form <stream_name>:<tag>'


def test_joining_without_a_tag_means_latest():
    assert (names.join("php", "8.2"), names.join("php", "")) == ("php:8.2", "php:latest")


def test_an_image_name_splits_into_stream_and_id():
    assert names.split_image("php@sha256:3c87") == ("php", "sha256:3c87")


@pytest.mark.parametrize("name", ["php", "php@", "@3c87", "a@b@c"])
def test_an_image_of_a_stream_needs_both_halves(name):
    with pytest.raises(BadRequest, match="ImageStreamImages must be retrieved with <name>@<id>"):
        names.split_image(name)


@pytest.mark.parametrize("name", ["app", "7-zip.x_86", "a" * 250])
def test_a_good_stream_name_has_no_findings(name):
    assert names.stream_name_problems(name, "shop") == []


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        pytest.param("Shop", ['must match "[a-z0-9]+(?:[._-][a-z0-9]+)*"'], id="upper case"),
        pytest.param("shop..web", ['must match "[a-z0-9]+(?:[._-][a-z0-9]+)*"'], id="two separators in a row"),
        pytest.param("shop\n", ['must match "[a-z0-9]+(?:[._-][a-z0-9]+)*"'], id="a line end"),
        pytest.param("a" * 251, ["'namespace/name' cannot be longer than 255 characters"], id="too long"),
    ],
)
def test_a_bad_stream_name_is_invalid(name, texts):
    found = names.stream_name_problems(name, "shop")
    assert [(one.field, one.reason) for one in found] == [("metadata.name", "FieldValueInvalid")]
    assert [one.message.partition(": ")[2].partition(": ")[2] for one in found] == texts


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("shop/web", "may not contain '/'", id="a slash"),
        pytest.param("shop%20web", "may not contain '%'", id="a percent sign"),
        pytest.param("..", "may not be '..'", id="dots"),
    ],
)
def test_a_stream_name_is_one_segment_of_a_path(name, text):
    assert [one.message for one in names.stream_name_problems(name, "shop")] == [f'Invalid value: "{name}": {text}']


def test_a_stream_needs_a_name():
    assert [one.reason for one in names.stream_name_problems("", "shop")] == ["FieldValueRequired"]
