"""Which names, labels, annotations, finalizers and owners an object may have (api-server contract 3.11)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from webhook.errors import FieldError, Json

MAX_GENERATED: Final = 63
_SUFFIX_LENGTH: Final = 5
_SUFFIX_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
_MAX_ANNOTATIONS: Final = 256 * 1024

_LABEL_PATTERN: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN_PATTERN: Final = rf"{_LABEL_PATTERN}(\.{_LABEL_PATTERN})*"
_NAME_PART_PATTERN: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE_PATTERN: Final = f"({_NAME_PART_PATTERN})?"
_SUBDOMAIN: Final = re.compile(_SUBDOMAIN_PATTERN)
_NAME_PART: Final = re.compile(_NAME_PART_PATTERN)
_VALUE: Final = re.compile(_VALUE_PATTERN)

_STANDARD_FINALIZERS: Final = frozenset({"kubernetes", "orphan", "foregroundDeletion"})
_NEVER_OWNERS: Final = frozenset({("v1", "Event")})


def _syntax(what: str, pattern: str, *examples: str) -> str:
    shown = ",  or ".join(f"'{one}'" for one in examples)
    return f"{what} (e.g. {shown}, regex used for validation is '{pattern}')"


_ENDS = "and must start and end with an alphanumeric character"
_SUBDOMAIN_TEXT: Final = _syntax(
    f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', {_ENDS}",
    _SUBDOMAIN_PATTERN,
    "example.com",
)
_NAME_PART_TEXT: Final = _syntax(
    f"must consist of alphanumeric characters, '-', '_' or '.', {_ENDS}",
    _NAME_PART_PATTERN,
    "MyName",
    "my.name",
    "123-abc",
)
_VALUE_TEXT: Final = _syntax(
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', {_ENDS}",
    _VALUE_PATTERN,
    "MyValue",
    "my_value",
    "12345",
)
_QUALIFIED_TEXT: Final = (
    _syntax(
        f"a qualified name must consist of alphanumeric characters, '-', '_' or '.', {_ENDS}",
        _NAME_PART_PATTERN,
        "MyName",
        "my.name",
        "123-abc",
    )
    + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
)


def generate_name(base: str) -> str:
    """A name nobody else is likely to have: the base, cut to 58 characters, and five random ones."""
    suffix = "".join(secrets.choice(_SUFFIX_ALPHABET) for _ in range(_SUFFIX_LENGTH))
    return base[: MAX_GENERATED - _SUFFIX_LENGTH] + suffix


def subdomain_problems(text: str) -> list[str]:
    """What keeps a text from being an RFC 1123 subdomain, such as the name of most objects."""
    return _too_long(text, 253) + ([] if _SUBDOMAIN.fullmatch(text) else [_SUBDOMAIN_TEXT])


def path_segment_problems(text: str) -> list[str]:
    """What keeps a text from being one segment of a URL path: the least that any name must fulfil."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{one}'" for one in "/%" if one in text]


def qualified_name_problems(text: str) -> list[str]:
    """What keeps a text from being `[prefix/]name`, as keys of labels and annotations are."""
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        return [_QUALIFIED_TEXT]
    problems = []
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif slash:
        problems += [f"prefix part {one}" for one in subdomain_problems(prefix)]
    if not name:
        problems.append("name part must be non-empty")
    problems += [f"name part {one}" for one in _too_long(name, 63)]
    if not _NAME_PART.fullmatch(name):
        problems.append(f"name part {_NAME_PART_TEXT}")
    return problems


def label_value_problems(text: str) -> list[str]:
    """What keeps a text from being the value of a label."""
    return _too_long(text, 63) + ([] if _VALUE.fullmatch(text) else [_VALUE_TEXT])


def _too_long(text: str, limit: int) -> list[str]:
    return [f"must be no more than {limit} bytes"] if len(text.encode()) > limit else []


