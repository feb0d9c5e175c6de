"""What keeps the read side current: one reflector per collection, over any API that serves image streams."""

from __future__ import annotations

from typing import Any, Final

from webhook.image.lookup import ImageStream
from webhook.kube.client import KubeClient
from webhook.kube.decoding import Decoding
from webhook.kube.reflector import Reflector
from webhook.view.index import ImageSink, Named, StreamSink, View
from webhook.view.namespaces import RunLevels

STREAMS: Final = "/apis/image.openshift.io/v1/imagestreams"
IMAGES: Final = "/apis/image.openshift.io/v1/images"
NAMESPACES: Final = "/api/v1/namespaces"

_STREAMS_PAGE: Final = 250
"""Streams are large: a page of them is megabytes, which a worker never gives back to the system."""


def reflectors(
    client: KubeClient, view: View, levels: RunLevels | None, *, watch_list: bool = False
) -> list[Reflector[Any]]:
    """The reflectors that these need, streams first, not started yet; images only for a view that asks for them."""
    found: list[Reflector[Any]] = [
        Reflector(client, STREAMS, StreamSink(view), Decoding(ImageStream), page=_STREAMS_PAGE, watch_list=watch_list)
    ]
    if levels is not None:
        found.append(Reflector(client, NAMESPACES, levels, metadata_only=True))
    if view.with_images:
        # An Image is kilobytes of configuration, and its name is all that counts.
        found.append(Reflector(client, IMAGES, ImageSink(view), Decoding(Named), metadata_only=True))
    return found
