"""What keeps the read side current: one reflector per collection, over any API that serves image streams."""

from __future__ import annotations

from typing import Final

from webhook.kube.client import KubeClient
from webhook.kube.reflector import Reflector
from webhook.view.index import ImageSink, StreamSink, View
from webhook.view.namespaces import RunLevels

STREAMS: Final = "/apis/image.openshift.io/v1/imagestreams"
IMAGES: Final = "/apis/image.openshift.io/v1/images"
NAMESPACES: Final = "/api/v1/namespaces"


def reflectors(client: KubeClient, view: View, levels: RunLevels) -> list[Reflector]:
    """The reflectors that these need, not started yet; images are read only for a view that asks for them."""
    found = [Reflector(client, STREAMS, StreamSink(view)), Reflector(client, NAMESPACES, levels, metadata_only=True)]
    if view.with_images:
        # An Image is kilobytes of configuration, and its name is all that counts.
        found.append(Reflector(client, IMAGES, ImageSink(view), metadata_only=True))
    return found
