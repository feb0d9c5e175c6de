"""What the query of a request asks for: how to write, and which objects to list or watch (contract 3.4, 3.5, 4.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from webhook.errors import BadRequest, FieldError, Invalid

Query = Mapping[str, Sequence[str]]
"""All values of each parameter, as `urllib.parse.parse_qs` or werkzeug's `to_dict(flat=False)` give them."""

FieldValidation = Literal["Ignore", "Warn", "Strict"]

_MAX_MANAGER: Final = 128
_MAX_LIMIT: Final = 2**31 - 1
_MAX_TIMEOUT: Final = 24 * 3600
_VALIDATIONS: Final = ("", "Ignore", "Strict", "Warn")
_MATCHES: Final = ("Exact", "NotOlderThan")
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_INT64: Final = range(-(2**63), 2**63)
_UINT64: Final = range(2**64)
# More of them are refused before they are read: that takes time that grows with their square.
_DIGITS: Final = 40
_UNSIGNED: Final = re.compile(r"[0-9]+")
_META_GROUP: Final = "meta.k8s.io"


@dataclass(frozen=True)
class WriteOptions:
    """How to write."""

    dry_run: bool = False
    field_manager: str = ""
    field_validation: FieldValidation = "Warn"
    force: bool = False


@dataclass(frozen=True)
class ListOptions:
    """Which objects to list or watch; `resource_version` is "" where the client gave none.

    `match` is "", `Exact` or `NotOlderThan`; `limit` 0 means no limit; `send_initial_events` is None where not given.
    """

    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    continue_token: str = ""
    resource_version: str = ""
    match: str = ""
    watch: bool = False
    bookmarks: bool = False
    send_initial_events: bool | None = None
    timeout_seconds: int | None = None

    @property
    def version(self) -> int | None:
        """The resource version as a number; None where the client gave none."""
        return int(self.resource_version) if self.resource_version else None


def write_options(query: Query, operation: str, *, apply: bool = False, user_agent: str = "") -> WriteOptions:
    """The options of a write; `operation` is Create, Update or Patch and names the options in errors.

    The field manager defaults to the client's program name, except in an apply, where it is mandatory.
    Raises Invalid (kind `CreateOptions` and so on) with one cause per finding.
    """
    dry_run = query.get("dryRun", ())
    manager = _first(query, "fieldManager")
    validation = _first(query, "fieldValidation")
    findings = _manager_findings(manager, required=apply) + _dry_run_findings(dry_run)
    if validation not in _VALIDATIONS:
        findings.append(FieldError.not_supported("fieldValidation", validation, _VALIDATIONS))
    force = flag(query, "force")
    if force is not None and operation == "Patch" and not apply:
        findings.append(FieldError.forbidden("force", "may not be specified for non-apply patch"))
    if findings:
        raise Invalid.of(f"{operation}Options", _META_GROUP, "", findings)
    known: FieldValidation = "Ignore" if validation == "Ignore" else "Strict" if validation == "Strict" else "Warn"
    return WriteOptions(bool(dry_run), manager or _program(user_agent), known, bool(force))


def _dry_run_findings(values: Sequence[str]) -> list[FieldError]:
    return [] if set(values) <= {"All"} else [FieldError.not_supported("dryRun", list(values), ["All"])]


def _manager_findings(manager: str, *, required: bool) -> list[FieldError]:
    if not manager:
        return [FieldError.required("fieldManager", "is required for apply patch")] if required else []
    findings = []
    if len(manager.encode()) > _MAX_MANAGER:
        text = f"Too long: may not be more than {_MAX_MANAGER} bytes"
        findings.append(FieldError("fieldManager", "FieldValueTooLong", text))
    for index, one in enumerate(manager):
        if not one.isprintable():
            why = f"invalid character U+{ord(one):04X} (at position {index})"
            findings.append(FieldError.invalid("fieldManager", manager, why))
    return findings


def _program(user_agent: str) -> str:
    name = "".join(one for one in user_agent.partition("/")[0] if one.isprintable())
    return name.encode()[:_MAX_MANAGER].decode(errors="ignore")


