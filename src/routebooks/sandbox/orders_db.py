"""An orders database as an example: two tables, orders and order_lines, on any database that SQLAlchemy knows.

Inventiv publishes no schema (pocketadvantage.md, section 1.6); this one is for demo, trying and tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool


class _Exact(sa.TypeDecorator[Decimal]):
    """An exact decimal; SQLite has none and keeps its text."""

    impl = sa.Numeric(15, 5)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(sa.String(20) if dialect.name == "sqlite" else sa.Numeric(15, 5))

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> Any:
        return format(value, "f") if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


_TABLES = sa.MetaData()
_ORDERS = sa.Table(
    "orders",
    _TABLES,
    sa.Column("order_no", sa.String(40), primary_key=True),
    sa.Column("customer_key", sa.String(99), nullable=False),
    sa.Column("order_date", sa.Date, nullable=False),
    sa.Column("ship_date", sa.Date),
    sa.Column("po_number", sa.String(40)),
    sa.Column("rep", sa.String(10)),
    sa.Column("note", sa.String(4095)),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("line_count", sa.Integer, nullable=False),
    # naive UTC
    sa.Column("updated_at", sa.DateTime, nullable=False, index=True),
    sa.Column("sync_status", sa.String(20)),
    sa.Column("quickbooks_id", sa.String(36)),
    sa.Column("quickbooks_number", sa.String(11)),
    sa.Column("sync_message", sa.Text),
)
_LINES = sa.Table(
    "order_lines",
    _TABLES,
    sa.Column("order_no", sa.ForeignKey("orders.order_no"), primary_key=True),
    sa.Column("line_no", sa.Integer, primary_key=True),
    sa.Column("item_key", sa.String(159), nullable=False),
    sa.Column("quantity", _Exact, nullable=False),
    sa.Column("unit", sa.String(31)),
    sa.Column("price", _Exact),
)


@dataclass(frozen=True, kw_only=True)
class OrderLine:
    """One line: so many cases or bottles of an item; no price means the price list's."""

    item_key: str
    quantity: Decimal
    unit: str | None = None
    price: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order as a rep takes it."""

    order_no: str
    customer_key: str
    order_date: date
    ship_date: date | None = None
    po_number: str | None = None
    rep: str | None = None
    note: str | None = None
    status: str = "open"
    lines: tuple[OrderLine, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StoredOrder:
    """An order as it stands in the database, with what it was told of itself."""

    order: Order
    updated_at: datetime
    sync_status: str | None
    quickbooks_id: str | None
    quickbooks_number: str | None
    sync_message: str | None


def create(url: str) -> None:
    """Make the tables where they are not there yet."""
    with _writing(url) as database:
        _TABLES.create_all(database)


def add_orders(url: str, orders: Iterable[Order], now: datetime) -> None:
    """Put orders in, changed `now` (aware), all or none; an order whose number is there is replaced."""
    stamp = now.astimezone(UTC).replace(tzinfo=None)
    with _writing(url) as database:
        for order in orders:
            for table in (_LINES, _ORDERS):
                database.execute(table.delete().where(table.c.order_no == order.order_no))
            values = {name: getattr(order, name) for name in _HEADER}
            database.execute(_ORDERS.insert().values(**values, line_count=len(order.lines), updated_at=stamp))
            for number, line in enumerate(order.lines, start=1):
                database.execute(_LINES.insert().values(order_no=order.order_no, line_no=number, **vars(line)))


def orders(url: str) -> list[StoredOrder]:
    """All orders by their numbers."""
    with _writing(url) as database:
        headers = database.execute(_ORDERS.select().order_by(_ORDERS.c.order_no)).mappings().all()
        rows = database.execute(_LINES.select().order_by(_LINES.c.order_no, _LINES.c.line_no)).mappings().all()
    lines: dict[str, list[OrderLine]] = {header["order_no"]: [] for header in headers}
    for row in rows:
        lines[row["order_no"]].append(OrderLine(**{name: row[name] for name in _LINE}))
    return [
        StoredOrder(
            order=Order(**{name: header[name] for name in _HEADER}, lines=tuple(lines[header["order_no"]])),
            updated_at=header["updated_at"].replace(tzinfo=UTC),
            **{name: header[name] for name in _TOLD},
        )
        for header in headers
    ]


_HEADER = ("order_no", "customer_key", "order_date", "ship_date", "po_number", "rep", "note", "status")
_LINE = ("item_key", "quantity", "unit", "price")
_TOLD = ("sync_status", "quickbooks_id", "quickbooks_number", "sync_message")


@contextmanager
def _writing(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
