"""Reads that no sane client makes are answered as by a real kube-apiserver (contract 3 and 4)."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.integration.cluster.sides import Side, agree

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
        *("resourceVersion=0", "resourceVersion=99999999999999999999999"),
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
