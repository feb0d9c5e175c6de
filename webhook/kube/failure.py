"""What a Kubernetes API said no with, as an error of the one tree, and the failure to reach it at all."""

from __future__ import annotations

from typing import Any

import msgspec
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from webhook import errors

_BY_REASON: dict[str, type[errors.StatusError]] = {
    one.reason: one
    for one in (
        errors.BadRequest,
        errors.Unauthorized,
        errors.Forbidden,
        errors.NotFound,
        errors.MethodNotAllowed,
        errors.NotAcceptable,
        errors.AlreadyExists,
        errors.Conflict,
        errors.Expired,
        errors.RequestEntityTooLarge,
        errors.UnsupportedMediaType,
        errors.Invalid,
        errors.InternalError,
        errors.ServerTimeout,
        errors.ServiceUnavailable,
        errors.Timeout,
    )
}
# 410 has two reasons; AlreadyExists and Conflict share 409, where Conflict is the one without a reason.
_BY_CODE = {one.code: one for one in _BY_REASON.values()} | {409: errors.Conflict}
_BY_REASON["Gone"] = errors.Expired


class Unreachable(Exception):
    """No answer: refused, cut off, timed out, or not trusted."""


def reason(error: HTTPError | OSError) -> str:
    """Why there was no answer, without the layers of urllib3 that wrap it: `Connection refused`."""
    inner: BaseException = error
    if isinstance(inner, MaxRetryError) and inner.reason is not None:
        inner = inner.reason
    if isinstance(inner, NewConnectionError) and isinstance(inner.__cause__, OSError) and inner.__cause__.strerror:
        return inner.__cause__.strerror
    return " ".join(str(inner).split())


def of_status(status: dict[str, Any], code: int = 0) -> errors.StatusError:
    """The error for a Status object; `code` is used where the object names none."""
    code = status.get("code") or code
    message = str(status.get("message") or f"the server answered {code}")
    details = status.get("details") if isinstance(status.get("details"), dict) else None
    if code == errors.TooManyRequests.code:
        seconds = (details or {}).get("retryAfterSeconds")
        return errors.TooManyRequests(message, retry_after=seconds if isinstance(seconds, int) else 1)
    found = _BY_REASON.get(str(status.get("reason"))) or _BY_CODE.get(code)
    if found is not None:
        return found(message, details=details)
    unnamed = errors.StatusError(message, details=details)
    unnamed.code = code or errors.StatusError.code
    return unnamed


def of_answer(code: int, body: bytes) -> errors.StatusError:
    """The error for an HTTP answer, whether or not its body is a Status."""
    try:
        status = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        status = None
    if isinstance(status, dict) and status.get("kind") == "Status":
        return of_status(status, code)
    text = body[:200].decode("utf-8", "replace").strip()
    return of_status({"message": f"the server answered {code}: {text}" if text else ""}, code)
