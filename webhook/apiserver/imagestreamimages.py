"""`imagestreamimages`: one image that a stream refers to, by a prefix of its digest (image-api 4.1)."""

from __future__ import annotations

from typing import Any

from webhook.apiserver.rest import Call, Rest, Row
from webhook.apiserver.streams import Streams
from webhook.errors import Json, NotFound
from webhook.image import assemble, names, printing
from webhook.meta.resources import ResourceInfo

GROUP = "image.openshift.io"


class ImageStreamImageRest(Rest):
    """GET only."""

    def __init__(self, info: ResourceInfo, streams: Streams, *, schema: Any, row: Row) -> None:
        self.info, self.streams, self.schema = info, streams, schema
        self.columns, self._row = printing.columns(info.kind), row

    def get(self, call: Call, name: str) -> Json:
        """The image; NotFound where the stream or the Image is missing, or the stream does not refer to it."""
        stream_name, identity = names.split_image(name)
        stream = self.streams.load(call.namespace, stream_name)
        if stream is None:
            raise NotFound.of("imagestreamimages", GROUP, stream_name)
        digest = assemble.find_image(stream, identity, self.streams.image)
        if digest is None:
            raise NotFound.of("imagestreamimage", GROUP, name)
        image = self.streams.image(digest)
        if image is None:
            raise NotFound.of("imagestreamimages", GROUP, digest)
        return assemble.stream_image(stream, identity, image)
