"""The example orders database, on SQLite and PostgreSQL for real."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from routebooks.sandbox.orders_db import Order, OrderLine, add_orders, create, orders

NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
ORDER = Order(
    order_no="PA-2",
    customer_key="1042",
    order_date=date(2026, 11, 24),
    ship_date=date(2026, 11, 26),
    po_number="PO 7",
    rep="JM",
    note="Café\nat the back",
    lines=(
        OrderLine(item_key="MERLOT", quantity=Decimal("2.50000"), unit="case", price=Decimal("110.00500")),
        OrderLine(item_key="CAVA", quantity=Decimal("0.10000")),
    ),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address with the tables made."""
    address = f"sqlite:///{tmp_path / 'orders.db'}" if request.param == "sqlite" else None
    address = address or str(request.getfixturevalue("fresh_postgres"))
    create(address)
    return address


def test_what_goes_in_comes_out_exactly(url: str) -> None:
    bare = Order(order_no="PA-1", customer_key="7", order_date=date(2026, 11, 23), status="draft")
    add_orders(url, [ORDER, bare], NOW.astimezone(timezone(timedelta(hours=-5))))
    first, second = orders(url)
    assert (first.order, second.order) == (bare, ORDER)
    assert [str(line.quantity) for line in second.order.lines] == ["2.50000", "0.10000"]
    assert second.updated_at == NOW
    assert (second.sync_status, second.quickbooks_id, second.quickbooks_number, second.sync_message) == (None,) * 4


def test_an_order_sent_again_replaces_itself(url: str) -> None:
    add_orders(url, [ORDER], NOW)
    changed = replace(ORDER, note=None, lines=ORDER.lines[:1])
    add_orders(url, [changed], NOW + timedelta(minutes=1))
    (stored,) = orders(url)
    assert stored.order == changed
    assert stored.updated_at == NOW + timedelta(minutes=1)


def test_orders_go_in_all_or_none(url: str) -> None:
    broken = replace(ORDER, order_no="PA-3", customer_key=None)  # type: ignore[arg-type]
    with pytest.raises(sa.exc.IntegrityError):
        add_orders(url, [ORDER, broken], NOW)
    assert orders(url) == []


def test_making_the_tables_again_changes_nothing(url: str) -> None:
    add_orders(url, [ORDER], NOW)
    create(url)
    assert [stored.order for stored in orders(url)] == [ORDER]
