"""Reads of one stored kind: one object, a page of a collection, and which of its records a selection chooses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from webhook.apiserver import bodies
from webhook.apiserver.bodies import Collected, Encoded, Layout
from webhook.apiserver.rest import Call, Listing, Rest, Row, Selection
from webhook.apiserver.strategy import Strategy
from webhook.errors import Expired, Json, NotFound, qualified
from webhook.meta.resources import ResourceInfo
from webhook.storage.store import Compacted, Key, Page, Record, Records, Store

_SEARCH_PAGE = 500
_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list"
    " without the continue parameter."
)


class ReadRest(Rest):
    """The reading half of `StoredRest`."""

    def __init__(
        self,
        info: ResourceInfo,
        store: Store,
        strategy: Strategy,
        *,
        schema: Any = None,
        fields: frozenset[str] = frozenset(),
        columns: list[Json] | None = None,
        row: Row | None = None,
    ) -> None:
        self.info, self.store, self.strategy, self.schema = info, store, strategy, schema
        self.fields = Rest.fields | fields
        self.columns, self._row = columns, row
        self.key = qualified(info.resource, info.group)
        self.layout = Layout(self.kind, self.api_version, strategy.rules, strategy.decorate, strategy.restore)
        self._selected = msgspec.json.Decoder(strategy.selected)

    def show(self, record: Record) -> Encoded:
        """The object of a record, as it is shown."""
        return self.layout.shown(record, self.strategy.view)

    def raw(self, record: Record) -> Json:
        """The object of a record as it was stored, with its resource version."""
        return self.layout.stored(record)

    def find(self, namespace: str, name: str) -> Json | None:
        """One object as it was stored, or None."""
        record = self.store.get(self.key, namespace, name)
        return None if record is None else self.raw(record)

    def existing(self, namespace: str, name: str) -> Record:
        """The record of an object, or NotFound."""
        record = self.store.get(self.key, namespace, name)
        if record is None:
            raise NotFound.of(self.info.resource, self.info.group, name)
        return record

    def get(self, call: Call, name: str) -> Encoded:
        """One object, or NotFound."""
        return self.show(self.existing(call.namespace, name))

    def list(self, call: Call, selection: Selection) -> Listing:
        """A page: selectors are applied after reading, so several reads may be needed to fill it."""
        found: Records = []
        after, at = selection.after, selection.at
        while True:
            page = self._page(call, selection, after, at)
            at, after = page.rv, page.next
            found += self._chosen(page.records, selection)
            if selection.limit and len(found) >= selection.limit:
                return self._filled(found[: selection.limit], selection, page)
            if after is None:
                return Listing(self._shown(found), page.rv)

    def _chosen(self, records: Records, selection: Selection) -> Records:
        return [one for one in records if self.matches(one, selection)] if selection.selects else records

    def _filled(self, found: Records, selection: Selection, page: Page) -> Listing:
        last = found[-1]
        if page.next is None and last is page.records[-1]:
            return Listing(self._shown(found), page.rv)
        remaining = None if selection.selects else page.remaining
        return Listing(self._shown(found), page.rv, (last.namespace, last.name), remaining)

    def _shown(self, records: Records) -> Collected:
        return Collected(self.layout, self.strategy.view, records)

    def _page(self, call: Call, selection: Selection, after: Key | None, at: int | None) -> Page:
        """With a selector much is read for few that match, so pages are larger then."""
        limit = max(selection.limit, _SEARCH_PAGE) if selection.limit and selection.selects else selection.limit
        try:
            return self.store.list(self.key, call.namespace or None, limit=limit, after=after, at=at)
        except Compacted as gone:
            raise Expired(_EXPIRED) from gone

    def matches(self, record: Record, selection: Selection) -> bool:
        """True where the selectors choose the object; no more of it is decoded than they look at."""
        obj = self.layout.thin(record, self._selected)
        labels = obj["metadata"].get("labels") or {}
        return selection.labels.matches(labels) and selection.fields.matches(self.selectable(obj))

    def selectable(self, obj: Json) -> Mapping[str, str]:
        """The values that field selectors compare."""
        return {**super().selectable(obj), **self.strategy.selectable(obj)}


def objects(listing: Listing) -> list[Json]:
    """The objects of a page, for those who build other things of them."""
    return [bodies.decoded(one) for one in listing.items]
