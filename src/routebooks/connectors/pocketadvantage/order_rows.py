"""Rows of an orders query to whole orders, in order of their stamps. Pure: no database, no clock."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any, TypeAlias

from routebooks.connectors.base import OrderCursor, SourceOrder
from routebooks.errors import ConfigError, Problem

#: before every order; also the stamp of an order whose own stamp cannot be read
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

#: a number of lines; databases also give it as a decimal
_WHOLE = re.compile(r"[0-9]{1,9}(\.0*)?")

#: what orders are sorted by: the stamp, then the key
_Rank: TypeAlias = tuple[datetime, str]


@dataclass(frozen=True)
class Reading:
    """How the rows of a query are read: which columns say what, and how many orders are taken at once."""

    key_column: str
    stamp_column: str
    #: of stamps without an offset
    zone: tzinfo
    line_count_column: str = ""
    status_column: str = ""
    #: only orders with one of these are taken; empty: all
    statuses: frozenset[str] = frozenset()
    #: the other statuses that take back an order which was taken; empty: all others do
    cancelling: frozenset[str] = frozenset()
    #: the column that names the document which an order already is
    external_id_column: str = ""
    most: int = 1000
    #: how many orders are held in memory before the latest of them are dropped again
    room: int = 10_000


def gather(
    rows: Iterable[Mapping[str, Any]], reading: Reading, cursor: OrderCursor | None, since: datetime, until: datetime
) -> tuple[list[SourceOrder], OrderCursor | None]:
    """The orders whose stamps lie between since and until, both inclusive, sorted; and the cursor to keep.

    The stamp of an order is the greatest of its rows. Orders up to the cursor come again; of those after it the first
    `most` complete ones are taken, each with all its rows. Orders with a problem come too, but move no cursor. So do,
    once there is a cursor, orders whose status takes them back: cancelled, with one row.

    Raises ConfigError (orders-unsorted) when rows in disorder leave nothing to be taken, now and always.
    """
    gathering = _Gathering(reading, (cursor.stamp, cursor.key) if cursor else None, until)
    for row in rows:
        gathering.add(row)
    found = [
        SourceOrder(
            order.key,
            order.stamp,
            tuple(order.rows),
            _problem(order, reading),
            order.cancelled,
            _external_id(order, reading),
        )
        for order in gathering.orders()
        if order.unreadable or order.stamp >= since
    ]
    taken = [OrderCursor(order.stamp, order.key) for order in found if order.problem is None and not order.cancelled]
    marks = [*taken, *([cursor] if cursor else [])]
    return found, max(marks, key=lambda mark: (mark.stamp, mark.key), default=None)


def json_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row in JSON's own values: exact numbers, dates and instants as text, bytes in hexadecimal digits."""
    return {name: _json(value) for name, value in row.items()}


