"""Who owns which field after random writes: our managedFields are those of a real kube-apiserver (contract 6.2).

The kind has a schema with every form of list and map. Here and there the same writes are made, one after the other.
"""

from __future__ import annotations

import copy
import itertools
import json
import os
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.cluster.cluster import Cluster
from tests.integration.servers import until
from webhook.apiserver.bodies import Shown, decoded
from webhook.apiserver.rest import Call
from webhook.apiserver.stored import StoredRest, Strategy
from webhook.errors import Json, StatusError
from webhook.meta import mergepatch
from webhook.meta.definitions import DEFINITIONS
from webhook.meta.identity import ADMINISTRATOR
from webhook.meta.resources import ResourceInfo
from webhook.meta.schema import Schema
from webhook.storage.memory import MemoryStore

OBJECTS, WRITES = 40, 8
GROUP, NAMESPACE = "tests.example.com", "default"
WIDGETS = f"/apis/{GROUP}/v1/namespaces/{NAMESPACE}/widgets"
DEFINITIONS_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
SEED = int(os.environ.get("SEED", random.randrange(10**6)))

TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "integer"}


def structure(**properties: Json) -> Json:
    return {"type": "object", "properties": properties}


def items(kind: str, one: Json, *keys: str) -> Json:
    named = {"x-kubernetes-list-map-keys": list(keys)} if keys else {}
    required = {**one, "required": list(keys)} if keys else one
    return {"type": "array", "items": required, "x-kubernetes-list-type": kind, **named}


SPEC = structure(
    text=TEXT,
    number=NUMBER,
    truth={"type": "boolean"},
    map={"type": "object", "additionalProperties": TEXT},
    whole_map={"type": "object", "additionalProperties": TEXT, "x-kubernetes-map-type": "atomic"},
    struct=structure(x=TEXT, y=TEXT, inner=structure(q=TEXT, r=TEXT)),
    whole_struct={**structure(x=TEXT, y=TEXT), "x-kubernetes-map-type": "atomic"},
    set=items("set", TEXT),
    numbers=items("set", NUMBER),
    whole_list=items("atomic", TEXT),
    by_name=items(
        "map", structure(name=TEXT, v=TEXT, struct=structure(x=TEXT, y=TEXT), set=items("set", TEXT)), "name"
    ),
    by_two=items("map", structure(k=TEXT, p=NUMBER, v=TEXT), "k", "p"),
)
ROOT = structure(apiVersion=TEXT, kind=TEXT, spec=SPEC)
OBJECT_META = next(name for name in DEFINITIONS if name.endswith("ObjectMeta"))
SCHEMA = Schema(structure(**ROOT["properties"], metadata={"$ref": f"#/components/schemas/{OBJECT_META}"}), DEFINITIONS)
CRD: Json = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"widgets.{GROUP}"},
    "spec": {
        "group": GROUP,
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
        "scope": "Namespaced",
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": ROOT}}],
    },
}

Outcome = tuple[int, Any]


