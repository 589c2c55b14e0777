"""Runs a compiled map in a DuckDB of its own, in memory and locked: no files, no network, no extensions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from routebooks.mapping.compile import Compiled
from routebooks.records import Kind

_LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    "lock_configuration": "true",
    # one thread keeps the rows in order; two are no faster here
    "threads": "1",
}


def connect() -> duckdb.DuckDBPyConnection:
    """A fresh locked database; the caller closes it."""
    return duckdb.connect(":memory:", config=_LOCKED)


def run(compiled: Compiled, inputs: pa.Table) -> pa.Table:
    """The rows of a compiled map over a table with the columns row, c0, c1, ..., in their order."""
    with opened(compiled) as query:
        return query(inputs)


@contextmanager
def opened(compiled: Compiled) -> Iterator[Callable[[pa.Table], pa.Table]]:
    """The same for many tables, one after the other, in one database."""
    with closing(connect()) as database:

        def query(inputs: pa.Table) -> pa.Table:
            database.register("source", inputs)
            result: pa.Table = database.sql(compiled.sql).to_arrow_table()
            database.unregister("source")
            return result

        yield query


def inputs_of(compiled: Compiled, columns: Mapping[str, pa.ChunkedArray[Any] | pa.Array[Any]], rows: int) -> pa.Table:
    """The table that a compiled map reads: its input fields under their numbers, and the number of each row."""
    arrays: list[pa.ChunkedArray[Any] | pa.Array[Any]] = [pa.array(range(rows), pa.int64())]
    for field in compiled.inputs:
        # instants go in as naive UTC: see convert.py
        arrays.append(columns[field.name].cast(pa.timestamp("us") if field.kind is Kind.TIMESTAMP else field.arrow))
    return pa.table(arrays, names=["row", *(f"c{number}" for number in range(len(compiled.inputs)))])
