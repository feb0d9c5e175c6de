"""Where in a YAML or JSON text does a value stand, and how is it replaced without touching any other character?

PyYAML parses and tells the marks of each node; nothing is ever dumped. A scalar keeps its quoting; a block scalar
becomes a double-quoted one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from webhook.cli import yaml_nodes

Path = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"

_PROPERTY = re.compile(r"[&!]\S*(?:\s+(?:#[^\r\n]*)?)+")
_BLOCK_HEADER = re.compile(r"[|>][0-9+-]*([ \t]+#[^\r\n]*)?")
_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/:@+-]*[A-Za-z0-9])?")
_NUMBERLIKE = re.compile(r"[0-9][0-9a-fA-FoOxXtTzZ_.:+-]*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_ESCAPED = re.compile(_UNPRINTABLE.pattern + r'|["\\]')
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


class MalformedYaml(ValueError):
    """The text is no YAML; `line` and `column` count from 1."""

    def __init__(self, problem: str, line: int, column: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column


@dataclass(frozen=True)
class Edit:
    """Characters `start` to `end` of the text become `text`."""

    start: int
    end: int
    text: str


class Document:
    """One document of a text: its value as JSON data, and the way from a path in it back to the characters.

    Aliases and merge keys (`<<`) are followed; nodes that are reached by several paths are shared in `value`.
    """

    def __init__(self, root: yaml.Node, text: str, offset: int = 0) -> None:
        self._root = root
        self._text = text
        self._offset = offset
        self._reading = _Reading()
        self.value: Any = self._reading.value(root)

    def edits(self, changes: Mapping[Path, str]) -> tuple[list[Edit], list[Path]]:
        """The edits that put each new text at its path, and the paths that must be left alone.

        A scalar behind an alias is written once, where its anchor is, and only if every path to it gets the same
        text; else all its paths are left. KeyError for a path that is not there or is no scalar with a text.
        """
        wanted: dict[int, tuple[yaml.ScalarNode, list[Path]]] = {}
        for path in changes:
            node = self._scalar(path)
            wanted.setdefault(id(node), (node, []))[1].append(path)
        edits: list[Edit] = []
        left: list[Path] = []
        uses = self._reading.uses(self._root) if wanted else {}
        for node, paths in wanted.values():
            texts = {changes[path] for path in paths}
            if len(paths) == uses[id(node)] and len(texts) == 1:
                edits.append(self._edit(node, texts.pop()))
            else:
                left.extend(paths)
        return edits, left

    def span(self, path: Path) -> tuple[int, int]:
        """Where the value at a path begins and ends in the text, without the blank lines behind it; KeyError."""
        node = self._node(path)
        start, end = node.start_mark.index, node.end_mark.index
        return start + self._offset, start + len(self._text[start:end].rstrip()) + self._offset

    def _node(self, path: Path) -> yaml.Node:
        node: yaml.Node = self._root
        for step in path:
            children = self._reading.children(node)
            if step not in children:
                raise KeyError(path)
            node = children[step]
        return node

    def _scalar(self, path: Path) -> yaml.ScalarNode:
        node = self._node(path)
        if not isinstance(node, yaml.ScalarNode):
            raise KeyError(path)
        return node

    def _edit(self, node: yaml.ScalarNode, new: str) -> Edit:
        # The mark of a node is that of its anchor or tag, if it has one.
        start, end = node.start_mark.index, node.end_mark.index
        while (skipped := _PROPERTY.match(self._text, start, end)) is not None:
            start = skipped.end()
        style = node.style or ""
        if style in ("|", ">"):
            header = _BLOCK_HEADER.match(self._text, start, end)
            comment = header.group(1) or "" if header else ""
            # The mark of its end is behind the blank lines that follow: they stay.
            end = start + len(self._text[start:end].rstrip())
            return Edit(start + self._offset, end + self._offset, double_quoted(new) + comment)
        return Edit(start + self._offset, end + self._offset, scalar(new, style))


def documents(text: str) -> list[Document]:
    """The documents of a YAML stream, of a JSON text, or of JSON texts in a row; MalformedYaml else."""
    chunks = _json_chunks(text)
    if chunks is None:
        return list(_composed(text, 0))
    return [document for start, end in chunks for document in _composed(_as_yaml(text[start:end]), start)]


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text after all edits, which must not overlap."""
    parts: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        parts += (text[position : edit.start], edit.text)
        position = edit.end
    return "".join([*parts, text[position:]])


def scalar(value: str, style: str) -> str:
    """The string as a YAML scalar in a style: `'` or `"` quoted, else plain where that still reads as this string."""
    if style == "'" and not _UNPRINTABLE.search(value):
        return "'" + value.replace("'", "''") + "'"
    if not style and is_plain(value):
        return value
    return double_quoted(value)


