"""One conversation with a target: namespaces of its own, its steps in order, and its answers with placeholders."""

from __future__ import annotations

import json
import random
import string
import time
from typing import Any

from tests.conformance.conversations import Conversation, Push, Request, Until
from tests.conformance.documents import drop, fill, value_at
from tests.conformance.moving import copy_image
from tests.conformance.placeholders import Placeholders
from tests.conformance.target import Answer, Target

_NAMESPACES = ("ns", "ns2")
_POLL_SECONDS = 0.3


def replay(target: Target, conversation: Conversation) -> list[dict[str, Any]]:
    """The answers, in the form of the recorded ones; what was created is deleted again."""
    word = "".join(random.choices(string.ascii_lowercase, k=8))
    own = {"ns": f"ns-{word}-a", "ns2": f"ns-{word}-b", "rnd": word, **target.names}
    session = _Session(target, own)
    for key in _NAMESPACES:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": own[key]}}
        target.call("POST", "/api/v1/namespaces", body)
    try:
        for step in conversation.steps:
            session.take(step)
    finally:
        for key in _NAMESPACES:
            target.call("DELETE", f"/apis/image.openshift.io/v1/namespaces/{own[key]}/imagestreams")
        for key in _NAMESPACES:
            target.call("DELETE", f"/api/v1/namespaces/{own[key]}")
    return session.answers


class _Session:
    def __init__(self, target: Target, own: dict[str, str]) -> None:
        self.answers: list[dict[str, Any]] = []
        self._target = target
        self._names: dict[str, Any] = dict(own)  # and, as the conversation goes on, what its steps save
        self._placeholders = Placeholders(own)

    def take(self, step: Request | Push) -> None:
        if isinstance(step, Push):
            source, destination = (fill(name, self._names) for name in (step.source, step.destination))
            copy_image(self._target.names["registry"], source, destination)
            return
        time.sleep(step.pause)
        path = fill(step.path, self._names)
        answer, document = self._ask(step, path)
        self._names.update({name: value_at(document, dotted) for name, dotted in step.save.items()})
        if not step.quiet:
            self.answers.append(self._recorded(step, path, answer, document))

    def _ask(self, step: Request, path: str) -> tuple[Answer, Any]:
        body = fill(step.body, self._names)
        deadline = time.monotonic() + step.within
        while True:
            answer = self._target.call(step.method, path, body, step.headers, user=step.user, watch=step.watch)
            document = _document(answer, is_watch=step.watch is not None)
            if step.until is None or self._fulfilled(step.until, document) or time.monotonic() > deadline:
                return answer, document
            time.sleep(_POLL_SECONDS)

    def _fulfilled(self, until: Until, document: Any) -> bool:
        value = value_at(document, fill(until.path, self._names))
        return value not in (None, [], "") if until.any_value else bool(value == fill(until.equals, self._names))

    def _recorded(self, step: Request, path: str, answer: Answer, document: Any) -> dict[str, Any]:
        body = self._placeholders.document(document)
        for dotted in step.ignore:
            drop(body, dotted)
        request = self._placeholders.text(f"{step.method} {path}")
        recorded: dict[str, Any] = {"request": request, "status": answer.status, "body": body}
        if step.keep_headers:
            given = {name.lower(): value for name, value in answer.headers.items()}
            recorded["headers"] = {name: given.get(name.lower()) for name in step.keep_headers}
        return recorded


def _document(answer: Answer, *, is_watch: bool) -> Any:
    if is_watch and answer.status == 200:
        return [json.loads(line) for line in answer.body.splitlines() if line.strip()]
    try:
        return json.loads(answer.body) if answer.body else None
    except ValueError:
        return {"text": answer.body.decode("utf-8", "replace")}
