import pytest

from webhook.distribution.failures import (
    CredentialsMissing,
    Denied,
    ManifestUnknown,
    RepositoryUnknown,
    Unreachable,
    WrongPassword,
)
from webhook.importer import failures

REF = "docker.io/library/test:latest"


@pytest.mark.parametrize(
    ("error", "code", "reason", "message"),
    [
        (ManifestUnknown(), 404, "NotFound", f'dockerimage.image.openshift.io "{REF}" not found'),
        (Denied(), 401, "Unauthorized", f'you may not have access to the container image "{REF}"'),
        (WrongPassword(), 401, "Unauthorized", f'incorrect username or password for image "{REF}"'),
        (RepositoryUnknown("name unknown"), 500, "InternalError", f"Internal error occurred: {REF}: name unknown"),
        (Unreachable("no such host"), 500, "InternalError", f"Internal error occurred: {REF}: no such host"),
    ],
)
def test_each_failure_of_an_image_has_its_reason(error, code, reason, message):
    status = failures.of_image(error, REF)
    assert (status["code"], status["reason"], status["message"]) == (code, reason, message)
    assert "kind" not in status


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (RepositoryUnknown(), 404, "NotFound"),
        (ManifestUnknown(), 404, "NotFound"),
        (Denied(), 401, "Unauthorized"),
        (CredentialsMissing("no basic auth credentials"), 500, "InternalError"),
    ],
)
def test_each_failure_of_a_repository_has_its_reason(error, code, reason):
    status = failures.of_repository(error, "test")
    assert (status["code"], status["reason"]) == (code, reason)


def test_a_name_that_is_no_reference_is_invalid():
    status = failures.unreadable("Foo", "repository name must be lowercase")
    assert (
        status["message"]
        == ' "" is invalid: from.name: Invalid value: "Foo": invalid name: repository name must be lowercase'
    )