def path_segment_findings(name: str, field: str) -> list[FieldError]:
    """The findings on a name that must be one segment of a path."""
    if not name:
        return [FieldError.required(field, "name or generateName is required")]
    return [FieldError.invalid(field, name, text) for text in path_segment_problems(name)]


def object_meta_findings(meta: Json) -> list[FieldError]:
    """All findings on an object's metadata but those on its name, which differ from kind to kind."""
    return [
        *label_findings(meta.get("labels") or {}, "metadata.labels"),
        *annotation_findings(meta.get("annotations") or {}, "metadata.annotations"),
        *owner_findings(meta.get("ownerReferences") or (), "metadata.ownerReferences"),
        *finalizer_findings(meta.get("finalizers") or (), "metadata.finalizers"),
    ]


def label_findings(labels: Mapping[str, str], field: str) -> list[FieldError]:
    """The findings on keys and values of labels, by key."""
    findings = []
    for key, value in sorted(labels.items()):
        findings += [FieldError.invalid(field, key, text) for text in qualified_name_problems(key)]
        findings += [FieldError.invalid(field, value, text) for text in label_value_problems(value)]
    return findings


def annotation_findings(annotations: Mapping[str, str], field: str) -> list[FieldError]:
    """The findings on keys of annotations (upper case is as good as lower) and on their total size."""
    findings = []
    for key in sorted(annotations):
        findings += [FieldError.invalid(field, key, text) for text in qualified_name_problems(key.lower())]
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > _MAX_ANNOTATIONS:
        text = f"Too long: may not be more than {_MAX_ANNOTATIONS} bytes"
        findings.append(FieldError(field, "FieldValueTooLong", text))
    return findings


def finalizer_findings(finalizers: Sequence[str], field: str) -> list[FieldError]:
    """The findings on finalizers: qualified names, with a prefix unless Kubernetes knows them."""
    findings = []
    for index, name in enumerate(finalizers):
        where = f"{field}[{index}]"
        # Without the index: this check is Kubernetes' own, the next one that of its core, and of OpenShift.
        findings += [FieldError.invalid(field, name, text) for text in qualified_name_problems(name)]
        if "/" not in name and name not in _STANDARD_FINALIZERS:
            text = "name is neither a standard finalizer name nor is it fully qualified"
            findings.append(FieldError.invalid(where, name, text))
    if len(findings) == 0 and {"orphan", "foregroundDeletion"} <= set(finalizers):
        text = "finalizers cannot contain both orphan and foregroundDeletion"
        findings.append(FieldError.invalid(field, list(finalizers), text))
    return findings


def owner_findings(owners: Sequence[Mapping[str, Any]], field: str) -> list[FieldError]:
    """The findings on owner references; the paths carry no index, as recorded from Kubernetes."""
    findings, controllers = [], []
    for owner in owners:
        if not owner.get("apiVersion") or owner["apiVersion"].count("/") > 1:
            version = owner.get("apiVersion") or ""
            findings.append(FieldError.invalid(f"{field}.apiVersion", version, "version must not be empty"))
        for key in ("kind", "name", "uid"):
            if not owner.get(key):
                findings.append(FieldError.invalid(f"{field}.{key}", owner.get(key) or "", "must not be empty"))
        if (owner.get("apiVersion"), owner.get("kind")) in _NEVER_OWNERS:
            kind = f"/{owner['apiVersion']}, Kind={owner['kind']}"
            findings.append(FieldError.invalid(field, dict(owner), f"{kind} is disallowed from being an owner"))
        if owner.get("controller"):
            controllers.append(f"{owner.get('kind')}/{owner.get('name')}")
    if len(controllers) > 1:
        text = (
            'Only one reference can have Controller set to true. Found "true" in references for'
            f" {controllers[0]} and {controllers[1]}"
        )
        findings.append(FieldError.invalid(field, [dict(owner) for owner in owners], text))
    return findings
