"""The database that runs maps: it reaches nothing outside, and gives the rows in their order."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from routebooks.mapping.compile import Compiled
from routebooks.mapping.database import connect, inputs_of, run
from routebooks.records import Field, Kind, TargetColumn

#: tried one after the other in one database: none may open the way for the next
STATEMENTS = """\
SELECT * FROM '{file}'
SELECT * FROM read_csv('{file}')
SELECT * FROM read_text('{file}')
SELECT * FROM read_blob('{file}')
SELECT * FROM read_json('{file}')
SELECT * FROM read_parquet('{file}')
SELECT * FROM glob('{folder}/*')
SELECT getenv('HOME')
COPY (SELECT 1) TO '{folder}/out.csv'
COPY (SELECT 1) TO '/dev/stdout'
EXPORT DATABASE '{folder}/out'
IMPORT DATABASE '{folder}'
ATTACH '{folder}/out.db'
ATTACH '{file}' AS other (READ_ONLY)
INSTALL httpfs
INSTALL '{file}'
FORCE INSTALL httpfs FROM 'http://127.0.0.1:1'
LOAD httpfs
LOAD '{file}'
SET enable_external_access = true
SET GLOBAL enable_external_access = true
SET lock_configuration = false
RESET lock_configuration
SET threads = 4
SET temp_directory = '{folder}'
SET allowed_directories = ['{folder}']
PRAGMA threads = 4
SELECT * FROM duckdb_secrets()
SELECT * FROM a_table_of_python
""".splitlines()


def test_it_is_locked(tmp_path: Path) -> None:
    file, folder = tmp_path / "a.csv", tmp_path / "folder"
    file.write_bytes(b"secret\n1\n")
    folder.mkdir()
    a_table_of_python = pa.table({"secret": [1]})
    with closing(connect()) as database:
        for statement in STATEMENTS:
            with pytest.raises(duckdb.Error):
                print(statement, database.execute(statement.format(file=file, folder=folder)).fetchall())
    assert list(folder.iterdir()) == []
    assert a_table_of_python.num_rows == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((f"auto{what}_known_extensions", False) for what in ("load", "install")),
        ("enable_external_access", False),
        ("allow_community_extensions", False),
        ("lock_configuration", True),
        ("threads", 1),
    ],
)
def test_every_lock_is_set(name: str, value: bool | int) -> None:
    with closing(connect()) as database:
        assert database.execute("SELECT current_setting(?)", [name]).fetchone() == (value,)


def test_each_database_is_fresh() -> None:
    with closing(connect()) as one, closing(connect()) as other:
        one.execute("CREATE TABLE kept (x INTEGER)")
        with pytest.raises(duckdb.CatalogException):
            other.execute("SELECT * FROM kept")


def test_the_inputs_stand_under_numbers_and_instants_are_naive() -> None:
    fields = (Field(name="At", kind=Kind.TIMESTAMP), Field(name="x'; --"), Field(name="D", kind=Kind.DECIMAL, scale=2))
    at = datetime(2026, 11, 24, 18, tzinfo=UTC)
    columns: dict[str, pa.ChunkedArray[Any] | pa.Array[Any]] = {
        "At": pa.chunked_array(
            [pa.array([at], pa.timestamp("us", "UTC")), pa.array([None], pa.timestamp("us", "UTC"))]
        ),
        "x'; --": pa.array(["a", "b"], pa.large_string()),
        "D": pa.array([Decimal("1.5"), None], pa.decimal128(3, 1)),
        "unread": pa.array([1, 2]),
    }
    inputs = inputs_of(Compiled("", fields, (), ()), columns, 2)
    assert inputs.column_names == ["row", "c0", "c1", "c2"]
    assert list(inputs.schema.types) == [pa.int64(), pa.timestamp("us"), pa.string(), pa.decimal128(18, 2)]
    assert inputs.to_pylist() == [
        {"row": 0, "c0": at.replace(tzinfo=None), "c1": "a", "c2": Decimal("1.50")},
        {"row": 1, "c0": None, "c1": "b", "c2": None},
    ]


def test_rows_come_in_their_order_also_when_many_are_left_out() -> None:
    rows = 300_000
    compiled = Compiled("SELECT row FROM source WHERE c0 % 3 <> 0", (Field(name="n", kind=Kind.INTEGER),), (), ())
    found = run(compiled, inputs_of(compiled, {"n": pa.array(range(rows))}, rows))
    assert found.column("row").to_pylist() == [number for number in range(rows) if number % 3]


def test_a_table_of_no_columns_still_has_its_rows() -> None:
    column = TargetColumn(name="x")
    compiled = Compiled("SELECT row, 'x' AS value0 FROM source", (), (column,), ())
    assert run(compiled, inputs_of(compiled, {}, 3)).column("value0").to_pylist() == ["x"] * 3
