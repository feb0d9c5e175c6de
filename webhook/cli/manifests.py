"""Which objects stand in the files that a command was given, and in which document of which text?"""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from webhook.cli import yaml_text
from webhook.cli.yaml_text import Document, MalformedYaml
from webhook.errors import Json

SUFFIXES = (".yaml", ".yml", ".json")
_STDIN = "-"
# PowerShell's `>` writes UTF-16.
_ENCODINGS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True)
class Manifest:
    """One file: its name for people, its text without the byte order mark, and how both become bytes again."""

    name: str
    text: str
    documents: Sequence[Document]
    mark: bytes = b""
    encoding: str = "utf-8"

    def encode(self, text: str) -> bytes:
        """The text as the bytes of this file."""
        return self.mark + text.encode(self.encoding)


@dataclass(frozen=True)
class Item:
    """One object of a document: itself, or an item of its list, which then is at `path`."""

    document: Document
    path: yaml_text.Path
    object: Json

    @property
    def api_version(self) -> str:
        """`apps/v1`; empty if it is missing."""
        return _text(self.object.get("apiVersion"))

    @property
    def group(self) -> str:
        """The API group; empty for the core."""
        group, slash, _ = self.api_version.partition("/")
        return group if slash else ""

    @property
    def kind(self) -> str:
        """`Deployment`."""
        return _text(self.object.get("kind"))

    @property
    def metadata(self) -> Json:
        """The object's metadata; empty if they are missing."""
        metadata = self.object.get("metadata")
        return metadata if isinstance(metadata, dict) else {}

    @property
    def name(self) -> str:
        """The name, or what the server will begin it with."""
        return _text(self.metadata.get("name")) or _text(self.metadata.get("generateName"))

    @property
    def namespace(self) -> str:
        """The namespace that the object names itself; often empty."""
        return _text(self.metadata.get("namespace"))

    @property
    def reference(self) -> ObjectName:
        """What the object is called, without the object."""
        return ObjectName(self.api_version, self.kind, self.namespace, self.name, self._origin(), self._index())

    def _origin(self) -> str:
        return self._annotation("path")

    def _index(self) -> int:
        index = self._annotation("index")
        return int(index) if index.isascii() and index.isdigit() else 0

    def _annotation(self, name: str) -> str:
        annotations = self.metadata.get("annotations")
        given = annotations if isinstance(annotations, dict) else {}
        return _text(given.get(f"internal.config.kubernetes.io/{name}") or given.get(f"config.kubernetes.io/{name}"))


@dataclass(frozen=True)
class ObjectName:
    """Which object: as the API names it, and in which file of a package and as its which document it stood.

    The latter two are what a KRM orchestrator tells in annotations, else empty and 0.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    file: str = ""
    index: int = 0

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def read_all(paths: Sequence[str], recursive: bool = False) -> Iterator[Manifest]:
    """The files, those of the directories, and standard input for `-`; ClickException for what cannot be read.

    Each is read when its turn comes: the nodes of thousands of parsed files fill the memory.
    """
    names = [name for path in paths for name in _files(path, recursive)]
    return map(read, names)


def read(name: str) -> Manifest:
    """One file, or standard input for `-`; ClickException if it is not there or no YAML or JSON."""
    data = _bytes(name)
    shown = "standard input" if name == _STDIN else name
    mark, encoding = next(((mark, one) for mark, one in _ENCODINGS if data.startswith(mark)), (b"", "utf-8"))
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise click.ClickException(
            f"{shown}: byte {error.start + len(mark)} is no {encoding.upper()} text; save the file as UTF-8"
        ) from None
    try:
        documents = yaml_text.documents(text)
    except MalformedYaml as error:
        raise click.ClickException(
            f"{shown}:{error.line}:{error.column}: {error.problem}; give plain YAML or JSON"
            " (render templates first, with helm template or kustomize build)"
        ) from None
    return Manifest(shown, text, documents, mark, encoding)


def items(manifest: Manifest) -> Iterator[Item]:
    """Every object of a manifest, those in lists too; what has no kind is passed over."""
    for document in manifest.documents:
        yield from items_of(document)


def items_of(document: Document) -> Iterator[Item]:
    """Every object of one document."""
    yield from _items(document, (), document.value)


def _items(document: Document, path: yaml_text.Path, value: Any) -> Iterator[Item]:
    if not isinstance(value, dict):
        return
    kind, inner = _text(value.get("kind")), value.get("items")
    if not (kind.endswith("List") and isinstance(inner, list)):
        if kind:
            yield Item(document, path, value)
        return
    # The items of a list that an API wrote do not repeat what the list says.
    implied = {"apiVersion": value.get("apiVersion"), "kind": kind.removesuffix("List")}
    for index, one in enumerate(inner):
        if isinstance(one, dict):
            whole = one if kind == "List" else {**implied, **one}
            yield from _items(document, (*path, "items", index), whole)


def _files(path: str, recursive: bool) -> list[str]:
    folder = Path(path)
    if path == _STDIN or not folder.is_dir():
        return [path]
    found = sorted(
        str(one) for one in folder.glob("**/*" if recursive else "*") if one.suffix in SUFFIXES and one.is_file()
    )
    if not found:
        deeper = "" if recursive else "; --recursive looks into the folders below it too"
        raise click.ClickException(f"{path}: no file in it ends in {', '.join(SUFFIXES)}{deeper}")
    return found


def _bytes(name: str) -> bytes:
    if name == _STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except FileNotFoundError:
        raise click.ClickException(
            f"{name}: there is no such file; give a file, a folder, or - for standard input"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise click.ClickException(f"{name}: {reason.lower()}; give a file that can be read") from None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
