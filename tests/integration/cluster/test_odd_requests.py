"""Requests that no sane client makes are refused as a real kube-apiserver refuses them (contract 3 and 4).

Secrets stand for themselves. Image streams are compared with Leases: both must be updated with a version, and both are
typed kinds of a group. What is compared is what clients act on: code, reason, details without texts, and warnings; of
a success the metadata that a client writes. Where the contract says otherwise (contract 3.1, image-api 12.28), or the
sandbox is simpler (docs/sandbox.md), there is no case here.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.api import Api
from tests.integration.cluster.cluster import Cluster
from webhook.errors import Json

JSON, YAML = "application/json", "application/yaml"
JSON_PATCH, MERGE = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
UID = "11111111-2222-3333-4444-555555555555"
OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "base", "uid": UID}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Side:
    """One server with one kind of object."""

    call: Callable[..., tuple[int, Json, list[str]]]
    group: str
    resource: str
    kind: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/v1" if self.group else "v1"

    @property
    def collection(self) -> str:
        root = f"/apis/{self.group}/v1" if self.group else "/api/v1"
        return f"{root}/namespaces/default/{self.resource}"

    def object(self, name: str, **meta: object) -> Json:
        return {"apiVersion": self.api_version, "kind": self.kind, "metadata": {"name": name, **meta}}

    def answer(self, method: str, path: str, *more: Any, **headers: str) -> Any:
        """What a client acts on in the answer to a request."""
        return self._plain(*self.call(method, self.collection + path, *more, **headers))

    def _plain(self, code: int, body: Json, warnings: list[str]) -> Any:
        if code < 300:
            meta = body.get("metadata") or {}
            written = {key: meta[key] for key in ("labels", "finalizers", "ownerReferences") if key in meta}
            return code, (body.get("kind") or "").replace(self.kind, "KIND"), written, warnings
        details = {**(body.get("details") or {})}
        causes = {(one.get("reason"), one.get("field")) for one in details.pop("causes", ())}
        names = {self.group: "GROUP", self.kind: "KIND", self.resource: "RESOURCE"}
        known = {key: names.get(value, value) for key, value in details.items()}
        return code, body.get("reason"), known, causes, warnings


@pytest.fixture(scope="module", params=["secrets", "streams"])
def sides(request: pytest.FixtureRequest, cluster: Cluster, api: Api) -> tuple[Side, Side]:
    """kube-apiserver, and our server."""

    def theirs(*args: Any, **headers: str) -> tuple[int, Json, list[str]]:
        answer = cluster.call(*args, **headers)
        return answer.code, answer.body, answer.warnings

    def ours(*args: Any, **headers: str) -> tuple[int, Json, list[str]]:
        answer = api.call(*args, **headers)
        body = json.loads(answer.body) if answer.body[:1] == b"{" else {}
        return answer.code, body, answer.headers.getlist("Warning")

    if request.param == "secrets":
        return Side(theirs, "", "secrets", "Secret"), Side(ours, "", "secrets", "Secret")
    stream = Side(ours, "image.openshift.io", "imagestreams", "ImageStream")
    return Side(theirs, "coordination.k8s.io", "leases", "Lease"), stream


def agree(sides: tuple[Side, Side], ask: Callable[[Side, str], Any]) -> None:
    """Ask both about an object of a new name, which is there."""
    name = f"odd{next(_numbers)}"
    for side in sides:
        assert side.answer("POST", "", side.object(name, labels={"app": "odd"}))[0] == 201
    theirs, ours = (ask(side, name) for side in sides)
    assert ours == theirs


SELECTORS = [
    *(
        "app in (",
        "app in odd",
        "app in ()",
        "app in (,)",
        "=odd",
        "app=",
        "app>1",
        "app<x",
        "app=odd=x",
        "app,",
        "app,,b",
    ),
    *(",", "!", "app b", "A_/b", "a/b/c", "app=x y", "!app=odd", "!!app", "(app)", "app===odd", "app>1.5", "app=odd;x"),
]


@pytest.mark.parametrize("selector", SELECTORS)
def test_label_selectors(sides: tuple[Side, Side], selector: str):
    agree(sides, lambda side, _name: side.answer("GET", f"?labelSelector={quote(selector)}"))


@pytest.mark.parametrize(
    "selector",
    [
        *("metadata.name", "metadata.name=", "spec.none=1", "=odd", "metadata.name=odd\\", "metadata.name=odd\\x"),
        *("metadata.name=a=b", "metadata.name in (a)", "metadata.name!==a", "!metadata.name", "a!=", ",metadata.uid=x"),
    ],
)
def test_field_selectors(sides: tuple[Side, Side], selector: str):
    agree(sides, lambda side, _name: side.answer("GET", f"?fieldSelector={quote(selector)}"))


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=-1", "limit=many", "limit=1.5", "limit=", "limit=99999999999999999999", "limit=1&limit=x"),
        *("continue=abc", "continue=abc&resourceVersion=5", "resourceVersion=abc", "resourceVersion=-1"),
        *("resourceVersion=0", "resourceVersion=999999999", "resourceVersion=99999999999999999999999"),
        *("resourceVersionMatch=Exact", "resourceVersionMatch=Bad", "resourceVersion=1&resourceVersionMatch=Bad"),
        *("resourceVersion=0&resourceVersionMatch=Exact", "resourceVersion=999999999&resourceVersionMatch=Exact"),
        *("sendInitialEvents=true", "sendInitialEvents=true&resourceVersionMatch=NotOlderThan", "timeoutSeconds=x"),
        *("dryRun=Bad", "fieldValidation=Bad", "none=1", "watch=false", "watch=1&resourceVersionMatch=NotOlderThan"),
        *("watch=1&sendInitialEvents=true", "watch=1&sendInitialEvents=true&resourceVersionMatch=Exact"),
        *("watch=1&timeoutSeconds=", "watch=1&labelSelector=((", "watch=1&fieldSelector=none=1", "watch=1&limit=x"),
    ],
)
def test_queries_of_lists_and_watches(sides: tuple[Side, Side], query: str):
    agree(sides, lambda side, _name: side.answer("GET", f"?{query}"))


@pytest.mark.parametrize("path", ["", "/{name}"], ids=["a list", "an object"])
@pytest.mark.parametrize(
    "accept",
    [
        *("text/html", "*/*", "application/json;as=Table;g=meta.k8s.io;v=v2", "application/json;as=Table;v=v1"),
        *(
            "application/json;as=Table;g=meta.k8s.io;v=v1beta1",
            "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
        ),
        *("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1beta1", "text/html,application/json;q=0.1"),
        *(
            "application/json;as=None;g=meta.k8s.io;v=v1,application/json",
            "*/*;as=Table;g=meta.k8s.io;v=v1",
            "none",
            ",",
        ),
    ],
)
def test_accept_headers(sides: tuple[Side, Side], path: str, accept: str):
    agree(sides, lambda side, name: side.answer("GET", path.format(name=name), Accept=accept))


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


@pytest.mark.parametrize(
    "options",
    [
        *("", "{}", "null", "[]", "{", {"kind": "Other"}, {"propagationPolicy": "Bad"}, {"propagationPolicy": ""}),
        *(
            {"propagationPolicy": "Orphan", "orphanDependents": True},
            {"orphanDependents": "x"},
            {"gracePeriodSeconds": "x"},
        ),
        *({"dryRun": ["Bad"]}, {"dryRun": [""]}, {"dryRun": "All"}, {"dryRun": ["All", "All"]}, {"preconditions": "x"}),
        *({"preconditions": {"uid": UID}}, {"preconditions": {"uid": ""}}, {"preconditions": {"resourceVersion": ""}}),
        *(
            {"preconditions": {"uid": 1}},
            {"none": 1},
            {"propagationPolicy": "Foreground"},
            {"propagationPolicy": "Orphan"},
        ),
    ],
    ids=str,
)
def test_options_of_deletions(sides: tuple[Side, Side], options: object):
    def delete(side: Side, name: str) -> Any:
        found = side.answer("DELETE", f"/{name}?dryRun=All", options)
        return _without_uid(found), side.answer("GET", f"/{name}")

    agree(sides, delete)


@pytest.mark.parametrize(
    "query",
    [
        *(
            "propagationPolicy=Bad",
            "propagationPolicy=",
            "propagationPolicy=Orphan&orphanDependents=true",
            "dryRun=Bad",
        ),
        *("gracePeriodSeconds=x", "gracePeriodSeconds=", "gracePeriodSeconds=-1", "dryRun=", "fieldValidation=Bad"),
        *("dryRun=All&dryRun=All", "resourceVersion=1", f"uid={UID}", "orphanDependents=&dryRun=All", "none=1"),
    ],
)
def test_queries_of_deletions(sides: tuple[Side, Side], query: str):
    def delete(side: Side, name: str) -> Any:
        return _without_uid(side.answer("DELETE", f"/{name}?{query}")), side.answer("GET", f"/{name}")

    agree(sides, delete)


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("labelSelector=batch&limit=1", None),
        ("labelSelector=batch&dryRun=All", None),
        ("labelSelector=batch&dryRun=All", "{}"),
        ("labelSelector=batch", {"preconditions": {"uid": UID}}),
        ("labelSelector=((", None),
        ("fieldSelector=none=1", None),
        ("limit=x", None),
        ("continue=abc", None),
        ("labelSelector=batch&dryRun=Bad", None),
        ("propagationPolicy=Bad", None),
        ("", "[]"),
    ],
)
def test_deletions_of_collections(sides: tuple[Side, Side], query: str, body: object):
    def delete(side: Side, name: str) -> Any:
        for one in "ab":
            side.answer("POST", "", side.object(f"{name}{one}", labels={"batch": name}))
        answer = side.answer("DELETE", f"?{query.replace('batch', f'batch={name}')}", body)
        return answer, [side.answer("GET", f"/{name}{one}")[0] for one in "ab"]

    agree(sides, delete)


def _without_uid(answer: Any) -> Any:
    """A deletion tells the uid of what is gone, which differs."""
    return [{key: one[key] for key in one if key != "uid"} if isinstance(one, dict) else one for one in answer]
