"""What are the nodes of a YAML stream, with the marks of where they stand?

PyYAML's own composer is not used: libyaml's calls itself at each level (a hundred thousand brackets end the process)
and refuses an anchor that is defined twice, which YAML and kubectl allow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

# libyaml is ten times faster; its marks count characters, as those of the Python parser do.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 250


def compose(text: str) -> Iterator[yaml.Node]:
    """The root node of each document; yaml.YAMLError for a malformed one. An alias is its anchor's node once more."""
    composer = _Composer()
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.DocumentStartEvent):
            composer = _Composer()
        elif isinstance(event, yaml.DocumentEndEvent):
            yield composer.root
        else:
            composer.take(event)


class _Composer:
    """The nodes of one document, from its events."""

    def __init__(self) -> None:
        self._top: list[yaml.Node] = []
        self._anchors: dict[str, yaml.Node] = {}
        self._resolve: Any = yaml.resolver.Resolver().resolve
        # For each open collection the list that its children go to: a mapping's keys and values take turns.
        self._open: list[tuple[yaml.CollectionNode | None, list[yaml.Node]]] = [(None, self._top)]

    @property
    def root(self) -> yaml.Node:
        return self._top[0]

    def take(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            tag = self._tag(yaml.ScalarNode, event.tag, event.value, event.implicit)
            marks: tuple[Any, Any] = event.start_mark, event.end_mark
            self._add(event, yaml.ScalarNode(tag, event.value, *marks, event.style))
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise _error(f"found undefined alias {event.anchor!r}", event)
            self._open[-1][1].append(self._anchors[event.anchor])
        elif isinstance(event, yaml.CollectionStartEvent):
            self._start(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            node, children = self._open.pop()
            if node is not None:
                node.end_mark = event.end_mark
            if isinstance(node, yaml.MappingNode):
                node.value = list(zip(children[::2], children[1::2], strict=True))
            elif node is not None:
                node.value = children

    def _start(self, event: Any) -> None:
        if len(self._open) > _DEEPEST:
            raise _error("nested too deeply", event)
        kind = yaml.SequenceNode if isinstance(event, yaml.SequenceStartEvent) else yaml.MappingNode
        tag = self._tag(kind, event.tag, None, event.implicit)
        node = kind(tag, [], event.start_mark, event.end_mark, event.flow_style)
        self._add(event, node)
        self._open.append((node, []))

    def _tag(self, kind: type[yaml.Node], tag: str | None, value: str | None, implicit: Any) -> str:
        return str(self._resolve(kind, value, implicit) if tag is None or tag == "!" else tag)

    def _add(self, event: Any, node: yaml.Node) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        self._open[-1][1].append(node)


def _error(problem: str, event: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
