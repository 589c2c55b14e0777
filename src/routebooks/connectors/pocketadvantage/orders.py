"""PocketAdvantage's orders, read by SQL from the database that it writes, and told back what became of them.

Nobody publishes that database (pocketadvantage.md, section 1.6): the query, the columns that matter and the statement
that tells back are settings. What is set at first fits the example tables of the sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import sqlalchemy as sa

from routebooks.connectors.base import Check, Connection, OrderCursor, Setting, SourceOrder, WriteBack
from routebooks.connectors.pocketadvantage.order_rows import BEGINNING, Reading, gather, text_of
from routebooks.connectors.pocketadvantage.orders_database import (
    address,
    cleaned,
    is_tried,
    judge,
    opened,
    place,
    title,
)
from routebooks.errors import ConfigError, Problem, RoutebooksError
from routebooks.records import Field, Stream

_QUERY = """\
SELECT o.order_no, o.customer_key, o.order_date, o.ship_date, o.po_number, o.rep, o.note, o.status, o.line_count,
       o.updated_at, l.line_no, l.item_key, l.quantity, l.unit, l.price
FROM orders o LEFT JOIN order_lines l ON l.order_no = o.order_no
WHERE o.updated_at >= :since AND o.updated_at <= :until
ORDER BY o.updated_at, o.order_no, l.line_no"""
_WRITE_BACK = """\
UPDATE orders SET sync_status = :status, quickbooks_id = :external_id, quickbooks_number = :number,
       sync_message = :message
