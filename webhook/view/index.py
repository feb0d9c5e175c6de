"""Every stream of a cluster in memory, for look-ups without I/O and without locks."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from typing import Protocol, Self

import msgspec

from webhook.errors import Json
from webhook.image import lookup
from webhook.image.lookup import ImageStream, Metadata, Stream

Collection = dict[str, dict[str, Stream]]
"""Namespace → name → stream; a tuple of both as the key would cost a tenth more memory and time."""


class Streams(Protocol):
    """What a look-up asks: a `View`, or a `DirectView` on a store."""

    @property
    def ready(self) -> bool:
        """Whether the answers are complete; until then an unknown stream says nothing."""

    def stream(self, namespace: str, name: str) -> Stream | None:
        """The stream of that name."""

    def has_image(self, pull_spec: str, stream: Stream, /) -> bool:
        """Whether the Image object of a tag of `stream` exists; `pull_spec` is the tag's."""


class Named(msgspec.Struct, gc=False):
    """An object of which only the name counts."""

    metadata: Metadata | None = None


class View:
    """An index that reflectors keep current; one per process, since a forked one is not shared.

    One thread per collection writes, any number read. Readers see each stream whole, as of some moment.
    """

    def __init__(self, *, with_images: bool = False) -> None:
        self._streams: Collection = {}
        self._images: set[str] | None = set() if with_images else None
        self._images_position = 0
        self._position = 0
        self._ready = threading.Event()
        self._restored = False
        self._origin = ""

    @classmethod
    def from_objects(cls, streams: Iterable[Json], images: Iterable[Json] | None = None) -> Self:
        """A view of given objects; without `images`, every Image is taken to exist."""
        view = cls(with_images=images is not None)
        if images is not None:
            view.replace_images((msgspec.convert(one, Named) for one in images), str(sys.maxsize))
        view.replace_streams((msgspec.convert(one, ImageStream) for one in streams), "")
        return view

    @property
    def ready(self) -> bool:
        """Whether streams have been listed once, and images if they are watched, or both restored."""
        listed = self._images is None or self._images_position > 0 or self._restored
        return self._ready.is_set() and listed

    @property
    def restored_from(self) -> str:
        """From when the streams are, while they are a snapshot's and the API has told nothing yet; else empty."""
        return self._origin

    @property
    def with_images(self) -> bool:
        """Whether deleted Image objects are noticed."""
        return self._images is not None

    @property
    def position(self) -> int:
        """The resource version up to which streams are current."""
        return self._position

    def __len__(self) -> int:
        return sum(map(len, list(self._streams.values())))

    def stream(self, namespace: str, name: str) -> Stream | None:
        """The stream of that name."""
        here = self._streams.get(namespace)
        return here.get(name) if here is not None else None

    def has_image(self, pull_spec: str, stream: Stream, /) -> bool:
        """Whether the Image of a tag of `stream` exists, as far as can be known.

        The two watches run apart. An image is written before the stream that refers to it, so one that is unknown while
        the images' watch is behind the stream is only not here yet.
        """
        if self._images is None or lookup.image_of(pull_spec) in self._images:
            return True
        return self._images_position < stream.version

    def replace_streams(self, objects: Iterable[ImageStream], position: str) -> None:
        """The whole collection of streams.

        Each is taken over as it comes, since a second index would double the memory; what is gone goes at the end.
        """
        known = self._names()
        for one in objects:
            self._put(one)
            known.discard(_key(one))
        for namespace, name in known:
            self._drop(namespace, name)
        self._ready.set()
        self.advance_streams(position)

    def apply_stream(self, kind: str, item: ImageStream) -> None:
        """One change of a stream."""
        if kind == "DELETED":
            self._drop(*_key(item))
        else:
            self._put(item)

    def advance_streams(self, position: str) -> None:
        """Streams are current up to this resource version."""
        # No maximum: after a restore from a backup a server counts from a lower number again.
        self._position = lookup.version_of(position) or self._position
        self._origin = ""

    def restore_streams(self, streams: Collection, origin: str) -> None:
        """Streams as they were known before, until the API tells of them; `origin` says from when they are."""
        self._streams = streams
        self._restored, self._origin = True, origin
        self._ready.set()

    def streams(self) -> Iterator[tuple[str, str, Stream]]:
        """Everything that is known, as (namespace, name, stream); each namespace as of one moment."""
        # Copies of items are made in one step, which no writer can interrupt.
        for namespace, here in list(self._streams.items()):
            for name, stream in list(here.items()):
                yield namespace, name, stream

    def replace_images(self, objects: Iterable[Named], position: str) -> None:
        """The whole collection of images, of which only the names are kept."""
        self._images = {_key(one)[1] for one in objects}
        self.advance_images(position)

    def apply_image(self, kind: str, item: Named) -> None:
        """One change of an image."""
        images = self._images
        if images is None:
            return
        name = _key(item)[1]
        if kind == "DELETED":
            images.discard(name)
        else:
            images.add(name)

    def advance_images(self, position: str) -> None:
        """Images are current up to this resource version."""
        self._images_position = lookup.version_of(position) or self._images_position or 1

    def _names(self) -> set[tuple[str, str]]:
        return {(namespace, name) for namespace, here in self._streams.items() for name in here}

    def _put(self, item: ImageStream) -> None:
        namespace, name = _key(item)
        self._streams.setdefault(namespace, {})[name] = lookup.record(item)

    def _drop(self, namespace: str, name: str) -> None:
        here = self._streams.get(namespace, {})
        here.pop(name, None)
        if not here:
            self._streams.pop(namespace, None)


class StreamSink:
    """Lets a reflector of imagestreams feed a view."""

    def __init__(self, view: View) -> None:
        self.replace = view.replace_streams
        self.apply = view.apply_stream
        self.advance = view.advance_streams


class ImageSink:
    """Lets a reflector of images feed a view; the metadata is all that it needs."""

    def __init__(self, view: View) -> None:
        self.replace = view.replace_images
        self.apply = view.apply_image
        self.advance = view.advance_images


def _key(item: ImageStream | Named) -> tuple[str, str]:
    metadata = item.metadata or Metadata()
    return sys.intern(metadata.namespace or ""), metadata.name or ""
