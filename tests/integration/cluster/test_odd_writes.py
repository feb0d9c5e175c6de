"""Creations, updates and patches that no sane client makes are refused as by a real kube-apiserver (contract 3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.cluster.sides import Side, agree
from webhook.errors import Json

JSON, YAML = "application/json", "application/yaml"
JSON_PATCH, MERGE = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
UID = "11111111-2222-3333-4444-555555555555"
OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "base", "uid": UID}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        '"x"',
        "{}",
        '{"a":',
        '\ufeff{"metadata": {"name": "x"}}',
        '{"metadata": []}',
        '{"metadata": {"name": 1}}',
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "/{name}")], ids=["create", "update"])
def test_bodies_that_are_no_object(sides: tuple[Side, Side], method: str, path: str, body: str):
    agree(sides, lambda side, name: side.answer(method, path.format(name=name), body))


@pytest.mark.parametrize(
    "meta",
    [
        {"labels": {"a b": "c d"}},
        {"labels": {"app": 1}},
        {"labels": {"app": "x" * 64}},
        {"annotations": {"a b": "x", "A/B": "fine"}},
        {"finalizers": ["orphan", "foregroundDeletion"]},
        {"ownerReferences": [{"kind": "ConfigMap"}]},
        {"ownerReferences": [{**OWNER, "apiVersion": "a/b/c"}]},
        {"ownerReferences": [OWNER, OWNER, {**OWNER, "name": "other"}]},
        {"ownerReferences": [{**OWNER, "controller": True}, {**OWNER, "name": "b", "controller": True}]},
        {"ownerReferences": [{**OWNER, "kind": "Event"}]},
        {"namespace": "elsewhere"},
        {"resourceVersion": "1"},
        {"resourceVersion": "0"},
        {"resourceVersion": "soon"},
        {"uid": UID, "generation": 7, "selfLink": "/x", "deletionTimestamp": "2020-01-01T00:00:00Z"},
        {"creationTimestamp": "yesterday"},
        {"name": ""},
    ],
    ids=str,
)
def test_metadata_of_new_objects(sides: tuple[Side, Side], meta: Json):
    agree(sides, lambda side, name: side.answer("POST", "", side.object(**{"name": f"{name}new", **meta})))


@pytest.mark.parametrize(
    "query",
    [
        *(
            "dryRun=",
            "dryRun=Bad",
            "dryRun=All&dryRun=All",
            "dryRun=All&dryRun=x",
            "fieldValidation=Bad",
            "none=1&dryRun=All",
        ),
        *(f"fieldManager={'x' * 129}", "fieldManager=a%0Ab"),
    ],
)
def test_queries_of_creations(sides: tuple[Side, Side], query: str):
    agree(sides, lambda side, name: side.answer("POST", f"?{query}", side.object(f"{name}new")))


@pytest.mark.parametrize("content_type", ["text/plain", "*/*", "json", "Application/JSON; charset=utf-8", YAML, MERGE])
def test_content_types(sides: tuple[Side, Side], content_type: str):
    agree(sides, lambda side, name: side.answer("POST", "?dryRun=All", side.object(f"{name}new"), content_type))


@pytest.mark.parametrize(
    "meta",
    [
        {"resourceVersion": "soon"},
        {"resourceVersion": "1"},
        {"resourceVersion": "99999999"},
        {"resourceVersion": "{version}", "uid": UID},
        {"resourceVersion": "0{version}"},
        {"resourceVersion": "{version}", "name": "other"},
        {"resourceVersion": "{version}", "name": ""},
        {"resourceVersion": "{version}", "namespace": "elsewhere"},
        {"resourceVersion": "{version}", "deletionTimestamp": "2001-01-01T00:00:00Z"},
        {"resourceVersion": "{version}", "generation": 77, "creationTimestamp": "2001-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_metadata_of_updates(sides: tuple[Side, Side], meta: Json):
    def update(side: Side, name: str) -> Any:
        version = side.call("GET", f"{side.collection}/{name}")[1]["metadata"]["resourceVersion"]
        given = {**meta, "resourceVersion": meta["resourceVersion"].format(version=version)}
        return side.answer("PUT", f"/{name}?dryRun=All", side.object(**{"name": name, **given}))

    agree(sides, update)


PATCHES = [
    *(
        pytest.param(kind, patch)
        for kind in (MERGE, STRATEGIC)
        for patch in (
            "",
            "{}",
            "[]",
            "{",
            '"x"',
            {"metadata": None},
            {"metadata": {"name": "other"}},
            {"metadata": {"uid": UID}},
            {"metadata": {"resourceVersion": "1"}},
            {"metadata": {"resourceVersion": "soon"}},
            {"metadata": {"labels": "x"}},
            {"metadata": {"labels": {"app": 1}}},
            {"metadata": {"finalizers": "x"}},
            {"metadata": {"namespace": "other"}},
            {"metadata": {"ownerReferences": {}}},
            {"kind": "Other"},
            {"apiVersion": "x/v1"},
            {"kind": None},
            {"metadata": {"none": 1}},
            {"metadata": {"deletionTimestamp": "2001-01-01T00:00:00Z"}},
            '{"metadata": {"labels": {}, "labels": {"q": "1"}}}',
            {"metadata": {"deletionGracePeriodSeconds": 5}},
            {"metadata": {"creationTimestamp": None}},
        )
    ),
    *(
        pytest.param(STRATEGIC, patch)
        for patch in (
            {"metadata": {"$patch": "replace", "name": "other"}},
            {"metadata": {"labels": {"$patch": "delete"}}},
            {"metadata": {"$setElementOrder/finalizers": ["x"]}},
            {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x"]}},
        )
    ),
    *(
        pytest.param(JSON_PATCH, patch)
        for patch in (
            "",
            "{}",
            "[]",
            "[1]",
            "[null]",
            '["x"]',
            [{"op": "jump", "path": "/x"}],
            [{"op": 1, "path": "/x"}],
            [{"op": "remove", "path": "/metadata/none"}],
            [{"op": "test", "path": "/metadata/name", "value": "other"}],
            [{"op": "replace", "path": "/metadata/name", "value": 1}],
            [{"op": "remove", "path": "/metadata"}],
            [{"op": "replace", "path": "/kind", "value": "Other"}],
            [{"op": "add", "path": "no-slash", "value": 1}],
            [
                {"op": "add", "path": "/metadata/finalizers", "value": ["a.b/c"]},
                {"op": "add", "path": "/metadata/finalizers/-", "value": "a.b/d"},
            ],
            [{"op": "copy", "from": "/metadata/name", "path": "/metadata/labels"}],
            [{"op": "move", "path": "/x"}],
        )
    ),
    *(pytest.param(kind, "{}") for kind in (JSON, "text/plain")),
]


@pytest.mark.parametrize(("content_type", "patch"), PATCHES)
def test_patches(sides: tuple[Side, Side], content_type: str, patch: object):
    agree(sides, lambda side, name: side.answer("PATCH", f"/{name}?dryRun=All", patch, content_type))


@pytest.mark.parametrize("content_type", [MERGE, STRATEGIC])
@pytest.mark.parametrize(
    "patch", [{"metadata": {"none": 1}}, '{"metadata": {"labels": {}, "labels": {"q": "1"}}}'], ids=str
)
@pytest.mark.parametrize(
    "query", ["fieldValidation=Strict", "fieldValidation=Ignore", "fieldValidation=Bad", "force=1"]
)
def test_strict_patches(sides: tuple[Side, Side], content_type: str, patch: object, query: str):
    agree(sides, lambda side, name: side.answer("PATCH", f"/{name}?{query}", patch, content_type))


@pytest.mark.parametrize(
    ("query", "more"),
    [
        ("", {}),
        ("fieldManager=m", {"kind": "Other"}),
        ("fieldManager=m", {"apiVersion": "x/v1"}),
        ("fieldManager=m", {"kind": ""}),
        ("fieldManager=m&dryRun=x", {}),
        ("fieldManager=m&dryRun=All", {"metadata": {"managedFields": []}}),
        ("fieldManager=m&dryRun=All", {"metadata": {"managedFields": [{"manager": "x"}]}}),
        ("fieldManager=m&dryRun=All", {"metadata": {"name": "other"}}),
        ("fieldManager=m&dryRun=All", {"metadata": {"namespace": "other"}}),
        ("fieldManager=m&dryRun=All", {"metadata": {"resourceVersion": "1"}}),
        ("fieldManager=m&dryRun=All", {"metadata": {"uid": UID}}),
        ("fieldManager=m&dryRun=All", {"metadata": {"labels": "x"}}),
        ("fieldManager=m&dryRun=All", {"metadata": {"labels": {"app": 1}}}),
        ("fieldManager=m&dryRun=All", {"metadata": {"labels": {"app": "another"}}}),
        ("fieldManager=m&dryRun=All&force=true", {"metadata": {"labels": {"app": "another"}}}),
        ("fieldManager=m&dryRun=All", {"metadata": {"finalizers": ["a.b/c", "a.b/c"]}}),
    ],
    ids=str,
)
def test_applies(sides: tuple[Side, Side], query: str, more: Json):
    def apply(side: Side, name: str) -> Any:
        config = {**side.object(name), **more}
        config["metadata"] = {"name": name, **config["metadata"]}
        return side.answer("PATCH", f"/{name}?{query}", config, APPLY)

    agree(sides, apply)


@pytest.mark.parametrize("body", ["", "null", "[]", "{}", "a: [", "text"])
def test_applies_of_what_is_no_object(sides: tuple[Side, Side], body: str):
    agree(sides, lambda side, name: side.answer("PATCH", f"/{name}?fieldManager=m", body, APPLY))
