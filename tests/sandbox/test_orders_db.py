"""The example orders database, on SQLite and PostgreSQL for real."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from orders_source import execute, schema
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


@pytest.fixture(scope="module")
def postgres_schema(postgres_url: str) -> Iterator[str]:
    with schema(postgres_url, "sandbox_orders_tests") as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address with the tables made."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path / 'orders.db'}"
    else:
        address = str(request.getfixturevalue("postgres_schema"))
        execute(address, "DROP TABLE IF EXISTS order_lines, orders")
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


def test_the_greatest_values_come_out_exactly(url: str) -> None:
    numbers = [Decimal(each) for each in ("9999999999.99999", "-9999999999.99999", "0.00001", "0", "1E+3")]
    lines = tuple(OrderLine(item_key="i" * 159, quantity=each, unit="u" * 31, price=each) for each in numbers)
    order = Order(
        order_no="Ü" * 40,
        customer_key="k" * 99,
        order_date=date(9999, 12, 31),
        po_number="",
        note="\N{WINE GLASS}'\";\\ %s :x\t\r\n" * 250,
        status="s" * 20,
        lines=lines * 3,
    )
    add_orders(url, [order], datetime(1999, 12, 31, 23, 59, 59, 999999, UTC))
    (stored,) = orders(url)
    assert stored.order == order
    assert [line.price for line in stored.order.lines] == numbers * 3
    assert stored.updated_at == datetime(1999, 12, 31, 23, 59, 59, 999999, UTC)


def test_orders_come_by_their_numbers(url: str) -> None:
    names = [f"PA-{number:02}" for number in (11, 3, 7, 20)]
    add_orders(url, [replace(ORDER, order_no=name) for name in names], NOW)
    assert [stored.order.order_no for stored in orders(url)] == sorted(names)
    assert {stored.order.lines for stored in orders(url)} == {ORDER.lines}