def list_options(query: Query) -> ListOptions:
    """The options of a list or watch.

    Raises BadRequest for a number that is none and for a continue token together with a version; Invalid of kind
    `ListOptions` for combinations that contradict one another.
    """
    options = ListOptions(
        label_selector=_first(query, "labelSelector"),
        field_selector=_first(query, "fieldSelector"),
        limit=min(max(integer(query, "limit") or 0, 0), _MAX_LIMIT),
        continue_token=_first(query, "continue"),
        resource_version=_first(query, "resourceVersion"),
        match=_first(query, "resourceVersionMatch"),
        watch=bool(flag(query, "watch")),
        bookmarks=bool(flag(query, "allowWatchBookmarks")),
        send_initial_events=flag(query, "sendInitialEvents"),
        timeout_seconds=_seconds(query, "timeoutSeconds"),
    )
    findings = _watch_findings(options) if options.watch else _list_findings(options)
    if findings:
        raise Invalid.of("ListOptions", _META_GROUP, "", findings)
    check_version(options.resource_version)
    if not options.watch and options.continue_token and options.resource_version not in ("", "0"):
        raise BadRequest("specifying resource version is not allowed when using continue")
    return options


def check_version(text: str) -> None:
    """A BadRequest where a resource version is neither empty nor decimal."""
    if not text:
        return
    problem = "" if _UNSIGNED.fullmatch(text) else "invalid syntax"
    if not problem and (len(text) > _DIGITS or int(text) not in _UINT64):
        problem = "value out of range"
    if problem:
        why = f'Invalid value: "{text}": strconv.ParseUint: parsing "{text}": {problem}'
        raise BadRequest(f"invalid resource version: resourceVersion: {why}")


def _list_findings(options: ListOptions) -> list[FieldError]:
    findings, match, field = [], options.match, "resourceVersionMatch"
    if match and not options.resource_version:
        findings.append(FieldError.forbidden(field, f"{field} is forbidden unless resourceVersion is provided"))
    if match and options.continue_token:
        findings.append(FieldError.forbidden(field, f"{field} is forbidden when continue is provided"))
    if match and match not in _MATCHES:
        findings.append(FieldError.not_supported(field, match, [*_MATCHES, ""]))
    if match == "Exact" and options.resource_version == "0":
        findings.append(FieldError.forbidden(field, f'{field} "Exact" is forbidden for resourceVersion "0"'))
    if options.send_initial_events is not None:
        findings.append(FieldError.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    return findings


def _watch_findings(options: ListOptions) -> list[FieldError]:
    findings, match, field = [], options.match, "resourceVersionMatch"
    if match and options.send_initial_events is None:
        why = f"{field} is forbidden for watch unless sendInitialEvents is provided"
        findings.append(FieldError.forbidden(field, why))
    if options.send_initial_events is not None and match != "NotOlderThan":
        why = f"sendInitialEvents requires setting {field} to NotOlderThan"
        findings.append(FieldError.forbidden(field, why))
    if match and match != "NotOlderThan":
        findings.append(FieldError.not_supported(field, match, ["NotOlderThan"]))
    if match and options.continue_token:
        findings.append(FieldError.forbidden(field, f"{field} is forbidden when continue is provided"))
    return findings


def include_object(query: Query) -> Literal["Metadata", "Object", "None"]:
    """How much of each object a Table carries (contract 5.1); BadRequest for an unknown word."""
    asked = _first(query, "includeObject")
    if asked in ("", "Metadata"):
        return "Metadata"
    if asked == "Object":
        return "Object"
    if asked == "None":
        return "None"
    why = f"Invalid value: \"{asked}\": must be 'Metadata', 'Object', 'None', or empty"
    raise BadRequest(f"Unable to convert to Table as requested: includeObject: {why}")


def _first(query: Query, key: str) -> str:
    values = query.get(key) or ("",)
    return values[0]


def flag(query: Query, key: str) -> bool | None:
    """A flag, None where it is not given; any value but `false` and `0` is true, as Kubernetes converts queries."""
    if key not in query:
        return None
    return _first(query, key).lower() not in ("false", "0")


def integer(query: Query, key: str) -> int | None:
    """A 64-bit integer, None where it is not given; BadRequest for anything else."""
    if key not in query:
        return None
    text = _first(query, key)
    if not _INTEGER.fullmatch(text):
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    if len(text) > _DIGITS or int(text) not in _INT64:
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": value out of range')
    return int(text)


def _seconds(query: Query, key: str) -> int | None:
    given = integer(query, key)
    return None if given is None else min(max(given, 0), _MAX_TIMEOUT)