def text_of(value: Any) -> str | None:
    """A value of a kept row as text; None where there is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def instant(value: Any, zone: tzinfo) -> datetime | None:
    """The instant of a stamp (an instant, a day, or either as ISO text), in UTC; None when it is none."""
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value.strip())
        elif isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time())
        if not isinstance(value, datetime):
            return None
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@dataclass
class _Order:
    """The rows of one order so far."""

    key: str
    stamp: datetime = BEGINNING
    #: a stamp that is none
    unreadable: str = ""
    #: not in one of the statuses: only the row that says so is kept
    cancelled: bool = False
    rows: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def rank(self) -> _Rank:
        return self.stamp, self.key


class _Gathering:
    """Collects rows by order; drops the latest orders again before they fill the memory."""

    def __init__(self, reading: Reading, known: _Rank | None, until: datetime) -> None:
        self._reading, self._known, self._until = reading, known, until
        self._kept: dict[str, _Order] = {}
        self._out: set[str] = set()
        self._limit: _Rank | None = None
        self._room = reading.room

    def add(self, row: Mapping[str, Any]) -> None:
        """Put a row to its order. Rows of one order may come apart, and with stamps of their own."""
        reading = self._reading
        values = json_row(row)
        key = _word(values[reading.key_column])
        status = _word(values[reading.status_column]) if reading.statuses else ""
        unwanted = bool(reading.statuses) and status not in reading.statuses
        if key in self._out or (unwanted and not key):
            return
        if key not in self._kept and len(self._kept) >= self._room:
            # between orders: where rows are sorted, those that are kept are whole
            self._drop_latest()
        order = self._kept.setdefault(key, _Order(key))
        stamp = instant(row[reading.stamp_column], reading.zone)
        order.stamp = max(order.stamp, stamp or BEGINNING)
        order.unreadable = order.unreadable or ("" if stamp else repr(values[reading.stamp_column]))
        if unwanted:
            order.cancelled, order.rows = True, [values]
        elif not order.cancelled:
            order.rows.append(values)
        # without a cursor no order was taken before that could have been cancelled
        told = self._known is not None and (not reading.cancelling or status in reading.cancelling)
        if order.stamp > self._until or (unwanted and not told):
            self._out.add(key)
            del self._kept[key]

    def orders(self) -> list[_Order]:
        """The orders up to the last that is taken, sorted."""
        self._drop_latest()
        if self._limit is None:
            return list(self._kept.values())
        # An order can have moved up behind one that was dropped; taken, it would move the cursor past that one.
        orders = [order for order in self._kept.values() if order.rank < self._limit]
        if not any(self._is_new(order) for order in orders):
            raise ConfigError(
                "The rows of the orders query come in such disorder that there is no telling which orders are next.",
                hint="Let the query sort them: ORDER BY the column with the stamp, then the one with the number.",
                code="orders-unsorted",
            )
        return orders

    def _is_new(self, order: _Order) -> bool:
        after = self._known is None or order.rank > self._known
        return after and not order.cancelled and not _problem(order, self._reading)

    def _drop_latest(self) -> None:
        ranked = sorted(self._kept.values(), key=lambda order: order.rank)
        new = [at for at, order in enumerate(ranked) if self._is_new(order)]
        end = new[self._reading.most - 1] + 1 if len(new) >= self._reading.most else len(ranked)
        if end < len(ranked):
            self._limit = min(ranked[end].rank, self._limit or ranked[end].rank)
            self._out.update(order.key for order in ranked[end:])
        self._kept = {order.key: order for order in ranked[:end]}
        self._room = max(self._reading.room, 2 * end)


def _problem(order: _Order, reading: Reading) -> Problem | None:
    if order.cancelled:
        return None
    if not order.key:
        message = f"{len(order.rows)} rows of the orders query have no {reading.key_column}."
        return Problem("order-no-key", message, "Give each order its number in PocketAdvantage, or change the query.")
    if order.unreadable:
        message = f"Order {order.key} has no {reading.stamp_column} that tells when it changed: {order.unreadable}."
        return Problem("order-no-stamp", message, "Let the query give every order a date and time.")
    if not reading.line_count_column:
        return None
    said = _word(order.rows[0][reading.line_count_column])
    if _WHOLE.fullmatch(said) and len(order.rows) >= Decimal(said):
        return None
    message = f"Order {order.key} has {len(order.rows)} of {said or 'an unknown number of'} lines."
    return Problem("order-incomplete", message, "It is taken by itself when all its lines are there.")


def _external_id(order: _Order, reading: Reading) -> str:
    column = reading.external_id_column
    return next(filter(None, (_word(row[column]) for row in order.rows)), "") if column else ""


def _word(value: Any) -> str:
    # columns of a fixed width come with blanks
    return (text_of(value) or "").strip()


def _json(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            # the shortest digits that mean this number, without an exponent; no arithmetic is ever done with it
            return format(Decimal(repr(value)), "f") if value - value == 0 else repr(value)
        case Decimal():
            return format(value, "f")
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case dict() | list() | tuple():
            return json.dumps(value, default=str)
        case _:
            return str(value)
