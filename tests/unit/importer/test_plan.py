import pytest

from tests.unit.importer.requests import image, request
from webhook.importer import plan
from webhook.importer.fetched import FetchedImage


@pytest.mark.parametrize(
    ("source", "host", "path", "value", "tried"),
    [
        ("busybox", "registry-1.docker.io", "library/busybox", "latest", "docker.io/library/busybox:latest"),
        ("docker.io/acme/app:v1", "registry-1.docker.io", "acme/app", "v1", "docker.io/acme/app:v1"),
        ("quay.io/acme/app:v1", "quay.io", "acme/app", "v1", "quay.io/acme/app:v1"),
        ("127.0.0.1:5000/a/b/c", "127.0.0.1:5000", "a/b/c", "latest", "127.0.0.1:5000/a/b/c:latest"),
    ],
)
def test_a_name_means_a_repository_and_a_tag(source, host, path, value, tried):
    (want,) = plan.images(request(image(source)), None)
    assert (want.repository, want.value, want.tag, want.tried) == ((host, path), value, value, tried)


def test_beside_a_digest_a_tag_does_not_count():
    digest = "sha256:" + "aa" * 32
    (want,) = plan.images(request(image(f"quay.io/acme/app:v1@{digest}")), None)
    assert (want.value, want.tag, want.tried) == (digest, "", f"quay.io/acme/app@{digest}")


def test_a_pull_spec_keeps_the_spelling_of_the_user():
    (want,) = plan.images(request(image("busybox:1")), None)
    assert want.pull_spec("sha256:" + "aa" * 32) == "busybox@sha256:" + "aa" * 32


def test_the_first_image_decides_on_spelling_and_security_for_its_repository():
    first, second, other = plan.images(
        request(image("php:8.1", insecure=True), image("docker.io/library/php:8.2"), image("mysql")), None
    )
    assert (second.source, second.insecure) == (first.source, True)
    assert not other.insecure


@pytest.mark.parametrize(("to", "source"), [("z", "quay.io/acme/app:v1"), (None, "quay.io/acme/app:z")])
def test_the_existing_tag_may_prefer_a_platform(to, source):
    annotations = {
        f"importer.image.openshift.io/prefer-{key}": value for key, value in (("arch", "arm64"), ("os", "bsd"))
    }
    stream = {"spec": {"tags": [{"name": "z", "annotations": annotations}, {"name": "y", "annotations": None}]}}
    (want,) = plan.images(request(image(source, to)), stream)
    assert (want.architecture, want.os) == ("arm64", "bsd")


@pytest.mark.parametrize(
    ("source", "reason", "tag"),
    [
        pytest.param("*", "InternalError", "latest", id="a star"),
        pytest.param("Foo/Bar", "Invalid", "", id="no reference"),
        pytest.param("my.image:1.0", "InternalError", "latest", id="a registry alone"),
        pytest.param(f"my.image@sha256:{'aa' * 32}", "InternalError", "", id="a digest of a registry alone"),
    ],
)
def test_what_names_no_image_fails_before_anything_is_fetched(source, reason, tag):
    (one,) = plan.images(request(image(source)), None)
    assert isinstance(one, FetchedImage)
    assert (one.failure["reason"], one.tag) == (reason, tag)


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        pytest.param({"source": "docker.io/library/php:8.2", "insecure": True}, True, id="spelled otherwise"),
        pytest.param({"source": "mysql:8.2"}, False, id="of another repository"),
        pytest.param({"source": "php:8.2", "importMode": "PreserveOriginal"}, False, id="in the other mode"),
    ],
)
def test_what_an_image_brought_is_good_for_the_same_tag_of_its_repository(other, alike):
    (want,) = plan.images(request(image(**other)), None)
    repository = plan.repository_of(image("php"))
    assert want.like(repository) is alike
