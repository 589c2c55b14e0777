"""A file that was not taken goes again together with the next: every record of both once, as it is now."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routebooks.engine.changes import KEY, union
from routebooks.errors import ConfigError

NIGHT = st.dictionaries(st.sampled_from("abcdef"), st.lists(st.integers(1, 9), min_size=1, max_size=3))
FIELDS: list[tuple[str, pa.DataType]] = [("Line", pa.int64()), ("Bottles", pa.decimal128(18, 5)), (KEY, pa.string())]
LINES = pa.schema(FIELDS)


def table(night: dict[str, list[int]]) -> pa.Table:
    rows = [
        {"Line": number, "Bottles": Decimal(bottles), KEY: key}
        for key, lines in night.items()
        for number, bottles in enumerate(lines, start=1)
    ]
    return pa.Table.from_pylist(rows, schema=LINES)


@settings(deadline=None, max_examples=40)
@given(st.lists(NIGHT, min_size=2, max_size=4))
def test_over_nights_that_nobody_takes_every_record_stands_once_as_it_is_now(
    nights: list[dict[str, list[int]]],
) -> None:
    lying = table(nights[0])
    now = dict(nights[0])
    for each in nights[1:]:
        lying, now = union(lying, table(each)), now | each
    assert sorted(lying.to_pylist(), key=str) == sorted(table(now).to_pylist(), key=str)
    assert lying.schema == LINES


def test_a_layout_that_was_changed_since_has_its_columns() -> None:
    before = pa.table({"Old": ["x"], "Line": [1], KEY: ["a"]})
    rows = pa.table({"New": ["y"], "Line": pa.array(["2"]), KEY: ["b"]})
    assert union(before, rows).to_pylist() == [
        {"New": None, "Line": "1", KEY: "a"},
        {"New": "y", "Line": "2", KEY: "b"},
    ]


def test_what_does_not_fit_the_changed_layout_waits_for_a_person() -> None:
    before = pa.table({"Line": ["one"], KEY: ["a"]})
    with pytest.raises(ConfigError, match="was not taken") as caught:
        union(before, pa.table({"Line": [2], KEY: ["b"]}))
    assert caught.value.problem.hint
