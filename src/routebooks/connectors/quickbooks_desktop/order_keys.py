"""Our own key of an order in a field of the sales order: put in at writing, compared at looking for it.

The key must come back exactly as it went out, because an order that is not found is written again. So a key that
QuickBooks might change (accents outside Windows-1252, blanks around it) is refused, never bent: two keys that differ
only by what gets lost would be one order. In Memo the key stands first and the memo of the map follows; every other
field holds the key alone, and an order whose map fills that field with something else is refused, because one of the
two would be lost.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from routebooks.connectors.quickbooks_desktop.characters import foreign
from routebooks.errors import RecordError
from routebooks.records import Document

#: The fields that can carry the key, and how long it can be there.
KEY_FIELDS: Mapping[str, int] = {"Other": 29, "PONumber": 25, "Memo": 4095}

#: Ends the key in front of a memo; a key with a bar in it could be taken for another's key with a memo.
_END = " |"


def put(field: str, document: Document) -> dict[str, Any]:
    """The header with the key in its field. Raises RecordError when the key or the field does not allow it."""
    key = _checked(field, document.key)
    header = dict(document.header)
    own = header.get(field)
    own = "" if own is None else str(own).strip()
    if not own or own == key:
        return {**header, field: key}
    if field == "Memo":
        return {**header, field: f"{key}{_END} {own}"}
    raise RecordError(
        f"{field} of order {key} holds “{own}”, and the order key needs that field.",
        hint=f"Empty {field} in the map, or let another field carry the order key (setting of the connection).",
        code="qb-order-key-clash",
    )


def carries(field: str, value: str, key: str) -> bool:
    """Whether a field as QuickBooks gives it back holds this key, exactly."""
    key, value = unicodedata.normalize("NFC", key), unicodedata.normalize("NFC", value)
    return (value.partition(_END)[0] if field == "Memo" else value) == key


def _checked(field: str, key: str) -> str:
    key = unicodedata.normalize("NFC", key)
    longest = KEY_FIELDS[field]
    if not key.strip():
        raise _refused(key, "it is blank", "Let the query give every order a key.")
    if key != key.strip():
        raise _refused(key, "it has blanks around it", "Take them away in the query (TRIM).")
    if not key.isprintable() or foreign(key):
        raise _refused(key, "it has characters that QuickBooks cannot keep", "Choose another column as order key.")
    if field == "Memo" and "|" in key:
        raise _refused(key, "a bar ends the key in Memo", "Let Other or PONumber carry the order key.")
    if len(key) > longest:
        raise _refused(
            key,
            f"it has {len(key)} characters and {field} takes {longest}",
            "Let a longer field carry the order key (setting of the connection: Memo takes the most).",
        )
    return key


def _refused(key: str, reason: str, hint: str) -> RecordError:
    return RecordError(f"The order key “{key[:60]}” cannot go to QuickBooks: {reason}.", hint=hint, code="qb-order-key")
