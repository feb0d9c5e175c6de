"""Which Status an import reports for each way in which a registry can fail (image-api 5.6)."""

from __future__ import annotations

from webhook.distribution.failures import (
    Blocked,
    Denied,
    DistributionError,
    EndpointsFailed,
    ManifestUnknown,
    RepositoryUnknown,
    WrongPassword,
)
from webhook.errors import FieldError, Forbidden, InternalError, Invalid, Json, NotFound, StatusError, Unauthorized

GROUP = "image.openshift.io"


def of_image(error: Exception, reference: str) -> Json:
    """The Status of one image; `reference` is the normalized reference that was tried."""
    if isinstance(error, EndpointsFailed):
        return _of_endpoints(error)
    if isinstance(error, ManifestUnknown):
        return _status(NotFound.of("dockerimage", GROUP, reference))
    if (refusal := _refusal(error, reference)) is not None:
        return refusal
    return _status(InternalError.of(f"{reference}: {error}"))


def ours(reference: str) -> Json:
    """The Status of an image that a fault of this server keeps from being imported; the log says which."""
    return _status(InternalError.of(f"{reference}: a fault of this server"))


def of_repository(error: DistributionError, name: str) -> Json:
    """The Status of a repository whose tags could not be listed; `name` is the reference as the user wrote it."""
    if isinstance(error, RepositoryUnknown | ManifestUnknown):
        return _status(NotFound.of("dockerimage", GROUP, name))
    if (refusal := _refusal(error, name)) is not None:
        return refusal
    return _status(InternalError.of(str(error)))


def unreadable(name: str, reason: str) -> Json:
    """The Status of a reference that is none."""
    return _status(Invalid.of("", "", "", [FieldError.invalid("from.name", name, f"invalid name: {reason}")]))


def nameless() -> Json:
    """The Status of a repository that is a registry alone."""
    finding = FieldError.invalid("from.name", "", "the provided repository name is not valid")
    return _status(Invalid.of("", GROUP, "repository", [finding]))


def unparsable(name: str) -> Json:
    """The Status of what validation lets through although it names no image: `*`, and a registry alone."""
    return _status(InternalError.of(f"unable to parse docker reference {name}: invalid reference format"))


def late(reference: str) -> Json:
    """The Status of an image that was still being fetched when the time for the whole import was over."""
    return _status(InternalError.of(f"{reference}: the registry did not answer in time"))


def some_failed(count: int) -> Json:
    """The Status of a repository import of which `count` images failed."""
    what = "one" if count == 1 else str(count)
    message = f"{what} of the images from this repository failed to import"
    return {"metadata": {}, "status": "Failure", "message": message, "reason": "ImportFailed"}


def _of_endpoints(error: EndpointsFailed) -> Json:
    """Several failures lose their reasons (image-api 5.6)."""
    if len(error.failed) == 1:
        reference, cause = error.failed[0]
        return of_image(cause, reference)
    texts = (f"{reference}: {cause}" for reference, cause in error.failed)
    return _status(InternalError.of(f"[{', '.join(texts)}]"))


def _refusal(error: Exception, reference: str) -> Json | None:
    if isinstance(error, Blocked):
        return _status(Forbidden(f"forbidden: {error}", details={}))
    if isinstance(error, WrongPassword):
        return _status(Unauthorized(f'incorrect username or password for image "{reference}"'))
    if isinstance(error, Denied):
        return _status(Unauthorized(f'you may not have access to the container image "{reference}"'))
    return None


def _status(error: StatusError) -> Json:
    """A Status inside another object has no kind."""
    return {key: value for key, value in error.status().items() if key not in ("kind", "apiVersion")}
