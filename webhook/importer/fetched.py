"""What an import brought home from the registries: the values between fetching and writing (image-api 5.6)."""

from __future__ import annotations

from dataclasses import dataclass

from webhook.errors import Json

SUCCESS: Json = {"metadata": {}, "status": "Success"}


@dataclass(frozen=True)
class FetchedImage:
    """One image, or the Status that says why there is none.

    `tag` is the source tag, empty for a digest. `manifests` are the Images of a list's members (PreserveOriginal).
    """

    tag: str = ""
    image: Json | None = None
    manifests: tuple[Json, ...] = ()
    failure: Json | None = None


@dataclass(frozen=True)
class FetchedRepository:
    """The images of a repository import in their priority, and the tags beyond the limit; or why it has no tags."""

    images: tuple[FetchedImage, ...] = ()
    additional_tags: tuple[str, ...] = ()
    failure: Json | None = None


@dataclass(frozen=True)
class Fetched:
    """The answer to one import: `images` at the index of their `spec.images`."""

    images: tuple[FetchedImage, ...] = ()
    repository: FetchedRepository | None = None
