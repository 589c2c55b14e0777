"""A map over many batches does what it does over one: rows, rejected records and notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routebooks.errors import Problem
from routebooks.mapping.apply import map_rows
from routebooks.mapping.expression import FieldRef
from routebooks.mapping.model import Column, Map, Only
from routebooks.records import Kind, Loss, Target, TargetColumn
from routebooks.rows import Rows, Scratch

KEYED = Target(
    name="t",
    columns=(
        TargetColumn(name="Key", key=True),
        TargetColumn(name="Amount", kind=Kind.DECIMAL, scale=2),
    ),
)
LINED = Target(name="t", columns=(TargetColumn(name="Amount", kind=Kind.DECIMAL, scale=2, line=True, required=True),))
VALUES = st.sampled_from(["a", "b", "c*", "c", "*", None, " "])
AMOUNTS = st.sampled_from(["1", "2.5", "x", None])


def without_stars(table: pa.Table) -> tuple[pa.Table, tuple[Loss, ...]]:
    """A fit that loses something, as files do, and blanks are nothing."""
    if "Key" not in table.column_names:
        return table, ()
    keys = table["Key"].to_pylist()
    lost = [place for place, key in enumerate(keys) if key and "*" in key]
    fitted = table.set_column(0, "Key", pa.array([key and (key.strip("*") or None) for key in keys], pa.string()))
    if not lost:
        return fitted, ()
    return fitted, (Loss(Problem("stars", "Stars went"), len(lost), lost[0], f"the {lost[0] + 1}."),)


def in_batches(table: pa.Table, size: int) -> Rows:
    def read(columns: Sequence[str] | None) -> Iterator[pa.Table]:
        for start in range(0, table.num_rows, size):
            batch = table.slice(start, size)
            yield batch if columns is None else batch.select(list(columns))

    return Rows(table.schema, table.num_rows, read)


def outcome(rows: Rows, target: Target, only: tuple[Only, ...]) -> tuple[Any, ...]:
    columns = tuple(Column(column.name, FieldRef(column.name)) for column in target.columns)
    any_map = Map("m", "s", "t", columns, only)
    with Scratch() as scratch:
        mapped = map_rows(
            any_map,
            rows,
            target,
            {},
            key_field="Name",
            scratch=scratch,
            fit=without_stars,
            beside={"Id": "Number"},
        )
        source_rows, left_out = mapped.source_rows.to_pylist(), mapped.left_out_rows.to_pylist()
        return mapped.table.to_pylist(), source_rows, left_out, mapped.rejected, mapped.notes


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(VALUES, AMOUNTS), max_size=10),
    st.integers(1, 4),
    st.sampled_from([KEYED, LINED]),
    st.sampled_from([(), (Only("Key", ("a", "c*", "*")),)]),
)
def test_wherever_batches_end(values: list[tuple[Any, Any]], size: int, target: Target, only: tuple[Only, ...]) -> None:
    table = pa.table(
        {
            "Key": pa.array([key for key, _ in values], pa.string()),
            "Amount": pa.array([amount for _, amount in values], pa.string()),
            "Name": pa.array([f"name {place // 2}" for place in range(len(values))], pa.string()),
            "Number": pa.array(range(len(values)), pa.int64()),
        }
    )
    whole = outcome(in_batches(table, 100), target, only)
    rows, source_rows, left_out, rejected, notes = outcome(in_batches(table, size), target, only)
    assert (rows, source_rows, left_out, rejected) == whole[:4]
    assert [row["Id"] for row in rows] == source_rows
    assert [note.message.partition(" (")[0] for note in notes] == [note.message.partition(" (")[0] for note in whole[4]]


@pytest.mark.parametrize("label", ["the second", ""])
def test_a_note_counts_all_batches_and_names_the_first_record(label: str) -> None:
    def fit(table: pa.Table) -> tuple[pa.Table, tuple[Loss, ...]]:
        return table, (Loss(Problem("lost", "It went"), 2, 1, label),)

    any_map = Map("m", "s", "t", (Column("Key", FieldRef("Key")),))
    table = pa.table({"Key": list("abcdef")})
    with Scratch() as scratch:
        rows = in_batches(table, 3)
        mapped = map_rows(any_map, rows, KEYED, {}, key_field="Key", scratch=scratch, fit=fit)
    assert [note.message for note in mapped.notes] == [f"It went in 4 records (first: {label or 'row 2'})."]
