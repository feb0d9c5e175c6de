"""The documents: links that lead somewhere, and a place for every page, option and metric."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from prometheus_client.metrics import MetricWrapperBase

from webhook import telemetry
from webhook.cli.serve import serve
from webhook.cli.webhook import webhook

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "manifests/*.md", "bench/*.md", "certs/*.md", "tests/conformance/*.md")
    for page in ROOT.glob(pattern)
)
FENCE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """As forges make them of headings: small letters, no punctuation, a hyphen for each space."""
    found = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


def dead_links(page: Path) -> list[str]:
    dead = []
    for link in LINK.findall(prose(page)):
        path, _, anchor = link.partition("#")
        if "://" in path:
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    return dead


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_to_a_file_and_a_heading(page):
    assert dead_links(page) == []


def test_a_dead_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One `two` (three)\n\n[a](#one-two-three) [b](#two) [c](page.md#one) [d](none.md) [e](page.md)\n")
    assert dead_links(page) == ["#two", "page.md#one", "none.md"]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_line_of_prose_is_too_long(page):
    lines = [line for line in prose(page).splitlines() if not line.startswith(("|", "#"))]
    whole = re.compile(r"\s*`[^`]+`\S*")  # a line of code cannot be broken
    assert [line for line in lines if len(line) > 120 and not whole.fullmatch(line)] == []


def test_the_index_names_every_page():
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in LINK.findall(prose(DOCS / "README.md"))}
    assert {page for page in DOCS.rglob("*.md") if page != DOCS / "README.md"} <= linked


@pytest.mark.parametrize("command", [serve, webhook], ids=["serve", "webhook"])
def test_every_option_is_in_the_configuration(command: click.Command):
    text = (DOCS / "configuration.md").read_text()
    begin = text.index(f"## `imagestreams {command.name}`")
    section = text[begin : text.index("\n## ", begin)]
    offered = {one.opts[-1] for one in command.params if isinstance(one, click.Option) and not one.hidden}
    assert offered == set(re.findall(r"--[a-z-]+", "".join(re.findall(r"^\| (`--.*?) \|", section, re.MULTILINE))))


def test_every_metric_is_described_once():
    described = re.findall(r"^\| `(imagestreams_\w+)` \|([^|]*)\|", (DOCS / "metrics.md").read_text(), re.MULTILINE)
    labels = {metric: tuple(re.findall(r"\w+", text)) for metric, text in described}
    assert len(labels) == len(described)
    measured = [one for one in vars(telemetry).values() if isinstance(one, MetricWrapperBase)]
    assert labels == {one._name + ("_total" if one._type == "counter" else ""): one._labelnames for one in measured}
