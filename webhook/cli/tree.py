"""Trees for people: every sentence under what it explains."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.admission.story import Node


def drawn(node: Node) -> str:
    """The node on a line of its own, what is below it indented."""
    return "".join(f"{line}\n" for line in (_printable(node.text), *_below(node, "")))


def _below(node: Node, indent: str) -> Iterator[str]:
    for number, one in enumerate(node.below):
        last = number == len(node.below) - 1
        yield f"{indent}{'└─ ' if last else '├─ '}{_printable(one.text)}"
        yield from _below(one, indent + ("   " if last else "│  "))


def _printable(text: str) -> str:
    # Part of it is what a registry said, which may not speak to the terminal.
    return "".join(one if one.isprintable() else "?" for one in text)
