"""What an import brought, tag by tag, and how that is told to people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from webhook.cli.columns import aligned
from webhook.errors import Json
from webhook.image import history
from webhook.meta import timestamps

_COLUMNS = ("TAG", "FROM", "IMAGE", "SIZE", "BUILT", "RESULT")
_SHORT_DIGEST = len("sha256:") + 12
_UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class Result:
    """One tag: where it was imported from, what the server says of it, and the Image if there is one."""

    tag: str
    source: str
    status: Json
    image: Json | None
    before: str = ""
    """The image that the tag had before, empty if it had none."""

    @property
    def failed(self) -> bool:
        """Whether there is no image."""
        return self.image is None

    @property
    def digest(self) -> str:
        """The image's name."""
        return str(((self.image or {}).get("metadata") or {}).get("name") or "")

    @property
    def size(self) -> int:
        """The bytes of config and layers as the manifest tells them; 0 for a manifest list."""
        return int(self._metadata.get("Size") or 0)

    @property
    def built(self) -> str:
        """When the image was made, RFC 3339."""
        return str(self._metadata.get("Created") or "")

    @property
    def message(self) -> str:
        """Why there is no image, in one line; part of it is a registry's, which may not speak to the terminal."""
        text = " ".join(str(self.status.get("message") or "the server does not say why").split())
        return "".join(one if one.isprintable() else "?" for one in text)

    @property
    def _metadata(self) -> Json:
        return (self.image or {}).get("dockerImageMetadata") or {}

    def outcome(self, dry_run: bool) -> str:
        """The last column: one word, or the reason of the failure."""
        if self.failed:
            return f"failed: {self.status.get('reason') or 'Unknown'}"
        if self.digest == self.before:
            return "unchanged"
        return "would be imported" if dry_run else "imported"


def results(answer: Json, before: Json | None) -> list[Result]:
    """The results of an answered ImageStreamImport; `before` is the stream as it was, None if there was none."""
    spec, status = answer.get("spec") or {}, answer.get("status") or {}
    found = [
        _result((asked.get("to") or {}).get("name") or one.get("tag") or "", asked["from"]["name"], one, before)
        for asked, one in zip(spec.get("images") or [], status.get("images") or [], strict=False)
    ]
    repository = status.get("repository")
    if repository is None:
        return found
    source = spec["repository"]["from"]["name"]
    listed = repository.get("images") or []
    if not listed and (repository.get("status") or {}).get("status") == "Failure":
        return [*found, Result("*", source, repository["status"], None)]
    return [*found, *(_result(one.get("tag") or "", f"{source}:{one.get('tag')}", one, before) for one in listed)]


def not_imported(answer: Json) -> list[str]:
    """The tags of a repository that were more than one import may bring."""
    repository = (answer.get("status") or {}).get("repository") or {}
    return list(repository.get("additionalTags") or [])


def table(found: Sequence[Result], now: datetime, *, dry_run: bool) -> str:
    """One aligned line for each tag."""
    rows = [
        (
            one.tag,
            one.source,
            one.digest[:_SHORT_DIGEST] or "-",
            size(one.size) if one.size else "-",
            timestamps.age(one.built, now) if one.built else "-",
            one.outcome(dry_run),
        )
        for one in found
    ]
    return aligned(_COLUMNS, rows)


def size(count: int) -> str:
    """`67.3 MB`, in steps of a thousand as registries show them."""
    amount = float(count)
    for unit in _UNITS[:-1]:
        if amount < 999.5:
            return f"{amount:.3g} {unit}" if unit != "B" else f"{count} B"
        amount /= 1000
    return f"{amount:.3g} {_UNITS[-1]}"


def _result(tag: str, source: str, one: Json, before: Json | None) -> Result:
    head = history.head(before or {}, tag) or {}
    return Result(tag, source, one.get("status") or {}, one.get("image"), head.get("image") or "")
