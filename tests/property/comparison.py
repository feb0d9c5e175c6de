"""A stream as the server shows it, in the words of the model."""

from __future__ import annotations

import json
from typing import Any

from tests.property import fields

Json = dict[str, Any]


def observed(shown: Json) -> Json:
    """The stream as the model tells it."""
    meta, spec = shown["metadata"], shown["spec"]
    tags = [{key: value for key, value in one.items() if value is not None} for one in spec.get("tags", [])]
    return {
        "metadata": {"labels": meta.get("labels", {}), "generation": meta["generation"]},
        "spec": {**spec, **({"tags": tags} if tags else {})},
        "history": {
            one["tag"]: [(e["dockerImageReference"], e["image"], e["generation"]) for e in one["items"]]
            for one in shown["status"].get("tags", [])
        },
        "owners": {
            (one["manager"], one["operation"], one.get("subresource", "")): set(owned(one["fieldsV1"]))
            for one in meta.get("managedFields", [])
        },
    }


def differences(found: Json, expected: Json) -> list[str]:
    """What only one of the two has, in words."""
    lines = [f"{part}: {found[part]} instead of {expected[part]}" for part in expected if found[part] != expected[part]]
    owners = found["owners"], expected["owners"]
    if owners[0] == owners[1]:
        return lines
    for who in sorted({*owners[0], *owners[1]}):
        server, model = owners[0].get(who, set()), owners[1].get(who, set())
        lines += [f"{who}: only the server has {sorted(server - model)}"] if server - model else []
        lines += [f"{who}: only the model has {sorted(model - server)}"] if model - server else []
    return [line for line in lines if not line.startswith("owners")]


def owned(tree: Json, before: fields.Path = ()) -> list[fields.Path]:
    """The paths of FieldsV1 in the words of the model."""
    found = []
    for key, below in tree.items():
        if key == ".":
            found.append(before)
            continue
        kind, _, rest = key.partition(":")
        name = f"[{json.loads(rest)['name']}]" if kind == "k" and before == ("spec", "tags") else rest
        found += owned(below, (*before, name)) if below else [(*before, name)]
    return found
