"""What holds for every test: a skip is a failure where the machine is meant to have everything; databases to use."""

from __future__ import annotations

import os
import uuid
from collections.abc import Generator, Iterator
from typing import Any

import psycopg
import pytest
import structlog

import mariadb
from mariadb import MariaDB
from postgres import Server, running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure when ROUTEBOOKS_NO_SKIPS is set, as .ci/run does."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("ROUTEBOOKS_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def logs_as_they_come() -> Iterator[None]:
    """A command sets how much is logged, for its process: the next test begins without that."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL of this test process's own, begun when a test first asks (half a second) and gone at the end."""
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Server) -> str:
    """The SQLAlchemy address of one database for the whole session."""
    return _create(postgres_server)


@pytest.fixture
def fresh_postgres(postgres_server: Server) -> Iterator[str]:
    """The SQLAlchemy address of an empty database, dropped after the test whoever is still connected."""
    url = _create(postgres_server)
    yield url
    _execute(postgres_server, f'DROP DATABASE "{_name(url)}" WITH (FORCE)')


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDB]:
    """A MariaDB of this test process's own, begun when a test first asks (two seconds) and gone at the end."""
    with mariadb.running() as server:
        yield server


def _create(server: Server) -> str:
    name = f"test_{uuid.uuid4().hex}"
    _execute(server, f'CREATE DATABASE "{name}" STRATEGY file_copy')
    return server.url(name)


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def _execute(server: Server, statement: str) -> None:
    with psycopg.connect(server.address("postgres"), autocommit=True) as connection:
        connection.execute(statement.encode())
