"""What is said when the orders database is away, busy, locked or closed to us, and of what it refuses."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from certificates import Authority
from mariadb import MariaDB
from orders_source import NOW, ORDERS, PASSWORD, RESULTS, connection, order, raised, read
from routebooks.connectors.pocketadvantage import orders_database
from routebooks.connectors.pocketadvantage.orders_database import address, opened
from routebooks.errors import ConfigError, RoutebooksError, TransientError
from routebooks.sandbox import orders_db


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        return int(listening.getsockname()[1])


def with_password(url: str, **changed: Any) -> str:
    return sa.make_url(url).set(password=PASSWORD, **changed).render_as_string(hide_password=False)


def with_option(url: str, name: str, value: str) -> str:
    return sa.make_url(url).update_query_dict({name: value}).render_as_string(hide_password=False)


@pytest.fixture(params=["postgres", "mariadb"])
def guarded(request: pytest.FixtureRequest) -> str:
    """An orders database of a server, empty, whose password it knows."""
    url = str(request.getfixturevalue(request.param))
    if request.param == "postgres":
        return with_password(url)
    server: MariaDB = request.getfixturevalue("mariadb_server")
    server.user("rep", PASSWORD, "ALL ON orders_tests.*")
    return with_password(url, username="rep")


def everything(error: RoutebooksError) -> str:
    problem = error.problem
    return " ".join((problem.message, problem.hint, problem.detail, str(error), repr(error.__cause__)))


def assert_secret(texts: Sequence[str]) -> None:
    for text in texts:
        for form in (PASSWORD, "s3cret"):
            assert form not in text


def test_a_database_that_is_away(tmp_path: Path) -> None:
    away = with_password(f"postgresql+psycopg://rep@127.0.0.1:{free_port()}/orders")
    missing = f"sqlite:///{tmp_path / 'missing.db'}"
    for url in (away, away.replace("postgresql+psycopg", "mariadb"), missing):
        for act in (
            lambda url=url: read(url),
            lambda url=url: ORDERS.order_fields(connection(url)),
            lambda url=url: ORDERS.write_back(connection(url), RESULTS),
        ):
            error = raised(act)
            assert isinstance(error, TransientError)
            assert error.problem.code == ("orders-file-missing" if url == missing else "orders-away")
            assert_secret([everything(error)])
        (settings, entry) = ORDERS.check(connection(url))
        assert (settings.ok, entry.ok, entry.name) == (True, False, "log in")
        assert_secret([entry.message, entry.hint])
    assert not (tmp_path / "missing.db").exists()


def test_a_database_that_does_not_let_us_in(guarded: str) -> None:
    for changed in ({"username": "nobody_here"}, {"database": "none_such"}):
        error = raised(lambda changed=changed: read(sa.make_url(guarded).set(**changed).render_as_string(False)))
        assert isinstance(error, ConfigError)
        assert error.problem.code == "orders-login"
        assert re.search("does not exist|Access denied", error.problem.detail)
        assert_secret([everything(error)])


def test_a_database_that_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(orders_database._TIMEOUTS, "pysqlite", {"timeout": 0})
    url = f"sqlite:///{tmp_path / 'orders.db'}"
    orders_db.create(url)
    orders_db.add_orders(url, [order("A")], NOW)
    engine = sa.create_engine(url)
    with engine.connect() as other:
        other.exec_driver_sql("BEGIN EXCLUSIVE")
        assert isinstance(raised(lambda: ORDERS.write_back(connection(url), RESULTS)), TransientError)
        assert isinstance(raised(lambda: read(url)), TransientError)
    engine.dispose()
    assert ORDERS.write_back(connection(url), RESULTS) == 3


def test_a_connection_that_breaks_off(postgres: str) -> None:
    query = "SELECT order_no, updated_at FROM orders WHERE pg_terminate_backend(pg_backend_pid())"
    orders_db.add_orders(postgres, [order("A")], NOW)
    assert isinstance(raised(lambda: read(postgres, query=query)), TransientError)


def test_a_connection_that_is_cut_while_rows_come(mariadb: str, mariadb_server: MariaDB) -> None:
    """The first rows are here, the others are never sent: more than all buffers between us hold."""

    def read_on() -> None:
        with opened(address(mariadb)) as database:
            number = database.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
            statement = "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_1000000"
            result = database.execution_options(stream_results=True, max_row_buffer=10).exec_driver_sql(statement)
            assert result.fetchone() is not None
            mariadb_server.run(f"KILL {number}")
            result.fetchall()

    assert raised(read_on).problem.code == "orders-away"


def test_an_order_that_somebody_else_holds_is_told_later(mariadb: str) -> None:
    orders_db.add_orders(mariadb, [order("A"), order("B")], NOW)
    url = with_option(mariadb, "init_command", "SET innodb_lock_wait_timeout = 0")
    engine = sa.create_engine(mariadb)
    with engine.connect() as other:
        other.exec_driver_sql("SELECT 1 FROM orders WHERE order_no = 'B' FOR UPDATE")
        error = raised(lambda: ORDERS.write_back(connection(url), RESULTS))
    engine.dispose()
    assert isinstance(error, TransientError)
    assert error.problem.detail.startswith("1205: Lock wait timeout")
    assert [each.sync_status for each in orders_db.orders(mariadb)] == [None, None]
    assert ORDERS.write_back(connection(url), RESULTS) == 3


def test_a_server_that_says_nothing_is_away() -> None:
    """It takes the connection and is silent: pymysql's connect_timeout does not bound that."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"mariadb://rep:x@127.0.0.1:{silent.getsockname()[1]}/orders?read_timeout=1"
        error = raised(lambda: read(url))
    assert isinstance(error, TransientError)
    assert "timed out" in error.problem.detail


