"""Admission in front of what a server has else, with the log and the counts that every server keeps of its reviews."""

from __future__ import annotations

from collections.abc import Callable

from webhook.admission import decisions_log, mutate
from webhook.admission.endpoint import AdmissionEndpoint
from webhook.admission.objects import Objects
from webhook.admission.policy import Policy
from webhook.admission.reviewer import Reviewer
from webhook.serving import logs
from webhook.serving.health import WsgiApp
from webhook.serving.metrics import ReviewCounter
from webhook.view.index import Streams


def endpoint(
    inner: WsgiApp,
    streams: Streams,
    policy: Callable[[], Policy],
    namespaces: mutate.Namespaces,
    objects: Objects,
    most: int,
) -> AdmissionEndpoint:
    """Answers reviews by the policy of the moment, `most` at a time; every other path is for `inner`."""
    say = logs.quick(decisions_log.log)
    reviewer = Reviewer(streams, policy, namespaces=namespaces, objects=objects, say=say)
    return AdmissionEndpoint(inner, reviewer, observe=ReviewCounter(), most=most)
