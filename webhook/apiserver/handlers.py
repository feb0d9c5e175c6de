"""The verbs, each once, over whatever a resource offers (api-server contract 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from webhook.apiserver import bodies, deletion, metadata
from webhook.apiserver.bodies import Shown
from webhook.apiserver.ownership import APPLY_TYPE, check_config
from webhook.apiserver.requestinfo import RequestInfo
from webhook.apiserver.rest import Call, Gone, Listing, Rest, Selection
from webhook.errors import BadRequest, Expired, FieldError, Invalid, Json, NotFound, Timeout, UnsupportedMediaType
from webhook.meta import continuation, decode, jsonpatch, mergepatch, strategicpatch
from webhook.meta.options import ListOptions, Query, WriteOptions
from webhook.meta.selectors import FieldSelector, LabelSelector

_JSON_PATCH, _MERGE = "application/json-patch+json", "application/merge-patch+json"
_STRATEGIC = "application/strategic-merge-patch+json"
PATCH_TYPES = (_JSON_PATCH, _MERGE, _STRATEGIC, APPLY_TYPE)
_PAGE = 500


Texts = list[str]


class Body(NamedTuple):
    """The bytes of a request and the media type that they claim."""

    data: bytes
    content_type: str


class Answer(NamedTuple):
    """What a verb answers: an object, a list of a collection, or a Status."""

    code: int
    body: Shown | Listing


@dataclass(frozen=True)
class Handling:
    """One request on its way through a verb."""

    info: RequestInfo
    rest: Rest
    call: Call
    write: WriteOptions
    # Refuses a new object of that name, for the sake of its namespace (contract 3.10).
    admit: Callable[[str], None]

    def get(self) -> Answer:
        """One object."""
        return Answer(200, self.rest.get(self.call, self.info.name))

    def list(self, options: ListOptions, current: Callable[[], int]) -> Answer:
        """One page of a collection."""
        chosen = selection(self.rest, options, self.scope, current)
        try:
            return Answer(200, self.rest.list(self.call, chosen))
        except Expired as gone:
            if chosen.after is None:
                raise
            raise continuation.ContinueExpired(chosen.after, self.scope) from gone

    @property
    def scope(self) -> str | None:
        """The namespace of a list; None for all of them, "" for a cluster-scoped resource."""
        return (self.info.namespace or None) if self.rest.info.namespaced else ""

    def create(self, body: Body) -> Answer:
        """201 with the new object."""
        obj = self._decoded(body)
        obj = metadata.agree_on_namespace(obj, self.info.namespace)
        self.admit(str(obj["metadata"].get("name") or ""))
        return Answer(201, self.rest.create(self.call, obj))

    def update(self, body: Body) -> Answer:
        """200 with the object as it is now; 201 where the kind creates on update."""
        obj = self._decoded(body)
        metadata.agree_on_name(obj, self.info.name)
        obj = metadata.agree_on_namespace(obj, self.info.namespace)

        def transform(old: Json | None) -> Json:
            self._admit_new(old or {})
            return obj

        shown, created = self.rest.update(self.call, self.info.name, transform)
        return Answer(201 if created else 200, shown)

    def patch(self, body: Body) -> Answer:
        """The patch applied to the object as it is, again where somebody else was faster."""
        apply = self._patcher(body)

        def transform(old: Json | None) -> Json:
            before = old or {}
            self._admit_new(before)
            return self._patched(apply(before), before)

        shown, created = self.rest.update(self.call, self.info.name, transform)
        return Answer(201 if created else 200, shown)

    def apply(self, body: Body) -> Answer:
        """Server-side apply: 201 where it creates the object, else 200 (contract 6.2)."""
        config, duplicates = decode.decode(body.data, "application/yaml", kind=self.rest.kind)
        check_config(config, self.rest.api_version, self.rest.kind)
        self._report(duplicates, patched=False)
        meta = config["metadata"]
        metadata.agree_on_name({"metadata": {**meta, "name": meta.get("name") or self.info.name}}, self.info.name)
        if not self._exists():
            self.admit(self.info.name)
        config = metadata.agree_on_namespace(
            {**config, "metadata": {**meta, "name": self.info.name}}, self.info.namespace
        )
        shown, created = self.rest.apply(self.call, self.info.name, config, force=self.write.force)
        return Answer(201 if created else 200, shown)

    def delete(self, query: Query, body: Body) -> Answer:
        """200 with a Status that names what is gone, or with the object that waits for its finalizers."""
        options = self._delete_options(query, body)
        deleted = self.rest.delete(self.call, self.info.name, options)
        if not isinstance(deleted, Gone):
            return Answer(200, deleted)
        status: Json = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        if deleted.uid:
            named = {"name": self.info.name, "group": self.info.group, "kind": self.info.resource, "uid": deleted.uid}
            status["details"] = {key: value for key, value in named.items() if value}
        return Answer(200, status)

    def deletecollection(self, query: Query, body: Body, options: ListOptions, current: Callable[[], int]) -> Answer:
        """200 with the objects that were selected, at most `limit`; what disappears meanwhile is passed over."""
        asked = self._delete_options(query, body)
        chosen = selection(self.rest, options, self.scope, current)
        deleted: list[Shown] = []
        after = chosen.after
        while True:
            page = self.rest.list(self.call, replace(chosen, limit=chosen.limit or _PAGE, after=after))
            for shown in page.items:
                meta = bodies.decoded(shown)["metadata"]
                within = Call(self.call.user, meta.get("namespace", ""), dry_run=self.call.dry_run)
                try:
                    self.rest.delete(within, meta["name"], asked)
                except NotFound:
                    continue
                deleted.append(shown)
            after = page.after
            if after is None or chosen.limit:
                return Answer(200, page._replace(items=deleted))

    def _admit_new(self, old: Json) -> None:
        """Some kinds create on update: what they show of an object that is not there yet has no uid."""
        if not old.get("metadata", {}).get("uid"):
            self.admit(self.info.name)

    def _exists(self) -> bool:
        try:
            self.rest.get(self.call, self.info.name)
        except NotFound:
            return False
        return True

    def _delete_options(self, query: Query, body: Body) -> deletion.DeleteOptions:
        given = self._read(body, "DeleteOptions")[0] if body.data.strip() else None
        return deletion.options(query, given, self.rest.api_version)

    def _decoded(self, body: Body) -> Json:
        obj, duplicates = self._read(body, self.rest.kind)
        obj = decode.identify(obj, self.rest.api_version, self.rest.kind)
        return self._pruned(obj, duplicates, patched=False)

    def _read(self, body: Body, kind: str) -> tuple[Json, Texts]:
        return decode.decode(body.data, body.content_type, kind=kind, api_version=self.rest.api_version)

    def _pruned(self, obj: Json, findings: Texts, *, patched: bool) -> Json:
        """The object without fields that its schema does not know; what was dropped is an error or a warning."""
        if self.rest.schema is not None:
            obj, unknown = decode.prune(obj, self.rest.schema)
            findings = [*unknown, *findings]
        if not isinstance(obj.get("metadata", {}), dict):
            raise BadRequest("metadata must be an object")
        obj.setdefault("metadata", {})
        self._report(findings, patched=patched)
        return obj

    def _report(self, findings: Texts, *, patched: bool) -> None:
        if not findings or self.write.field_validation == "Ignore":
            return
        if self.write.field_validation != "Strict":
            self.call.warnings.extend(findings)
            return
        text = f"strict decoding error: {', '.join(findings)}"
        if patched:
            raise _bad_patch(text)
        raise BadRequest(
            f'{self.rest.kind} in version "{self.info.version}" cannot be handled as a {self.rest.kind}: {text}'
        )

    def _patcher(self, body: Body) -> Callable[[Json], Json]:
        """What the patch in a body does to an object; the body is read once, before anything is looked up."""
        media_type = decode.media_type(body.content_type)
        if media_type == _JSON_PATCH:
            operations = jsonpatch.parse(body.data)
            return lambda before: jsonpatch.apply(before, operations)
        schema = self.rest.schema
        if media_type != _MERGE and (media_type != _STRATEGIC or schema is None):
            raise UnsupportedMediaType(
                "the body of the request was in an unknown format - accepted media types include: "
                + ", ".join(PATCH_TYPES)
            )
        patch, repeated = mergepatch.parse(body.data)
        self._report(repeated, patched=True)
        if media_type == _MERGE:
            return lambda before: mergepatch.apply(before, patch)
        # What kind of object a strategic patch is of, its path says.
        fields = {key: value for key, value in patch.items() if key not in ("kind", "apiVersion")}
        return lambda before: strategicpatch.apply(before, fields, schema)

    def _patched(self, new: Json, old: Json) -> Json:
        """What a patch made of an object, if that is one of its kind."""
        try:
            new = decode.identify(new, self.rest.api_version, self.rest.kind)
            new = self._pruned(new, [], patched=True)
        except BadRequest as error:
            raise _bad_patch(error.message) from error
        uid = new["metadata"].get("uid")
        if old.get("metadata", {}).get("uid") and uid and uid != old["metadata"]["uid"]:
            finding = FieldError.invalid("metadata.uid", uid, "field is immutable")
            raise Invalid.of(self.rest.kind, self.info.group, self.info.name, [finding])
        metadata.agree_on_name(new, self.info.name)
        return metadata.agree_on_namespace(new, self.info.namespace)


def _bad_patch(why: str) -> Invalid:
    """A patch that leaves no object of its kind (contract 3.7)."""
    cause = FieldError.invalid("patch", "", why)
    return Invalid(str(cause), details={"causes": [cause.cause()]})


def selection(rest: Rest, options: ListOptions, scope: str | None, current: Callable[[], int]) -> Selection:
    """What list options select; `current` tells the newest revision and is asked only where a version is given."""
    labels = LabelSelector.parse(options.label_selector)
    fields = FieldSelector.parse(options.field_selector, rest.fields)
    if options.continue_token:
        token = continuation.decode(options.continue_token, scope)
        at = None if token.rv == continuation.INCONSISTENT else token.rv
        return Selection(labels, fields, options.limit, token.after, at)
    asked = options.version or 0
    # Pages of a version are pages of exactly that one, unless the client says otherwise: so kube-apiserver ever did.
    exact = bool(asked) and (options.match == "Exact" or bool(options.limit and not options.match))
    if asked > current():
        raise too_large(asked, current(), final=exact)
    return Selection(labels, fields, options.limit, None, asked if exact else None)


def too_large(asked: int, current: int, *, final: bool = False) -> Timeout:
    """The failure of a read at a version that does not exist yet (contract 3.5); waiting helps unless it is `final`."""
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return Timeout(
        f"Timeout: Too large resource version: {asked}, current: {current}",
        details={"causes": causes} if final else {"causes": causes, "retryAfterSeconds": 1},
        headers={} if final else {"Retry-After": "1"},
    )
