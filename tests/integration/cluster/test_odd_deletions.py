"""Deletions that no sane client makes are refused as by a real kube-apiserver (contract 3.8)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.cluster.sides import Side, agree

UID = "11111111-2222-3333-4444-555555555555"


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
