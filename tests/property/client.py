"""Random requests of clients that write streams and their tags, each told to the model and sent to the server."""

from __future__ import annotations

import json
import random
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.property import fields
from tests.property.model import IMAGE_TAG, STREAM_TAG, Model, Refused, Tag, View, Wish, stream_json, tag_json
from tests.unit.apiserver.api import JSON_PATCH, MERGE, STRATEGIC, mapping, path
from webhook.apiserver.app import create_app
from webhook.meta.identity import ADMINISTRATOR
from webhook.settings import Settings
from webhook.storage.memory import MemoryStore

APPLY = "application/apply-patch+yaml"
STREAMS = ("php", "ruby")
TAGS = ("1", "2", "latest", "stable")
# Tags that may follow others, which never makes a circle.
SOURCES = {"latest": ("stable", "1"), "stable": ("1", "2")}
APPLIERS = ("m1", "m2", "m3")
UPDATERS = ("u1", "u2", "m1")
DIGESTS = tuple(f"sha256:{digit * 64}" for digit in "ab")
CONFLICT = "FieldManagerConflict"
Json = dict[str, Any]


class Client:
    """Random requests, each sent to the server and told to the model."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        app = create_app(MemoryStore(), Settings(), authenticate=lambda environ: ADMINISTRATOR)
        self.http, self.model = app.test_client(), Model()
        self.last: deque[str] = deque(maxlen=20)
        self.done = 0
        self.counts: Counter[str] = Counter()
        self.versions: dict[str, str] = {}

    def step(self) -> str:
        """One write; the name of its stream."""
        name = self.random.choice(STREAMS)
        known = name in self.model.streams
        operations = [self.create, self.apply, self.put_tag, self.apply_tag, self.apply_tag]
        if known:
            patches = [self.merge_patch, self.strategic_patch, self.json_patch]
            operations += [*patches, *patches, self.put, self.put, self.apply, self.apply, self.apply]
            operations += [self.tag_again, self.annotate_tag, self.push, self.push, self.delete_tag]
        if self.random.random() < 0.02 or (not known and self.random.random() < 0.1):
            operations = [self.delete, self.put, self.merge_patch, self.push, self.delete_tag]
        operation = self.random.choice(operations)
        self.counts[operation.__name__] += 1
        operation(name)
        self.done += 1
        return name

    # what clients send

    def create(self, name: str) -> None:
        wish = self.wish()
        body = {**typed("ImageStream", name), **stream_json(wish)}
        body["metadata"] = {"name": name, "labels": wish.labels}
        who = self.random.choice(UPDATERS)
        self.send("POST", path("imagestreams"), body, who, 201, partial(self.model.create, name, who, wish))

    def put(self, name: str) -> None:
        """From scratch, from what was read, or just that, but for generations that are not the client's to set."""
        wish, stream = self.wish(), self.model.streams.get(name)
        if stream and self.random.random() < 0.2:
            wish = Wish(
                stream.labels, stream.local, {key: {**tag, "generation": 99} for key, tag in stream.tags.items()}
            )
        elif stream and self.random.random() < 0.5:
            wish = Wish({**stream.labels}, wish.local, {**stream.tags, **dict(list(wish.tags.items())[:1])})
        body = {**typed("ImageStream", name), **stream_json(wish)}
        body["metadata"] = {"name": name, "labels": wish.labels, "resourceVersion": self.version(name)}
        who = self.random.choice(UPDATERS)
        self.send("PUT", at(name), body, who, 200, partial(self.model.update, name, who, wish))

    def merge_patch(self, name: str) -> None:
        stream = self.model.streams.get(name) or Wish()
        wish, patch = Wish(dict(stream.labels), stream.local, stream.tags), {}
        if self.random.random() < 0.6:
            patch["metadata"] = {"labels": self.label_patch(wish)}
        if self.random.random() < 0.6:
            other = self.wish()
            wish.tags, wish.local = other.tags, other.local
            patch["spec"] = {"tags": [], **stream_json(other)["spec"]}
        who = self.random.choice(UPDATERS)
        self.send("PATCH", at(name), patch, who, 200, partial(self.model.update, name, who, wish), MERGE)

    def strategic_patch(self, name: str) -> None:
        stream = self.model.streams[name]
        wish = Wish(dict(stream.labels), stream.local, {key: dict(tag) for key, tag in stream.tags.items()})
        items = [self.tag_patch(wish, tag) for tag in self.random.sample(TAGS, self.random.randint(0, 2))]
        patch: Json = {"spec": {"tags": items}}
        if self.random.random() < 0.3:
            patch["metadata"] = {"labels": self.label_patch(wish)}
        who = self.random.choice(UPDATERS)
        self.send("PATCH", at(name), patch, who, 200, partial(self.model.update, name, who, wish), STRATEGIC)

    def tag_patch(self, wish: Wish, tag: str) -> Json:
        """A random change of one tag; the wish gets it too."""
        known = wish.tags.get(tag, {})
        what = self.random.randrange(5)
        if what == 0:
            wish.tags.pop(tag, None)
            return {"name": tag, "$patch": "delete"}
        changed, patch = dict(known), {"name": tag}
        if what == 1:
            changed["generation"] = patch["generation"] = 0
        elif what == 2:
            changed["from"] = patch["from"] = self.source(tag)
        elif what == 3:
            changed["scheduled"] = not known.get("scheduled")
            patch["importPolicy"] = {"scheduled": changed["scheduled"]}
        else:
            note = self.random.choice((None, "a", "b"))
            patch["annotations"] = {"note": note}
            left = {key: value for key, value in known.get("annotations", {}).items() if key != "note"}
            changed["annotations"] = left if note is None else {**left, "note": note}
        wish.tags[tag] = changed
        return patch

    def json_patch(self, name: str) -> None:
        stream = self.model.streams[name]
        wish = Wish(dict(stream.labels), stream.local, {key: dict(tag) for key, tag in stream.tags.items()})
        tag = self.random.choice(TAGS)
        patch = [{"op": "replace", "path": "/spec/lookupPolicy/local", "value": not wish.local}]
        wish.local = not wish.local
        if tag in wish.tags:
            where = f"/spec/tags/{sorted(wish.tags).index(tag)}"
            if self.random.random() < 0.5:
                patch.append({"op": "remove", "path": where})
                del wish.tags[tag]
            else:
                wish.tags[tag]["from"] = self.source(tag)
                patch.append({"op": "replace", "path": f"{where}/from", "value": wish.tags[tag]["from"]})
        elif wish.tags:
            added = self.tag(tag)
            patch.append({"op": "add", "path": "/spec/tags/-", "value": {"name": tag, **tag_json(added)}})
            wish.tags[tag] = added
        if "team" in wish.labels:
            patch.append({"op": "remove", "path": "/metadata/labels/team"})
            del wish.labels["team"]
        who = self.random.choice(UPDATERS)
        self.send("PATCH", at(name), patch, who, 200, partial(self.model.update, name, who, wish), JSON_PATCH)

    def apply(self, name: str) -> None:
        config, force, manager = self.config(), self.random.random() < 0.3, self.random.choice(APPLIERS)
        body = {**typed("ImageStream", name), **config}
        body["metadata"] = {"name": name, **config.get("metadata", {})}
        known = {one: value for one, value in fields.flat(config).items() if one != ("metadata",)}
        code = 200 if name in self.model.streams else 201
        act = partial(self.model.apply, name, manager, known, force)
        self.send("PATCH", at(name), body, manager, code, act, APPLY, force=force)

    def delete(self, name: str) -> None:
        self.send("DELETE", at(name), None, "", 200, partial(self.model.delete, name))

    def put_tag(self, name: str) -> None:
        tag, view, who = self.random.choice(TAGS), self.view(), self.random.choice(UPDATERS)
        wanted = self.tag(tag)
        stream = self.model.streams.get(name)
        is_new = stream is None or tag not in stream.tags
        body = tag_body(view, name, tag, wanted)
        act = partial(self.model.put_tag, name, tag, who, wanted, view)
        self.send("PUT", path(view.resource, f"{name}:{tag}"), body, who, 201 if is_new else 200, act)

    def tag_again(self, name: str) -> None:
        """A POST, which does not replace."""
        tag, who = self.random.choice(TAGS), self.random.choice(UPDATERS)
        wanted = {key: value for key, value in self.tag(tag).items() if key != "annotations"}
        body = tag_body(STREAM_TAG, name, tag, wanted)
        act = partial(self.model.post_tag, name, tag, who, wanted, STREAM_TAG)
        self.send("POST", path("imagestreamtags"), body, who, 201, act)

    def annotate_tag(self, name: str) -> None:
        tag, who = self.random.choice(TAGS), self.random.choice(UPDATERS)
        given = {"note": self.random.choice("ab")}
        act = partial(self.model.annotate_tag, name, tag, who, given, STREAM_TAG)
        body = {"metadata": {"annotations": given}}
        self.send("PATCH", path("imagestreamtags", f"{name}:{tag}"), body, who, 200, act, MERGE)

    def apply_tag(self, name: str) -> None:
        tag, view, force = self.random.choice(TAGS), self.view(), self.random.random() < 0.3
        manager, part = self.random.choice(APPLIERS), self.some_of(tag)
        annotations = part.pop("annotations", None)
        config: Json = {view.part[0]: part} if self.random.random() < 0.8 else {}
        if annotations and view is STREAM_TAG:
            config["metadata"] = {"annotations": annotations}
        elif annotations and config:
            config["spec"]["annotations"] = annotations
        kind = "ImageStreamTag" if view is STREAM_TAG else "ImageTag"
        body = {**typed(kind, name), **config}
        body["metadata"] = {"name": f"{name}:{tag}", **config.get("metadata", {})}
        stream = self.model.streams.get(name)
        flat = {one: value for one, value in fields.flat(config).items() if one != ("metadata",)}
        wants = view.part in flat or bool(annotations and config)
        code = 201 if stream is None or (wants and tag not in stream.tags) else 200
        act = partial(self.model.apply_tag, name, tag, manager, flat, view, force)
        self.send("PATCH", path(view.resource, f"{name}:{tag}"), body, manager, code, act, APPLY, force=force)

    def delete_tag(self, name: str) -> None:
        tag, view = self.random.choice(TAGS), self.view()
        act = partial(self.model.delete_tag, name, tag)
        self.send("DELETE", path(view.resource, f"{name}:{tag}"), None, "", 200, act)

    def push(self, name: str) -> None:
        tag, digest = self.random.choice(TAGS), self.random.choice(DIGESTS)
        reference = f"quay.io/acme/app:{self.random.randint(1, 2)}"
        body = mapping(tag, digest, name=name, dockerImageReference=reference)
        act = partial(self.model.push_image, name, tag, reference, digest)
        self.send("POST", path("imagestreammappings"), body, "registry", 201, act)

    # random parts

    def wish(self) -> Wish:
        labels = {key: self.random.choice("ab") for key in ("team", "tier") if self.random.random() < 0.4}
        tags = {tag: self.tag(tag) for tag in self.random.sample(TAGS, self.random.randint(0, 3))}
        return Wish(labels, self.random.random() < 0.5, tags)

    def label_patch(self, wish: Wish) -> Json:
        key, value = self.random.choice(("team", "tier")), self.random.choice((None, "a", "b"))
        wish.labels = {one: text for one, text in wish.labels.items() if one != key} | ({key: value} if value else {})
        return {key: value}

    def tag(self, name: str) -> Tag:
        tag: Tag = {"from": self.source(name)} if self.random.random() < 0.9 else {}
        if self.random.random() < 0.3:
            tag["annotations"] = {self.random.choice(("note", "owner")): self.random.choice("ab")}
        if tag.get("from", {}).get("kind") == "DockerImage":
            tag |= {key: True for key in ("reference", "scheduled") if self.random.random() < 0.3}
        return tag

    def source(self, name: str) -> Json:
        if name in SOURCES and self.random.random() < 0.6:
            return {"kind": "ImageStreamTag", "name": self.random.choice(SOURCES[name])}
        return {"kind": "DockerImage", "name": f"quay.io/acme/app:{self.random.randint(1, 3)}"}

    def config(self) -> Json:
        config: Json = {}
        if self.random.random() < 0.5:
            config["metadata"] = {"labels": {self.random.choice(("team", "tier")): self.random.choice("ab")}}
        spec: Json = {"lookupPolicy": {"local": self.random.random() < 0.5}} if self.random.random() < 0.4 else {}
        tags = [{"name": tag, **self.some_of(tag)} for tag in self.random.sample(TAGS, self.random.randint(0, 3))]
        spec |= {"tags": tags} if tags else {}
        return config | ({"spec": spec} if spec else {})

    def some_of(self, tag: str) -> Json:
        """Some fields of a tag, as a config has them."""
        found: Json = {"from": self.source(tag)} if self.random.random() < 0.6 else {}
        if self.random.random() < 0.3:
            found["annotations"] = {self.random.choice(("note", "owner")): self.random.choice("ab")}
        if self.random.random() < 0.15:
            found["importPolicy"] = {"scheduled": True}
        return found

    def view(self) -> View:
        return self.random.choice((STREAM_TAG, STREAM_TAG, IMAGE_TAG))

    # sending

    def version(self, name: str) -> str:
        return self.versions.get(name, "1")

    def send(
        self,
        method: str,
        url: str,
        body: Any,
        who: str,
        code: int,
        act: Callable[[], Any],
        kind: str = "application/json",
        *,
        force: bool = False,
    ) -> None:
        """The model acts first; where it refuses, the server must refuse in the same way."""
        query = f"?fieldManager={who}" + ("&force=true" if force else "")
        self.last.append(f"{method} {url}{query} {kind} {json.dumps(body)}")
        owned: set[tuple[str, str]] = set()
        try:
            act()
        except Refused as refused:
            code, owned = refused.code, refused.owned
        self.counts[f"{code} of conflicts" if owned else str(code)] += 1
        data = None if body is None else json.dumps(body)
        answer = self.http.open(url + query, method=method, data=data, content_type=kind)
        assert answer.status_code == code, f"{answer.status} instead of {code}: {answer.get_data(as_text=True)}"
        causes = ((answer.json or {}).get("details") or {}).get("causes") or []
        told = {(one["message"].split('"')[1], one["field"]) for one in causes if one["reason"] == CONFLICT}
        assert told == owned


def typed(kind: str, name: str) -> Json:
    return {"apiVersion": "image.openshift.io/v1", "kind": kind, "metadata": {"name": name}}


def at(name: str) -> str:
    return path("imagestreams", name)


def tag_body(view: View, name: str, tag: str, wanted: Tag) -> Json:
    spec = tag_json(wanted)
    if view is IMAGE_TAG:
        return {**typed("ImageTag", f"{name}:{tag}"), "spec": {"name": tag, **spec}}
    body = typed("ImageStreamTag", f"{name}:{tag}")
    body["metadata"] |= {"annotations": spec.pop("annotations")} if "annotations" in spec else {}
    return {**body, "tag": spec}
