"""`imagestreams resolve` as a KRM function: a ResourceList in, the same one with its items resolved and results out.

The specification is kustomize's `functions-spec.md` (config.kubernetes.io/v1). The items keep every byte but their
images; `results` are added.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click
import yaml

from webhook.admission import reasons
from webhook.cli import yaml_text
from webhook.cli.manifests import Manifest
from webhook.cli.resolution import Finding, Resolution
from webhook.cli.resolving import Options
from webhook.cli.yaml_text import Document
from webhook.errors import Json

_GROUP: Final = "config.kubernetes.io/"
_SETTINGS: Final = (
    *("certificateAuthority", "context", "integratedRegistry", "kubeconfig", "lock", "namespace", "require", "server"),
    *("streams", "updateLock"),
)
# A name that no stream has may well be meant for a public registry.
_HARMLESS: Final = frozenset({reasons.NO_SUCH_STREAM, reasons.LOOKUP_DISABLED})


def is_resource_list(manifest: Manifest) -> bool:
    """Whether the text is what an orchestrator hands to a function."""
    value = manifest.documents[0].value if len(manifest.documents) == 1 else None
    if not isinstance(value, dict) or value.get("kind") != "ResourceList":
        return False
    return str(value.get("apiVersion")).startswith(_GROUP)


def configured(options: Options, manifest: Manifest) -> Options:
    """The options with what the list's functionConfig sets: the `data` of a ConfigMap, or the `spec` of any other kind.

    ClickException for a setting that does not exist or has a value of another kind.
    """
    config = _mapping("functionConfig", manifest.documents[0].value.get("functionConfig"))
    inner = "data" if config.get("kind") == "ConfigMap" else "spec"
    given = _mapping(f"functionConfig: {inner}", config.get(inner))
    if unknown := sorted(given.keys() - set(_SETTINGS)):
        raise click.ClickException(
            f"functionConfig: there is no setting {unknown[0]}; there are {', '.join(_SETTINGS)}"
        )
    access = {
        "server": _text(given, "server", options.access.server),
        "certificate_authority": _text(given, "certificateAuthority", options.access.certificate_authority),
        "kubeconfig": _text(given, "kubeconfig", options.access.kubeconfig),
        "context": _text(given, "context", options.access.context),
    }
    locked = _text(given, "lock", None)
    return replace(
        options,
        access=replace(options.access, **access),
        namespace=_text(given, "namespace", options.namespace),
        streams=_texts(given, "streams") or options.streams,
        integrated_registry=_text(given, "integratedRegistry", options.integrated_registry) or "",
        require=_flag(given, "require", options.require),
        lock=Path(locked) if locked else options.lock,
        update_lock=_flag(given, "updateLock", options.update_lock),
    )


def output(manifest: Manifest, resolution: Resolution, require: bool) -> bytes:
    """The ResourceList with its items resolved and one result for each name that stayed unresolved."""
    results = [result(one, require) for one in resolution.findings if one.unresolved]
    if not results:
        return manifest.encode(resolution.text)
    # Parsed once more: the edits of the images have moved every mark.
    [document] = yaml_text.documents(resolution.text)
    return manifest.encode(_with_results(resolution.text, document, results))


def result(finding: Finding, require: bool) -> Json:
    """A finding as an item of `results`."""
    item = finding.item
    reference = {"apiVersion": item.api_version, "kind": item.kind, "name": item.name, "namespace": item.namespace}
    found: Json = {
        "message": " ".join(filter(None, (finding.message, finding.advice))),
        "severity": "error" if require else "info" if finding.reason in _HARMLESS else "warning",
        "resourceRef": {key: value for key, value in reference.items() if value},
        "tags": {"reason": finding.reason},
    }
    if finding.path:
        found["field"] = {"path": finding.path, "currentValue": finding.written}
    if item.file:
        found["file"] = {"path": item.file, "index": item.index}
    return found


def _with_results(text: str, document: Document, results: list[Json]) -> str:
    given = document.value.get("results")
    if given is not None:
        listed = [*(given if isinstance(given, list) else []), *results]
        start, end = document.span(("results",))
        return f"{text[:start]} {json.dumps(listed)}{text[end:]}"
    start, end = document.span(())
    if text.startswith("{", start):
        inner = text[: end - 1].rstrip()
        comma = "" if inner.endswith((",", "{")) else ","
        return f"{inner}{comma} {json.dumps('results')}: {json.dumps(results)}{text[end - 1 :]}"
    newline = "\r\n" if "\r\n" in text[:end] else "\n"
    block = yaml.safe_dump({"results": results}, sort_keys=False, width=2**31, allow_unicode=True)
    return f"{text[:end]}{newline}{block.rstrip().replace(chr(10), newline)}{text[end:] or newline}"


def _mapping(name: str, value: Any) -> Json:
    if not isinstance(value, dict | None):
        raise click.ClickException(f"{name} must be a mapping, not {json.dumps(value, default=str)}")
    return value or {}


def _text(given: Json, name: str, otherwise: str | None) -> str | None:
    value = given.get(name, otherwise)
    if value is not None and not isinstance(value, str):
        raise _wrong(name, value, "a text")
    return value


def _texts(given: Json, name: str) -> tuple[str, ...]:
    value = given.get(name) or []
    if isinstance(value, str):
        return tuple(value.replace(",", " ").split())
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _wrong(name, value, "a list of files")
    return tuple(value)


def _flag(given: Json, name: str, otherwise: bool) -> bool:
    value = given.get(name, otherwise)
    # The values of a ConfigMap are texts.
    known = {True: True, False: False, "true": True, "false": False}
    if not isinstance(value, bool | str) or value not in known:
        raise _wrong(name, value, "true or false")
    return known[value]


def _wrong(name: str, value: Any, kind: str) -> click.ClickException:
    return click.ClickException(f"functionConfig: {name} must be {kind}, not {json.dumps(value, default=str)}")
