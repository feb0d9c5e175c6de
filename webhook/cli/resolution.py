"""What becomes of each image in a manifest, and of the manifest's text?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from webhook.admission import reasons
from webhook.admission.decide import CREATE, Rewrite, examine, of_objects
from webhook.admission.explain import explain
from webhook.admission.locations import dotted
from webhook.admission.policy import Policy
from webhook.cli import manifests, yaml_text
from webhook.cli.manifests import Item, Manifest, ObjectName
from webhook.cli.stream_sources import Source
from webhook.cli.yaml_text import Path
from webhook.errors import Forbidden

SHARED: Final = "SharedAlias"
UNREADABLE: Final = "UnreadableObject"

_SHARED = (
    "{written} is shared by an anchor (&) and its aliases (*) of which some mean something else; write the image out"
    " where it is used."
)
_RULE_OF_RESOLVED = "The image of tag {decision.tag} of image stream {decision.stream}."
# A name that was looked up, or that no stream could have, and that a kubelet would take from a public registry.
_UNRESOLVED: Final = frozenset(
    {
        SHARED,
        UNREADABLE,
        reasons.INVALID_NAME,
        reasons.LOOKUP_DISABLED,
        reasons.NO_SUCH_STREAM,
        reasons.NO_SUCH_TAG,
        reasons.UNPARSABLE,
        reasons.UNUSABLE_PULL_SPEC,
    }
)


@dataclass(frozen=True)
class Finding:
    """One image: where it stands, what it was, what it becomes (None if it stays) and why.

    `stream` (namespace/name) and `tag` are what was looked up, empty if nothing was.
    """

    file: str
    item: ObjectName
    path: str
    written: str
    result: str | None
    reason: str
    message: str
    advice: str = ""
    stream: str = ""
    tag: str = ""

    @property
    def unresolved(self) -> bool:
        """Whether the image stays a name that should have been looked up."""
        return self.reason in _UNRESOLVED


@dataclass(frozen=True)
class Resolution:
    """A manifest without its documents, its text with images resolved, and what was found in it."""

    manifest: Manifest
    text: str
    findings: list[Finding]


def resolve(manifest: Manifest, source: Callable[[], Source], policy: Policy) -> Resolution:
    """The manifest with every image resolved as admission does when the object is created.

    `source` is asked for only if there is something to look up.
    """
    edits: list[yaml_text.Edit] = []
    findings: list[Finding] = []
    for document in manifest.documents:
        looked = [(item, *_examined(item, source, policy)) for item in manifests.items_of(document)]
        changes = {
            (*item.path, *one.path): one.new or "" for item, rewrites, _ in looked for one in rewrites if _new(one)
        }
        made, left = document.edits(changes)
        edits += made
        for item, rewrites, problem in looked:
            findings += [_unreadable(manifest, item, problem)] if problem else []
            findings += _findings(manifest, item, rewrites, left)
    # The documents are many times larger than the text, and done with.
    return Resolution(replace(manifest, documents=()), yaml_text.apply(manifest.text, edits), findings)


def _new(rewrite: Rewrite) -> bool:
    # What admission removes, a build's namespace, is written as empty: the API means the same by it.
    return rewrite.new != rewrite.old


def _examined(item: Item, source: Callable[[], Source], policy: Policy) -> tuple[list[Rewrite], str]:
    """The images of an object, or the sentence that says why it cannot be read."""
    # True for every kind that is looked up; any other name is not in the table.
    resource = item.kind.lower() + "s"
    coverage = policy.coverage.get((item.group, resource))
    if coverage is None:
        return [], ""
    known = source()
    namespace = item.namespace or known.namespace
    try:
        write = of_objects(
            coverage.location, item.group, resource, CREATE, namespace, item.object, name=item.name, kind=item.kind
        )
        return examine(write, known.streams, policy), ""
    except (Forbidden, ValueError) as error:
        return [], " ".join(str(error).split())


def _findings(manifest: Manifest, item: Item, rewrites: Iterable[Rewrite], left: list[Path]) -> Iterable[Finding]:
    for one in rewrites:
        # Beside a build's image its kind and namespace may change too: they are no images.
        if not one.old or one.beside:
            continue
        where = (manifest.name, item.reference, dotted(one.path), one.old)
        stream, tag = one.decision.stream, one.decision.tag
        if _new(one) and (*item.path, *one.path) in left:
            yield Finding(*where, None, SHARED, _SHARED.format(written=one.old), stream=stream, tag=tag)
        else:
            result = one.new if _new(one) else None
            message = one.decision.message
            advice = explain(one.decision).removeprefix(message).strip()
            # The full sentence repeats the pull spec, which stands beside it.
            rule = (
                _RULE_OF_RESOLVED.format(decision=one.decision) if one.decision.reason == reasons.RESOLVED else message
            )
            yield Finding(*where, result, one.decision.reason, rule, advice, stream, tag)


def _unreadable(manifest: Manifest, item: Item, problem: str) -> Finding:
    return Finding(manifest.name, item.reference, "", "", None, UNREADABLE, f"The object is left as it is: {problem}.")
