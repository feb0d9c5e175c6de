"""The strategy of Image: metadata and layers come from the manifest and never change (image-api 4.2)."""

from __future__ import annotations

from webhook.apiserver.rest import Call
from webhook.apiserver.strategy import Strategy
from webhook.errors import Findings, Json
from webhook.image import defaults, digest, manifest, validation

_STORED_ELSEWHERE = "image.openshift.io/manifestBlobStored"
_FROZEN = ("dockerImageMetadata", "dockerImageMetadataVersion", "dockerImageLayers")


class ImageStrategy(Strategy):
    """Cluster-scoped images, named by digest; garbage collection policies have no effect on them (image-api 2.14)."""

    collectable = False

    def default(self, obj: Json) -> Json:
        """`dockerImageMetadata` in its one shape (image-api 0.3, 4.2)."""
        return defaults.image(obj)

    def prepare_for_create(self, call: Call, obj: Json) -> tuple[Json, Findings]:
        """A new image: layers, metadata and size are filled from a raw manifest that came along."""
        filled = manifest.filled(obj)
        if (obj["metadata"].get("annotations") or {}).get(_STORED_ELSEWHERE) == "true":
            filled = manifest.without_content(filled)
        return defaults.image(filled), validation.image(filled)

    def prepare_for_update(self, call: Call, new: Json, old: Json) -> tuple[Json, Findings]:
        """A changed image: what describes the bytes stays as it was."""
        kept = {key: value for key, value in new.items() if key not in _FROZEN}
        kept |= {key: old[key] for key in _FROZEN if key in old}
        for key, name in (("dockerImageManifest", old["metadata"]["name"]), ("dockerImageConfig", _config_digest(old))):
            if kept.get(key) and kept[key] != old.get(key) and not _is_content(kept[key], name):
                kept[key] = old.get(key) or ""
            if not kept.get(key):
                kept.pop(key, None)
        return kept, validation.image(kept)


def _config_digest(image: Json) -> str:
    return str((image.get("dockerImageMetadata") or {}).get("Id") or "")


def _is_content(text: str, name: str) -> bool:
    """True where the text is what a digest names; a name that is no digest proves nothing."""
    return digest.is_digest(name) and manifest.check_content(text.encode(), name)
