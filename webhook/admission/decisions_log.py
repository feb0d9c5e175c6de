"""The log of decisions: one line for each object that was changed or refused, none for the others (practice 6)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from webhook.admission import review
from webhook.admission.decide import Rewrite
from webhook.errors import Json, StatusError

log = logging.getLogger(__name__)

Say = Callable[[str, Mapping[str, Any]], None]
"""(message, fields beside it) → nothing."""

_MOST: Final = 20
_LENGTH: Final = 2000


def say(message: str, fields: Mapping[str, Any]) -> None:
    """One line."""
    log.info("%s", message, extra={"fields": fields})


def rewritten(request: review.Request, changes: Sequence[Rewrite], seconds: float) -> tuple[str, Json]:
    """What was rewritten, as message and fields; of very many images the first."""
    images = [one for one in changes if not one.beside]
    listed = [{"from": one.old, "to": one.new, "reason": one.decision.reason} for one in images[:_MOST]]
    more = len(images) - 1
    text = f": {images[0].old} -> {images[0].new}{f' and {more} more' if more else ''}"
    return _told(request, text, {"duration_ms": round(seconds * 1000, 3), "images": listed})


def refused(request: review.Request, error: StatusError) -> tuple[str, Json]:
    """What was refused, and why, as message and fields."""
    return _told(request, f" is refused: {error.message}", {"code": error.code})


def _told(request: review.Request, text: str, more: Json) -> tuple[str, Json]:
    metadata = (request.object and request.object.metadata) or review.Meta()
    name, namespace = request.name or metadata.name, request.namespace or ""
    generated = metadata.generate_name or ""
    fields = {
        "uid": request.uid,
        "namespace": namespace,
        "kind": request.kind.kind,
        "name" if name else "generateName": name or generated,
        "operation": request.operation,
        "dryRun": bool(request.dry_run),
        **more,
    }
    return _line(f"{request.resource.resource} {namespace}/{name or generated}{text}"), fields


def _line(text: str) -> str:
    """One line of bearable length, whatever somebody chose for a name: a log is read on terminals too."""
    text = text[:_LENGTH]
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
