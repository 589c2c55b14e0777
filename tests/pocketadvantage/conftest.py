"""Orders databases of every kind that is tried, empty, for the tests of the orders source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mariadb import MariaDB
from orders_source import execute, schema
from routebooks.sandbox import orders_db


@pytest.fixture(scope="module")
def postgres_schema(postgres_url: str) -> Iterator[str]:
    with schema(postgres_url, "orders_tests") as address:
        yield address


@pytest.fixture(scope="module")
def mariadb_database(mariadb_server: MariaDB) -> Iterator[str]:
    with mariadb_server.database("orders_tests") as address:
        yield address


@pytest.fixture
def postgres(postgres_schema: str) -> str:
    """An orders database of PostgreSQL with the example's tables, empty."""
    return _with_tables(postgres_schema)


@pytest.fixture
def mariadb(mariadb_database: str) -> str:
    """The same of MariaDB."""
    return _with_tables(mariadb_database)


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same of every kind."""
    if request.param != "sqlite":
        return str(request.getfixturevalue(request.param))
    address = f"sqlite:///{tmp_path / 'orders.db'}"
    orders_db.create(address)
    return address


def _with_tables(url: str) -> str:
    execute(url, "DROP TABLE IF EXISTS order_lines, orders")
    orders_db.create(url)
    return url
