"""The foreign database opened for one call: what may be written, what is undone, and what errors say and do not say."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import sqlalchemy as sa

from mariadb import MariaDB
from routebooks.connectors.pocketadvantage.orders_database import address, opened, place
from routebooks.errors import ConfigError, RoutebooksError, TransientError

SECRET = "pa:ss/w@rd&é %25"


@pytest.fixture(params=["postgres_schema", "mariadb_database"])
def server_url(request: pytest.FixtureRequest) -> sa.URL:
    """A database of a server, whose password it knows."""
    url = address(str(request.getfixturevalue(request.param)))
    if url.get_backend_name() == "mysql":
        server: MariaDB = request.getfixturevalue("mariadb_server")
        server.user("keeper", SECRET, f"ALL ON {url.database}.*")
        url = url.set(username="keeper")
    return url.set(password=SECRET)


@pytest.fixture(params=["sqlite", "postgres_schema", "mariadb_database"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> sa.URL:
    """A database with one table of one row."""
    if request.param == "sqlite":
        file = tmp_path / "orders.db"
        file.write_bytes(b"")
        found = address(f"sqlite:///{file}")
    else:
        found = address(str(request.getfixturevalue(request.param)))
    with opened(found, writing=True) as database:
        database.exec_driver_sql("DROP TABLE IF EXISTS kept")
        database.exec_driver_sql("CREATE TABLE kept (word VARCHAR(20) NOT NULL)")
        database.exec_driver_sql("INSERT INTO kept VALUES ('one')")
    return found


def is_postgres(url: sa.URL) -> bool:
    return url.get_backend_name() == "postgresql"


def words(url: sa.URL) -> list[str]:
    with opened(url) as database:
        return [str(word) for (word,) in database.exec_driver_sql("SELECT word FROM kept ORDER BY word")]


def refused(act: Callable[[], Any]) -> RoutebooksError:
    with pytest.raises(RoutebooksError) as caught:
        act()
    return caught.value


def run(url: sa.URL, statement: str, *, writing: bool = False) -> Any:
    with opened(url, writing=writing) as database:
        return database.exec_driver_sql(statement)


def test_what_is_written_stays(url: sa.URL) -> None:
    run(url, "INSERT INTO kept VALUES ('two')", writing=True)
    assert words(url) == ["one", "two"]


WRITES = [
    "INSERT INTO kept VALUES ('two')",
    "UPDATE kept SET word = 'two'",
    "DELETE FROM kept",
    "DROP TABLE kept",
    "CREATE TABLE other (x INTEGER)",
]


def test_who_only_reads_writes_nothing(url: sa.URL) -> None:
    for statement in WRITES:
        error = refused(lambda statement=statement: run(url, statement))  # type: ignore[misc]
        assert isinstance(error, ConfigError)
        assert error.problem.code == "orders-sql"
        assert words(url) == ["one"]


def test_who_only_reads_moves_no_sequence(server_url: sa.URL) -> None:
    """A sequence is not set back with its transaction: only the server itself can refuse."""
    run(server_url, "CREATE SEQUENCE numbers", writing=True)
    try:
        name = "'numbers'" if is_postgres(server_url) else "numbers"
        error = refused(lambda: run(server_url, f"SELECT NEXTVAL({name})"))
        assert isinstance(error, ConfigError)
        assert re.search("read.only transaction", error.problem.detail, re.IGNORECASE)
    finally:
        run(server_url, "DROP SEQUENCE numbers", writing=True)


def test_who_only_reads_writes_nothing_after_a_statement_that_ended_the_transaction(mariadb_database: str) -> None:
    def goes_on() -> None:
        with opened(address(mariadb_database)) as database:
            database.exec_driver_sql("COMMIT")
            database.exec_driver_sql("CREATE TABLE other (x INTEGER)")

    assert "READ ONLY" in refused(goes_on).problem.detail


def test_a_call_that_fails_is_undone(url: sa.URL) -> None:
    def writes_and_fails(failure: Exception) -> None:
        with opened(url, writing=True) as database:
            database.exec_driver_sql("INSERT INTO kept VALUES ('two')")
            raise failure

    with pytest.raises(RuntimeError, match="ours"):
        writes_and_fails(RuntimeError("ours"))
    own = ConfigError("own", code="own")
    assert refused(lambda: writes_and_fails(own)) is own
    refused(lambda: run(url, "INSERT INTO kept VALUES (NULL)", writing=True))
    assert words(url) == ["one"]


def test_a_connection_is_closed_after_its_call(url: sa.URL) -> None:
    with opened(url) as kept:
        words(url)
    assert kept.closed
    with pytest.raises(ConfigError), opened(url) as broken:
        broken.exec_driver_sql("SELECT nope FROM kept")
    assert broken.closed


def test_a_database_that_is_not_one(tmp_path: Path) -> None:
    file = tmp_path / "orders.db"
    file.write_bytes(b"This is a letter to a customer, and no database at all. " * 100)
    error = refused(lambda: run(address(f"sqlite:///{file}"), "SELECT 1 FROM kept"))
    assert isinstance(error, ConfigError)
    assert "not a database" in error.problem.detail


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for path in (tmp_path / "none.db", tmp_path):
        error = refused(lambda path=path: run(address(f"sqlite:///{path}"), "SELECT 1", writing=True))  # type: ignore[misc]
        assert isinstance(error, TransientError)
        assert error.problem.code == "orders-file-missing"
        assert str(path) in error.problem.message
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_breaks_off_is_away_and_comes_again(server_url: sa.URL) -> None:
    end = "SELECT pg_terminate_backend(pg_backend_pid())" if is_postgres(server_url) else "KILL CONNECTION_ID()"
    error = refused(lambda: run(server_url, end))
    assert isinstance(error, TransientError)
    assert error.problem.code == "orders-away"
    with opened(server_url) as database:
        assert database.exec_driver_sql("SELECT 1").scalar() == 1


def test_a_statement_on_postgresql_ends_some_day(postgres_schema: str) -> None:
    shown = "SHOW statement_timeout"
    for writing in (False, True):
        with opened(address(postgres_schema), writing=writing) as database:
            assert database.exec_driver_sql(shown).scalar_one() == "2min"
    own = sa.make_url(postgres_schema).update_query_dict({"options": "-c statement_timeout=50"})
    with pytest.raises(TransientError), opened(own) as database:
        database.exec_driver_sql("SELECT pg_sleep(60)")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "orders-address"),
        ("  ", "orders-address"),
        ("host/database", "orders-address"),
        ("postgresql://u:{secret}@host:port/x", "orders-address"),
        ("postgresql://u:{secret}@127.0.0.1:1/x?nonsense={secret}", "orders-login"),
        ("postgresql://127.0.0.1:1/x?password={secret}&nonsense=1", "orders-login"),
        ("nosuch://u:{secret}@host/x", "orders-driver"),
        ("postgresql+nosuch://u:{secret}@host/x", "orders-driver"),
        ("sqlite://u:{secret}@host/x.db", "orders-address"),
    ],
)
def test_addresses_that_cannot_be_used(text: str, code: str) -> None:
    secret = quote(SECRET, safe="")
    error = refused(lambda: run(address(text.format(secret=secret)), "SELECT 1"))
    assert isinstance(error, ConfigError)
    assert error.problem.code == code
    tells_nothing(error, secret)


def tells_nothing(error: RoutebooksError, *secrets: str) -> None:
    told = "".join((repr(error), str(error.problem), *traceback.format_exception(error)))
    for secret in (SECRET, *secrets):
        assert secret not in told


AS_WRITTEN = sa.URL.create("x", "u", SECRET).render_as_string(hide_password=False).removeprefix("x://u:").rstrip("@")


def repeating(url: sa.URL, words: str) -> str:
    """A statement that the database refuses, repeating the words."""
    said = words.replace("%", "%%")
    return f"SELECT CAST('{said}' AS INTEGER)" if is_postgres(url) else f"SELECT EXTRACTVALUE('<a/>', '!{said}')"


@pytest.mark.parametrize("words", [SECRET, quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET), AS_WRITTEN])
def test_a_password_that_the_database_repeats_is_blotted_out(server_url: sa.URL, words: str) -> None:
    error = refused(lambda: run(server_url, repeating(server_url, words)))
    assert error.problem.code == "orders-sql"
    assert "***" in error.problem.detail
    tells_nothing(error, words)


def test_no_piece_of_the_statement_is_told_that_could_cut_a_secret_in_two(server_url: sa.URL) -> None:
    if is_postgres(server_url):
        statement = f"SELECT CAST('x' AS INTEGER), '{SECRET.replace('%', '%%')}', {'1, ' * 50} 2"
        says = "invalid input syntax"
    else:
        # the piece begins at the mistake and has 80 signs
        statement = f"SELECT 1 SELEKT {'x' * 60} '{SECRET.replace('%', '%%')}'"
        says = "near 'xxx"
    error = refused(lambda: run(server_url, statement))
    assert says in error.problem.detail
    assert SECRET[:5] not in error.problem.detail


def test_an_error_after_which_the_connection_is_gone_is_no_mistake_of_the_statement(url: sa.URL) -> None:
    gone = sa.exc.DatabaseError("SELECT 1", {}, Exception("gone"), connection_invalidated=True)
    with pytest.raises(TransientError), opened(url):
        raise gone


def test_a_secret_option_is_blotted_out_too(postgres_url: str) -> None:
    url = address(postgres_url).update_query_dict({"sslpassword": SECRET})
    error = refused(lambda: run(url, repeating(url, SECRET)))
    assert "***" in error.problem.detail
    tells_nothing(error)


def test_an_address_is_taken_with_blanks_around_it() -> None:
    assert address(" sqlite:///x.db\n").database == "x.db"


@pytest.mark.parametrize("kind", ["mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"])
def test_every_way_to_write_a_mariadb_address(mariadb_database: str, kind: str) -> None:
    written = mariadb_database.replace("mysql+pymysql:", f"{kind}:")
    assert written.startswith(f"{kind}://")
    with opened(address(written)) as database:
        assert database.exec_driver_sql("SELECT VERSION()").scalar_one().count("MariaDB")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("postgresql://rep:old@db/orders", "postgres://rep:new@DB:5432/orders"),
        ("postgresql://rep@localhost/orders", " postgresql+psycopg://rep@127.0.0.1:5432/orders"),
        ("postgresql://rep@db/orders?sslmode=require&passfile=a", "postgresql://rep@db/orders?sslmode=require"),
        ("mariadb://rep:a@db/orders", "mysql+pymysql://rep:b@db.:3306/orders"),
        ("mssql://rep@db/orders", "mssql+pymssql://rep@db:1433/orders"),
        ("sqlite:///folder/../orders.db", "sqlite:///orders.db"),
    ],
)
def test_two_ways_to_write_an_address_name_one_place(one: str, other: str) -> None:
    assert place(one) == place(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("postgresql://rep@db/orders", "postgresql://rep@other/orders"),
        ("postgresql://rep@db/orders", "postgresql://rep@/orders"),
        ("postgresql://rep@db/orders", "postgresql://rep@db:5433/orders"),
        ("postgresql://rep@db/orders", "postgresql://rep@db/Orders"),
        ("postgresql://rep@db/orders", "postgresql://other@db/orders"),
        ("postgresql://rep@db/orders", "mysql://rep@db/orders"),
        ("postgresql://rep@db/orders", "postgresql://rep@db/orders?options=-csearch_path%3Dtwo"),
        ("postgresql://rep@/orders?host=%2Fone", "postgresql://rep@/orders?host=%2Ftwo"),
        ("sqlite:///one.db", "sqlite:///two.db"),
        ("sqlite://", "sqlite:///one.db"),
        ("no address", "no address either"),
    ],
)
def test_two_places_are_told_apart(one: str, other: str) -> None:
    assert place(one) != place(other)


def test_a_link_to_a_file_is_the_file(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "orders.db")
    assert place(f"sqlite:///{tmp_path}/link.db") == place(f"sqlite:///{tmp_path}/orders.db")


def test_the_place_that_an_address_names_tells_no_password() -> None:
    assert "s3cret" not in place("postgresql://rep:s3cret@db/orders?sslpassword=s3cret")
