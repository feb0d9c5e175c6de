"""The second round of an import, without the passwords of the namespace (image-api 5.6, anonymous retry).

An outdated password must not keep a namespace from public images.
"""

from __future__ import annotations

from webhook.errors import Json
from webhook.importer import plan
from webhook.importer.fetched import Fetched, FetchedImage
from webhook.importer.plan import Want


def is_due(fetched: Fetched) -> bool:
    """Did a password turn out to be wrong?"""
    return any(_wrong_password(one) for one in fetched.images)


def found(isi: Json, stream: Json | None, fetched: Fetched) -> dict[Want, FetchedImage]:
    """What the first round has brought already, by what asked for it."""
    wants: list[Want | FetchedImage] = plan.images(isi, stream)
    images = list(fetched.images)
    if fetched.repository is not None:
        repository = plan.repository_of(isi["spec"]["repository"])
        wants += [repository.tagged(one.tag) for one in fetched.repository.images]
        images += fetched.repository.images
    pairs = zip(wants, images, strict=True)
    return {want: one for want, one in pairs if isinstance(want, Want) and one.failure is None}


def better(first: Fetched, second: Fetched) -> Fetched:
    """The second round, but for what it may not read and the first could at least name."""
    images = (one if _unauthorized(two) else two for one, two in zip(first.images, second.images, strict=True))
    keeps = second.repository is None or (second.repository.failure is not None and first.repository is not None)
    return Fetched(tuple(images), first.repository if keeps else second.repository)


def _unauthorized(one: FetchedImage) -> bool:
    return (one.failure or {}).get("reason") == "Unauthorized"


def _wrong_password(one: FetchedImage) -> bool:
    return _unauthorized(one) and "username or password" in str((one.failure or {}).get("message", "")).lower()
