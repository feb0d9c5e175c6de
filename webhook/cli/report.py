"""How resolutions are shown: as manifests, as a unified diff, or as a table of reasons."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from webhook.cli.columns import aligned
from webhook.cli.resolution import Finding, Resolution

_COLUMNS = ("FILE", "OBJECT", "PATH", "IMAGE", "", "RESULT", "REASON", "")
_BEGINS_DOCUMENT = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*(---(?=\s|$)|%)")


def manifests(resolutions: Sequence[Resolution]) -> bytes:
    """One file as it was, byte for byte; several as one YAML stream, parted by document markers where they need it."""
    if len(resolutions) == 1:
        return resolutions[0].manifest.encode(resolutions[0].text)
    parts: list[str] = []
    for text in filter(None, (one.text for one in resolutions)):
        parts += (_between(parts[-1], text), text) if parts else (text,)
    return "".join(parts).encode()


def _between(before: str, after: str) -> str:
    """What has to stand between two texts for the second to begin a document of its own."""
    newline = "\r\n" if before.endswith("\r\n") else "\n"
    begins = _BEGINS_DOCUMENT.match(after)
    marker = "---" if begins is None else "..." if begins.group(1) == "%" else ""
    return ("" if before.endswith("\n") else newline) + (marker + newline if marker else "")


def diff(resolutions: Iterable[Resolution]) -> bytes:
    """What `patch -p1` and `git apply` read."""
    return "".join(map(_diff, resolutions)).encode()


def _diff(one: Resolution) -> str:
    name = one.manifest.name.lstrip("/")
    mark = one.manifest.mark.decode() if one.manifest.encoding == "utf-8" else ""
    before, after = _lines(mark + one.manifest.text), _lines(mark + one.text)
    lines = difflib.unified_diff(before, after, f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    # Not splitlines: for patch, only a line feed ends a line.
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def table(findings: Sequence[Finding]) -> str:
    """One line per image, in aligned columns."""
    return aligned(_COLUMNS, map(_row, findings))


def _row(one: Finding) -> tuple[str, ...]:
    return (one.file, str(one.item), one.path, one.written, "→", one.result or "unchanged", one.reason, one.message)


def complaint(findings: Sequence[Finding]) -> str:
    """What stayed unresolved, where, why, and what to do about it."""
    lines = [f"{len(findings)} image{'s' if len(findings) > 1 else ''} stayed unresolved"]
    for one in findings:
        place = " ".join(filter(None, (str(one.item), one.path)))
        lines.append(f"  {one.file}: {place}: {one.message}")
        lines += [f"      {line}" for line in one.advice.splitlines()]
    return "\n".join(lines)


def not_locked(findings: Sequence[Finding], lock: str) -> str:
    """Which names are new since the lock file was written, and where they stand."""
    names = f"{len(findings)} name{'s' if len(findings) > 1 else ''}"
    lines = [f"{lock} does not hold {names} of these manifests; renew it with --update-lock"]
    lines += [f"  {one.file}: {one.item} {one.path}: {one.written} ({one.stream}:{one.tag})" for one in findings]
    return "\n".join(lines)
