"""The SQL of conversions beside Python's own: the same values, the same refusals, and no floating point on the way."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routebooks.mapping.convert import (
    CONVERSIONS,
    Term,
    as_text,
    constant,
    convert,
    convertible,
    filled,
    sql_type,
    trim,
)
from routebooks.mapping.database import connect
from routebooks.mapping.expression import Value
from routebooks.records import PRECISION, Field, Kind

SOME = settings(max_examples=15, deadline=None)
_DATABASE: list[duckdb.DuckDBPyConnection] = []


@pytest.fixture(scope="module", autouse=True)
def one_database() -> Iterator[None]:
    """One for all tests: opening one takes longer than what is asked of it."""
    with closing(connect()) as database:
        _DATABASE.append(database)
        yield
        _DATABASE.clear()


def selected(sql: str, values: Sequence[Any], field: Field) -> list[Any]:
    """What an expression over the column v gives for each value."""
    arrow = pa.timestamp("us") if field.kind is Kind.TIMESTAMP else field.arrow
    (database,) = _DATABASE
    database.register("source", pa.table({"v": pa.array(values, arrow)}))
    found: list[Any] = database.sql(f"SELECT {sql} AS x FROM source").to_arrow_table()["x"].to_pylist()
    return found


def converted(values: Sequence[Any], field: Field, to: Field) -> list[Any]:
    term = Term(field.kind, "v", scale=field.scale if field.kind is Kind.DECIMAL else 0)
    return selected(convert(term, to), values, field)


def of(kind: Kind, scale: int = 5) -> Field:
    return Field(name="x", kind=kind, scale=scale)


TEXT, INTEGER, DATE, INSTANT, BOOLEAN = (
    of(kind) for kind in (Kind.TEXT, Kind.INTEGER, Kind.DATE, Kind.TIMESTAMP, Kind.BOOLEAN)
)

#: values at the edges, and any text: with what people mistype put in often
ODD = st.sampled_from(
    ["0000-01-01", "0999-12-31", "9999-12-31", "9999-12-31T23:59:59-05:00", "2026-02-30", "1e5", "inf", "nan", "-0"]
)
ANY = st.text(max_size=12) | st.text("0123456789.+-:TZ eEx_,", max_size=30) | ODD


@given(st.lists(ANY.filter(lambda text: not re.search("[\ud800-\udfff]", text)), min_size=1, max_size=40))
@SOME
def test_any_text_becomes_a_value_of_its_kind_or_nothing(texts: list[str]) -> None:
    for kind, python in [
        (Kind.BOOLEAN, bool),
        (Kind.INTEGER, int),
        (Kind.DECIMAL, Decimal),
        (Kind.DATE, date),
        (Kind.TIMESTAMP, datetime),
    ]:
        found = converted(texts, TEXT, of(kind, 2))
        assert {type(value) for value in found} <= {python, type(None)}


def whole_number(text: str) -> int | None:
    if not re.fullmatch(r"[+-]?[0-9]+(\.0*)?", text.strip()):
        return None
    number = int(Decimal(text.strip()))
    return number if -(2**63) <= number < 2**63 else None


NUMBERS = st.integers(-(2**64), 2**64).map(str) | st.from_regex(r"[+-]?[0-9]{1,22}(\.[0-9]{0,3})?", fullmatch=True)
PADDED = st.tuples(st.sampled_from(["", " ", "\t\u00a0"]), NUMBERS, st.sampled_from(["", ".0", ".", " "])).map("".join)


@given(st.lists(PADDED, min_size=1, max_size=60))
@SOME
def test_whole_numbers_are_those_of_python(texts: list[str]) -> None:
    assert converted(texts, TEXT, INTEGER) == [whole_number(text) for text in texts]


DAYS = st.dates(date(1000, 1, 1)).map(date.isoformat) | st.from_regex(
    r"[12][0-9]{3}-[01][0-9]-[0-3][0-9]", fullmatch=True
)


def day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@given(st.lists(DAYS, min_size=1, max_size=60))
@SOME
def test_days_are_those_of_python(texts: list[str]) -> None:
    assert converted(texts, TEXT, DATE) == [day(text) for text in texts]
    assert converted([f" {text}T09:30" for text in texts], TEXT, DATE) == [day(text) for text in texts]


OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(1001, 1, 1), datetime(9998, 1, 1), timezones=OFFSETS)  # noqa: DTZ001


@given(st.lists(INSTANTS, min_size=1, max_size=40), st.booleans())
@SOME
def test_instants_are_those_of_python_in_utc(instants: list[datetime], blank: bool) -> None:
    texts = [instant.isoformat(" " if blank else "T") for instant in instants]
    wanted = [instant.astimezone(UTC).replace(tzinfo=None) for instant in instants]
    assert converted(texts, TEXT, INSTANT) == wanted
    written = converted(wanted, INSTANT, TEXT)
    assert [datetime.fromisoformat(text) for text in written] == [instant.astimezone(UTC) for instant in instants]


@pytest.mark.parametrize(
    ("to", "text"),
    [
        *((DATE, text) for text in ("0000-01-01", "0001-01-01", "0026-11-24", "10000-01-01", "2026-11-24 BC")),
        *((INSTANT, f"{text}T00:00:00Z") for text in ("0000-01-01", "0026-11-24", "10000-01-01")),
        (INSTANT, "9999-12-31T23:59:59-00:01"),
        (INSTANT, "2026-11-24T18:30:00+24:00"),
        (INSTANT, "2026-11-24T18:30:00+99:99"),
        (INSTANT, "2026-11-24T18:30:60Z"),
    ],
)
def test_no_day_and_no_instant_that_python_could_not_hold(to: Field, text: str) -> None:
    assert converted([text], TEXT, to) == [None]


def test_the_last_instant() -> None:
    wanted = datetime.fromisoformat("9999-12-31T23:59:59.999999")
    assert converted(["9999-12-31T23:59:59.999999Z"], TEXT, INSTANT) == [wanted]


FULL = st.integers(-(10**PRECISION) + 1, 10**PRECISION - 1)


@given(st.lists(FULL, min_size=1, max_size=30), st.integers(0, PRECISION))
@SOME
def test_a_decimal_of_any_scale_is_written_as_a_person_would(digits: list[int], scale: int) -> None:
    values = [Decimal(each).scaleb(-scale) for each in digits]
    wanted = [format(value, "f") for value in values]
    assert converted(values, of(Kind.DECIMAL, scale), TEXT) == [
        re.sub(r"\.$", "", text.rstrip("0")) if "." in text else text for text in wanted
    ]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30), st.integers(0, PRECISION))
@SOME
def test_an_integer_as_a_decimal_is_itself_or_does_not_fit(values: list[int], scale: int) -> None:
    most = 10 ** (PRECISION - scale)
    wanted = [Decimal(value) if -most < value < most else None for value in values]
    assert converted(values, INTEGER, of(Kind.DECIMAL, scale)) == wanted


@given(st.lists(FULL, min_size=1, max_size=30), st.integers(0, 3))
@SOME
def test_only_a_whole_decimal_is_an_integer(digits: list[int], scale: int) -> None:
    values = [Decimal(each).scaleb(-scale) for each in digits]
    wanted = [int(value) if value == value.to_integral_value() else None for value in values]
    assert converted(values, of(Kind.DECIMAL, scale), INTEGER) == wanted


def test_white_space_is_what_python_takes_for_it() -> None:
    characters = [*map(chr, range(0x3100)), "\ufeff", "\U000e0020", chr(sys.maxunicode)]
    texts = [f"{each}x{each} y{each}{each}" for each in characters]
    assert selected(trim("v"), texts, TEXT) == [text.strip() for text in texts]
    assert selected(filled("v"), characters, TEXT) == [each if each.strip() else None for each in characters]


NUMERALS = [7, -7, 10**17, Decimal("1.50"), Decimal("-0.000001"), Decimal("0.123456789012345678")]


@pytest.mark.parametrize("value", ["a", "it's", "007", True, False, *NUMERALS])
def test_a_constant_is_what_it_says(value: Value) -> None:
    term = constant(value)
    (found,) = selected(term.value, [None], TEXT)
    assert (found, type(found)) == (value, type(value))
    (text,) = selected(as_text(term), [None], TEXT)
    assert text == {"True": "true", "False": "false", "1.50": "1.5"}.get(str(value), str(value))


@pytest.mark.parametrize("value", [None, "", " \t\u2003"])
def test_a_blank_constant_is_nothing(value: Value) -> None:
    assert selected(constant(value).value, [None], TEXT) == [None]


@pytest.mark.parametrize("scale", [0, 2, 5, PRECISION])
def test_every_conversion_gives_the_type_of_its_column(scale: int) -> None:
    for kind, to in CONVERSIONS:
        source, target = of(kind, scale), of(to, scale)
        term = Term(kind, f"CAST(v AS {sql_type(source)})", scale=scale if kind is Kind.DECIMAL else 0)
        (name,) = selected(f"typeof({convert(term, target)})", [None], TEXT)
        assert name == sql_type(target).replace(" ", "")


def test_no_conversion_names_a_floating_point_type_or_divides() -> None:
    for kind, to in CONVERSIONS:
        sql = re.sub(r"'[^']*'", "''", convert(Term(kind, "v"), of(to)))
        assert not re.search(r"DOUBLE|FLOAT|REAL|/", sql, re.IGNORECASE)


def test_which_kinds_convert() -> None:
    assert all(convertible(kind, Kind.TEXT) and convertible(kind, kind) for kind in Kind)
    others = {(kind, to) for kind in Kind for to in Kind if convertible(kind, to) and to not in (kind, Kind.TEXT)}
    assert others == {(Kind.TEXT, to) for to in Kind if to is not Kind.TEXT} | {
        (Kind.INTEGER, Kind.DECIMAL),
        (Kind.DECIMAL, Kind.INTEGER),
    }
