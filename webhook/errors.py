"""The one error tree: every failure that a client can cause or see, as a Kubernetes Status in waiting.

    StatusError                     code, reason, message, details, headers, warnings
    ├── BadRequest                  400
    ├── Unauthorized                401
    ├── Forbidden                   403
    ├── NotFound                    404
    ├── MethodNotAllowed            405
    ├── NotAcceptable               406
    ├── AlreadyExists               409
    ├── Conflict                    409
    ├── Expired                     410
    ├── RequestEntityTooLarge       413
    ├── UnsupportedMediaType        415
    ├── Invalid                     422   carries FieldErrors as causes
    ├── TooManyRequests             429
    ├── Untyped                     500
    ├── InternalError               500
    ├── ServerTimeout               500
    ├── ServiceUnavailable          503
    └── Timeout                     504

Raised where the rule is, rendered in one place (`webhook.apiserver.responses`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


class StatusError(Exception):
    """A failure with the code and reason that Kubernetes clients act on (api-server contract 3.9)."""

    code = 500
    reason = ""

    def __init__(self, message: str, *, details: Json | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.headers = headers or {}
        self.warnings: list[str] = []

    def status(self) -> Json:
        """The `v1` Status object of this failure."""
        body: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        body["code"] = self.code
        return body


def qualified(resource: str, group: str) -> str:
    """`imagestreams.image.openshift.io`; a resource of the core group stands alone."""
    return f"{resource}.{group}" if group else resource


def details_of(resource: str, group: str, name: str, **more: Any) -> Json:
    """Status details that name one object, without empty keys."""
    known = {"name": name, "group": group, "kind": resource}
    return {key: value for key, value in {**known, **more}.items() if value not in ("", None)}


class BadRequest(StatusError):
    """The request cannot be understood."""

    code, reason = 400, "BadRequest"


class Unauthorized(StatusError):
    """Nobody that this server knows."""

    code, reason = 401, "Unauthorized"

    def __init__(self, message: str = "Unauthorized", **more: Any) -> None:
        super().__init__(message, **more)


class Forbidden(StatusError):
    """Known, and not allowed."""

    code, reason = 403, "Forbidden"


class NotFound(StatusError):
    """No such object; `kind` in the details is the resource as the caller spelled it (image-api 0.2)."""

    code, reason = 404, "NotFound"

    @classmethod
    def of(cls, resource: str, group: str, name: str) -> NotFound:
        """The error for one named object."""
        return cls(f'{qualified(resource, group)} "{name}" not found', details=details_of(resource, group, name))


class MethodNotAllowed(StatusError):
    """The resource has no such verb."""

    code, reason = 405, "MethodNotAllowed"


class NotAcceptable(StatusError):
    """No representation that the client accepts."""

    code, reason = 406, "NotAcceptable"


class AlreadyExists(StatusError):
    """The name is taken."""

    code, reason = 409, "AlreadyExists"

    @classmethod
    def of(cls, resource: str, group: str, name: str) -> AlreadyExists:
        """The error for one named object."""
        return cls(f'{qualified(resource, group)} "{name}" already exists', details=details_of(resource, group, name))


class Conflict(StatusError):
    """Somebody else was faster, or a precondition does not hold."""

    code, reason = 409, "Conflict"

    @classmethod
    def of(cls, resource: str, group: str, name: str, why: str) -> Conflict:
        """The error for one named object."""
        return cls(
            f'Operation cannot be fulfilled on {qualified(resource, group)} "{name}": {why}',
            details=details_of(resource, group, name),
        )


class Expired(StatusError):
    """The resource version or continue token is older than what is kept."""

    code, reason = 410, "Expired"


class RequestEntityTooLarge(StatusError):
    """The body is over the limit."""

    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaType(StatusError):
    """A body in a format that is not read here."""

    code, reason = 415, "UnsupportedMediaType"


@dataclass(frozen=True)
class FieldError:
    """One finding of validation: a cause of an `Invalid`.

    `reason` is a cause reason of Kubernetes (FieldValueInvalid, FieldValueRequired, ...); `message` is the text
    after the field's path, such as `Invalid value: "x": must be lowercase`.
    """

    field: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"

    def cause(self) -> Json:
        """The finding as a cause in Status details."""
        return {"reason": self.reason, "message": self.message, "field": self.field}

    @classmethod
    def invalid(cls, field: str, value: Any, detail: str) -> FieldError:
        """A value that breaks a rule."""
        return cls(field, "FieldValueInvalid", f"Invalid value: {_quoted(value)}: {detail}")

    @classmethod
    def required(cls, field: str, detail: str = "") -> FieldError:
        """A value that is missing."""
        return cls(field, "FieldValueRequired", f"Required value: {detail}" if detail else "Required value")

    @classmethod
    def not_supported(cls, field: str, value: Any, supported: Sequence[str]) -> FieldError:
        """A value outside an enumeration."""
        known = ", ".join(_quoted(one) for one in supported)
        return cls(field, "FieldValueNotSupported", f"Unsupported value: {_quoted(value)}: supported values: {known}")

    @classmethod
    def forbidden(cls, field: str, detail: str) -> FieldError:
        """A value that may not be set here."""
        return cls(field, "FieldValueForbidden", f"Forbidden: {detail}")

    @classmethod
    def not_found(cls, field: str, value: Any) -> FieldError:
        """A name of something that does not exist."""
        return cls(field, "FieldValueNotFound", f"Not found: {_quoted(value)}")

    @classmethod
    def internal(cls, field: str, detail: str) -> FieldError:
        """Something failed while the value was looked at."""
        return cls(field, "InternalError", f"Internal error: {detail}")


Findings = list[FieldError]


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


class Invalid(StatusError):
    """Understood, and against the rules: one cause per finding; `kind` in the details is the Kind."""

    code, reason = 422, "Invalid"

    @classmethod
    def of(cls, kind: str, group: str, name: str, findings: Sequence[FieldError]) -> Invalid:
        """The error for one object; `findings` is not empty."""
        texts = [str(one) for one in findings]
        text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
        causes = [one.cause() for one in findings]
        return cls(
            f'{qualified(kind, group)} "{name}" is invalid: {text}',
            details={**details_of(kind, group, name), "causes": causes},
        )


class TooManyRequests(StatusError):
    """Overload: ask again later."""

    code, reason = 429, "TooManyRequests"

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message, details={"retryAfterSeconds": retry_after}, headers={"Retry-After": str(retry_after)})


class Untyped(StatusError):
    """A mistake of the client that Kubernetes answers with a 500 without a reason (image-api 12.28)."""


class InternalError(StatusError):
    """Our fault."""

    code, reason = 500, "InternalError"

    @classmethod
    def of(cls, cause: str) -> InternalError:
        """The error in Kubernetes' wording."""
        return cls(f"Internal error occurred: {cause}", details={"causes": [{"message": cause}]})


class ServerTimeout(StatusError):
    """The operation could not be completed in its tries."""

    code, reason = 500, "ServerTimeout"

    @classmethod
    def of(cls, resource: str, group: str, operation: str, retry_after: int = 2) -> ServerTimeout:
        """The error for one operation on one resource."""
        return cls(
            f"The {operation} operation against {qualified(resource, group)} could not be completed at this time,"
            " please try again.",
            details=details_of(resource, group, operation, retryAfterSeconds=retry_after),
            headers={"Retry-After": str(retry_after)},
        )


class ServiceUnavailable(StatusError):
    """Not ready yet, or no longer."""

    code, reason = 503, "ServiceUnavailable"


class Timeout(StatusError):
    """An internal deadline, or a resource version from the future."""

    code, reason = 504, "Timeout"
