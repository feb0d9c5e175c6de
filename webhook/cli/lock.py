"""The lock file of `imagestreams resolve`: what each name meant, so that a later run or another cluster gives the same.

It holds, for each tag that was looked up, what the look-up reads of its stream, and where the image came from. What was
not found is in it too: a name that is in no lock file is new, and not a name that is no stream's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click
import msgspec
import yaml

from webhook.cli.stream_sources import Known, Source
from webhook.errors import Json
from webhook.image import history, lookup, tags
from webhook.image.lookup import Stream

_VERSION: Final = 1
_HEADER: Final = (
    "# What image names meant when imagestreams resolve --lock last looked them up. Commit it; renew it with"
    " --update-lock.\n"
)


class Entry(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """One tag of one stream.

    With an image: `pull_spec` by digest, the `digest`, the `generation` and time of its import, and `source`, where the
    tag takes it from. Without one: `missing`, the message of its failed import or "", and the stream's `repository`,
    which may stand in for the image. Without a stream: `found` is false.
    """

    found: bool = True
    local_lookup: bool = False
    pull_spec: str = ""
    digest: str = ""
    generation: int = 0
    imported: str = ""
    source: str = msgspec.field(default="", name="from")
    missing: str | None = None
    repository: str = ""


class Lock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lock file: the namespace of objects that name none, and its entries by `namespace/stream:tag`."""

    version: int
    namespace: str
    images: dict[str, Entry]

    def source(self, namespace: str | None) -> Source:
        """What is in the lock as streams; `namespace` overrules its own."""
        return Source(LockedStreams(self.images), namespace or self.namespace)


class LockedStreams:
    """The streams of a lock file, as far as they were looked up."""

    ready = True

    def __init__(self, images: dict[str, Entry]) -> None:
        by_stream: dict[str, dict[str, Entry]] = {}
        for key, entry in images.items():
            stream, _, tag = key.partition(":")
            if entry.found:
                by_stream.setdefault(stream, {})[tag] = entry
        self._streams = {stream: _record(entries) for stream, entries in by_stream.items()}

    def stream(self, namespace: str, name: str) -> Stream | None:
        """The stream of that name, with the tags that were looked up."""
        return self._streams.get(f"{namespace}/{name}")

    def object(self, _namespace: str, _name: str) -> Json | None:
        """None: a lock holds no objects."""
        return None

    def has_image(self, _pull_spec: str, _stream: Stream, /) -> bool:
        """Always."""
        return True


def key(stream: str, tag: str) -> str:
    """The name of an entry, from namespace/stream and tag."""
    return f"{stream}:{tag}"


def made_of(source: Source, looked_up: Iterable[tuple[str, str]]) -> Lock:
    """The lock for these pairs of namespace/stream and tag."""
    entries = {key(stream, tag): _entry(source.streams, stream, tag) for stream, tag in looked_up}
    return Lock(_VERSION, source.namespace, entries)


def read(path: Path) -> Lock:
    """The lock file; ClickException for one that cannot be used."""
    try:
        lock = msgspec.convert(yaml.safe_load(path.read_bytes()), Lock)
        _check(lock)
    except OSError as error:
        raise click.ClickException(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = " ".join(str(error).split())
        raise click.ClickException(f"{path}: no lock file ({problem}); write it anew with --update-lock") from None
    return lock


def text(lock: Lock) -> str:
    """The file: the same for the same content, one line for each fact, sorted by name."""
    content = msgspec.to_builtins(lock)
    # A message of a registry may be long: a fold that moves would change lines that mean the same.
    return _HEADER + yaml.safe_dump(content, sort_keys=True, width=2**31, allow_unicode=True)


def write(path: Path, lock: Lock) -> bool:
    """Replace the file in one step if its content changed, and answer whether it did."""
    content = text(lock).encode()
    try:
        if path.exists() and path.read_bytes() == content:
            return False
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        raise click.ClickException(
            f"{path}: the lock cannot be written: {(error.strerror or str(error)).lower()}"
        ) from None
    return True


def _check(lock: Lock) -> None:
    if lock.version != _VERSION:
        raise ValueError(f"version {lock.version} is not {_VERSION}")
    for name, entry in lock.images.items():
        if entry.pull_spec and not (entry.digest and entry.pull_spec.endswith(f"@{entry.digest}")):
            raise ValueError(f"the pull spec of {name} does not end in its digest")


def _record(entries: dict[str, Entry]) -> Stream:
    first = next(iter(entries.values()))
    return Stream(
        local=first.local_lookup,
        repository=next((one.repository for one in entries.values() if one.repository), ""),
        tags={tag: one.pull_spec for tag, one in entries.items() if one.missing is None},
        missing={tag: one.missing for tag, one in entries.items() if one.missing is not None},
    )


def _entry(streams: Known, stream: str, tag: str) -> Entry:
    namespace, _, name = stream.partition("/")
    found = streams.stream(namespace, name)
    if found is None:
        return Entry(found=False)
    pull_spec = found.tags.get(tag)
    if pull_spec is None:
        missing = found.missing.get(tag, "")
        return Entry(local_lookup=found.local, missing=missing, repository=found.repository)
    obj = streams.object(namespace, name) or {}
    head = history.head(obj, tag) or {}
    return Entry(
        local_lookup=found.local,
        pull_spec=pull_spec,
        digest=lookup.image_of(pull_spec) if pull_spec else "",
        generation=head.get("generation") or 0,
        imported=head.get("created") or "",
        source=((tags.spec_tag(obj, tag) or {}).get("from") or {}).get("name") or "",
    )