def is_plain(value: str) -> bool:
    """Whether the string can stand without quotes, in block and in flow, in YAML 1.1 and 1.2."""
    if not _PLAIN.fullmatch(value) or value.lower() in _WORDS:
        return False
    return not _NUMBERLIKE.fullmatch(value)


def double_quoted(value: str) -> str:
    """The string as a double-quoted scalar that YAML and JSON read alike."""
    return '"' + _ESCAPED.sub(lambda found: _escape(found.group()), value) + '"'


def _escape(character: str) -> str:
    return _SHORT_ESCAPES.get(character) or f"\\u{ord(character):04x}"


def _composed(text: str, offset: int) -> Iterator[Document]:
    try:
        for root in yaml_nodes.compose(text):
            yield Document(root, text, offset)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise MalformedYaml(str(error.problem or error.context), line, column) from None
    except yaml.reader.ReaderError as error:
        raise MalformedYaml(str(error.reason), *_unreadable(text)) from None
    except RecursionError:  # a long chain of merge keys
        raise MalformedYaml("nested too deeply", 1, 1) from None


def _unreadable(text: str) -> tuple[int, int]:
    """Line and column of the first character that YAML forbids; libyaml tells it in bytes, or not at all."""
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    index = found.start() if found else 0
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _json_chunks(text: str) -> list[tuple[int, int]] | None:
    """Where each JSON value of the text begins and ends; None when it is not JSON throughout."""
    decoder = json.JSONDecoder()
    chunks: list[tuple[int, int]] = []
    position = _skip_blank(text, 0)
    if not text.startswith(("{", "["), position):
        return None
    while position < len(text):
        try:
            _, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            return None
        chunks.append((position, end))
        position = _skip_blank(text, end)
    return chunks


def _skip_blank(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _as_yaml(text: str) -> str:
    """JSON that a YAML parser reads, with every character where it was: YAML knows no tabs and no surrogate pairs."""
    return _SURROGATE_ESCAPE.sub(r"\\u003f", text).replace("\t", " ")


class _Reading:
    """One walk over the nodes of a document: each node is read once, however many aliases lead to it."""

    def __init__(self) -> None:
        self._values: dict[int, Any] = {}
        self._open: set[int] = set()
        self._finished: list[yaml.Node] = []
        self._children: dict[int, dict[str | int, yaml.Node]] = {}

    def children(self, node: yaml.Node) -> dict[str | int, yaml.Node]:
        """The steps from a node; in a mapping the last of equal keys counts, and own keys win over merged ones."""
        key = id(node)
        if key not in self._children:
            self._children[key] = {}  # what merges itself finds nothing in itself
            if isinstance(node, yaml.SequenceNode):
                self._children[key] = dict(enumerate(node.value))
            elif isinstance(node, yaml.MappingNode):
                self._children[key] = self._mapping(node)
        return self._children[key]

    def _mapping(self, node: yaml.MappingNode) -> dict[str | int, yaml.Node]:
        own: dict[str | int, yaml.Node] = {}
        merged: dict[str | int, yaml.Node] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    if isinstance(source, yaml.MappingNode):
                        merged = {**self.children(source), **merged}
            elif isinstance(key, yaml.ScalarNode):
                own[key.value] = value
        return {**merged, **own}

    def value(self, node: yaml.Node) -> Any:
        """The node as JSON data."""
        key = id(node)
        if key in self._values:
            return self._values[key]
        if key in self._open:
            raise _refused(node, "an anchor that contains its own alias")
        self._open.add(key)
        value: Any
        if isinstance(node, yaml.ScalarNode):
            value = _scalar_value(node)
        elif isinstance(node, yaml.SequenceNode):
            value = [self.value(child) for _, child in self.children(node).items()]
        else:
            value = {step: self.value(child) for step, child in self.children(node).items()}
        self._open.discard(key)
        self._values[key] = value
        self._finished.append(node)
        return value

    def uses(self, root: yaml.Node) -> dict[int, int]:
        """By how many paths each node is reached, without walking each path (aliases multiply them)."""
        uses = dict.fromkeys(map(id, self._finished), 0)
        uses[id(root)] = 1
        for node in reversed(self._finished):
            for _, child in self.children(node).items():
                uses[id(child)] += uses[id(node)]
        return uses


def _refused(node: yaml.Node, problem: str) -> MalformedYaml:
    return MalformedYaml(problem, node.start_mark.line + 1, node.start_mark.column + 1)


def _scalar_value(node: yaml.ScalarNode) -> Any:
    """As kubectl reads it: no sexagesimal numbers, and a timestamp is a string."""
    text: str = node.value
    kind = node.tag.removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("true", "yes", "on", "y")
    if kind in ("int", "float") and ":" not in text:
        return _number(text)
    return text


def _number(text: str) -> int | float | str:
    digits = text.replace("_", "")
    for read in (lambda: int(digits, 0), lambda: int(digits, 8), lambda: float(digits)):
        try:
            number: int | float = read()
        except ValueError:
            continue
        return number
    return text
