"""Rows: read as often as wanted, in batches, the same whatever they are made of."""

from __future__ import annotations

import errno
import gc
import io
import tempfile
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routebooks.errors import TransientError
from routebooks.rows import BATCH, Hashes, Rows, Scratch, Spool

COUNT = 2 * BATCH + 7
TABLE = pa.table(
    {
        "n": pa.array(range(COUNT), pa.int64()),
        "Name": [f"name {number}" for number in range(COUNT)],
        "Name.First": pa.array([None] * COUNT, pa.string()),
        "Custom.Licence no.": pa.array(["x"] * COUNT, pa.large_string()),
    }
)


@pytest.fixture
def scratch() -> Iterator[Scratch]:
    with Scratch() as opened:
        yield opened


@pytest.fixture(params=["table", "spool", "whole", "changed", "kept"])
def rows(request: pytest.FixtureRequest, scratch: Scratch) -> Rows:
    """The same rows, made in every way."""
    of_table = Rows.of_table(TABLE)
    if request.param == "spool":
        spool = Spool(scratch, TABLE.schema)
        for start in range(0, COUNT, 7000):
            spool.add(TABLE.slice(start, 7000))
        return spool.rows()
    if request.param == "whole":
        # As snapshots of earlier releases are: all rows in one group.
        spool = Spool(scratch, TABLE.schema)
        spool.add(TABLE)
        return spool.rows()
    if request.param == "changed":
        numbers = pa.array(range(COUNT), pa.int64())
        return Rows.of_table(TABLE.drop_columns(["n"])).each(
            lambda batch, start: batch.add_column(0, "n", numbers.slice(start, batch.num_rows))
        )
    if request.param == "kept":
        doubled = pa.concat_tables([TABLE, TABLE])
        return Rows.of_table(doubled).kept(pa.array([at >= COUNT for at in range(2 * COUNT)]))
    return of_table


def test_they_come_in_batches_and_as_often_as_wanted(rows: Rows) -> None:
    assert (rows.count, rows.schema) == (COUNT, TABLE.schema)
    for _ in range(2):
        batches = list(rows.batches())
        assert all(0 < batch.num_rows <= BATCH for batch in batches)
        assert pa.concat_tables(batches) == TABLE


def test_two_readers_do_not_meet(rows: Rows) -> None:
    pairs = list(zip(rows.batches(["n"]), rows.batches(["Name", "n"]), strict=True))
    assert pa.concat_tables([first for first, _ in pairs]) == TABLE.select(["n"])
    assert pa.concat_tables([second for _, second in pairs]) == TABLE.select(["Name", "n"])


def test_columns_are_those_asked_for_in_their_order(rows: Rows) -> None:
    assert rows.table(["Name", "n"]) == TABLE.select(["Name", "n"])
    some = rows.select(["Custom.Licence no.", "n"])
    assert some.schema.names == ["Custom.Licence no.", "n"]
    assert some.table() == TABLE.select(["Custom.Licence no.", "n"])
    assert some.table(["n"]) == TABLE.select(["n"])


def test_rows_are_taken_by_their_places(rows: Rows) -> None:
    places = [0, 1, BATCH - 1, BATCH, COUNT - 1]
    assert rows.take(places) == TABLE.take(pa.array(places))
    assert rows.take(places, ["n"])["n"].to_pylist() == places
    assert rows.take([], ["n"]).num_rows == 0


def test_some_are_found_by_what_they_hold(rows: Rows) -> None:
    assert rows.matching(lambda batch: pc.less(batch["n"], pa.scalar(3)), ["n"])["n"].to_pylist() == [0, 1, 2]
    assert rows.matching(lambda batch: pc.less(batch["n"], pa.scalar(0))) == TABLE.slice(0, 0)


def test_they_become_a_file(rows: Rows, scratch: Scratch) -> None:
    file = rows.parquet(scratch)
    assert Rows.of_parquet(file).table() == TABLE
    assert Rows.of_parquet(file).parquet(scratch) is file


def test_a_reader_that_stops_halfway_leaves_nothing_open() -> None:
    with Scratch() as scratch:
        spool = Spool(scratch, TABLE.schema)
        spool.add(TABLE)
        rows = spool.rows()
        for batch in rows.batches():
            assert batch.num_rows
            break
    gc.collect()


class Full(io.BytesIO):
    """A file on a full disk."""

    def write(self, data: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_told_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", Full)

    def fill() -> None:
        with Scratch() as scratch:
            Spool(scratch, TABLE.schema).add(TABLE)

    with pytest.raises(TransientError) as caught:
        fill()
    assert (caught.value.problem.code, bool(caught.value.problem.hint)) == ("disk-full", True)
    gc.collect()


def test_an_error_while_a_file_is_written_leaves_nothing_open() -> None:
    def fail() -> None:
        with Scratch() as scratch:
            Spool(scratch, TABLE.schema).add(TABLE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    gc.collect()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.booleans(), max_size=30), st.integers(1, 9))
def test_what_is_kept_is_what_was_asked_for(which: list[bool], size: int) -> None:
    table = TABLE.slice(0, len(which))
    with Scratch() as scratch:
        spool = Spool(scratch, table.schema)
        for start in range(0, len(which), size):
            spool.add(table.slice(start, size))
        kept = spool.rows().kept(pa.array(which, pa.bool_()))
        assert kept.table() == table.filter(pa.array(which, pa.bool_()))
        assert kept.count == sum(which)
        assert kept.table(["n"])["n"].to_pylist() == [at for at, each in enumerate(which) if each]


def test_no_rows_have_their_columns(scratch: Scratch) -> None:
    empty = TABLE.slice(0, 0)
    for rows in (Rows.of_table(empty), Spool(scratch, TABLE.schema).rows()):
        assert (list(rows.batches()), rows.count) == ([], 0)
        assert rows.table() == empty
        assert rows.each(lambda batch, _: batch.append_column("m", pc.add(batch["n"], 1))).schema.names[-1] == "m"


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(["a", "b", "c", ("a", 1), None]), max_size=4), max_size=4))
def test_the_keys_that_came_more_than_once_are_found_by_their_hashes(parts: list[list[Any]]) -> None:
    hashes = Hashes()
    for part in parts:
        hashes.add(part)
    keys = [key for part in parts for key in part if key is not None]
    assert hashes.repeated() == {hash(key) for key in keys if keys.count(key) > 1}