WHERE order_no = :key"""
_READ_PARAMETERS = frozenset({"since", "until"})
_WRITE_PARAMETERS = frozenset({"key", "status", "external_id", "number", "message"})

#: The database compares stamps in its own zone and form, which we cannot know: it is asked for more than is wanted on
#: either side, and what is wanted is decided here. Zones are 26 hours apart at most.
_SLACK = timedelta(hours=26)
#: minutes; nothing is settled, or overlaps, for longer
_WEEK = 7 * 24 * 60
#: rows that are fetched at once
_ROWS = 1000


class PocketAdvantageOrders:
    """Reads orders from a database by a query that each company can change (an OrderSource)."""

    name = "pocketadvantage_orders"
    title = "Inventiv PocketAdvantage, orders"
    settings: tuple[Setting, ...] = (
        Setting(
            name="url",
            secret=True,
            of_one_reader=True,
            read_anew=True,
            judge=judge,
            alike=place,
            help="Address of the orders database with user and password: postgresql://user:password@host/database, or "
            "mariadb://, mysql://, mssql:// (SQL Server, not tried). A file of SQLite: sqlite:///folder/name.db.",
        ),
        Setting(
            name="query",
            default=_QUERY,
            assumed=True,
            of_one_reader=True,
            read_anew=True,
            help="One row for each line, the order's own columns repeated; :since and :until bound the change stamp.",
        ),
        Setting(
            name="key_column",
            default="order_no",
            assumed=True,
            of_one_reader=True,
            fixed_once_read=True,
            help="Column of the query with the order's number. It cannot be changed once orders were read.",
        ),
        Setting(
            name="stamp_column",
            default="updated_at",
            assumed=True,
            read_anew=True,
            help="Column with the instant of the last change of the order or of any of its lines.",
        ),
        Setting(
            name="line_count_column",
            default="",
            help="Column with the number of lines an order must have before it is taken; empty: there is none.",
        ),
        Setting(
            name="external_id_column",
            default="",
            help="Column with the QuickBooks id of an order that was posted before; empty: there is none. An order "
            "with an id that Routebooks did not get for it is not posted until a person says so.",
        ),
        Setting(name="status_column", default="", help="Column with the order's state; empty: every order is taken."),
        Setting(
            name="status_values",
            default="",
            help="States in which an order is taken, with commas between them. An order that was taken and is in "
            "another state later is reported as cancelled.",
        ),
        Setting(
            name="cancelled_values",
            default="",
            help="States that mean that an order was cancelled, with commas between them; empty: all but those above. "
            "Fill it when orders go on to other states by themselves, or when the write-back sets the state.",
        ),
        Setting(
            name="write_back",
            default=_WRITE_BACK,
            assumed=True,
            help="Statement that tells the database what became of an order, with :key, :status, :external_id, :number "
            "and :message; empty: it is not told.",
        ),
        Setting(
            name="overlap_minutes",
            default=120,
            minimum=0,
            maximum=_WEEK,
            help="How far before the last stamp seen each reading begins.",
        ),
        Setting(
            name="settle_minutes",
            default=2,
            minimum=0,
            maximum=_WEEK,
            help="How old a stamp must be, so that no order is half written.",
        ),
        Setting(
            name="time_zone",
            default="UTC",
            read_anew=True,
            help="Time zone of stamps that name none, such as America/New_York.",
        ),
        Setting(
            name="max_orders",
            default=1000,
            minimum=1,
            maximum=100_000,
            help="How many new orders are taken at once; the others come next.",
        ),
    )

    def order_fields(self, connection: Connection) -> Stream:
        """The columns of the query, all as text: the map converts. Works on an empty database, too.

        Raises ConfigError, TransientError.
        """
        reading = _reading(connection)
        # nothing is that old: the columns come without rows
        with (
            opened(_address(connection)) as database,
            _select(database, connection, BEGINNING, BEGINNING) as result,
        ):
            columns = _columns(result, reading, connection)
        return Stream(
            name="orders",
            fields=tuple(Field(name=name) for name in columns),
            key=reading.key_column,
            label=reading.key_column,
            modified=reading.stamp_column,
        )

    def read_orders(
        self, connection: Connection, cursor: OrderCursor | None, now: datetime
    ) -> tuple[list[SourceOrder], OrderCursor | None]:
        """Orders since the cursor less the overlap, settled, in order of stamp and key; and the cursor to keep.

        Orders seen before may come again. With states set, an order whose state takes it back comes as cancelled once
        there is a cursor, whether it was seen before or not. Raises ConfigError (query, columns), TransientError
        (database away).
        """
        reading = _reading(connection)
        since = cursor.stamp - _minutes(connection, "overlap_minutes") if cursor else BEGINNING
        until = now - _minutes(connection, "settle_minutes")
        with opened(_address(connection)) as database, _select(database, connection, since, until) as result:
            names = _columns(result, reading, connection)
            rows = (dict(zip(names, row, strict=True)) for row in result)
            return gather(rows, reading, cursor, since, until)

    def explain(self, connection: Connection) -> tuple[Problem, ...]:
        """That the newest orders come with the next run."""
        minutes = int(_minutes(connection, "settle_minutes").total_seconds() // 60)
        if not minutes:
            return ()
        span = "minute" if minutes == 1 else f"{minutes} minutes"
        return (
            Problem(
                "orders-settle",
                f"An order that was changed in the last {span} before a run is read by the next one, so that none is "
                "read half written.",
                "The setting settle_minutes of the connection says how long; run the flow again to have it now.",
            ),
        )

    def order_table(self, order_rows: Sequence[Mapping[str, Any]], connection: Connection) -> pa.Table:
        """Kept rows as a table of text columns: all columns that any of the rows has, in order of first sight."""
        reading = _reading(connection)
        names = dict.fromkeys([reading.key_column, reading.stamp_column])
        names = dict.fromkeys(name for row in order_rows for name in row) | names
        return pa.table({name: pa.array([text_of(row.get(name)) for row in order_rows], pa.string()) for name in names})

    def write_back(self, connection: Connection, results: Sequence[WriteBack]) -> int:
        """Tell the database what became of orders, all in one transaction; how many were told.

        0 when no statement is set. Repeatable. Raises TransientError; ConfigError when the statement is wrong.
        """
        statement = _write_back(connection)
        if statement is None or not results:
            return 0
        with opened(_address(connection), writing=True) as database:
            for result in results:
                database.execute(statement, {name: getattr(result, name) for name in _parameters(statement)})
        return len(results)

    def check(self, connection: Connection) -> list[Check]:
        """Try the connection: settings, log in, query (no rows), write-back (read, not tried). Raises nothing."""
        done: list[Check] = []
        for name, step in _STEPS.items():
            try:
                done.append(Check(name, True, step(self, connection)))
            except RoutebooksError as error:
                problem = error.problem
                words = f"{problem.message} ({problem.detail})" if problem.detail else problem.message
                return [*done, Check(name, False, words, problem.hint)]
            except Exception as error:
                # the words of an error that nobody foresaw could hold the password
                return [*done, Check(name, False, f"Something unforeseen went wrong: {type(error).__name__}.")]
        return done


def _check_settings(_: PocketAdvantageOrders, connection: Connection) -> str:
    _reading(connection)
    _statement(connection, "query", _READ_PARAMETERS)
    url = _address(connection)
    words = f"The address names a database of the kind {title(url)}."
    if is_tried(url):
        return words
    return f"{words} Routebooks has not been tried with it: let one order go all the way before you rely on it."


def _check_entry(_: PocketAdvantageOrders, connection: Connection) -> str:
    with opened(_address(connection)):
        return "The database lets us in."


def _check_query(orders: PocketAdvantageOrders, connection: Connection) -> str:
    names = [field.name for field in orders.order_fields(connection).fields]
    return f"The query runs and has the columns {_shown(names, connection)}."


def _check_write_back(_: PocketAdvantageOrders, connection: Connection) -> str:
    if _write_back(connection) is None:
        return "No statement is set: the database is not told what became of its orders."
    return "The statement's parameters are known. It is not tried here, because it would write."


_STEPS: Mapping[str, Callable[[PocketAdvantageOrders, Connection], str]] = {
    "settings": _check_settings,
    "log in": _check_entry,
    "query": _check_query,
    "write back": _check_write_back,
}


def _address(connection: Connection) -> sa.URL:
    return address(connection.secrets.get("url", ""))


def _text(connection: Connection, name: str) -> str:
    return str(connection.settings[name] or "").strip()


def _minutes(connection: Connection, name: str) -> timedelta:
    return timedelta(minutes=max(0, int(connection.settings[name])))


def _reading(connection: Connection) -> Reading:
    return Reading(
        key_column=_text(connection, "key_column"),
        stamp_column=_text(connection, "stamp_column"),
        zone=_zone(connection),
        line_count_column=_text(connection, "line_count_column"),
        status_column=_text(connection, "status_column"),
        statuses=_statuses(connection, "status_values"),
        cancelling=_statuses(connection, "cancelled_values"),
        external_id_column=_text(connection, "external_id_column"),
        most=max(1, int(connection.settings["max_orders"])),
    )


def _zone(connection: Connection) -> tzinfo:
    name = _text(connection, "time_zone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            f"There is no time zone {name!r}.", hint="Write it as America/New_York or UTC.", code="orders-time-zone"
        ) from None


def _statuses(connection: Connection, setting: str) -> frozenset[str]:
    if not _text(connection, "status_column"):
        return frozenset()
    return frozenset(each.strip() for each in _text(connection, setting).split(",") if each.strip())


def _write_back(connection: Connection) -> sa.TextClause | None:
    return _statement(connection, "write_back", _WRITE_PARAMETERS) if _text(connection, "write_back") else None


def _statement(connection: Connection, setting: str, allowed: frozenset[str]) -> sa.TextClause:
    statement = sa.text(_text(connection, setting).rstrip("; \n"))
    if not statement.text:
        raise ConfigError(f"The setting {setting} is empty.", hint="Write a statement.", code="orders-statement")
    if unknown := sorted(_parameters(statement) - allowed):
        raise ConfigError(
            f"The setting {setting} names :{', :'.join(unknown)}, which nothing fills.",
            hint=f"There are :{', :'.join(sorted(allowed))}. A colon that begins no name is written \\:.",
            code="orders-statement",
        )
    return statement


def _parameters(statement: sa.TextClause) -> frozenset[str]:
    return frozenset(statement.compile().params)


def _select(database: sa.Connection, connection: Connection, since: datetime, until: datetime) -> sa.CursorResult[Any]:
    statement = _statement(connection, "query", _READ_PARAMETERS)
    zone = _zone(connection)
    bounds = {"since": since - _SLACK, "until": until + _SLACK}
    # whole seconds, which every database takes
    values = {name: at.astimezone(zone).replace(tzinfo=None, microsecond=0) for name, at in bounds.items()}
    typed = [sa.bindparam(name, values[name], type_=sa.DateTime()) for name in _parameters(statement)]
    options = {"stream_results": True, "max_row_buffer": _ROWS}
    return database.execute(statement.bindparams(*typed), execution_options=options)


def _columns(result: sa.CursorResult[Any], reading: Reading, connection: Connection) -> list[str]:
    names = list(result.keys())
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(
            f"The orders query gives two columns the name {_shown(doubled, connection, ' and ')}.",
            hint="Name the columns in the query one by one, with AS where two tables have the same.",
            code="orders-columns",
        )
    wanted = (
        reading.key_column,
        reading.stamp_column,
        reading.line_count_column,
        reading.status_column,
        reading.external_id_column,
    )
    if missing := [name for name in wanted if name and name not in names]:
        raise ConfigError(
            f"The orders query has no column {' and '.join(missing)}; it has {_shown(names, connection)}.",
            hint="Name the columns in the settings as the query does.",
            code="orders-columns",
        )
    return names


def _shown(names: Sequence[str], connection: Connection, between: str = ", ") -> str:
    # a column without a name is called by its expression, whatever stands in it
    return cleaned(between.join(names), _address(connection))
