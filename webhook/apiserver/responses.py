"""How answers go out: as the object itself, as a Table, or as its metadata alone, and every failure as a Status."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from http import HTTPStatus

import msgspec
import yaml
from flask import Response

from webhook.apiserver import bodies
from webhook.apiserver.bodies import Pieces, Shown
from webhook.apiserver.rest import Listing, Rest
from webhook.errors import Json, NotAcceptable, StatusError
from webhook.meta import continuation, negotiation, partial, table
from webhook.meta.negotiation import Representation
from webhook.meta.options import Query, include_object

UNCACHED = {"Cache-Control": "no-cache, private"}
_GZIP_FROM = 128 * 1024
_PRETTY_AGENTS = ("curl", "Wget", "Mozilla/5.0")
_WARNINGS_LIMIT = 4096


def acceptable(rest: Rest, accept: str | None, *, streamed: bool = False) -> Representation:
    """The representation that the client wants and the resource, or a watch of it, has."""
    wanted = negotiation.negotiate(accept, negotiation.STREAMED if streamed else negotiation.SERVED)
    if wanted.kind == "table" and not rest.has_table:
        raise NotAcceptable("only the following media types are accepted: application/json, application/yaml")
    return wanted


def represent(
    rest: Rest, body: Shown | Listing, wanted: Representation, query: Query, scope: str | None
) -> Json | Pieces:
    """The answer in the shape that was asked for; a Status stays a Status."""
    if isinstance(body, dict) and body.get("kind") == "Status" and rest.kind != "Status":
        return body
    is_list = isinstance(body, Listing)
    negotiation.check_pairing(wanted, is_list=is_list, go_type=f"*v1.{rest.kind}{'List' if is_list else ''}")
    if wanted.kind == "object":
        return _collection(rest, body, scope) if isinstance(body, Listing) else bodies.whole(body)
    items = [bodies.decoded(one) for one in (body.items if isinstance(body, Listing) else [body])]
    meta = list_meta(body, scope) if isinstance(body, Listing) else _single_meta(items[0])
    if wanted.kind == "table":
        return as_table(rest, items, meta, wanted, query)
    if wanted.kind == "partiallist":
        return partial.object_list(items, meta, wanted.api_version)
    return partial.single(items[0], wanted.api_version)


def _collection(rest: Rest, listing: Listing, scope: str | None) -> Pieces:
    meta = list_meta(listing, scope)
    return bodies.listed({"kind": f"{rest.kind}List", "apiVersion": rest.api_version, "metadata": meta}, listing.items)


def as_table(rest: Rest, items: list[Json], meta: Json, wanted: Representation, query: Query) -> Json:
    """The objects as rows, with the columns of their kind or just name and age."""
    rows = []
    for obj in items:
        cells = rest.row(obj)
        rows.append((table.fallback_cells(obj) if cells is None else cells, obj))
    columns = rest.columns or table.FALLBACK_COLUMNS
    return table.build(columns, rows, meta, include=include_object(query), api_version=wanted.api_version)


def list_meta(listing: Listing, scope: str | None) -> Json:
    """The metadata of a list: version, and where the next page starts."""
    meta: Json = {}
    if listing.revision is not None:
        meta["resourceVersion"] = str(listing.revision)
    if listing.after is not None and listing.revision is not None:
        meta["continue"] = continuation.encode(listing.revision, listing.after, scope)
        if listing.remaining:
            meta["remainingItemCount"] = listing.remaining
    return meta


def _single_meta(obj: Json) -> Json:
    version = (obj.get("metadata") or {}).get("resourceVersion")
    return {"resourceVersion": version} if version else {}


def respond(
    code: int,
    body: Json | Pieces,
    *,
    media_type: str = negotiation.JSON,
    pretty: bool = False,
    accepts_gzip: bool = False,
    warnings: Iterable[str] = (),
) -> Response:
    """The bytes on the wire, compressed where they are many and the client can read that."""
    data = b"".join((*(body if isinstance(body, list) else (msgspec.json.encode(body),)), b"\n"))
    if media_type == negotiation.YAML:
        data = yaml.safe_dump(msgspec.json.decode(data), allow_unicode=True, width=float("inf")).encode()
    elif pretty:
        data = msgspec.json.format(data, indent=2) + b"\n"
    # Not werkzeug's capitals: clients compare the phrase (`Not Found`).
    response = Response(data, f"{code} {HTTPStatus(code).phrase}", UNCACHED, content_type=media_type)
    if accepts_gzip and len(data) > _GZIP_FROM:
        response.set_data(gzip.compress(data, 1))
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
    for text in warning_headers(warnings):
        response.headers.add("Warning", text)
    return response


def failure(error: StatusError, *, media_type: str = negotiation.JSON, pretty: bool = False) -> Response:
    """A failure as its Status."""
    response = respond(error.code, error.status(), media_type=media_type, pretty=pretty, warnings=error.warnings)
    response.headers.extend(error.headers)
    if error.code == 403:
        response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def wants_pretty(query: Query, user_agent: str) -> bool:
    """True for people: those who ask for it, and those behind curl, wget or a browser (contract 3.1)."""
    if "pretty" in query:
        return query["pretty"][0].lower() in ("", "1", "true")
    return user_agent.startswith(_PRETTY_AGENTS)


def warning_headers(warnings: Iterable[str]) -> list[str]:
    """`Warning` header values, each text once, none with control characters, within 4096 characters (contract 3.3)."""
    texts = [one for one in dict.fromkeys(warnings) if one.isprintable()]
    if sum(map(len, texts)) > _WARNINGS_LIMIT:
        texts = [one[:256] for one in texts]
    headers: list[str] = []
    used = 0
    for text in texts:
        used += len(text)
        if used > _WARNINGS_LIMIT:
            break
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        # A WSGI header is latin-1 on its way out; the bytes are UTF-8, as Kubernetes sends them.
        headers.append(f'299 - "{quoted}"'.encode().decode("latin-1"))
    return headers
