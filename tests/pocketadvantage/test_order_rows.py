"""Rows to orders: whole ones, in order, with a cursor that loses none."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routebooks.connectors.base import OrderCursor, SourceOrder
from routebooks.connectors.pocketadvantage.order_rows import BEGINNING, Reading, gather, instant, json_row, text_of
from routebooks.errors import ConfigError

NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
END = START + timedelta(days=1)


def minute(number: int) -> datetime:
    return START + timedelta(minutes=number)


def row(key: Any, at: Any, **more: Any) -> dict[str, Any]:
    return {"no": key, "at": minute(at) if isinstance(at, int) else at, **more}


def read(
    rows: list[dict[str, Any]], cursor: OrderCursor | None = None, since: datetime = BEGINNING, **reading: Any
) -> tuple[list[SourceOrder], OrderCursor | None]:
    return gather(rows, Reading("no", "at", UTC, **reading), cursor, since, END)


def keys(found: list[SourceOrder]) -> list[str]:
    return [order.key for order in found]


def codes(found: list[SourceOrder]) -> dict[str, str]:
    return {order.key: order.problem.code for order in found if order.problem}


def test_orders_by_stamp_then_key_each_with_its_rows_as_they_came() -> None:
    found, cursor = read([row("b", 1, line=1), row("c", 0, line=1), row("b", 1, line=2), row("a", 1, line=9)])
    assert keys(found) == ["c", "a", "b"]
    assert [each["line"] for each in found[2].rows] == [1, 2]
    assert cursor == OrderCursor(minute(1), "b")


def test_the_stamp_of_an_order_is_the_greatest_of_its_rows() -> None:
    found, cursor = read([row("a", 5), row("b", 3), row("a", 1)])
    assert [(order.key, order.stamp) for order in found] == [("b", minute(3)), ("a", minute(5))]
    assert cursor == OrderCursor(minute(5), "a")


def test_the_cursor_never_moves_back_nor_by_our_clock() -> None:
    kept = OrderCursor(minute(9), "z")
    assert read([row("a", 5)], kept) == ([SourceOrder("a", minute(5), (json_row(row("a", 5)),))], kept)
    assert read([], kept) == ([], kept)
    assert read([]) == ([], None)
    assert read([row("a", 9)], kept)[1] == kept


def test_bounds_are_kept_whatever_the_query_gives() -> None:
    rows = [row("old", -1), row("first", 0), row("last", END), row("new", END + timedelta(seconds=1))]
    assert keys(read(rows, since=START)[0]) == ["first", "last"]


def test_an_order_with_one_line_that_is_not_settled_waits_whole() -> None:
    late = END + timedelta(minutes=1)
    assert keys(read([row("a", 1), row("b", 2), row("a", late), row("a", 3)])[0]) == ["b"]


def test_most_new_orders_are_taken_whole_and_the_known_come_in_addition() -> None:
    rows = [row(key, at, line=line) for at, key in enumerate("abcdef") for line in (1, 2)]
    cursor = OrderCursor(minute(1), "b")
    found, moved = read(rows, cursor, most=2)
    assert keys(found) == ["a", "b", "c", "d"]
    assert {len(order.rows) for order in found} == {2}
    assert moved == OrderCursor(minute(3), "d")


def test_many_orders_of_one_stamp_are_got_through() -> None:
    rows = [row(f"{number:03}", 0) for number in range(25)]
    cursor, seen = None, set()
    for _ in range(3):
        found, cursor = read(rows, cursor, most=10)
        seen.update(keys(found))
    assert len(seen) == 25
    assert cursor == OrderCursor(minute(0), "024")


SCATTERED = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 30)).map(lambda pair: row(f"{pair[0]:02}", pair[1])), max_size=120
)


def read_on(rows: list[dict[str, Any]], **reading: Any) -> tuple[set[str], set[str]]:
    """The orders seen by reading on until nothing new comes, each whole and in order; and those up to the cursor."""
    stamps = {key: [each["at"] for each in rows if each["no"] == key] for key in {each["no"] for each in rows}}
    cursor: OrderCursor | None = None
    seen: set[str] = set()
    while True:
        found, moved = read(rows, cursor, since=cursor.stamp if cursor else BEGINNING, **reading)
        assert [(order.stamp, order.key) for order in found] == sorted((order.stamp, order.key) for order in found)
        for order in found:
            assert (order.stamp, len(order.rows)) == (max(stamps[order.key]), len(stamps[order.key]))
        seen.update(keys(found))
        if moved == cursor:
            mark = (cursor.stamp, cursor.key) if cursor else (BEGINNING, "")
            return seen, {key for key, all_of in stamps.items() if (max(all_of), key) <= mark}
        cursor = moved


@given(SCATTERED, st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_reading_on_sees_every_order_whole_however_its_rows_are_scattered(
    rows: list[dict[str, Any]], most: int
) -> None:
    seen, passed = read_on(rows, most=most)
    assert seen == passed == {each["no"] for each in rows}


@given(SCATTERED, st.integers(1, 4), st.integers(1, 8))
@settings(max_examples=40, deadline=None)
def test_with_little_room_no_order_is_passed_over_and_sorted_rows_are_all_seen(
    rows: list[dict[str, Any]], most: int, room: int
) -> None:
    try:
        seen, passed = read_on(rows, most=most, room=room)
    except ConfigError as error:
        # in disorder there may be no telling which are next: said, not skipped
        seen, passed = set(), {error.problem.code} - {"orders-unsorted"}
    assert seen == passed
    together = sorted(rows, key=lambda each: str(each["no"]))
    assert read_on(together, most=most, room=room)[0] == {each["no"] for each in rows}


def test_an_order_with_lines_missing_comes_with_its_problem_and_moves_no_cursor() -> None:
    rows = [row("a", 1, lines=2), row("a", 1, lines=2), row("b", 2, lines=3), row("c", 3, lines=None)]
    found, cursor = read(rows, line_count_column="lines")
    assert keys(found) == ["a", "b", "c"]
    assert codes(found) == {"b": "order-incomplete", "c": "order-incomplete"}
    assert found[1].problem
    assert found[1].problem.message == "Order b has 1 of 3 lines."
    assert cursor == OrderCursor(minute(1), "a")


def test_orders_with_lines_missing_do_not_use_up_the_number_taken() -> None:
    rows = [row(f"x{number}", number, lines=2) for number in range(5)] + [row("z", 9, lines=1)]
    found, cursor = read(rows, line_count_column="lines", most=1)
    assert keys(found)[-1] == "z"
    assert cursor == OrderCursor(minute(9), "z")


def test_only_orders_in_a_state_that_is_wanted() -> None:
    rows = [row("a", 1, state="open"), row("b", 2, state="draft"), row("c", 3, state=None), row("d", 4, state=5)]
    assert keys(read(rows, status_column="state", statuses=frozenset(["open", "5"]))[0]) == ["a", "d"]


@pytest.mark.parametrize("stamp", [None, "soon", "", 1700000000, 3.5, "0001-01-01"])
def test_an_order_without_a_stamp_is_told_and_holds_nobody_up(stamp: Any) -> None:
    rows = [{"no": "a", "at": stamp}, row("b", 1)]
    found, cursor = gather(rows, Reading("no", "at", ZoneInfo("Asia/Tokyo")), None, START, END)
    assert codes(found) == {"a": "order-no-stamp"}
    assert keys(found) == ["a", "b"]
    assert cursor == OrderCursor(minute(1), "b")


@pytest.mark.parametrize("key", [None, "", "  "])
def test_rows_without_a_key_are_told(key: Any) -> None:
    found, cursor = read([row(key, 1), row(key, 2), row("b", 1)])
    assert codes(found) == {"": "order-no-key"}
    assert cursor == OrderCursor(minute(1), "b")


def test_keys_are_trimmed_texts() -> None:
    assert keys(read([row("a  ", 1), row(0, 2), row(Decimal(10), 3)])[0]) == ["a", "0", "10"]
    found, _ = read([row("a  ", 1), row("a", 2)])
    assert [len(order.rows) for order in found] == [2]


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ("2026-11-24T12:00:00Z", START),
        (" 2026-11-24 07:00:00.000000-05:00 ", START),
        ("2026-11-24 07:00:00", START),
        ("2026-11-24", START - timedelta(hours=7)),
        (date(2026, 11, 24), START - timedelta(hours=7)),
        (datetime(2026, 11, 24, 7, 0, tzinfo=NEW_YORK), START),
        (datetime.fromisoformat("2026-11-24T07:00:00"), START),
        (datetime(2026, 11, 24, 12, 0, tzinfo=UTC), START),
        ("24.11.2026", None),
        ("", None),
        (12, None),
        (True, None),
        (None, None),
        ("9999-12-31T23:59:59", None),
    ],
)
def test_instants(value: Any, meaning: datetime | None) -> None:
    found = instant(value, NEW_YORK)
    assert found == meaning
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        (Decimal("1.50000"), "1.50000"),
        (Decimal("1E+3"), "1000"),
        (0.1, "0.1"),
        (110.005, "110.005"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (True, True),
        (7, 7),
        ("x", "x"),
        (None, None),
        (date(2026, 1, 2), "2026-01-02"),
        (time(3, 4), "03:04:00"),
        (timedelta(hours=1), "1:00:00"),
        (START, "2026-11-24T12:00:00+00:00"),
        (b"\x00\xff", "00ff"),
        (memoryview(b"\x01"), "01"),
        ({"a": [1, Decimal(2)]}, '{"a": [1, "2"]}'),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_rows_are_plain_json(value: Any, meaning: Any) -> None:
    found = json_row({"x": value})
    assert found == {"x": meaning}
    assert type(found["x"]) is type(meaning)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_kept_values_as_texts() -> None:
    assert [text_of(value) for value in (True, False, None, 7, "x", "")] == ["true", "false", None, "7", "x", ""]


def cancelled(found: list[SourceOrder]) -> list[str]:
    return [order.key for order in found if order.cancelled]


OPEN: dict[str, Any] = {"status_column": "state", "statuses": frozenset(["open", "hold"])}


def test_an_order_that_left_the_states_comes_again_as_cancelled() -> None:
    rows = [row("a", 1, state="open"), row("b", 2, state="void", line=1), row("b", 2, state="void", line=2)]
    rows += [row("c", 3, state="hold"), row("d", 4, state=None)]
    found, moved = read(rows, OrderCursor(minute(1), "a"), **OPEN)
    assert keys(found) == ["a", "b", "c", "d"]
    assert cancelled(found) == ["b", "d"]
    assert [len(order.rows) for order in found] == [1] * 4
    assert [order.rows[0]["state"] for order in found] == ["open", "void", "hold", None]
    assert codes(found) == {}
    assert moved == OrderCursor(minute(3), "c")


def test_without_a_cursor_there_is_nothing_to_cancel() -> None:
    rows = [row("a", 1, state="void"), row("b", 2, state="open"), row("b", 2, state="void")]
    assert read(rows, **OPEN) == ([], None)


def test_where_the_states_that_cancel_are_named_no_other_does() -> None:
    rows = [
        row(key, 1, state=state) for key, state in zip("abcde", ("open", "void", "done", None, "no  "), strict=True)
    ]
    found, _ = read(rows, OrderCursor(minute(0), ""), cancelling=frozenset(["void", "no", "open"]), **OPEN)
    assert (keys(found), cancelled(found)) == (["a", "b", "e"], ["b", "e"])
    assert read(rows, cancelling=frozenset(["void"]), **OPEN)[0][0].key == "a"


def test_one_line_in_another_state_takes_the_order_back_wherever_it_stands() -> None:
    cursor = OrderCursor(minute(0), "")
    for states in (("open", "void"), ("void", "open"), ("open", "void", "open")):
        ((found,), moved) = read([row("a", 1, state=state) for state in states], cursor, **OPEN)
        assert (found.cancelled, [each["state"] for each in found.rows]) == (True, ["void"])
        assert moved == cursor


def test_cancelled_orders_use_up_nothing_move_no_cursor_and_stay_within_the_bounds() -> None:
    cursor = OrderCursor(minute(10), "z")
    rows = [row(f"v{at:02}", at, state="void") for at in range(20)] + [row("n", 30, state="open")]
    rows += [row("late", END + timedelta(seconds=1), state="void"), row(None, 12, state="void")]
    found, moved = read(rows, cursor, since=minute(5), most=1, **OPEN)
    assert keys(found) == [*(f"v{at:02}" for at in range(5, 20)), "n"]
    assert (len(cancelled(found)), moved) == (15, OrderCursor(minute(30), "n"))
    assert read(rows[:-3], cursor, since=minute(5), most=1, **OPEN)[1] == cursor


def test_cancelled_orders_behind_the_last_that_is_taken_come_with_the_next_reading() -> None:
    rows = [row("a", 1, state="open"), row("v", 2, state="void"), row("b", 3, state="open"), row("w", 4, state="void")]
    cursor = OrderCursor(BEGINNING, "")
    found, moved = read(rows, cursor, most=1, room=1, **OPEN)
    assert (keys(found), moved) == (["a"], OrderCursor(minute(1), "a"))
    found, moved = read(rows, moved, since=minute(1), most=1, room=1, **OPEN)
    assert (keys(found), moved) == (["a", "v", "b"], OrderCursor(minute(3), "b"))
    assert keys(read(rows, moved, since=minute(3), most=1, room=1, **OPEN)[0]) == ["b", "w"]


def test_a_cancelled_order_has_no_problem_whatever_it_lacks() -> None:
    rows = [row("a", "soon", state="void", lines=9), row("b", 2, state="void", lines=9), row("", 2, state="void")]
    found, _ = read(rows, OrderCursor(minute(0), ""), line_count_column="lines", **OPEN)
    assert (cancelled(found), codes(found)) == (["a", "b"], {})


def test_words_of_a_fixed_width_are_read_without_their_blanks() -> None:
    rows = [row("a  ", 1, state="open   ", lines="1  "), row("b  ", 2, state="   ", lines="1")]
    found, _ = read(rows, line_count_column="lines", **OPEN)
    assert (keys(found), codes(found)) == (["a"], {})


@pytest.mark.parametrize("said", [2, "2", Decimal(2), Decimal("2.00"), 2.0, " 2 ", "2.", 1, 0])
def test_numbers_of_lines_that_two_lines_are_enough_for(said: Any) -> None:
    found, _ = read([row("a", 1, lines=said), row("a", 1, lines=said)], line_count_column="lines")
    assert codes(found) == {}


@pytest.mark.parametrize("said", [3, Decimal("3.0"), "two", "", None, -1, "2.5", 2.5, True, "1e0", "٢"])
def test_numbers_of_lines_that_two_lines_are_not_enough_for(said: Any) -> None:
    found, cursor = read([row("a", 1, lines=said), row("a", 1, lines=said)], line_count_column="lines")
    assert (codes(found), cursor) == ({"a": "order-incomplete"}, None)


def test_disorder_that_leaves_nothing_to_take_is_told() -> None:
    rows = [row("a", 1), row("b", 2), row("c", 3), row("a", 4)]
    with pytest.raises(ConfigError, match="disorder") as caught:
        read(rows, most=1, room=1)
    assert caught.value.problem.code == "orders-unsorted"
    assert "ORDER BY" in caught.value.problem.hint
    assert keys(read(rows, most=1)[0]) == ["b"]


def test_of_an_order_that_had_to_wait_no_part_is_taken() -> None:
    rows = [row("a", 1), row("b", 5), row("c", 6), row("b", 0)]
    found, moved = read(rows, most=1, room=1)
    assert (keys(found), moved) == (["a"], OrderCursor(minute(1), "a"))
    found, moved = read(rows, moved, since=minute(1), most=1, room=3)
    assert [(order.key, len(order.rows)) for order in found] == [("a", 1), ("b", 2)]


def test_the_hour_that_comes_twice_is_taken_for_the_first() -> None:
    """An hour too early is within the overlap, an hour too late would be a cursor from the future."""
    assert instant("2026-11-01 01:30:00", NEW_YORK) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False) | st.floats(allow_nan=False, allow_infinity=False)
WHENS = st.datetimes() | st.dates() | st.times() | st.datetimes(timezones=st.just(UTC))
CELLS = st.none() | st.booleans() | st.integers() | st.text() | st.binary() | NUMBERS | WHENS | st.timedeltas()


@given(CELLS)
@settings(max_examples=200, deadline=None)
def test_a_value_says_the_same_after_it_was_kept(value: Any) -> None:
    kept = json_row({"x": value})["x"]
    again = json.loads(json.dumps(kept, allow_nan=False))
    assert (again, text_of(again)) == (kept, text_of(kept))
    if isinstance(value, float | Decimal):
        assert "e" not in again.lower()
        assert type(value)(again) == value
    elif isinstance(value, bytes):
        assert bytes.fromhex(again) == value
    elif isinstance(value, date | time):
        assert type(value).fromisoformat(again) == value


def test_an_order_names_the_document_that_it_is_already() -> None:
    rows = [row("a", 0, qb=None), row("a", 0, qb=" 1A-5 "), row("b", 1, qb="  "), row("c", 2, qb=7)]
    found, _ = read(rows, external_id_column="qb")
    assert [order.external_id for order in found] == ["1A-5", "", "7"]
    assert [order.external_id for order in read(rows)[0]] == ["", "", ""]
