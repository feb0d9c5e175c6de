"""A model of image streams in a few dictionaries: what each write does to spec, generations, history and owners.

Times are left out, and so is all that no operation of the test can reach: imports, limits, validation but for one rule.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from tests.property import fields
from tests.property.fields import BOX, Flat, Owners, Path, Paths

Tag = dict[str, Any]
# (reference, image, generation)
Event = tuple[str, str, int]
BEFORE = "before-first-apply"
# What every stream has, which is nobody's.
BLANK: Flat = {("spec",): BOX, ("spec", "lookupPolicy"): BOX, ("spec", "lookupPolicy", "local"): False}
VIEWS = ("imagestreamtags", "imagetags")


class Refused(Exception):
    """The code of a failure and, of an apply, who owns what it would change."""

    def __init__(self, code: int, owned: set[tuple[str, str]] | None = None) -> None:
        super().__init__(code)
        self.code, self.owned = code, owned or set()


@dataclass
class Wish:
    """What a client wants of a stream; tags without a generation leave it to the server."""

    labels: dict[str, str] = field(default_factory=dict)
    local: bool = False
    tags: dict[str, Tag] = field(default_factory=dict)


@dataclass
class Stream(Wish):
    """What there is."""

    generation: int = 0
    history: dict[str, list[Event]] = field(default_factory=dict)
    owners: Owners = field(default_factory=dict)


def item(tag: str) -> Path:
    return ("spec", "tags", f"[{tag}]")


def tag_json(tag: Tag) -> Tag:
    """A spec tag as the server sees it after defaulting."""
    shown = {key: tag[key] for key in ("from", "reference", "annotations") if tag.get(key)}
    if tag.get("generation") is not None:
        shown["generation"] = tag["generation"]
    scheduled = {"scheduled": True} if tag.get("scheduled") else {}
    return {**shown, "importPolicy": {"importMode": "Legacy", **scheduled}, "referencePolicy": {"type": "Source"}}


def stream_json(wish: Wish) -> dict[str, Any]:
    meta = {"metadata": {"labels": wish.labels}} if wish.labels else {}
    tags = [{"name": name, **tag_json(tag)} for name, tag in sorted(wish.tags.items())]
    return {**meta, "spec": {"lookupPolicy": {"local": wish.local}, **({"tags": tags} if tags else {})}}


def stream_flat(wish: Wish) -> Flat:
    return {path: value for path, value in fields.flat(stream_json(wish)).items() if path != ("metadata",)}


def tag_of(shown: Tag) -> Tag:
    """The other way round."""
    tag = {key: shown[key] for key in ("from", "reference", "annotations", "generation") if shown.get(key) is not None}
    return tag | ({"scheduled": True} if shown.get("importPolicy", {}).get("scheduled") else {})


def wish_of(flat: Flat) -> Wish:
    shown = fields.nested({("metadata",): BOX, ("spec",): BOX, **flat})
    tags = {name[1:-1]: tag_of(one) for name, one in shown["spec"].get("tags", {}).items()}
    local = bool(shown["spec"].get("lookupPolicy", {}).get("local"))
    return Wish(dict(shown["metadata"].get("labels", {})), local, tags)


class Model:
    """All streams of one namespace."""

    def __init__(self) -> None:
        self.streams: dict[str, Stream] = {}

    # writes of streams

    def create(self, name: str, who: str, wish: Wish) -> None:
        if name in self.streams:
            raise Refused(409)
        self._write(name, wish, fields.update({}, (who, "Update", ""), BLANK, stream_flat(wish)))

    def update(self, name: str, who: str, wish: Wish) -> None:
        stream = self._existing(name)
        owners = stream.owners
        if owners:
            owners = fields.update(owners, (who, "Update", ""), stream_flat(stream), stream_flat(wish))
        self._write(name, wish, owners)

    def apply(self, name: str, manager: str, config: Flat, force: bool) -> None:
        """`config` without metadata but labels."""
        who, stream = (manager, "Apply", ""), self.streams.get(name)
        live = stream_flat(stream) if stream else {}
        owners = stream.owners if stream else {}
        if stream and not owners:
            owners = fields.update({}, (BEFORE, "Update", ""), BLANK, live)
        new = fields.merged(owners, who, live, config)
        self._check(fields.conflicts(owners, who, live, new), force)
        self._write(name, wish_of(new), fields.applied(owners, who, live, new, config))

    def delete(self, name: str) -> None:
        self._existing(name)
        del self.streams[name]

    # writes of tags

    def put_tag(self, name: str, tag: str, who: str, wanted: Tag, view: View) -> bool:
        """True where the spec tag is new."""
        stream = self.streams.get(name) or Stream()
        is_new = tag not in stream.tags
        wish = Wish(stream.labels, stream.local, {**stream.tags, tag: wanted})
        owners = stream.owners
        about = {one: view.seen(paths, tag) for one, paths in owners.items()}
        if any(paths and one[2] in VIEWS for one, paths in about.items()):
            old, new = view.flat(stream.tags.get(tag)), view.flat(wanted)
            updater = (who, "Update", view.resource)
            seen = fields.update({one: paths for one, paths in about.items() if paths}, updater, old, new)
            owners = view.kept(owners, seen, tag, who)
        self._write(name, wish, owners)
        return is_new

    def annotate_tag(self, name: str, tag: str, who: str, annotations: dict[str, str], view: View) -> None:
        known = self.streams.get(name, Stream()).tags.get(tag)
        if known is None:
            raise Refused(400)
        self.put_tag(name, tag, who, {**known, "annotations": {**known.get("annotations", {}), **annotations}}, view)

    def post_tag(self, name: str, tag: str, who: str, wanted: Tag, view: View) -> None:
        if tag in self.streams.get(name, Stream()).tags:
            raise Refused(409)
        self.put_tag(name, tag, who, wanted, view)

    def apply_tag(self, name: str, tag: str, manager: str, config: Flat, view: View, force: bool) -> bool:
        """`config` in terms of the view; True where stream or spec tag are new."""
        who, stream = (manager, "Apply", view.resource), self.streams.get(name)
        base = stream or Stream()
        live = view.flat(base.tags.get(tag))
        seen = {one: paths for one, paths in ((one, view.seen(p, tag)) for one, p in base.owners.items()) if paths}
        if not seen and tag in base.tags:
            seen = fields.update({}, (BEFORE, "Update", view.resource), {}, live)
        new = fields.merged(seen, who, live, config)
        self._check(fields.conflicts(seen, who, live, new), force)
        owners = view.kept(base.owners, fields.applied(seen, who, live, new, config), tag, manager)
        wanted = view.tag(new)
        tags = {key: one for key, one in base.tags.items() if key != tag} | ({} if wanted is None else {tag: wanted})
        self._write(name, Wish(base.labels, base.local, tags), owners)
        return stream is None or (tag not in base.tags and wanted is not None)

    def delete_tag(self, name: str, tag: str) -> None:
        stream = self._existing(name)
        if tag not in stream.tags and tag not in stream.history:
            raise Refused(404)
        owners = {one: {path for path in paths if path[:3] != item(tag)} for one, paths in stream.owners.items()}
        stream.history.pop(tag, None)
        left = {key: one for key, one in stream.tags.items() if key != tag}
        self._write(
            name, Wish(stream.labels, stream.local, left), {one: paths for one, paths in owners.items() if paths}
        )

    def push_image(self, name: str, tag: str, reference: str, image: str) -> None:
        stream = self._existing(name)
        before = copy.deepcopy(stream.history)
        _push(stream.history, tag, (reference, image, stream.generation))
        if stream.history != before:
            _follow(stream, {tag})

    # the rules

    def _existing(self, name: str) -> Stream:
        if name not in self.streams:
            raise Refused(404)
        return self.streams[name]

    def _check(self, owned: set[tuple[str, Path]], force: bool) -> None:
        if owned and not force:
            raise Refused(409, {(manager, fields.text(path)) for manager, path in owned})

    def _write(self, name: str, wish: Wish, owners: Owners) -> None:
        """Generations (image-api 2.5), then the tags that point to tags or to nothing that is imported (2.6, 2.7)."""
        if any(_is_alias(tag) and tag.get("scheduled") for tag in wish.tags.values()):
            raise Refused(422)
        old = self.streams.get(name)
        new = Stream(wish.labels, wish.local, copy.deepcopy(wish.tags), 1, {}, owners)
        pending = set(new.tags)
        if old is None:
            for tag in new.tags.values():
                tag["generation"] = 1
        else:
            new.history = copy.deepcopy(old.history)
            new.generation = old.generation + _settle(new, old)
            pending = {
                key for key, tag in new.tags.items() if key not in old.tags or _points_elsewhere(old.tags[key], tag)
            }
            for key, tag in new.tags.items():
                if key in pending or not tag.get("generation"):
                    tag["generation"] = new.generation
        before = copy.deepcopy(old.history) if old else {}
        for key in sorted(pending):
            _resolve(new, key)
        heads = {key for key, items in new.history.items() if items[0] != (before.get(key) or [None])[0]}
        _follow(new, heads)
        self.streams[name] = new


def _settle(new: Stream, old: Stream) -> int:
    """1 where the spec differs, with the generations of tags that clients may not set."""
    for key, tag in new.tags.items():
        if key in old.tags and tag.get("generation") != 0:
            tag["generation"] = old.tags[key]["generation"]
    return int((new.local, _comparable(new)) != (old.local, _comparable(old)))


def _comparable(stream: Stream) -> dict[str, Tag]:
    return {key: tag_json(tag) for key, tag in stream.tags.items()}


def _points_elsewhere(old: Tag, new: Tag) -> bool:
    if not new.get("from"):
        return False
    name = (old.get("from") or {}).get("name")
    return name != new["from"]["name"] or bool(old.get("reference")) != bool(new.get("reference"))


def _is_alias(tag: Tag) -> bool:
    return (tag.get("from") or {}).get("kind") == "ImageStreamTag"


def _push(history: dict[str, list[Event]], tag: str, event: Event) -> None:
    """image-api 2.8."""
    items = history.setdefault(tag, [])
    if items and (items[0][0] == event[0] or items[0][1] == event[1]):
        items[0] = event
    else:
        items.insert(0, event)


def _resolve(stream: Stream, key: str) -> None:
    tag = stream.tags[key]
    if _is_alias(tag):
        source = tag["from"]["name"]
        if source in stream.history:
            reference, image, _ = stream.history[source][0]
            stream.history[source][0] = (reference, image, stream.generation)
            _push(stream.history, key, stream.history[source][0])
    elif tag.get("from") and tag.get("reference"):
        _push(stream.history, key, (tag["from"]["name"], "", stream.generation))


def _follow(stream: Stream, changed: set[str]) -> None:
    """Until nothing moves; the aliases of this test make no circles."""
    changed = set(changed)
    moving = True
    while moving:
        moving = False
        for key, tag in stream.tags.items():
            source = tag["from"]["name"] if _is_alias(tag) else None
            if source in changed and source in stream.history:
                before = list(stream.history.get(key, []))
                _push(stream.history, key, stream.history[source][0])
                if stream.history[key] != before:
                    changed.add(key)
                    moving = True


@dataclass(frozen=True)
class View:
    """A kind that shows a tag as an object of its own: the tag at `part`, its annotations at `annotations`."""

    resource: str
    part: Path
    annotations: Path

    def flat(self, tag: Tag | None) -> Flat:
        if tag is None:
            return {}
        return {self._out(path): value for path, value in fields.flat(tag_json(tag)).items()} | {self.part: BOX}

    def tag(self, flat: Flat) -> Tag | None:
        shown = fields.nested({self._in(path): value for path, value in flat.items() if self._in(path)})
        return tag_of(shown) if self.part in flat or shown.get("annotations") else None

    def seen(self, paths: Paths, tag: str) -> Paths:
        """What a set of the stream's paths says about a tag."""
        below = {path[3:] for path in paths if path[:3] == item(tag)}
        parts = below - {(), ("name",)}
        return {self._out(path) for path in parts} if parts else {self.part} if () in below else set()

    def kept(self, owners: Owners, seen: Owners, tag: str, writer: str) -> Owners:
        """The owners of the stream when those of a tag are these; who lost all of it still wants the tag."""
        exists = {item(tag), (*item(tag), "name")}
        after: Owners = {}
        for who, paths in owners.items():
            mine = {path for path in paths if path[:3] == item(tag)}
            loser = who not in seen and (who[0], who[2]) != (writer, self.resource)
            after[who] = (paths - mine) | (mine & exists if loser else set())
        for who, paths in seen.items():
            after[who] = after.get(who, set()) | {(*item(tag), *self._in(path)) for path in paths} | exists
        return {who: paths for who, paths in after.items() if paths}

    def _out(self, path: Path) -> Path:
        return (*self.annotations, *path[1:]) if path[:1] == ("annotations",) else (*self.part, *path)

    def _in(self, path: Path) -> Path:
        """The path within the spec tag; nothing for containers outside of it."""
        length = len(self.annotations)
        if path[:length] == self.annotations:
            return ("annotations", *path[length:])
        return path[len(self.part) :]


STREAM_TAG = View("imagestreamtags", ("tag",), ("metadata", "annotations"))
IMAGE_TAG = View("imagetags", ("spec",), ("spec", "annotations"))
