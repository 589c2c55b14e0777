"""Orders from a real database, SQLite, PostgreSQL and MariaDB: what is read, and what is written."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from orders_source import DEFAULT_COLUMNS, NOW, ORDERS, RESULTS, connection, execute, order, raised, read
from routebooks.connectors.base import Connector, OrderCursor, OrderSource, WriteBack
from routebooks.errors import ConfigError
from routebooks.mapping.apply import apply_map
from routebooks.mapping.check import check_map
from routebooks.mapping.model import load_map
from routebooks.records import Kind, Target, TargetColumn
from routebooks.sandbox import orders_db
from routebooks.sandbox.orders_db import OrderLine


def test_it_is_a_connector_and_an_order_source() -> None:
    assert all(isinstance(ORDERS, protocol) for protocol in (Connector, OrderSource))
    assert [setting.name for setting in ORDERS.settings if setting.secret] == ["url"]
    # what says which orders there are lets all be read again
    assert {each.name for each in ORDERS.settings if each.read_anew} == {"url", "query", "stamp_column", "time_zone"}


def test_orders_as_read(url: str) -> None:
    orders_db.add_orders(url, [order("B"), order("A", lines=1)], NOW - timedelta(hours=3))
    found, cursor = ORDERS.read_orders(connection(url), None, NOW)
    assert [(each.key, each.stamp, len(each.rows), each.problem) for each in found] == [
        ("A", NOW - timedelta(hours=3), 1, None),
        ("B", NOW - timedelta(hours=3), 2, None),
    ]
    assert cursor == OrderCursor(NOW - timedelta(hours=3), "B")
    first = json.loads(json.dumps(found[1].rows[0]))
    assert Decimal(first.pop("quantity")) == Decimal("2.5")
    assert Decimal(first.pop("price")) == Decimal("110.005")
    assert datetime.fromisoformat(first.pop("updated_at")) == (NOW - timedelta(hours=3)).replace(tzinfo=None)
    assert first == {
        **{"order_no": "B", "customer_key": "1042", "order_date": "2026-11-24", "ship_date": None, "po_number": None},
        **{"rep": "JM", "note": "Café", "status": "open", "line_count": 2},
        **{"line_no": 1, "item_key": "MERLOT", "unit": "case"},
    }


def test_reading_on_with_overlap_and_settling(url: str) -> None:
    for number, minutes in [("old", 400), ("overlap", 119), ("seen", 60), ("new", 30), ("fresh", 2), ("writing", 1)]:
        orders_db.add_orders(url, [order(number)], NOW - timedelta(minutes=minutes))
    cursor = OrderCursor(NOW - timedelta(minutes=60), "seen")
    assert read(url, cursor, overlap_minutes=60) == (
        ["overlap", "seen", "new", "fresh"],
        OrderCursor(NOW - timedelta(minutes=2), "fresh"),
    )
    assert read(url, cursor, overlap_minutes=0, settle_minutes=0)[0] == ["seen", "new", "fresh", "writing"]
    assert read(url, cursor, overlap_minutes=0, settle_minutes=0, max_orders=1) == (
        ["seen", "new"],
        OrderCursor(NOW - timedelta(minutes=30), "new"),
    )


def test_a_bounded_reading_gets_through_all_orders_whole(url: str) -> None:
    numbers = [f"{number:03}" for number in range(25)]
    orders_db.add_orders(url, [order(number, lines=3) for number in numbers], NOW - timedelta(hours=1))
    cursor: OrderCursor | None = None
    seen: set[str] = set()
    for _ in range(3):
        found, cursor = ORDERS.read_orders(connection(url, max_orders=10), cursor, NOW)
        assert {len(each.rows) for each in found} == {3}
        seen.update(each.key for each in found)
    assert sorted(seen) == numbers


def test_an_empty_database_has_columns_and_no_orders(url: str) -> None:
    stream = ORDERS.order_fields(connection(url))
    assert [field.name for field in stream.fields] == DEFAULT_COLUMNS
    assert {field.kind for field in stream.fields} == {Kind.TEXT}
    assert (stream.name, stream.key, stream.label, stream.modified) == ("orders", "order_no", "order_no", "updated_at")
    assert read(url) == ([], None)


def test_names_with_blanks_and_money_to_the_last_digit(url: str) -> None:
    line = OrderLine(item_key="GIN", quantity=Decimal("0.00001"), price=Decimal("9999999999.99999"))
    orders_db.add_orders(url, [replace(order("A"), note="50 % 🍷", lines=(line,))], NOW - timedelta(hours=1))
    query = """SELECT o.order_no AS "Order No", updated_at AS "Changed At", quantity, price, note AS "100% sure"
        FROM orders o JOIN order_lines l ON l.order_no = o.order_no WHERE note LIKE '50 %' AND updated_at >= :since"""
    if "mysql" in url:
        query = query.replace('"', "`")
    said = connection(url, query=query, key_column="Order No", stamp_column="Changed At")
    ((found,), _) = ORDERS.read_orders(said, None, NOW)
    assert found.key == "A"
    values = [found.rows[0][name] for name in ("quantity", "price", "100% sure")]
    assert values == ["0.00001", "9999999999.99999", "50 % 🍷"]


def test_an_order_without_lines_is_seen(url: str) -> None:
    orders_db.add_orders(url, [order("A", lines=0)], NOW - timedelta(hours=1))
    ((found,), _) = ORDERS.read_orders(connection(url), None, NOW)
    assert found.rows[0]["item_key"] is None


def test_an_order_is_taken_when_all_its_lines_are_there(url: str) -> None:
    orders_db.add_orders(url, [order("A", lines=2), order("B", lines=1)], NOW - timedelta(hours=1))
    execute(url, "UPDATE orders SET line_count = 2")
    found, cursor = ORDERS.read_orders(connection(url, line_count_column="line_count"), None, NOW)
    assert {each.key: each.problem and each.problem.code for each in found} == {"A": None, "B": "order-incomplete"}
    assert cursor == OrderCursor(NOW - timedelta(hours=1), "A")
    execute(url, "UPDATE orders SET line_count = 1 WHERE order_no = 'B'")
    found, cursor = ORDERS.read_orders(connection(url, line_count_column="line_count"), cursor, NOW)
    assert {each.key: each.problem for each in found} == {"A": None, "B": None}


def test_only_orders_in_the_wanted_states(url: str) -> None:
    for number, state in enumerate(["open", "draft", "hold", "Open"]):
        orders_db.add_orders(url, [order(f"{number}")], NOW - timedelta(hours=1))
        execute(url, f"UPDATE orders SET status = '{state}' WHERE order_no = '{number}'")
    assert read(url, status_column="status", status_values="open, hold,")[0] == ["0", "2"]
    assert read(url, status_column="status")[0] == ["0", "1", "2", "3"]
    assert read(url, status_values="open")[0] == ["0", "1", "2", "3"]


def test_naive_stamps_are_of_the_zone_that_is_set(url: str) -> None:
    orders_db.add_orders(url, [order("A")], NOW - timedelta(hours=9))
    (found,), _ = ORDERS.read_orders(connection(url, time_zone="America/New_York"), None, NOW)
    assert found.stamp == NOW - timedelta(hours=4)
    assert read(url, time_zone="America/New_York", now=NOW - timedelta(hours=5))[0] == []


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f+00:00"])
def test_stamps_that_are_texts(tmp_path: Path, form: str) -> None:
    """SQLite compares texts letter by letter, and T comes after a blank: the bounds leave room for it."""
    url = f"sqlite:///{tmp_path / 'texts.db'}"
    stamps = {number: (NOW - timedelta(minutes=number)).strftime(form) for number in (0, 1, 30, 59, 61, 1000)}
    execute(
        url,
        "CREATE TABLE orders (order_no INTEGER, updated_at TEXT, amount REAL, raw BLOB)",
        *(f"INSERT INTO orders VALUES ({number}, '{stamp}', 0.1, x'00ff')" for number, stamp in stamps.items()),
    )
    query = "SELECT * FROM orders WHERE updated_at >= :since AND updated_at <= :until"
    cursor = OrderCursor(NOW - timedelta(minutes=30), "30")
    numbers, moved = read(url, cursor, query=query, overlap_minutes=30, settle_minutes=1)
    assert numbers == ["59", "30", "1"]
    assert moved == OrderCursor(NOW - timedelta(minutes=1), "1")
    (first, *_), _ = ORDERS.read_orders(connection(url, query=query), None, NOW)
    assert first.rows == ({"order_no": 1000, "updated_at": stamps[1000], "amount": "0.1", "raw": "00ff"},)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Auckland"])
def test_stamps_with_their_own_zone_whatever_the_database_thinks(postgres_schema: str, zone: str) -> None:
    options = {"options": f"-csearch_path=orders_tests -ctimezone={zone}"}
    url = sa.make_url(postgres_schema).update_query_dict(options).render_as_string(hide_password=False)
    execute(
        url,
        "DROP TABLE IF EXISTS order_lines, orders",
        "CREATE TABLE orders (order_no char(8), updated_at timestamptz, price numeric(12, 4), extra jsonb)",
        "INSERT INTO orders VALUES ('A', '2026-11-24T12:59:00-05:00', 1.5, '{\"a\": 1}')",
        "INSERT INTO orders VALUES ('B', '2026-11-24T12:58:00-05:00', 1.5, NULL)",
        "INSERT INTO orders VALUES ('C', '2026-11-24T11:00:00-05:00', NULL, NULL)",
    )
    query = "SELECT * FROM orders WHERE updated_at >= :since AND updated_at <= :until"
    cursor = OrderCursor(NOW - timedelta(minutes=119), "x")
    found, moved = ORDERS.read_orders(connection(url, query=query, overlap_minutes=0), cursor, NOW)
    assert [each.key for each in found] == ["B"]
    assert moved == OrderCursor(NOW - timedelta(minutes=2), "B")
    (first, *_), _ = ORDERS.read_orders(connection(url, query=query, settle_minutes=0), moved, NOW)
    assert (first.key, first.rows[0]["price"]) == ("C", None)
    assert read(url, query=query, settle_minutes=0)[0] == ["C", "B", "A"]


def test_stamps_that_are_days(url: str) -> None:
    execute(
        url,
        "DROP TABLE IF EXISTS by_day",
        "CREATE TABLE by_day (order_no int, changed date)",
        "INSERT INTO by_day VALUES (1, '2026-11-23'), (2, '2026-11-24'), (3, '2026-11-25')",
    )
    query = "SELECT order_no, changed FROM by_day WHERE changed BETWEEN :since AND :until AND 'x%:' <> '10:30'"
    assert read(url, query=query, stamp_column="changed")[0] == ["1", "2"]


def test_a_query_without_bounds_is_bounded_here(url: str) -> None:
    for number, minutes in [("old", 400), ("in", 30), ("late", 0)]:
        orders_db.add_orders(url, [order(number)], NOW - timedelta(minutes=minutes))
    cursor = OrderCursor(NOW - timedelta(minutes=60), "x")
    assert read(url, cursor, query="SELECT order_no, updated_at FROM orders;")[0] == ["in"]


def test_kept_rows_as_a_table(url: str) -> None:
    orders_db.add_orders(url, [order("A")], NOW - timedelta(hours=1))
    found, _ = ORDERS.read_orders(connection(url), None, NOW)
    kept = [json.loads(json.dumps(row)) for row in found[0].rows]
    table = ORDERS.order_table(kept, connection(url))
    assert table.column_names == DEFAULT_COLUMNS
    assert set(table.schema.types) == {pa.string()}
    assert table["line_no"].to_pylist() == ["1", "2"]
    assert table["ship_date"].to_pylist() == [None, None]


def test_rows_that_were_kept_by_an_older_query(url: str) -> None:
    table = ORDERS.order_table([{"order_no": "A"}, {"order_no": "B", "flag": True}], connection(url))
    assert table.to_pylist() == [
        {"order_no": "A", "flag": None, "updated_at": None},
        {"order_no": "B", "flag": "true", "updated_at": None},
    ]
    assert ORDERS.order_table([], connection(url)).column_names == ["order_no", "updated_at"]


def test_an_order_goes_through_a_map_exactly(url: str) -> None:
    target = Target(
        name="slips",
        columns=(
            TargetColumn(name="Key", key=True),
            TargetColumn(name="TxnDate", kind=Kind.DATE),
            TargetColumn(name="Quantity", kind=Kind.DECIMAL, line=True),
            TargetColumn(name="Rate", kind=Kind.DECIMAL, scale=2, line=True),
        ),
    )
    columns = "  Key: =[order_no]\n  TxnDate: =[order_date]\n  Quantity: =[quantity]\n  Rate: =[price]\n"
    any_map = load_map(f"name: o\nsource: orders\ntarget: slips\ncolumns:\n{columns}")
    orders_db.add_orders(url, [order("A", lines=1)], NOW - timedelta(hours=1))
    said = connection(url)
    assert check_map(any_map, ORDERS.order_fields(said).fields, target, ()) == []
    found, _ = ORDERS.read_orders(said, None, NOW)
    mapped = apply_map(any_map, ORDERS.order_table(found[0].rows, said), target, {}, key_field="order_no")
    assert mapped.table.to_pylist() == [
        {"Key": "A", "TxnDate": date(2026, 11, 24), "Quantity": Decimal("2.50000"), "Rate": Decimal("110.01")}
    ]


def told(url: str) -> list[tuple[Any, ...]]:
    return [
        (each.order.order_no, each.sync_status, each.quickbooks_id, each.quickbooks_number, each.sync_message)
        for each in orders_db.orders(url)
    ]


def test_the_database_is_told_and_told_again(url: str) -> None:
    orders_db.add_orders(url, [order("A"), order("B"), order("C")], NOW - timedelta(hours=1))
    before = [(each.order, each.updated_at) for each in orders_db.orders(url)]
    for _ in range(2):
        assert ORDERS.write_back(connection(url), RESULTS) == 3
        assert told(url) == [
            ("A", "posted", "4C-1415942229", "1007", ""),
            ("B", "refused", "", "", "QuickBooks hasn't it: 'x'"),
            ("C", None, None, None, None),
        ]
    assert [(each.order, each.updated_at) for each in orders_db.orders(url)] == before


def test_what_was_told_is_read_as_the_id_of_the_order(url: str) -> None:
    orders_db.add_orders(url, [order("A"), order("B"), order("C")], NOW - timedelta(hours=1))
    ORDERS.write_back(connection(url), RESULTS)
    query = "SELECT order_no, updated_at, quickbooks_id FROM orders"
    found, _ = ORDERS.read_orders(connection(url, query=query, external_id_column="quickbooks_id"), None, NOW)
    assert [(each.key, each.external_id) for each in found] == [("A", "4C-1415942229"), ("B", ""), ("C", "")]


def test_without_a_statement_nobody_is_told(url: str) -> None:
    orders_db.add_orders(url, [order("A")], NOW)
    assert ORDERS.write_back(connection(url, write_back=" "), RESULTS) == 0
    assert ORDERS.write_back(connection(url), ()) == 0
    assert ORDERS.write_back(connection("sqlite:////no/such/file.db"), ()) == 0
    assert told(url) == [("A", None, None, None, None)]


def test_a_statement_that_fails_tells_nothing_of_anyone(url: str) -> None:
    orders_db.add_orders(url, [order("A"), order("B")], NOW)
    statement = "INSERT INTO order_lines (order_no, line_no, item_key, quantity) VALUES ('A', 9, :status, '1')"
    error = raised(lambda: ORDERS.write_back(connection(url, write_back=statement), RESULTS))
    assert isinstance(error, ConfigError)
    assert error.problem.code == "orders-sql"
    assert {len(each.order.lines) for each in orders_db.orders(url)} == {2}


def test_reading_writes_nothing_whatever_the_query_says(url: str) -> None:
    orders_db.add_orders(url, [order("A")], NOW - timedelta(hours=1))
    query = "UPDATE orders SET note = 'gone' RETURNING order_no, updated_at"
    for act in (ORDERS.order_fields, lambda said: ORDERS.read_orders(said, None, NOW)):
        assert isinstance(raised(lambda act=act: act(connection(url, query=query))), ConfigError)
    assert [check.ok for check in ORDERS.check(connection(url, query=query))] == [True, True, False]
    assert orders_db.orders(url)[0].order.note == "Café"


def test_a_wrong_query_is_told_in_the_database_s_own_words(url: str) -> None:
    error = raised(lambda: read(url, query="SELECT order_no, updated_at FROM ordres"))
    assert isinstance(error, ConfigError)
    assert error.problem.code == "orders-sql"
    assert "ordres" in error.problem.detail
    assert isinstance(raised(lambda: read(url, query="SELEKT 1")), ConfigError)
    assert isinstance(raised(lambda: read(url, query="SELECT 1; SELECT 2")), ConfigError)
    assert isinstance(raised(lambda: ORDERS.write_back(connection(url, write_back="UPDATE x"), RESULTS)), ConfigError)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"key_column": "number"}, "no column number; it has order_no, customer_key"),
        ({"key_column": "number", "stamp_column": "at"}, "no column number and at; it has"),
        ({"line_count_column": "lines"}, "no column lines"),
        ({"status_column": "state", "status_values": "x"}, "no column state"),
        ({"query": "SELECT o.*, o.order_no FROM orders o"}, "two columns the name order_no"),
        (
            {"query": "SELECT 1 FROM orders WHERE note = :note AND rep = :since"},
            "query names :note, which nothing fills",
        ),
        ({"query": " ; "}, "query is empty"),
        ({"external_id_column": "quickbooks_id"}, "has no column quickbooks_id; it has"),
        ({"time_zone": "Mars/Olympus"}, "no time zone 'Mars/Olympus'"),
        ({"time_zone": ""}, "no time zone ''"),
        ({"time_zone": "../etc/passwd"}, "no time zone"),
    ],
)
def test_wrong_settings(url: str, changed: dict[str, Any], words: str) -> None:
    for act in (lambda: read(url, **changed), lambda: ORDERS.order_fields(connection(url, **changed))):
        error = raised(act)
        assert isinstance(error, ConfigError)
        assert words in error.problem.message


def test_a_good_connection_is_checked_step_by_step(url: str) -> None:
    checks = ORDERS.check(connection(url))
    assert {check.name: check.ok for check in checks} == dict.fromkeys(
        ["settings", "log in", "query", "write back"], True
    )
    assert "order_no, customer_key" in checks[2].message
    assert "not tried" in checks[3].message
    assert ORDERS.check(connection(url, write_back=""))[3].message.startswith("No statement is set")
    last = ORDERS.check(connection(url, write_back="UPDATE orders SET note = :nte WHERE order_no = :key"))[-1]
    assert (last.name, last.ok) == ("write back", False)
    assert ":nte" in last.message


def test_the_check_raises_nothing_and_writes_nothing(url: str) -> None:
    orders_db.add_orders(url, [order("A")], NOW)
    ORDERS.check(connection(url))
    assert told(url) == [("A", None, None, None, None)]
    (failed,) = ORDERS.check(connection(url, max_orders="many"))
    assert (failed.ok, failed.message) == (False, "Something unforeseen went wrong: ValueError.")


def test_an_order_that_is_cancelled_after_it_was_read_comes_again(url: str) -> None:
    states: dict[str, Any] = {"status_column": "status", "status_values": "open"}
    orders_db.add_orders(url, [order("A"), order("B"), order("C")], NOW - timedelta(hours=3))
    assert read(url, **states)[0] == ["A", "B", "C"]
    cursor = OrderCursor(NOW - timedelta(hours=3), "C")
    orders_db.add_orders(url, [replace(order("B"), status="void")], NOW - timedelta(hours=1))
    found, moved = ORDERS.read_orders(connection(url, overlap_minutes=0, **states), cursor, NOW)
    assert [(each.key, each.cancelled, each.problem) for each in found] == [
        *(("A", False, None), ("C", False, None), ("B", True, None))
    ]
    assert (found[2].stamp, found[2].rows[0]["status"]) == (NOW - timedelta(hours=1), "void")
    assert moved == cursor
    assert not ORDERS.read_orders(connection(url, overlap_minutes=0), cursor, NOW)[0][2].cancelled


def test_an_order_that_our_own_write_back_moves_to_another_state_is_not_cancelled(url: str) -> None:
    changed = {"status_column": "status", "status_values": "open", "cancelled_values": "void, gone"}
    said = connection(url, write_back="UPDATE orders SET status = :status WHERE order_no = :key", **changed)
    orders_db.add_orders(url, [order("A"), order("B")], NOW - timedelta(hours=1))
    _, cursor = ORDERS.read_orders(said, None, NOW)
    ORDERS.write_back(said, [WriteBack("A", "posted"), WriteBack("B", "gone")])
    found, _ = ORDERS.read_orders(said, cursor, NOW)
    assert [(each.key, each.cancelled) for each in found] == [("B", True)]


def test_keys_that_are_numbers_are_told_by_them(url: str) -> None:
    execute(url, "CREATE TABLE numbered (no integer, at timestamp, state varchar(9))")
    execute(url, *(f"INSERT INTO numbered VALUES ({number}, '2026-11-24 12:00', NULL)" for number in (7, 70)))
    statement = "UPDATE numbered SET state = :status WHERE no = :key"
    said = connection(
        url, query="SELECT * FROM numbered", key_column="no", stamp_column="at", write_back=statement, settle_minutes=0
    )
    found, _ = ORDERS.read_orders(said, None, NOW)
    assert ORDERS.write_back(said, [WriteBack(found[0].key, "posted")]) == 1
    after, _ = ORDERS.read_orders(said, None, NOW)
    assert {each.key: each.rows[0]["state"] for each in after} == {"7": "posted", "70": None}
    execute(url, "DROP TABLE numbered")


def test_a_statement_that_names_less_than_it_could(url: str) -> None:
    orders_db.add_orders(url, [order("A")], NOW)
    said = connection(url, write_back="UPDATE orders SET sync_status = 'taken' WHERE order_no = :key;")
    assert ORDERS.write_back(said, RESULTS) == 3
    assert told(url) == [("A", "taken", None, None, None)]
