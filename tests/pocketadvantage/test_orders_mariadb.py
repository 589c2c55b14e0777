"""What is MariaDB's own: its kinds of stamps, its dates of zeros, and all the signs there are."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from orders_source import NOW, ORDERS, connection, execute, order, raised, read
from routebooks.connectors.base import OrderCursor, WriteBack
from routebooks.errors import ConfigError
from routebooks.sandbox import orders_db

STAMPED = "SELECT * FROM stamped WHERE updated_at >= :since AND updated_at <= :until"


def stamped(url: str, kind: str, *stamps: str) -> None:
    """A table of orders A, B, C and so on with these stamps."""
    rows = ", ".join(f"('{chr(65 + number)}', '{stamp}')" for number, stamp in enumerate(stamps))
    execute(
        url,
        "DROP TABLE IF EXISTS stamped",
        f"CREATE TABLE stamped (order_no CHAR(8), updated_at {kind} NOT NULL)",
        f"INSERT INTO stamped VALUES {rows}",
    )


@pytest.mark.parametrize(("offset", "zone"), [("+00:00", "UTC"), ("-05:00", "America/New_York")])
def test_timestamps_are_shown_in_the_zone_of_the_connection(mariadb: str, offset: str, zone: str) -> None:
    """A TIMESTAMP is an instant; MariaDB shows it in the zone of its server, or in one that the address sets."""
    options = {"init_command": f"SET time_zone = '{offset}'"}
    url = sa.make_url(mariadb).update_query_dict(options).render_as_string(hide_password=False)
    utc = sa.make_url(mariadb).update_query_dict({"init_command": "SET time_zone = '+00:00'"})
    stamps = ("2026-11-24 17:59:00", "2026-11-24 17:58:00", "2026-11-24 16:00:00")
    stamped(utc.render_as_string(hide_password=False), "TIMESTAMP", *stamps)
    cursor = OrderCursor(NOW - timedelta(minutes=119), "x")
    assert read(url, cursor, query=STAMPED, overlap_minutes=0, time_zone=zone) == (
        ["B"],
        OrderCursor(NOW - timedelta(minutes=2), "B"),
    )
    assert read(url, query=STAMPED, settle_minutes=0, time_zone=zone)[0] == ["C", "B", "A"]


def test_stamps_to_the_microsecond(mariadb: str) -> None:
    stamped(mariadb, "DATETIME(6)", "2026-11-24 17:00:00.000002", "2026-11-24 17:00:00.000001")
    found, cursor = ORDERS.read_orders(connection(mariadb, query=STAMPED), None, NOW)
    assert [each.key for each in found] == ["B", "A"]
    assert cursor == OrderCursor(NOW - timedelta(hours=1) + timedelta(microseconds=2), "A")


def test_a_stamp_of_zeros_is_none(mariadb: str) -> None:
    """Old tables have it in place of an empty one."""
    url = sa.make_url(mariadb).update_query_dict({"init_command": "SET sql_mode = ''"}).render_as_string(False)
    stamped(url, "DATETIME", "0000-00-00 00:00:00", "2026-11-24 17:00:00")
    found, _ = ORDERS.read_orders(connection(url, query="SELECT * FROM stamped"), None, NOW)
    assert [(each.key, each.problem and each.problem.code) for each in found] == [("A", "order-no-stamp"), ("B", None)]


def test_kinds_of_columns(mariadb: str) -> None:
    execute(
        mariadb,
        "DROP TABLE IF EXISTS kinds",
        "CREATE TABLE kinds (order_no INT, updated_at DATETIME, money DECIMAL(12, 2), ratio DOUBLE, flag BOOLEAN,"
        " hour TIME, extra JSON, raw VARBINARY(9), state ENUM('open', 'void'), big BIGINT UNSIGNED)",
        "INSERT INTO kinds VALUES (7, '2026-11-24 17:00:00', 1234567890.10, 0.1, TRUE, '07:30:00',"
        " '{\"a\": 1}', x'00ff', 'open', 18446744073709551615)",
    )
    ((found,), _) = ORDERS.read_orders(connection(mariadb, query="SELECT * FROM kinds"), None, NOW)
    assert found.rows == (
        {
            **{"order_no": 7, "updated_at": "2026-11-24T17:00:00", "money": "1234567890.10", "ratio": "0.1"},
            **{"flag": 1, "hour": "7:30:00", "extra": '{"a": 1}', "raw": "00ff", "state": "open"},
            "big": 18446744073709551615,
        },
    )


def test_all_signs_come_and_go(mariadb: str) -> None:
    execute(mariadb, "ALTER DATABASE CHARACTER SET utf8mb4")
    orders_db.add_orders(mariadb, [order("Ä🍷")], NOW - timedelta(hours=1))
    words = "日本酒 🍾 – “Café”, 50 % \\ 'n\nmore"
    assert ORDERS.write_back(connection(mariadb), [WriteBack("Ä🍷", "refused", message=words)]) == 1
    assert [each.sync_message for each in orders_db.orders(mariadb)] == [words]
    query = "SELECT order_no, updated_at, sync_message FROM orders"
    ((found,), _) = ORDERS.read_orders(connection(mariadb, query=query), None, NOW)
    assert (found.key, found.rows[0]["sync_message"]) == ("Ä🍷", words)


def test_a_column_that_lacks_a_sign_says_so(mariadb: str) -> None:
    orders_db.add_orders(mariadb, [order("A")], NOW)
    execute(mariadb, "ALTER TABLE orders MODIFY sync_message TEXT CHARACTER SET latin1")
    error = raised(lambda: ORDERS.write_back(connection(mariadb), [WriteBack("A", "refused", message="🍾")]))
    assert isinstance(error, ConfigError)
    assert "Incorrect string value" in error.problem.detail
