"""Writers and watchers of one object at the same time, on all workers of a server (contract 3.7, 4.3, 7.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.integration.api import IMPORTS, STREAMS, TAGS, Answer, Api

WRITERS = 24
APPLY = "application/apply-patch+yaml"
MAPPINGS = IMPORTS.replace("imports", "mappings")


def at_once(write: Callable[[int], Answer]) -> Sequence[Answer]:
    """Many writers, all of them now."""
    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(write, range(WRITERS)))


def codes(answers: Sequence[Answer]) -> dict[int, int]:
    """How often each code was answered."""
    return dict(Counter(one.code for one in answers))


def stream(**meta: object) -> dict[str, Any]:
    return {"kind": "ImageStream", "apiVersion": "image.openshift.io/v1", "metadata": {"name": "php", **meta}}


@pytest.fixture
def streams(namespace: str) -> str:
    return STREAMS.format(namespace)


@pytest.fixture
def php(api: Api, streams: str) -> str:
    assert api.post(streams, stream()).code == 201
    return f"{streams}/php"


def test_of_many_creations_of_a_name_one_succeeds(api: Api, streams: str):
    answers = at_once(lambda number: api.post(streams, stream(labels={"writer": str(number)})))

    assert codes(answers) == {201: 1, 409: WRITERS - 1}
    assert {one.json["reason"] for one in answers if one.code == 409} == {"AlreadyExists"}


def test_of_many_replacements_of_a_version_one_succeeds(api: Api, php: str):
    version = api.get(php).json["metadata"]["resourceVersion"]

    answers = at_once(
        lambda number: api.call("PUT", php, stream(resourceVersion=version, labels={"writer": str(number)}))
    )

    assert codes(answers) == {200: 1, 409: WRITERS - 1}


def test_all_patches_of_many_are_kept(api: Api, php: str):
    answers = at_once(lambda number: api.patch(php, {"metadata": {"annotations": {f"a{number}": "x"}}}))

    assert codes(answers) == {200: WRITERS}
    assert len(api.get(php).json["metadata"]["annotations"]) == WRITERS


def test_all_applies_of_many_managers_are_kept(api: Api, streams: str):
    def apply(number: int) -> Answer:
        return api.call("PATCH", f"{streams}/php?fieldManager=m{number}", stream(labels={f"l{number}": "x"}), APPLY)

    answers = at_once(apply)

    assert codes(answers) == {201: 1, 200: WRITERS - 1}
    meta = api.get(f"{streams}/php").json["metadata"]
    assert len(meta["labels"]) == len(meta["managedFields"]) == WRITERS


def test_all_tags_of_many_are_kept(api: Api, namespace: str, php: str):
    def tag(number: int) -> Answer:
        source = {"kind": "DockerImage", "name": f"quay.io/acme/php:{number}"}
        wanted = {"name": f"t{number}", "reference": True, "from": source}
        path = f"{TAGS.format(namespace)}/php:t{number}"
        # The server tries four times, as that of OpenShift (image-api 3.5); then clients try again.
        for _ in range(WRITERS):
            answer = api.call("PUT", path, {"metadata": {"name": f"php:t{number}"}, "tag": wanted})
            if answer.code != 409:
                break
        return answer

    answers = at_once(tag)

    assert codes(answers) == {201: WRITERS}
    assert len(api.get(php).json["spec"]["tags"]) == WRITERS


def test_all_pushes_of_many_are_kept(api: Api, namespace: str, php: str):
    def push(number: int) -> Answer:
        digest = f"sha256:{number:064x}"
        image = {"metadata": {"name": digest}, "dockerImageReference": f"quay.io/acme/php@{digest}"}
        return api.post(MAPPINGS.format(namespace), {"metadata": {"name": "php"}, "tag": f"t{number}", "image": image})

    answers = at_once(push)

    assert codes(answers) == {201: WRITERS}
    assert len(api.get(php).json["status"]["tags"]) == WRITERS


def test_nothing_is_written_after_a_deletion(api: Api, streams: str, php: str):
    version = api.get(php).json["metadata"]["resourceVersion"]

    def write(number: int) -> Answer:
        if number == WRITERS // 2:
            return api.call("DELETE", php)
        return api.patch(php, {"metadata": {"annotations": {f"a{number}": "x"}}})

    answers = at_once(write)

    assert set(codes(answers)) <= {200, 404}
    assert api.get(php).code == 404
    with api.watch(f"{streams}?watch=1&resourceVersion={version}&timeoutSeconds=1") as events:
        types = [one["type"] for one in events]
    assert types == ["MODIFIED"] * (codes(answers)[200] - 1) + ["DELETED"]


def test_a_watch_from_the_version_of_an_answer_misses_nothing_that_follows(api: Api, streams: str):
    def create_and_change(number: int) -> Answer:
        name = f"php{number}"
        version = api.post(streams, stream(name=name)).json["metadata"]["resourceVersion"]
        path = f"{streams}?watch=1&resourceVersion={version}&fieldSelector=metadata.name={name}"
        changed = api.patch(f"{streams}/{name}", {"metadata": {"labels": {"writer": str(number)}}})
        with api.watch(path) as events:
            event = next(events)
        assert (event["type"], event["object"]) == ("MODIFIED", changed.json)
        return changed

    assert codes(at_once(create_and_change)) == {200: WRITERS}
