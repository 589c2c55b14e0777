"""SQL Server, as far as it goes without one: what would be sent, to the last sign, and what is said."""

from __future__ import annotations

import socket
import sys
from contextlib import closing
from typing import Any, cast

import pytest
import sqlalchemy as sa
from pymssql import _mssql

from orders_source import NOW, ORDERS, PASSWORD, connection, raised, read
from routebooks.connectors.base import WriteBack
from routebooks.connectors.pocketadvantage import orders, orders_database
from routebooks.errors import ConfigError, TransientError

URL = "mssql://rep:secret@127.0.0.1/orders"


class Recorder:
    """In place of a database: statements as SQLAlchemy compiles them and as the driver would send them."""

    def __init__(self) -> None:
        self._dialect = orders_database._engine(orders_database.address(URL)).dialect
        self.compiled, self.sent = "", ""

    def execute(self, statement: sa.TextClause, values: Any = None, execution_options: Any = None) -> None:
        compiled = statement.compile(dialect=self._dialect)
        self.compiled = str(compiled)
        self.sent = _mssql.substitute_params(self.compiled, compiled.construct_params(values)).decode()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def select(recorder: Recorder, **changed: Any) -> str:
    orders._select(cast(sa.Connection, recorder), connection(URL, **changed), NOW, NOW)
    return recorder.sent


def test_the_query_that_is_set_at_first(recorder: Recorder) -> None:
    sent = select(recorder)
    text = """\
SELECT o.order_no, o.customer_key, o.order_date, o.ship_date, o.po_number, o.rep, o.note, o.status, o.line_count,
       o.updated_at, l.line_no, l.item_key, l.quantity, l.unit, l.price
FROM orders o LEFT JOIN order_lines l ON l.order_no = o.order_no
WHERE o.updated_at >= {} AND o.updated_at <= {}
ORDER BY o.updated_at, o.order_no, l.line_no"""
    assert recorder.compiled == text.format("%(since)s", "%(until)s")
    # bounds have no zone and whole seconds, a day and two hours wider than asked for
    assert sent == text.format("'2026-11-23 16:00:00.000'", "'2026-11-25 20:00:00.000'")


def test_bounds_in_the_zone_that_is_set(recorder: Recorder) -> None:
    query = "SELECT order_no, updated_at FROM orders WHERE updated_at >= :since"
    sent = select(recorder, query=query, time_zone="America/New_York")
    assert sent == "SELECT order_no, updated_at FROM orders WHERE updated_at >= '2026-11-23 11:00:00.000'"


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        (
            "SELECT TOP 500 [Order No] AS order_no, updated_at FROM [dbo].[Order Header] WHERE updated_at >= :since;",
            "SELECT TOP 500 [Order No] AS order_no, updated_at FROM [dbo].[Order Header]"
            " WHERE updated_at >= '2026-11-23 16:00:00.000'",
        ),
        (
            "SELECT order_no, updated_at FROM orders WHERE updated_at <= :until"
            " ORDER BY updated_at OFFSET 0 ROWS FETCH NEXT 500 ROWS ONLY",
            "SELECT order_no, updated_at FROM orders WHERE updated_at <= '2026-11-25 20:00:00.000'"
            " ORDER BY updated_at OFFSET 0 ROWS FETCH NEXT 500 ROWS ONLY",
        ),
        (
            r"""SELECT order_no AS "Order No", [100%], at FROM o WHERE note LIKE N'50 %' AND t <> '10\:30'"""
            " AND at > :since",
            """SELECT order_no AS "Order No", [100%], at FROM o WHERE note LIKE N'50 %' AND t <> '10:30'"""
            " AND at > '2026-11-23 16:00:00.000'",
        ),
        ("SELECT order_no, updated_at FROM orders", "SELECT order_no, updated_at FROM orders"),
    ],
)
def test_queries_of_people(recorder: Recorder, query: str, sent: str) -> None:
    assert select(recorder, query=query) == sent


def test_what_is_told(recorder: Recorder) -> None:
    statement = orders._write_back(connection(URL))
    assert statement is not None
    told = WriteBack("PA-1", "refused", message="QuickBooks hasn't it: 50 % 🍷")
    recorder.execute(statement, {name: getattr(told, name) for name in orders._parameters(statement)})
    text = """\
UPDATE orders SET sync_status = {}, quickbooks_id = {}, quickbooks_number = {},
       sync_message = {}
WHERE order_no = {}"""
    names = ("status", "external_id", "number", "message", "key")
    assert recorder.compiled == text.format(*(f"%({name})s" for name in names))
    assert recorder.sent == text.format("N'refused'", "N''", "N''", "N'QuickBooks hasn''t it: 50 % 🍷'", "N'PA-1'")


def test_without_the_driver_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymssql", None)
    error = raised(lambda: read(URL))
    assert isinstance(error, ConfigError)
    assert (error.problem.code, error.problem.message) == (
        "orders-driver",
        "The driver for SQL Server is not installed.",
    )
    assert "pip install 'routebooks[sqlserver]'" in error.problem.hint
    settings, entry = ORDERS.check(connection(URL))
    assert (settings.ok, entry.ok, entry.hint) == (True, False, error.problem.hint)


def test_a_server_that_is_away_with_the_real_driver() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
    url = sa.make_url(URL).set(port=port, password=PASSWORD).render_as_string(hide_password=False)
    error = raised(lambda: read(url))
    assert isinstance(error, TransientError)
    assert error.problem.code == "orders-away"
    assert error.problem.detail.startswith("20009: ")
    assert "s3cret" not in f"{error.problem}"


def test_it_is_said_that_it_was_not_tried() -> None:
    (url,) = [setting for setting in ORDERS.settings if setting.name == "url"]
    assert "mssql:// (SQL Server, not tried)" in url.help
    assert "has not been tried" in ORDERS.check(connection(URL))[0].message
    for tried in ("sqlite:///x.db", "postgresql://h/x", "mysql://h/x", "mariadb://h/x"):
        assert "tried" not in ORDERS.check(connection(tried))[0].message