def test_a_query_that_never_ends_is_given_up(mariadb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert orders_database._TIMEOUTS["pymysql"]["read_timeout"] > 0
    monkeypatch.setitem(orders_database._TIMEOUTS, "pymysql", {"read_timeout": 1})
    query = "SELECT SLEEP(1000) AS order_no, NOW() AS updated_at"
    error = raised(lambda: read(mariadb, query=query))
    assert isinstance(error, TransientError)


def test_a_limit_of_the_server_passes_by_itself(mariadb: str) -> None:
    query = "SET STATEMENT max_statement_time = 0.01 FOR SELECT SLEEP(1000) AS order_no, NOW() AS updated_at"
    assert isinstance(raised(lambda: read(mariadb, query=query)), TransientError)


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        ("SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'ask the office'", "1644: ask the office"),
        ("INSERT INTO orders (order_no) VALUES (:status)", "1364: Field 'customer_key' doesn't have a default value"),
        ("UPDATE orders SET order_date = :status", "1292: Incorrect date value: 'posted'"),
        ("UPDATE orders SET order_no = NULL", "1048: Column 'order_no' cannot be null"),
        ("UPDATE orders SET line_count = nosuch(1)", "nosuch does not exist"),
    ],
)
def test_what_the_driver_calls_operational_is_the_statement_s_fault(mariadb: str, statement: str, detail: str) -> None:
    orders_db.add_orders(mariadb, [order("A")], NOW)
    error = raised(lambda: ORDERS.write_back(connection(mariadb, write_back=statement), RESULTS))
    assert isinstance(error, ConfigError)
    assert error.problem.code == "orders-sql"
    assert detail in error.problem.detail


def test_a_user_who_may_only_read(mariadb: str, mariadb_server: MariaDB) -> None:
    orders_db.add_orders(mariadb, [order("A")], NOW)
    tables = ("orders", "order_lines")
    mariadb_server.user("reader", PASSWORD, *(f"SELECT ON orders_tests.{table}" for table in tables))
    url = mariadb_server.url("orders_tests", "reader", PASSWORD)
    assert read(url, settle_minutes=0)[0] == ["A"]
    error = raised(lambda: ORDERS.write_back(connection(url), RESULTS))
    assert isinstance(error, ConfigError)
    assert "UPDATE command denied to user 'reader'" in error.problem.detail
    assert "the table" not in error.problem.message
    assert isinstance(raised(lambda: read(url, query="SELECT * FROM mysql.global_priv")), ConfigError)
    assert_secret([everything(error)])


def test_a_user_who_must_encrypt(mariadb: str, mariadb_server: MariaDB, tmp_path: Path) -> None:
    mariadb_server.user("careful", PASSWORD, "ALL ON orders_tests.*", requires="SSL")
    url = mariadb_server.url("orders_tests", "careful", PASSWORD)
    assert read(url) == ([], None)
    assert raised(lambda: read(with_option(url, "ssl_disabled", "true"))).problem.code == "orders-login"
    assert read(with_option(url, "ssl_ca", str(mariadb_server.authority))) == ([], None)
    (tmp_path / "other.pem").write_bytes(Authority().pem.encode())
    error = raised(lambda: read(with_option(url, "ssl_ca", str(tmp_path / "other.pem"))))
    assert isinstance(error, ConfigError)
    assert error.problem.code == "orders-login"
    assert "certificate verify failed" in error.problem.detail
    assert_secret([everything(error)])


def test_a_driver_that_lacks_something_is_a_matter_of_the_log_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("'pynacl' package is required for ed25519_password auth method")

    monkeypatch.setattr("pymysql.connections.Connection.connect", fails)
    error = raised(lambda: read("mariadb://rep@127.0.0.1/orders"))
    assert isinstance(error, ConfigError)
    assert (error.problem.code, "pynacl" in error.problem.detail) == ("orders-login", True)


def test_the_password_is_in_no_message(guarded: str) -> None:
    url = guarded
    assert read(url) == ([], None)
    for query in (f"SELECT nope('{PASSWORD}' + 1, '{PASSWORD}') SELEKT '{PASSWORD}'", f'SELECT * FROM "{PASSWORD}"'):
        error = raised(lambda query=query: read(url, query=query))
        assert error.problem.code == "orders-sql"
        assert "***" in error.problem.detail
        assert_secret([everything(error)])
    named = f"'{PASSWORD}'" if "postgres" not in url else f"""1 AS "{PASSWORD}\""""
    twice = f"SELECT {named}, {named}, 1 AS order_no, 2 AS updated_at"
    for query in (f"SELECT {named}", twice):
        assert_secret([everything(raised(lambda query=query: read(url, query=query)))])
    assert_secret([ORDERS.check(connection(url, query=f"SELECT {named}, 1 AS order_no, 2 AS updated_at"))[2].message])
    checks = ORDERS.check(connection(url, query=f"SELECT '{PASSWORD}' + 1"))
    assert not checks[-1].ok
    assert_secret([f"{check.message} {check.hint}" for check in checks])
    assert PASSWORD not in repr(connection(url))


@pytest.mark.parametrize("text", ["", "not an address s3cret", "nosuchdatabase://u:s3cret@host/x"])
def test_wrong_addresses(text: str) -> None:
    error = raised(lambda: read(text))
    assert isinstance(error, ConfigError)
    last = ORDERS.check(connection(text))[-1]
    assert (last.ok, last.hint) == (False, error.problem.hint)
    assert_secret([everything(error), last.message, last.hint])
