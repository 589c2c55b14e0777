"""The connectors that there are: one line each."""

from __future__ import annotations

from collections.abc import Mapping

from routebooks.connectors.base import Connector
from routebooks.connectors.pocketadvantage.files import PocketAdvantageFiles
from routebooks.connectors.pocketadvantage.orders import PocketAdvantageOrders
from routebooks.connectors.quickbooks_desktop.connector import QuickBooksDesktop

CONNECTORS: Mapping[str, Connector] = {
    connector.name: connector for connector in (QuickBooksDesktop(), PocketAdvantageFiles(), PocketAdvantageOrders())
}
