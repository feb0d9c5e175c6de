"""A decision for a person: what happened, why, and what to type next."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Final

from webhook.admission import locations, reasons
from webhook.admission.resolve import Decision

_LOCAL = json.dumps({"spec": {"lookupPolicy": {"local": True}}}, separators=(",", ":"))


def explain(decision: Decision) -> str:
    """One or more lines: the sentence of the reason, then hints, each on a line of its own."""
    hint = _HINTS.get(decision.reason)
    return decision.message if hint is None else f"{decision.message}\n{hint(decision)}"


def _allow_lookup(decision: Decision) -> str:
    return (
        f"Allow it for the stream:  kubectl patch {_stream(decision)} --type=merge -p '{_LOCAL}'\n"
        f'or ask for it in the pod template or the object:  annotation {locations.RESOLVE_NAMES}: "*"'
    )


def _list_streams(decision: Decision) -> str:
    namespace = decision.stream.partition("/")[0]
    return f"See what there is:  kubectl get imagestreams -n {shlex.quote(namespace)}"


def _import(decision: Decision) -> str:
    namespace, _, name = decision.stream.partition("/")
    again = f"imagestreams import {shlex.quote(f'{name}:{decision.tag}')} -n {shlex.quote(namespace)}"
    return (
        f"See its tags:  kubectl get {_stream(decision)} -o yaml\n"
        f"Import it now, or be told what is in the way:  {again}"
    )


def _own_namespace(decision: Decision) -> str:
    del decision
    names, levels = (", ".join(sorted(one)) for one in (locations.PLATFORM_NAMESPACES, locations.PLATFORM_RUN_LEVELS))
    return f"Use another: not {names}, nor one with the label {locations.RUN_LEVEL_LABEL} ({levels})."


def _controller(decision: Decision) -> str:
    del decision
    return "Ask for the one that metadata.ownerReferences names:  imagestreams explain KIND/NAME"


def _one_word(decision: Decision) -> str:
    del decision
    return "Write NAME:TAG with the name of an image stream in the object's own namespace."


def _stream(decision: Decision) -> str:
    namespace, _, name = decision.stream.partition("/")
    return f"imagestream {shlex.quote(name)} -n {shlex.quote(namespace)}"


_HINTS: Final[dict[str, Callable[[Decision], str]]] = {
    reasons.LOOKUP_DISABLED: _allow_lookup,
    reasons.NO_SUCH_STREAM: _list_streams,
    reasons.NO_SUCH_TAG: _import,
    reasons.MISSING_TAG_DEFERRED: _import,
    reasons.NAMESPACE_SKIPPED: _own_namespace,
    reasons.OWNED_BY_CONTROLLER: _controller,
    reasons.NOT_SHORT: _one_word,
    reasons.INVALID_NAME: _one_word,
}
