"""The views of QuickBooks Desktop: what is made of the snapshots of several streams."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from routebooks.connectors.base import Connection, View
from routebooks.connectors.quickbooks_desktop.view_codes import CODES, codes
from routebooks.connectors.quickbooks_desktop.view_past_due import CUSTOMERS_WITH_PAST_DUE, customers_with_past_due
from routebooks.connectors.quickbooks_desktop.view_settings import VIEW_SETTINGS
from routebooks.connectors.quickbooks_desktop.view_transactions import TRANSACTIONS, transactions
from routebooks.errors import ConfigError
from routebooks.records import Rejected
from routebooks.rows import Rows

__all__ = ["VIEWS", "VIEW_SETTINGS", "view"]

VIEWS: Mapping[str, View] = {each.stream.name: each for each in (CUSTOMERS_WITH_PAST_DUE, TRANSACTIONS, CODES)}


def view(connection: Connection, name: str, rows: Mapping[str, Rows], today: date) -> tuple[Rows, tuple[Rejected, ...]]:
    """A view, and what it set aside. Raises ConfigError for a name no view has, and for a setting that is wrong."""
    match name:
        case "customers_with_past_due":
            return customers_with_past_due(rows["customers"], rows["open_invoices"], today)
        case "transactions":
            return transactions(connection, rows)
        case "codes":
            return codes(connection, rows), ()
    raise ConfigError(
        f"QuickBooks Desktop has no view {name!r}.", hint=f"Use one of {', '.join(VIEWS)}.", code="no-view"
    )
