"""What can be read below one stream: `layers`, every blob of it, and `secrets`, the credentials for its registries."""

from __future__ import annotations

from typing import Any

from webhook.apiserver.imagestreamimports import pull_secrets
from webhook.apiserver.rest import Call, Rest
from webhook.apiserver.stored import StoredRest
from webhook.apiserver.streams import Streams
from webhook.errors import Json, NotFound
from webhook.image import assemble
from webhook.meta.resources import ResourceInfo

GROUP = "image.openshift.io"


class _ReadOnly(Rest):
    schema: Any = None

    @property
    def verbs(self) -> tuple[str, ...]:
        return ("get",)


class LayersRest(_ReadOnly):
    """`imagestreams/layers` (image-api 2.12); to be allowed to read it is to be allowed to pull."""

    subresource = "layers"

    def __init__(self, info: ResourceInfo, streams: Streams) -> None:
        self.info, self.streams = info, streams

    @property
    def kind(self) -> str:
        """Not the stream's."""
        return "ImageStreamLayers"

    def get(self, call: Call, name: str) -> Json:
        """All blobs and images of the stream's whole history."""
        stream = self.streams.load(call.namespace, name)
        if stream is None:
            raise NotFound.of("imagestreams", GROUP, name)
        return assemble.layers(stream, self.streams.image)


class SecretsRest(_ReadOnly):
    """`imagestreams/secrets` (image-api 2.13); the stream need not exist."""

    subresource = "secrets"

    def __init__(self, info: ResourceInfo, secrets: StoredRest) -> None:
        self.info, self.secrets = info, secrets

    @property
    def kind(self) -> str:
        """Not the stream's."""
        return "SecretList"

    def get(self, call: Call, name: str) -> Json:
        """The pull secrets of the namespace with their data."""
        bare = [
            {key: value for key, value in one.items() if key not in ("kind", "apiVersion")}
            for one in pull_secrets(self.secrets, call)
        ]
        meta = {"resourceVersion": str(self.secrets.store.revision())}
        return {"kind": self.kind, "apiVersion": self.api_version, "metadata": meta, "items": bare}
