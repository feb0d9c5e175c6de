"""A view fed over HTTP by its reflectors."""

import json

import pytest

from tests.unit.admission.streams import V1, event, stream
from tests.unit.kube.conftest import api, client  # noqa: F401
from webhook.view import feed
from webhook.view.index import View
from webhook.view.namespaces import RUN_LEVEL, RunLevels

INFRA = {"metadata": {"name": "infra", "labels": {RUN_LEVEL: "0"}}}
APP = stream("shop", "app", version="10", v1=event("quay.io/team/app:v1", V1))


@pytest.mark.parametrize("with_images", [False, True])
def test_a_view_is_ready_after_the_lists(api, client, with_images):  # noqa: F811
    api.expect("GET", feed.STREAMS, (200, {"metadata": {"resourceVersion": "10"}, "items": [APP]}))
    api.expect("GET", feed.IMAGES, (200, {"metadata": {"resourceVersion": "10"}, "items": []}))
    api.expect("GET", feed.NAMESPACES, (200, {"metadata": {"resourceVersion": "10"}, "items": [INFRA]}))
    view, levels = View(with_images=with_images), RunLevels()
    for reflector in feed.reflectors(client, view, levels):
        reflector.run(1)
    assert view.ready
    assert levels.get("infra") is not None
    assert view.has_image(f"quay.io/team/app@{V1}", view.stream("shop", "app")) is not with_images
    accepted = [seen["headers"]["Accept"] for seen in api.requests]
    assert ["PartialObjectMetadataList" in one for one in accepted] == [False, True, True][: len(accepted)]


def test_a_change_over_the_watch_is_seen(api, client):  # noqa: F811
    change = {"type": "ADDED", "object": APP}
    bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "15"}}}
    lines = [json.dumps(one).encode() + b"\n" for one in (change, bookmark)]
    api.expect("GET", feed.STREAMS, (200, {"metadata": {"resourceVersion": "9"}, "items": []}), (200, lines))
    view = View()
    reflector = feed.reflectors(client, view, RunLevels())[0]
    reflector.run(2)
    assert view.stream("shop", "app") is not None
    assert view.position == 15