class Theirs:
    """The writes, made at kube-apiserver."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def apply(self, manager: str, obj: Json, force: bool) -> Outcome:
        query = f"?fieldManager={manager}&force={str(force).lower()}"
        return self._write("PATCH", f"/{obj['metadata']['name']}{query}", obj, APPLY)

    def merge(self, manager: str, obj: Json, _force: bool) -> Outcome:
        return self._write("PATCH", f"/{obj['metadata']['name']}?fieldManager={manager}", obj, MERGE)

    def put(self, manager: str, obj: Json, _force: bool) -> Outcome:
        name = obj["metadata"]["name"]
        there = self._cluster.call("GET", f"{WIDGETS}/{name}")
        if there.code == 404:
            return self._write("POST", f"?fieldManager={manager}", obj)
        version = {"resourceVersion": there.body["metadata"]["resourceVersion"]}
        return self._write(
            "PUT", f"/{name}?fieldManager={manager}", {**obj, "metadata": {**obj["metadata"], **version}}
        )

    def _write(self, method: str, where: str, obj: Json, content_type: str = "application/json") -> Outcome:
        answer = self._cluster.call(method, WIDGETS + where, obj, content_type)
        return answer.code, answer.body


class Ours:
    """The same writes, made at a kind of our own server."""

    def __init__(self) -> None:
        info = ResourceInfo(GROUP, "v1", "widgets", "widget", "Widget", True, ("get",))
        self._rest = StoredRest(info, MemoryStore(), Strategy(), schema=SCHEMA, unconditional_update=True)

    def apply(self, manager: str, obj: Json, force: bool) -> Outcome:
        return _outcome(lambda: self._rest.apply(_call(manager), obj["metadata"]["name"], obj, force=force)[0])

    def merge(self, manager: str, obj: Json, _force: bool) -> Outcome:
        name = obj["metadata"]["name"]
        return _outcome(
            lambda: self._rest.update(_call(manager), name, lambda old: mergepatch.apply(old or {}, obj))[0]
        )

    def put(self, manager: str, obj: Json, _force: bool) -> Outcome:
        name = obj["metadata"]["name"]
        if self._rest.find(NAMESPACE, name) is None:
            return _outcome(lambda: self._rest.create(_call(manager), obj))
        return _outcome(lambda: self._rest.update(_call(manager), name, lambda old: _replaced(old or {}, obj))[0])


def _call(manager: str) -> Call:
    return Call(ADMINISTRATOR, NAMESPACE, field_manager=manager)


def _replaced(old: Json, new: Json) -> Json:
    kept = {key: old["metadata"][key] for key in ("uid", "creationTimestamp")}
    return {**new, "metadata": {**kept, **new["metadata"]}}


def _outcome(write: Callable[[], Shown]) -> Outcome:
    try:
        return 200, decoded(write())
    except StatusError as error:
        return error.code, error.status()


class Writer:
    """Random objects and writes, chosen so that managers meet."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def write(self, name: str) -> tuple[str, str, Json, bool]:
        """(verb, manager, object, force)."""
        verb = self._random.choices(("apply", "put", "merge"), (6, 2, 2))[0]
        obj = self._object(name)
        if verb == "merge":
            obj["spec"] = {key: None if self._random.random() < 0.2 else value for key, value in obj["spec"].items()}
        if verb == "put" and self._random.random() < 0.1:
            obj["metadata"]["managedFields"] = [{}]
        return verb, self._random.choice(("ann", "bob", "cat")), obj, self._random.random() < 0.4

    def _object(self, name: str) -> Json:
        meta: Json = {"name": name, "namespace": NAMESPACE}
        for key, chance in (("labels", 0.4), ("annotations", 0.2)):
            if self._random.random() < chance:
                meta[key] = self._map() or {"z": "1"}
        if self._random.random() < 0.1:
            meta["finalizers"] = [f"example.com/{one}" for one in self._names() or ["z"]]
        # A custom resource may lack its spec, an image stream never does: with a field in it that is no difference.
        spec = {"number": self._number(), **self._spec()}
        return {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": meta, "spec": spec}

    def _spec(self) -> Json:
        makers: dict[str, Callable[[], Any]] = {
            "text": self._text,
            "number": self._number,
            "truth": lambda: self._random.random() < 0.5,
            "map": self._map,
            "whole_map": self._map,
            "struct": lambda: {**self._some("xy"), **({"inner": self._some("qr")} if self._number() else {})},
            "whole_struct": lambda: self._some("xy"),
            "set": self._names,
            "numbers": lambda: self._random.sample((1, 2, 3), self._random.randint(0, 3)),
            "whole_list": lambda: [self._text() for _ in range(self._number())],
            "by_name": lambda: [{"name": one, **self._item()} for one in self._names()],
            "by_two": lambda: [{"k": one, "p": self._number(), **self._some("v")} for one in self._names()],
        }
        chosen = self._random.sample(sorted(makers), self._random.randint(0, 5))
        return {key: makers[key]() for key in chosen}

    def _item(self) -> Json:
        found: Json = self._some("v")
        if self._random.random() < 0.4:
            found["struct"] = self._some("xy")
        if self._random.random() < 0.3:
            found["set"] = self._names()
        return found

    def _some(self, keys: str) -> Json:
        return {key: self._text() for key in self._random.sample(keys, self._random.randint(0, len(keys)))}

    def _map(self) -> Json:
        return {key: self._text() for key in self._names()}

    def _names(self) -> list[str]:
        return self._random.sample("abcd", self._random.randint(0, 3))

    def _text(self) -> str:
        return self._random.choice(("1", "2", "3", "", "x.y-z"))

    def _number(self) -> int:
        return self._random.randint(0, 2)


def comparable(outcome: Outcome) -> Any:
    """What must agree: the object with its managers, or the code and, of a conflict, its causes."""
    code, body = outcome
    if code not in (200, 201):
        causes = (body.get("details") or {}).get("causes") or []
        return code, sorted((one["field"], one["message"].partition(" using ")[0]) for one in causes)
    meta = body["metadata"]
    shown = {key: meta[key] for key in ("labels", "annotations", "finalizers") if meta.get(key)}
    owned = [(one["operation"], one["manager"], _fields(one)) for one in meta.get("managedFields", [])]
    return shown, body["spec"], sorted(entry for entry in owned if entry[2] != "{}")


def _fields(entry: Json) -> str:
    fields = copy.deepcopy(entry["fieldsV1"])
    # The spec itself: see Writer._object.
    if entry["operation"] == "Update":
        fields.get("f:spec", {}).pop(".", None)
        fields = {key: value for key, value in fields.items() if value}
    return json.dumps(fields, sort_keys=True)


@pytest.fixture(scope="module")
def widgets(cluster: Cluster) -> Cluster:
    """kube-apiserver with the kind that is written."""
    assert cluster.call("POST", DEFINITIONS_PATH, CRD).code == 201
    until(lambda: cluster.call("GET", WIDGETS).code == 200, "the custom resource")
    return cluster


def test_managers_own_what_kubernetes_says_they_own(widgets: Cluster):
    print(f"SEED={SEED}")
    theirs, ours, writer = Theirs(widgets), Ours(), Writer(SEED)
    for number in range(OBJECTS):
        history = []
        for _ in itertools.repeat(None, WRITES):
            verb, *write = writer.write(f"widget-{number}")
            history.append((verb, *write))
            expected = getattr(theirs, verb)(*copy.deepcopy(write))
            found = getattr(ours, verb)(*copy.deepcopy(write))
            assert comparable(found) == comparable(expected), f"SEED={SEED}\n" + "\n".join(map(str, history))
