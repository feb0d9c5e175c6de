"""What keeps a view current: one reflector per collection, over any API that serves image streams."""

from __future__ import annotations

from typing import Final

from webhook.kube.client import KubeClient
from webhook.kube.reflector import Reflector
from webhook.view.index import ImageSink, StreamSink, View

STREAMS: Final = "/apis/image.openshift.io/v1/imagestreams"
IMAGES: Final = "/apis/image.openshift.io/v1/images"


def reflectors(client: KubeClient, view: View) -> list[Reflector]:
    """The reflectors that `view` needs, not started yet; images are read only by a view that asks for them."""
    found = [Reflector(client, STREAMS, StreamSink(view))]
    if view.with_images:
        # An Image is kilobytes of configuration, and its name is all that counts.
        found.append(Reflector(client, IMAGES, ImageSink(view), metadata_only=True))
    return found
