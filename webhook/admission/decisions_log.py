"""The log of decisions: one line for each object that was changed or refused, none for the others (practice 6)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from webhook.admission import review
from webhook.admission.decide import Rewrite
from webhook.errors import StatusError

log = logging.getLogger(__name__)

_MOST: Final = 20
_LENGTH: Final = 2000


def rewritten(request: review.Request, changes: Sequence[Rewrite], seconds: float) -> None:
    """Say what was rewritten; of very many images the first."""
    images = [one for one in changes if not one.beside]
    listed = [{"from": one.old, "to": one.new, "reason": one.decision.reason} for one in images[:_MOST]]
    fields = {**_fields(request), "duration_ms": round(seconds * 1000, 3), "images": listed}
    more = len(images) - 1
    text = f"{images[0].old} -> {images[0].new}{f' and {more} more' if more else ''}"
    log.info("%s", _line(f"{_what(request)}: {text}"), extra={"fields": fields})


def refused(request: review.Request, error: StatusError) -> None:
    """Say what was refused, and why."""
    fields = {**_fields(request), "code": error.code}
    log.info("%s", _line(f"{_what(request)} is refused: {error.message}"), extra={"fields": fields})


def _fields(request: review.Request) -> dict[str, Any]:
    metadata = (request.object and request.object.metadata) or review.Meta()
    name = request.name or metadata.name
    return {
        "uid": request.uid,
        "namespace": request.namespace or "",
        "kind": request.kind.kind,
        **({"name": name} if name else {"generateName": metadata.generate_name or ""}),
        "operation": request.operation,
        "dryRun": bool(request.dry_run),
    }


def _what(request: review.Request) -> str:
    metadata = (request.object and request.object.metadata) or review.Meta()
    name = request.name or metadata.name or metadata.generate_name or ""
    return f"{request.resource.resource} {request.namespace or ''}/{name}"


def _line(text: str) -> str:
    """One line of bearable length, whatever somebody chose for a name: a log is read on terminals too."""
    text = text[:_LENGTH]
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
