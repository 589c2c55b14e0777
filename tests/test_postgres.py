"""The PostgreSQL that other tests rely on: real, empty for each test, out of each other's sight."""

from __future__ import annotations

import pytest
import sqlalchemy as sa


def tables(url: str) -> set[str]:
    engine = sa.create_engine(url)
    try:
        return set(sa.inspect(engine).get_table_names())
    finally:
        engine.dispose()


@pytest.mark.parametrize("name", ["first", "second"])
def test_every_test_gets_an_empty_database(fresh_postgres: str, name: str) -> None:
    assert tables(fresh_postgres) == set()
    engine = sa.create_engine(fresh_postgres)
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE TABLE {name} (id int)"))
        assert connection.execute(sa.text("SHOW server_encoding")).scalar() == "UTF8"
    engine.dispose()
    assert tables(fresh_postgres) == {name}


def test_the_session_has_a_database_of_its_own(postgres_url: str, fresh_postgres: str) -> None:
    assert postgres_url.startswith("postgresql+psycopg://")
    assert postgres_url != fresh_postgres
    assert tables(postgres_url) == set()
