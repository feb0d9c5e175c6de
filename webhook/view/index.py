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

_Key = tuple[str, str]


class Streams(Protocol):
    """What a look-up asks: a `View`, or a `DirectView` on a store."""

    @property
    def ready(self) -> bool:
        """Whether the answers are complete; until then an unknown stream says nothing."""

    def stream(self, namespace: str, name: str) -> Stream | None:
        """The stream of that name."""

    def has_image(self, image: str, stream: Stream, /) -> bool:
        """Whether the Image object of a tag of `stream` exists."""


class Named(msgspec.Struct, gc=False):
    """An object of which only the name counts."""

    metadata: Metadata | None = None


class View:
    """An index that reflectors keep current; one per process, since a forked one is not shared (python.md C).

    One thread per collection writes, any number read. Readers see each stream whole, as of some moment.
    """

    def __init__(self, *, with_images: bool = False) -> None:
        self._streams: dict[_Key, Stream] = {}
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
        return len(self._streams)

    def stream(self, namespace: str, name: str) -> Stream | None:
        """The stream of that name."""
        return self._streams.get((namespace, name))

    def has_image(self, image: str, stream: Stream, /) -> bool:
        """Whether the Image of a tag of `stream` exists, as far as can be known.

        The two watches run apart. An image is written before the stream that refers to it, so one that is unknown while
        the images' watch is behind the stream is only not here yet.
        """
        if self._images is None or image in self._images:
            return True
        return self._images_position < stream.version

    def replace_streams(self, objects: Iterable[ImageStream], position: str) -> None:
        """The whole collection of streams.

        Each is taken over as it comes, since a second index would double the memory; what is gone goes at the end.
        """
        listed = set()
        for one in objects:
            key = _key(one)
            self._streams[key] = lookup.record(one)
            listed.add(key)
        for key in self._streams.keys() - listed:
            del self._streams[key]
        self._ready.set()
        self.advance_streams(position)

    def apply_stream(self, kind: str, item: ImageStream) -> None:
        """One change of a stream."""
        if kind == "DELETED":
            self._streams.pop(_key(item), None)
        else:
            self._streams[_key(item)] = lookup.record(item)

    def advance_streams(self, position: str) -> None:
        """Streams are current up to this resource version."""
        # No maximum: after a restore from a backup a server counts from a lower number again.
        self._position = lookup.version_of(position) or self._position
        self._origin = ""

    def restore_streams(self, streams: dict[_Key, Stream], origin: str) -> None:
        """Streams as they were known before, until the API tells of them; `origin` says from when they are."""
        self._streams = streams
        self._restored, self._origin = True, origin
        self._ready.set()

    def streams(self) -> Iterator[tuple[_Key, Stream]]:
        """Everything that is known, as of one moment."""
        # The copy of the items is made in one step, which no writer can interrupt.
        return iter(list(self._streams.items()))

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


def _key(item: ImageStream | Named) -> _Key:
    metadata = item.metadata or Metadata()
    return sys.intern(metadata.namespace or ""), metadata.name or ""
