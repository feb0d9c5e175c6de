"""What a write to a stream puts into its history at once: tags from other tags, and the aliases that follow them.

Registry images wait for an import; a tag from a stream tag or stream image is resolved in the write that brings it
(image-api 2.6), and tags of the same stream go on following (2.7).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from webhook.errors import FieldError, Invalid, Json, NotFound, StatusError
from webhook.image import digest, generation, history, names, reference, tags

Load = Callable[[str, str], Json | None]
"""(namespace, name) to the stream, None when there is none; may raise a StatusError."""
Authorize = Callable[[str, str], str | None]
"""(namespace, name) to None when the user may pull from that stream, else the reason."""

_SEPARATORS = {"ImageStreamTag": ":", "ImageStreamImage": "@"}
_FORMS = "must be of the form <tag>, <repo>:<tag>, <id>, or <repo>@<id>"


class _Finding(Exception):
    def __init__(self, finding: FieldError) -> None:
        super().__init__(str(finding))
        self.finding = finding


@dataclass(frozen=True)
class _Context:
    load: Load
    integrated: str
    now: str


@dataclass(frozen=True)
class _Source:
    namespace: str
    stream: str
    item: str
    """The tag, or the image id or its prefix."""


def resolve(
    stream: Json, old: Json | None, *, load: Load, authorize: Authorize, integrated: str, now: str
) -> tuple[Json, list[FieldError]]:
    """The stream with every new or changed tag resolved and its aliases brought along.

    `stream` already has the generations of this write (`generation.after_create`, `after_update`) and the status that
    it starts from; `old` is what is stored, None for a new stream. Findings come as the one error with field `[]` in
    which the original wraps them; the stream must not be written then.
    """
    pending = _changed_tags(stream, old)
    findings = _unauthorized(stream, pending, authorize)
    context = _Context(load, integrated, now)
    after = stream
    for tag in pending:
        try:
            after = _resolve_tag(after, tag, context)
        except _Finding as error:
            findings.append(error.finding)
    after = follow_aliases(after, changed_heads(after, old))
    return after, [wrapped(_name(stream), findings)] if findings else []


def follow_aliases(stream: Json, changed: set[str]) -> Json:
    """The stream with the heads of the `changed` tags pushed onto the tags that follow them, at any distance.

    Cycles are allowed: one head reaches every follower once.
    """
    followers = _followers(stream)
    for tag in sorted(changed):
        stream = _push_down(stream, tag, followers)
    return stream


def changed_heads(stream: Json, old: Json | None) -> set[str]:
    """The tags whose newest event is not the one that `old` has."""
    found = {entry.get("tag") or "" for entry in tags.status_tags(stream) if entry.get("items")}
    return {tag for tag in found if old is None or history.head(stream, tag) != history.head(old, tag)}


def alias_target(stream: Json, tag: Json) -> str | None:
    """The tag of the same stream that this spec tag follows, or None when it follows nothing."""
    source = tag.get("from") or {}
    if source.get("kind") != "ImageStreamTag" or source.get("namespace") not in (None, "", _namespace(stream)):
        return None
    first, colon, second = (source.get("name") or "").partition(":")
    if not colon:
        return first or None
    if first != _name(stream) or ":" in second:
        return None
    return second or names.DEFAULT_TAG


def wrapped(name: str, findings: list[FieldError]) -> FieldError:
    """The findings of tag resolution as the original reports them; tools match on this text."""
    return FieldError.internal("[]", Invalid.of("imagestreams", "", name, findings).message)


def _changed_tags(stream: Json, old: Json | None) -> list[Json]:
    """Tags with a source that are new or point elsewhere.

    Generations are settled by now, so a tag that only asked for an import with 0 is not among them.
    """
    before = {one.get("name") or "": one for one in tags.spec_tags(old or {})}
    found = []
    for tag in tags.spec_tags(stream):
        known = before.get(tag.get("name") or "")
        if tag.get("from") and (known is None or generation.changed(known, tag, _namespace(stream))):
            found.append(tag)
    return found


def _unauthorized(stream: Json, pending: list[Json], authorize: Authorize) -> list[FieldError]:
    """Findings on tags from other namespaces; every source stream is asked about once."""
    answers: dict[tuple[str, str], str | None] = {}
    findings = []
    for tag in pending:
        if (tag["from"].get("namespace") or _namespace(stream)) == _namespace(stream):
            continue
        try:
            source = _source(stream, tag)
        except _Finding as error:
            findings.append(error.finding)
            continue
        key = (source.namespace, source.stream)
        if key not in answers:
            answers[key] = authorize(*key)
        reason = answers[key]
        if reason is not None:
            text = f'{source.namespace}/{source.stream}: "{reason}" ""'
            findings.append(FieldError.forbidden(f"{_path(tag)}.from", text))
    return findings


def _resolve_tag(stream: Json, tag: Json, context: _Context) -> Json:
    source = tag["from"]
    if source.get("kind") == "DockerImage" and source.get("name"):
        return _push_verbatim(stream, tag, context) if tag.get("reference") else stream
    return _push_from_stream(stream, tag, _source(stream, tag), context)


def _push_verbatim(stream: Json, tag: Json, context: _Context) -> Json:
    """A reference that nobody imports is its own history, without an image."""
    event = history.event(context.now, tag["from"]["name"], "", generation.current(stream))
    return history.record(stream, tag.get("name") or "", event)[0]


def _push_from_stream(stream: Json, tag: Json, source: _Source, context: _Context) -> Json:
    own = (source.namespace, source.stream) == (_namespace(stream), _name(stream))
    origin = stream if own else _load(tag, source, context)
    if tag["from"].get("kind") == "ImageStreamTag":
        found = history.head(origin, source.item or names.DEFAULT_TAG)
    else:
        found = _find_image(tag, source, origin, context)
    if found is None:
        return stream
    current = generation.current(stream)
    if own and tag["from"].get("kind") == "ImageStreamTag":
        stream = _with_head_generation(stream, source.item or names.DEFAULT_TAG, current)
    address = found.get("dockerImageReference") or ""
    if not tag.get("reference"):
        address = _readdressed(address, source, stream, context.integrated)
    event = history.event(found["created"], address, found.get("image") or "", current)
    return history.record(stream, tag.get("name") or "", event)[0]


def _source(stream: Json, tag: Json) -> _Source:
    """Where a tag's `from` points; one part means this stream's name."""
    source = tag["from"]
    separator = _SEPARATORS.get(source.get("kind") or "")
    parts = (source.get("name") or "").split(separator) if separator else []
    if len(parts) not in (1, 2):
        raise _invalid(tag, _FORMS)
    name = parts[0] if len(parts) == 2 else _name(stream)
    return _Source(source.get("namespace") or _namespace(stream), name, parts[-1])


def _load(tag: Json, source: _Source, context: _Context) -> Json:
    if not source.stream:
        raise _invalid(tag, "unable to retrieve image stream: Name parameter required.")
    try:
        found = context.load(source.namespace, source.stream)
    except NotFound:
        found = None
    except StatusError as error:
        raise _invalid(tag, f"unable to retrieve image stream: {error.message}") from error
    if found is None:
        raise _Finding(FieldError.not_found(f"{_path(tag)}.from.name", tag["from"]["name"]))
    return found


def _find_image(tag: Json, source: _Source, origin: Json, context: _Context) -> Json:
    """A new event for the one image of the stream's whole history that the id means."""
    matches: dict[str, Json] = {}
    for entry in tags.status_tags(origin):
        for item in entry.get("items") or []:
            image = item.get("image") or ""
            if digest.matches_prefix(image, source.item):
                matches.setdefault(image, item)
    if not matches:
        raise _invalid(
            tag, f'error generating tag event: imagestreamimage.image.openshift.io "{source.item}" not found'
        )
    if len(matches) > 1:
        raise _invalid(
            tag,
            "error generating tag event: Operation cannot be fulfilled on imagestreamimage.image.openshift.io"
            f' "{source.item}": multiple images match the prefix "{source.item}": {", ".join(sorted(matches))}',
        )
    ((image, item),) = matches.items()
    return history.event(context.now, item.get("dockerImageReference") or "", image, 0)


