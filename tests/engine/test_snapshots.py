"""Snapshots: what pages bring, each record once as it was seen last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routebooks.engine.snapshots import gathered
from routebooks.records import Field, Kind, Stream
from routebooks.rows import Scratch

NUMBER = Field(name="n", kind=Kind.INTEGER)
PLAIN = Stream(name="plain", fields=(Field(name="key"), NUMBER), key="key", label="key")
LINE = Field(name="line", kind=Kind.INTEGER)
LINED = Stream(name="lined", fields=(*PLAIN.fields, LINE), key="key", label="key", line="line")


def kept(shape: Stream, tables: Iterable[pa.Table]) -> pa.Table:
    with Scratch() as scratch:
        return gathered(tables, shape, scratch).table()


def cut(table: pa.Table, size: int) -> list[pa.Table]:
    return [table.slice(start, size) for start in range(0, table.num_rows, size)]


@pytest.mark.parametrize("size", [1, 3, 100])
def test_the_last_sight_of_a_key_wins(size: int) -> None:
    keys = ["a", "b", None, "a", "c", None, "b", "a"]
    table = pa.table({"key": keys, "n": list(range(8))})
    assert kept(PLAIN, cut(table, size))["n"].to_pylist() == [2, 4, 5, 6, 7]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_of_a_record_with_lines_all_of_its_last_sight_stays_and_nothing_else(size: int) -> None:
    table = pa.table(
        {"key": ["a", "a", None, None, "a", "b"], "n": list(range(6)), "line": [1, 2, 1, None, 1, None]},
        schema=pa.schema([(field.name, field.arrow) for field in LINED.fields]),
    )
    assert kept(LINED, cut(table, size))["n"].to_pylist() == [2, 3, 4, 5]


SIGHTS = st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(0, 3)), max_size=12)


@settings(deadline=None, max_examples=40)
@given(SIGHTS, st.integers(1, 5))
def test_whatever_is_seen_again_and_wherever_tables_end(sights: list[tuple[str | None, int]], size: int) -> None:
    rows: list[tuple[str | None, int, int | None]] = []
    for number, (key, lines) in enumerate(sights):
        rows += [(key, number, line) for line in range(1, lines + 1)] or [(key, number, None)]
    last = {key: number for number, (key, _) in enumerate(sights)}
    arrays: list[Any] = [pa.array([row[at] for row in rows], field.arrow) for at, field in enumerate(LINED.fields)]
    table = pa.table(arrays, names=["key", "n", "line"])
    found = [tuple(row.values()) for row in kept(LINED, cut(table, size)).to_pylist()]
    assert found == [row for row in rows if row[0] is None or last[row[0]] == row[1]]


def test_columns_of_later_tables_come_last_and_are_blank_before() -> None:
    tables = [
        pa.table({"key": ["a"], "n": [1]}),
        pa.table({"Custom.Y": ["y"], "key": ["b"], "n": [2]}),
        pa.table({"key": ["a", "c"], "n": [3, 4], "Custom.X": ["x", None]}),
    ]
    assert kept(PLAIN, tables).to_pydict() == {
        "key": ["b", "a", "c"],
        "n": [2, 3, 4],
        "Custom.Y": ["y", None, None],
        "Custom.X": [None, "x", None],
    }


@pytest.mark.parametrize("keys", [["a", "b"], ["a", "a"]])
def test_what_the_schemas_say_besides_is_kept(keys: list[str]) -> None:
    first, second = (pa.table({"key": [key], "n": [1]}) for key in keys)
    made = kept(PLAIN, [first, second.replace_schema_metadata({"unreadable": "2"})])
    assert made.schema.metadata == {b"unreadable": b"2"}


def test_without_any_table_there_are_the_fields_of_the_stream() -> None:
    assert kept(PLAIN, []) == pa.table({"key": pa.array([], pa.string()), "n": pa.array([], pa.int64())})
