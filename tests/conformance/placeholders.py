"""What changes from run to run becomes a placeholder, the same way as in the recordings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_TIME_KEYS = {
    "creationTimestamp",
    "lastTransitionTime",
    "created",
    "deletionTimestamp",
    "lastTriggeredTime",
    "openshift.io/image.dockerRepositoryCheck",
}
# Go writes these as null where another server leaves them out; clients do not see a difference.
_NULL_KEYS = {"creationTimestamp", "annotations", "lastTransitionTime", "created"}
_AGE_COLUMNS = {"age", "updated", "created"}
_NO_AGE = {"", "<none>", "<unknown>"}


class Placeholders:
    """The namespaces, addresses and the random word of one replay, by the name of their placeholder."""

    def __init__(self, names: Mapping[str, str]) -> None:
        # The longest first: one name may be part of another.
        self._names = sorted(((name, value) for name, value in names.items() if value), key=lambda pair: -len(pair[1]))

    def text(self, text: str) -> str:
        """The text with `{name}` for each known value."""
        for name, value in self._names:
            text = text.replace(value, "{" + name + "}")
        return text

    def document(self, value: Any, key: str = "") -> Any:
        """A JSON document without what differs in every run."""
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return [self.document(child) for child in value]
        return self._scalar(value, key) if isinstance(value, str) else value

    def _object(self, value: Mapping[str, Any]) -> dict[str, Any]:
        result = {}
        for key, child in value.items():
            if key == "managedFields" or (child is None and key in _NULL_KEYS):
                continue
            # Cells are done with their table: which of them are ages, only its columns say.
            is_cells = key == "cells" and isinstance(child, list)
            result[self.text(key)] = child if is_cells else self.document(child, key)
        if result.get("kind") == "Table":
            self._table(result)
        return result

    def _table(self, table: Mapping[str, Any]) -> None:
        columns = table.get("columnDefinitions") or []
        ages = {number for number, column in enumerate(columns) if column.get("name", "").lower() in _AGE_COLUMNS}
        for row in table.get("rows") or []:
            cells = row.get("cells") or []
            row["cells"] = [self._cell(cell, number in ages) for number, cell in enumerate(cells)]

    def _cell(self, cell: Any, is_age: bool) -> Any:
        if is_age and cell not in _NO_AGE:
            return "<age>"
        return self.text(cell) if isinstance(cell, str) else cell

    def _scalar(self, value: str, key: str) -> str:
        if key in _TIME_KEYS and _TIME.fullmatch(value):
            return "<time>"
        if key == "resourceVersion" and value not in ("", "0"):
            return "<rv>"
        if key in ("uid", "continue") and value:
            return f"<{key}>"
        return self.text(value)
