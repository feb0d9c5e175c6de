"""What is told of every import: one log line, and measurements by registry."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Final

from webhook.distribution.client import Usage
from webhook.errors import Json
from webhook.importer import plan
from webhook.importer.fetched import Fetched, FetchedImage
from webhook.importer.plan import Want
from webhook.telemetry import (
    IMPORT_DURATION,
    IMPORTED_IMAGES,
    RATE_LIMIT_REMAINING,
    REGISTRY_BYTES,
    REGISTRY_REQUESTS,
    REGISTRY_WAIT,
)

_log = logging.getLogger(__name__)
#: Users choose the hosts, and must not choose how many series there are.
_MOST_REGISTRIES: Final = 100
_OTHER: Final = "other"

_known: set[str] = set()
_lock = threading.Lock()


def label(host: str) -> str:
    """The host as a label; all hosts beyond the first hundred are `other`."""
    with _lock:
        if host not in _known and len(_known) >= _MOST_REGISTRIES:
            return _OTHER
        _known.add(host)
    return host


def imported(isi: Json, stream: Json | None, fetched: Fetched, usage: Mapping[str, Usage], seconds: float) -> None:
    """Report an import that has been fetched; the message names no password and no token."""
    results = _results(isi, stream, fetched)
    for (host, reason), count in results.items():
        IMPORTED_IMAGES.labels(label(host), "failure" if reason else "success", reason).inc(count)
    reasons: Counter[str] = Counter()
    for (_, reason), count in results.items():
        reasons.update({reason: count} if reason else {})
    IMPORT_DURATION.labels("failure" if reasons else "success").observe(seconds)
    asked(usage)
    _say(isi, sum(results.values()), reasons, usage, seconds)


def asked(usage: Mapping[str, Usage]) -> None:
    """Count what was asked of registries."""
    for host, used in usage.items():
        registry = label(host)
        REGISTRY_REQUESTS.labels(registry).inc(used.requests)
        REGISTRY_BYTES.labels(registry).inc(used.bytes)
        REGISTRY_WAIT.labels(registry).inc(used.waited)
        if used.remaining is not None:
            RATE_LIMIT_REMAINING.labels(registry).set(used.remaining)


def _say(isi: Json, images: int, reasons: Counter[str], usage: Mapping[str, Usage], seconds: float) -> None:
    metadata = isi["metadata"]
    failed = sum(reasons.values())
    fields = {
        "namespace": metadata.get("namespace") or "",
        "stream": metadata.get("name") or "",
        "registries": sorted(usage),
        "result": "failure" if failed else "success",
        "images": images,
        "failed": failed,
        "reasons": dict(reasons),
        "seconds": round(seconds, 3),
        "waited": round(sum(used.waited for used in usage.values()), 3),
        "requests": sum(used.requests for used in usage.values()),
        "bytes": sum(used.bytes for used in usage.values()),
        "remaining": {host: used.remaining for host, used in usage.items() if used.remaining is not None},
    }
    _log.info(
        "import of %s/%s from %s: %d of %d images%s; %d requests, %d bytes, %.2f s",
        fields["namespace"],
        fields["stream"],
        ", ".join(sorted(usage)) or "no registry",
        images - failed,
        images,
        f" (failed: {', '.join(sorted(reasons))})" if reasons else "",
        fields["requests"],
        fields["bytes"],
        seconds,
        extra={"fields": fields},
    )


def _results(isi: Json, stream: Json | None, fetched: Fetched) -> Counter[tuple[str, str]]:
    """How many images of each registry came or failed, by (host, reason); a success has no reason."""
    found: Counter[tuple[str, str]] = Counter()
    for want, image in zip(plan.images(isi, stream), fetched.images, strict=True):
        found[want.repository.host if isinstance(want, Want) else "", _reason(image)] += 1
    if fetched.repository is None:
        return found
    host = plan.repository_host(isi["spec"]["repository"])
    if fetched.repository.failure is not None:
        found[host, fetched.repository.failure.get("reason") or "Unknown"] += 1
    for image in fetched.repository.images:
        found[host, _reason(image)] += 1
    return found


def _reason(image: FetchedImage) -> str:
    return "" if image.failure is None else image.failure.get("reason") or "Unknown"
