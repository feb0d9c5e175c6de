"""The API server as a Flask application: one request's way from the path to the answer (api-server contract 0.2)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response

from webhook.apiserver import requestinfo, responses, watching
from webhook.apiserver.catalog import Catalog, build
from webhook.apiserver.documents import Documents
from webhook.apiserver.handlers import Answer, Body, Handling, too_large
from webhook.apiserver.ownership import APPLY_TYPE
from webhook.apiserver.requestinfo import RequestInfo
from webhook.apiserver.rest import Call, Rest
from webhook.apiserver.sandbox import Mutate
from webhook.apiserver.stored import StoredRest
from webhook.errors import (
    InternalError,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    RequestEntityTooLarge,
    ServiceUnavailable,
    StatusError,
    details_of,
    qualified,
)
from webhook.meta import decode, negotiation, options
from webhook.meta.identity import User
from webhook.meta.negotiation import Representation
from webhook.settings import Settings
from webhook.storage.store import StorageError, Store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

Authenticate = Callable[[Mapping[str, Any]], User]
MAX_BODY = 3 * 1024 * 1024
_WRITES = {"create": "Create", "update": "Update", "patch": "Patch"}
# An update may take the last finalizer away.
_REMOVERS = ("delete", "deletecollection", "update", "patch")
_UNKNOWN = "the server could not find the requested resource"
_NO_PAGE = "404 page not found\n"


def create_app(
    store: Store,
    settings: Settings,
    *,
    authenticate: Authenticate,
    mutate: Mutate | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Flask:
    """The application over `store`.

    `authenticate` finds the user of a WSGI environment or raises Unauthorized; `mutate` admits the sandbox's workloads;
    `stopping` turns true when open watches must end.
    """
    return _App(_Server(build(store, settings, mutate), store, authenticate, stopping, settings.watches))


class _App(Flask):
    """A Flask application with one view for every path: what finds the view is left out (decision 0005)."""

    def __init__(self, server: _Server) -> None:
        super().__init__("imagestreams")
        self._server = server

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return self._server.answer(self.request_class(environ))(environ, start_response)


class _Server:
    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        authenticate: Authenticate,
        stopping: Callable[[], bool],
        most_watches: int,
    ) -> None:
        self.catalog, self.store = catalog, store
        self.authenticate, self.stopping = authenticate, stopping
        self.watches = watching.OpenWatches(most_watches)
        self.documents = Documents(catalog.infos())

    def answer(self, request: Request) -> Response:
        """Every request: a failure becomes its Status here and nowhere else."""
        query = request.args.to_dict(flat=False)
        pretty = responses.wants_pretty(query, request.headers.get("User-Agent", ""))
        try:
            response = self._routed(request, query, pretty)
        except StatusError as error:
            response = responses.failure(error, media_type=_media_type(request), pretty=pretty)
        except StorageError as error:
            log.error("storage failed: %s", error)
            unavailable = ServiceUnavailable(f"the storage is not available: {error}", headers={"Retry-After": "1"})
            response = responses.failure(unavailable)
        except Exception:
            log.exception("unexpected failure of %s %s", request.method, request.path)
            response = responses.failure(InternalError.of("an unexpected failure, see the server's log"))
        if audit := request.headers.get("Audit-Id"):
            response.headers["Audit-Id"] = audit
        return response

    def _routed(self, request: Request, query: options.Query, pretty: bool) -> Response:
        # Not request.path, in which several leading slashes have become one.
        if not requestinfo.is_plain(request.environ.get("PATH_INFO", "/")):
            return Response(_NO_PAGE, 404, content_type="text/plain; charset=utf-8")
        user = self.authenticate(request.environ)
        info = requestinfo.parse(request.method, request.path, watch=_is_watch(query))
        if info is not None:
            return self._served(request, info, user, query, pretty)
        wanted = request.args.get("hash", "")
        document = self.documents.find(request.method, request.path, dict(request.headers), wanted)
        if document is not None:
            return document
        return Response(_NO_PAGE, 404, content_type="text/plain; charset=utf-8")

    def _served(self, request: Request, info: RequestInfo, user: User, query: options.Query, pretty: bool) -> Response:
        rest = self._rest(info)
        wanted = responses.acceptable(rest, request.headers.get("Accept"), streamed=info.verb == "watch")
        listing = options.list_options(query) if info.verb in ("list", "watch", "deletecollection") else None
        write = _write_options(request, info, query)
        call = Call(user, info.namespace, dry_run=write.dry_run, field_manager=write.field_manager)
        handling = Handling(info, rest, call, write, lambda name: self.catalog.check_namespace(info, name))
        if info.verb == "watch":
            assert listing is not None
            return self._watch(request, handling, listing, wanted, query)
        try:
            answer = self._verb(request, handling, query, listing)
        except StatusError as error:
            error.warnings = call.warnings
            raise
        if info.verb in _REMOVERS:
            self.catalog.settle_namespace(call)
        return responses.respond(
            answer.code,
            responses.represent(rest, answer.body, wanted, query, handling.scope),
            media_type=wanted.media_type,
            pretty=pretty,
            accepts_gzip="gzip" in request.headers.get("Accept-Encoding", ""),
            warnings=call.warnings,
        )

    def _watch(
        self,
        request: Request,
        handling: Handling,
        listing: options.ListOptions,
        wanted: Representation,
        query: options.Query,
    ) -> Response:
        rest, call = handling.rest, handling.call
        assert isinstance(rest, StoredRest)
        chosen = watching.options_for(rest, listing, handling.info.name, handling.scope)
        if wanted.kind == "table":
            # While there is still a status line to refuse it with.
            options.include_object(query)
        with ExitStack() as ending:
            self.watches.enter()
            ending.callback(self.watches.leave)
            gone = watching.ClientGone(request.environ.get("gunicorn.socket"), self.stopping)
            ending.callback(gone.close)
            watch = watching.Watch(rest, call, chosen, listing, wanted, query, gone, shared=self.watches.lines)
            response = Response(watch.lines(), 200, responses.UNCACHED, content_type=negotiation.JSON)
            response.call_on_close(ending.pop_all().close)
        return response

    def _verb(
        self, request: Request, handling: Handling, query: options.Query, listing: options.ListOptions | None
    ) -> Answer:
        verb = handling.info.verb
        if verb == "get":
            self._check_reached((query.get("resourceVersion") or [""])[0])
            return handling.get()
        if verb == "list":
            assert listing is not None
            return handling.list(listing, self.store.revision)
        body = _body(request)
        if verb == "create":
            return handling.create(body)
        if verb == "update":
            return handling.update(body)
        if _is_apply(request, handling.info):
            return handling.apply(body)
        if verb == "patch":
            return handling.patch(body)
        if verb == "delete":
            return handling.delete(query, body)
        assert listing is not None
        return handling.deletecollection(query, body, listing, self.store.revision)

    def _check_reached(self, version: str) -> None:
        """A read "at least as new as" a version fails where that version is not there yet."""
        options.check_version(version)
        if version and int(version) > (current := self.store.revision()):
            raise too_large(int(version), current)

    def _rest(self, info: RequestInfo) -> Rest:
        """The resource of a path that has the verb; 404 where there is no such path, 405 where it lacks the verb."""
        rest = self.catalog.find(info.group, info.version, info.resource, info.subresource)
        if rest is None or (info.name and not _has_named(rest)) or (not info.name and not _has_collection(rest)):
            raise NotFound(_UNKNOWN, details={})
        if info.subresource and not info.name:
            raise NotFound(_UNKNOWN, details={})
        scoped = rest.info.namespaced
        if scoped and not info.namespace and not info.name and "list" not in rest.verbs:
            raise NotFound(_UNKNOWN, details={})
        if not scoped and info.namespace:
            raise NotFound(_UNKNOWN, details={})
        if scoped and not info.namespace and info.name:
            raise NotFound(_UNKNOWN, details={})
        needs_namespace = scoped and not info.namespace and info.verb in ("create", "deletecollection")
        creates_by_name = info.verb == "create" and info.name and not info.subresource
        if info.verb == "watch" and info.verb not in rest.verbs:
            name = qualified(info.resource, info.group)
            details = details_of(info.resource, info.group, "")
            raise MethodNotAllowed(f'watch is not supported on resources of kind "{name}"', details=details)
        if info.verb not in rest.verbs or needs_namespace or creates_by_name:
            raise MethodNotAllowed("the server does not allow this method on the requested resource", details={})
        return rest


def _has_named(rest: Rest) -> bool:
    return bool({"get", "update", "patch", "delete"} & set(rest.verbs))


def _has_collection(rest: Rest) -> bool:
    return bool({"list", "create", "deletecollection"} & set(rest.verbs))


def _write_options(request: Request, info: RequestInfo, query: options.Query) -> options.WriteOptions:
    """How to write; a deletion has options of its own."""
    if info.verb not in _WRITES:
        return options.WriteOptions()
    user_agent = request.headers.get("User-Agent", "")
    apply = _is_apply(request, info)
    return options.write_options(query, _WRITES[info.verb], apply=apply, user_agent=user_agent)


def _is_apply(request: Request, info: RequestInfo) -> bool:
    return info.verb == "patch" and decode.media_type(request.headers.get("Content-Type")) == APPLY_TYPE


def _media_type(request: Request) -> str:
    """In which format a failure is told: what the client accepts, and JSON where that cannot be told."""
    try:
        return negotiation.negotiate(request.headers.get("Accept")).media_type
    except NotAcceptable:
        return negotiation.JSON


def _is_watch(query: options.Query) -> bool:
    return "watch" in query and query["watch"][0].lower() not in ("false", "0")


def _body(request: Request) -> Body:
    """The body, bounded before and while it is read (contract 3.2)."""
    too_large = RequestEntityTooLarge(f"Request entity too large: limit is {MAX_BODY}", details={})
    if (request.content_length or 0) > MAX_BODY:
        raise too_large
    data = request.stream.read(MAX_BODY + 1)
    if len(data) > MAX_BODY:
        raise too_large
    return Body(data, request.headers.get("Content-Type", ""))