def _with_head_generation(stream: Json, tag: str, current: int) -> Json:
    """An alias marks the tag it is made from with the generation of this write, as the original does."""
    entry = history.entry(stream, tag) or {}
    first, *rest = entry["items"]
    return history.with_entry(stream, {**entry, "items": [{**first, "generation": current}, *rest]})


def _readdressed(address: str, source: _Source, stream: Json, integrated: str) -> str:
    """An address in the source stream's own repository becomes one in this stream's, whose rights then apply."""
    try:
        parsed = reference.parse(address)
    except reference.InvalidReference:
        return address
    origin = (integrated, source.namespace, source.stream)
    if not integrated or (parsed.registry, parsed.namespace, parsed.name) != origin:
        return address
    return replace(parsed, namespace=_namespace(stream), name=_name(stream)).exact()


def _followers(stream: Json) -> dict[str, list[str]]:
    followers: dict[str, list[str]] = {}
    for tag in tags.spec_tags(stream):
        target = alias_target(stream, tag)
        if target is not None:
            followers.setdefault(target, []).append(tag.get("name") or "")
    return followers


def _push_down(stream: Json, tag: str, followers: dict[str, list[str]]) -> Json:
    """One head down the tree of its followers. Heads that chase each other round a cycle would never end, so each
    starting tag goes round by itself and once."""
    seen, queue = {tag}, [tag]
    while queue:
        source = queue.pop(0)
        head = history.head(stream, source)
        for follower in followers.get(source, []):
            if head is None or follower in seen:
                continue
            seen.add(follower)
            stream, pushed = history.record(stream, follower, head)
            if pushed:
                queue.append(follower)
    return stream


def _invalid(tag: Json, detail: str) -> _Finding:
    return _Finding(FieldError.invalid(f"{_path(tag)}.from.name", tag["from"].get("name") or "", detail))


def _path(tag: Json) -> str:
    return f"spec.tags[{tag.get('name') or ''}]"


def _name(stream: Json) -> str:
    return (stream.get("metadata") or {}).get("name") or ""


def _namespace(stream: Json) -> str:
    return (stream.get("metadata") or {}).get("namespace") or ""
