"""What the server completes in a stream's status: repository addresses, generations of events (image-api 2.3, 2.4)."""

from __future__ import annotations

from webhook.errors import Json
from webhook.image import history, pullspec, tags


def with_repository(stream: Json, integrated: str, public: str) -> Json:
    """The stream with its computed repository addresses in front of its status.

    `integrated` and `public` are registry hosts, empty where there is none.
    """
    meta, spec = stream["metadata"], stream.get("spec") or {}
    namespace, name = meta.get("namespace", ""), meta.get("name", "")
    kept = dict(stream.get("status") or {})
    for key in ("dockerImageRepository", "publicDockerImageRepository"):
        kept.pop(key, None)
    repository = pullspec.repository(namespace, name, spec.get("dockerImageRepository", ""), integrated)
    computed = {"dockerImageRepository": repository}
    if public:
        computed["publicDockerImageRepository"] = f"{public}/{namespace}/{name}"
    return {**stream, "status": {**computed, **kept}}


def after_status_write(new: Json, old: Json) -> Json:
    """What a write to `/status` stores: the old tags and repository of the spec, the new status.

    Labels, annotations and the lookup policy are not restored: the original lets a status write change them.
    """
    spec = {**(new.get("spec") or {})}
    for key in ("tags", "dockerImageRepository"):
        spec.pop(key, None)
        if key in (old.get("spec") or {}):
            spec[key] = old["spec"][key]
    meta = {**new["metadata"], "generation": old["metadata"].get("generation")}
    status = dict(new.get("status") or {})
    status.setdefault("dockerImageRepository", "")
    stream = {**new, "metadata": meta, "spec": spec, "status": status}
    for entry in tags.status_tags(stream):
        stream = history.with_entry(stream, _with_generation(entry, stream, old))
    return stream


def _with_generation(entry: Json, stream: Json, old: Json) -> Json:
    """An event written with generation 0 gets the stream's, or its spec tag's where nothing but that is new."""
    items = entry.get("items") or []
    if not items or items[0].get("generation"):
        return entry
    before = history.head(old, entry["tag"])
    generation = stream["metadata"].get("generation") or 0
    spec_tag = tags.spec_tag(stream, entry["tag"])
    if before is not None and _is_other(items[0], before) and spec_tag is not None and spec_tag.get("generation"):
        generation = spec_tag["generation"]
    return {**entry, "items": [{**items[0], "generation": generation}, *items[1:]]}


def _is_other(new: Json, old: Json) -> bool:
    same = all((new.get(key) or "") == (old.get(key) or "") for key in ("image", "dockerImageReference"))
    return not same or (old.get("generation") or 0) > (new.get("generation") or 0)
