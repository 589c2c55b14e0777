"""The orders connection over the example database, as the tests of the orders source use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from routebooks.connectors.base import Company, Connection, OrderCursor, WriteBack
from routebooks.connectors.pocketadvantage.orders import PocketAdvantageOrders
from routebooks.errors import RoutebooksError
from routebooks.sandbox.orders_db import Order, OrderLine

ORDERS = PocketAdvantageOrders()
NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
PASSWORD = "s3cret/+ word"
DEFAULT_COLUMNS = [
    *("order_no", "customer_key", "order_date", "ship_date", "po_number", "rep", "note", "status", "line_count"),
    *("updated_at", "line_no", "item_key", "quantity", "unit", "price"),
]

RESULTS = (
    WriteBack("A", "posted", "4C-1415942229", "1007"),
    WriteBack("B", "refused", message="QuickBooks hasn't it: 'x'"),
    WriteBack("gone", "posted"),
)


def connection(url: str, **changed: Any) -> Connection:
    settings = {setting.name: setting.default for setting in ORDERS.settings if not setting.secret}
    assert changed.keys() <= settings.keys()
    company = Company(1, "Harbor", "77")
    return Connection(1, "orders", ORDERS.name, company, {**settings, **changed}, {"url": url})


def order(number: str, lines: int = 2) -> Order:
    line = OrderLine(item_key="MERLOT", quantity=Decimal("2.5"), unit="case", price=Decimal("110.005"))
    return Order(
        order_no=number,
        customer_key="1042",
        order_date=date(2026, 11, 24),
        rep="JM",
        note="Café",
        lines=(line,) * lines,
    )


def execute(url: str, *statements: str) -> None:
    engine = sa.create_engine(url)
    try:
        # a percent sign is one
        with engine.execution_options(no_parameters=True).begin() as database:
            for statement in statements:
                database.exec_driver_sql(statement)
    finally:
        engine.dispose()


@contextmanager
def schema(postgres: str, name: str) -> Iterator[str]:
    """The address of a schema of a test module's own: tables in it come and go faster than whole databases."""
    execute(postgres, f"CREATE SCHEMA {name}")
    address = sa.make_url(postgres).update_query_dict({"options": f"-csearch_path={name}"})
    yield address.render_as_string(hide_password=False)
    execute(postgres, f"DROP SCHEMA {name} CASCADE")


def read(url: str, cursor: OrderCursor | None = None, now: datetime = NOW, **changed: Any) -> tuple[list[str], Any]:
    found, moved = ORDERS.read_orders(connection(url, **changed), cursor, now)
    return [each.key for each in found], moved


def raised(act: Any) -> RoutebooksError:
    with pytest.raises(RoutebooksError) as caught:
        act()
    return caught.value
