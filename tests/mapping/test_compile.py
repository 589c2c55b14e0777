"""The SQL of maps: conversions are exact, errors are lazy, and a user's text is never read as SQL."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routebooks.errors import ConfigError
from routebooks.mapping.compile import compile_map, first_filled
from routebooks.mapping.convert import Term, literal
from routebooks.mapping.database import connect, inputs_of, run
from routebooks.mapping.expression import Call, Constant, Expression, FieldRef
from routebooks.mapping.model import Column, Map
from routebooks.records import PRECISION, Field, Kind, Layout, Target, TargetColumn

DEC = settings(max_examples=12, deadline=None)


def converted(source: Field, values: list[Any], column: TargetColumn) -> list[tuple[Any, str | None]]:
    """Value and error of each value, mapped to the column."""
    return evaluated(FieldRef(source.name), {source: values}, column)


def evaluated(
    expression: Expression, fields: dict[Field, list[Any]], column: TargetColumn
) -> list[tuple[Any, str | None]]:
    any_map = Map("m", "s", "t", (Column(column.name, expression),))
    compiled = compile_map(any_map, list(fields), Target(name="t", columns=(column,)))
    rows = max((len(values) for values in fields.values()), default=1)
    arrays = {field.name: pa.array(values, field.arrow) for field, values in fields.items()}
    result = run(compiled, inputs_of(compiled, arrays, rows))
    assert result.column("row").to_pylist() == list(range(rows))
    errors = result.column("error0").to_pylist() if compiled.fallible else [None] * rows
    return list(zip(result.column("value0").to_pylist(), errors, strict=True))


def text(name: str = "A") -> Field:
    return Field(name=name)


def decimal(scale: int, name: str = "A") -> Field:
    return Field(name=name, kind=Kind.DECIMAL, scale=scale)


def to(kind: Kind, **more: Any) -> TargetColumn:
    return TargetColumn(name="T", kind=kind, **more)


def rounded(value: Decimal, scale: int) -> Decimal | None:
    """What a person rounds to on paper; None when it has more digits than fit."""
    with localcontext() as context:
        context.prec = 200
        exact = value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    return exact if len(exact.as_tuple().digits) <= PRECISION else None


HALVES = st.builds(
    lambda sign, whole, cents, tail: f"{sign}{whole}.{cents:02}{tail}",
    st.sampled_from(["", "-", "+"]),
    st.integers(0, 10**15),
    st.integers(0, 99),
    st.sampled_from(["", "5", "49", "50", "500", "4999999999999999999999", "5000000000000000000001"]),
)
PLAIN = st.from_regex(r"[+-]?([0-9]{1,20}\.?[0-9]{0,30}|\.[0-9]{1,30})", fullmatch=True)


@given(st.lists(HALVES | PLAIN, min_size=1, max_size=30), st.integers(0, 6))
@DEC
def test_text_to_decimal_rounds_half_away_from_zero_exactly(texts: list[str], scale: int) -> None:
    wanted = [rounded(Decimal(each), scale) for each in texts]
    found = converted(text(), texts, to(Kind.DECIMAL, scale=scale))
    assert [value for value, _ in found] == wanted
    assert [error for _, error in found] == [
        None if value is not None else f"unfit:{each}" for value, each in zip(wanted, texts, strict=True)
    ]


@given(
    st.lists(st.integers(-(10**PRECISION) + 1, 10**PRECISION - 1), min_size=1, max_size=30),
    st.integers(0, 6),
    st.integers(0, 6),
)
@DEC
def test_decimal_to_decimal_rounds_half_away_from_zero_exactly(digits: list[int], scale: int, to_scale: int) -> None:
    values = [Decimal(each).scaleb(-scale) for each in digits]
    found = converted(decimal(scale), values, to(Kind.DECIMAL, scale=to_scale))
    assert [value for value, _ in found] == [rounded(value, to_scale) for value in values]
    assert [error is None for _, error in found] == [value is not None for value, _ in found]


@given(st.lists(st.integers(-(10**PRECISION) + 1, 10**PRECISION - 1), min_size=1, max_size=20), st.integers(0, 6))
@DEC
def test_a_decimal_as_text_means_the_same_number_in_its_shortest_form(digits: list[int], scale: int) -> None:
    values = [Decimal(each).scaleb(-scale) for each in digits]
    for value, (written, error) in zip(values, converted(decimal(scale), values, to(Kind.TEXT)), strict=True):
        assert error is None
        assert Decimal(written) == value
        assert not ("." in written and written.endswith(("0", ".")))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (
            Kind.DECIMAL,
            {"1.5": Decimal("1.50"), " 12 ": Decimal(12), "\u00a0-.5\t": Decimal("-0.5"), "5.": Decimal(5)},
            ["abc", "1e5", "1,000", "1_000", "0x10", "$5", "inf", "NaN", ".", "-", "1 2", "１２"],
        ),
        (
            Kind.INTEGER,
            {"12": 12, " -3 ": -3, "+4": 4, "5.000": 5, "6.": 6, "9223372036854775807": 2**63 - 1},
            ["1.5", "x", "1e3", "0x10", "9223372036854775808", "1.000000001"],
        ),
        (
            Kind.DATE,
            {
                "2026-11-24": date(2026, 11, 24),
                " 2026-11-24 ": date(2026, 11, 24),
                "2026-11-24T00:00:00": date(2026, 11, 24),
                "2026-11-24 17:30": date(2026, 11, 24),
                "2024-02-29": date(2024, 2, 29),
            },
            [
                "2025-02-29",
                "11/24/2026",
                "24.11.2026",
                "2026-11-24T00:00:00Z",
                "infinity",
                "epoch",
                "2026-1-2",
                "today",
            ],
        ),
        (
            Kind.TIMESTAMP,
            {
                "2026-11-24T18:30:00-05:00": datetime.fromisoformat("2026-11-24T23:30:00"),
                "2026-11-24 18:30:00Z": datetime.fromisoformat("2026-11-24T18:30:00"),
                "2026-11-24T18:30:00.123456+0530": datetime.fromisoformat("2026-11-24T13:00:00.123456"),
            },
            ["2026-11-24T18:30:00", "2026-11-24", "now", "2026-13-24T18:30:00Z"],
        ),
        (
            Kind.BOOLEAN,
            {"true": True, " FALSE ": False, "Yes": True, "no": False, "1": True, "0": False},
            ["2", "on", "y", "t"],
        ),
    ],
)
def test_text_converts_or_tells(kind: Kind, good: dict[str, Any], bad: list[str]) -> None:
    column = to(kind, scale=2)
    assert converted(text(), list(good), column) == [(value, None) for value in good.values()]
    assert converted(text(), bad, column) == [(None, f"unfit:{each}") for each in bad]


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_blank_is_nothing_in_every_kind(kind: Kind) -> None:
    blanks = ["", " ", "\t\r\n", "\u00a0\u2003\x0b\x1f\x85", None]
    assert converted(text(), blanks, to(kind)) == [(None, None)] * len(blanks)


def test_every_white_space_character_is_blank() -> None:
    spaces = [character for character in map(chr, range(0x3100)) if character.isspace()]
    assert len(spaces) > 20
    assert converted(text(), spaces, to(Kind.TEXT)) == [(None, None)] * len(spaces)


@pytest.mark.parametrize(
    ("source", "value", "written"),
    [
        (Field(name="A", kind=Kind.BOOLEAN), True, "true"),
        (Field(name="A", kind=Kind.BOOLEAN), False, "false"),
        (Field(name="A", kind=Kind.INTEGER), -12, "-12"),
        (Field(name="A", kind=Kind.DATE), date(2026, 1, 2), "2026-01-02"),
        (Field(name="A", kind=Kind.TIMESTAMP), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (Field(name="A", kind=Kind.TIMESTAMP), datetime(2026, 1, 2, 3, 4, 50, 120, UTC), "2026-01-02T03:04:50.00012Z"),
        (decimal(2), Decimal("-0.10"), "-0.1"),
        (decimal(5), Decimal("100.00000"), "100"),
        (decimal(0), Decimal(100), "100"),
        (text(), " kept as it is ", " kept as it is "),
    ],
)
def test_every_kind_is_written_in_one_way(source: Field, value: Any, written: str) -> None:
    assert converted(source, [value, None], to(Kind.TEXT)) == [(written, None), (None, None)]


def test_a_whole_decimal_is_an_integer_and_no_other_is() -> None:
    found = converted(decimal(2), [Decimal("2.00"), Decimal("2.50")], to(Kind.INTEGER))
    assert found == [(2, None), (None, "unfit:2.5")]


def test_an_integer_that_has_too_many_digits_for_the_decimal_is_told() -> None:
    found = converted(Field(name="A", kind=Kind.INTEGER), [5, 10**17], to(Kind.DECIMAL, scale=2))
    assert found == [(Decimal(5), None), (None, f"unfit:{10**17}")]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (Kind.BOOLEAN, Kind.INTEGER),
        (Kind.DATE, Kind.TIMESTAMP),
        (Kind.TIMESTAMP, Kind.DATE),
        (Kind.INTEGER, Kind.BOOLEAN),
        (Kind.DECIMAL, Kind.DATE),
    ],
)
def test_kinds_that_do_not_convert(source: Kind, kind: Kind) -> None:
    with pytest.raises(ConfigError) as caught:
        converted(Field(name="A", kind=source), [], to(kind))
    assert caught.value.problem.code == "map-wrong-kind"


def test_lengths_hold_for_a_target_and_not_for_a_layout() -> None:
    column = to(Kind.TEXT, max_length=3)
    any_map = Map("m", "s", "t", (Column("T", FieldRef("A")),))
    assert compile_map(any_map, [text()], Target(name="t", columns=(column,))).fallible == (0,)
    assert compile_map(any_map, [text()], Layout(name="t", file="f", columns=(column,))).fallible == ()
    assert converted(text(), ["éèê", "éèêe"], column) == [("éèê", None), ("éèêe", "map-text-too-long:éèêe")]


def test_a_link_holds_a_key_as_delivered_trimmed_and_as_long_as_it_likes() -> None:
    assert converted(text(), [" 123456 "], to(Kind.TEXT, max_length=3, link="customers")) == [("123456", None)]


def test_required_and_key_columns_are_never_blank() -> None:
    assert converted(text(), ["x", " "], to(Kind.TEXT, required=True)) == [("x", None), (None, "map-blank:")]
    assert converted(text(), [" x\t", None], to(Kind.TEXT, key=True)) == [("x", None), (None, "key-blank:")]


def coalesce(*arguments: Expression) -> Expression:
    return Call("COALESCE", arguments)


def test_first_filled_passes_over_what_is_blank() -> None:
    fields: dict[Field, list[Any]] = {text("A"): ["a", " ", ""], text("B"): ["b", "b", None]}
    expression = coalesce(FieldRef("A"), coalesce(FieldRef("B"), Constant(None)), Constant("none"))
    assert [value for value, _ in evaluated(expression, fields, to(Kind.TEXT))] == ["a", "b", "none"]


def test_first_filled_of_numbers_is_exact_and_of_mixed_kinds_a_text() -> None:
    numbers: dict[Field, list[Any]] = {
        Field(name="I", kind=Kind.INTEGER): [10**17, None],
        decimal(5, "D"): [None, Decimal("1.00005")],
    }
    expression = coalesce(FieldRef("I"), FieldRef("D"))
    assert evaluated(expression, numbers, to(Kind.DECIMAL, scale=0))[0] == (Decimal(10**17), None)
    assert [value for value, _ in evaluated(expression, numbers, to(Kind.TEXT))] == [f"{10**17}", "1.00005"]
    mixed: dict[Field, list[Any]] = {
        Field(name="B", kind=Kind.BOOLEAN): [True, None],
        decimal(2, "D"): [None, Decimal("1.50")],
    }
    expression = coalesce(FieldRef("B"), FieldRef("D"))
    assert [value for value, _ in evaluated(expression, mixed, to(Kind.TEXT))] == ["true", "1.5"]


def test_first_filled_keeps_the_kind_of_numbers_also_beside_what_is_blank() -> None:
    fields: dict[Field, list[Any]] = {Field(name="I", kind=Kind.INTEGER): [1], decimal(2, "D"): [Decimal(1)]}
    for arguments in (
        [FieldRef("I"), FieldRef("D")],
        [Constant(None), FieldRef("D")],
        [FieldRef("Custom.X"), Constant(1)],
    ):
        with pytest.raises(ConfigError, match=r"but the map gives (decimal|integer) values"):
            evaluated(coalesce(*arguments), fields, to(Kind.DATE))


def test_first_filled_of_nothing_is_blank() -> None:
    assert evaluated(coalesce(Constant(None), Constant(" ")), {}, to(Kind.DATE)) == [(None, None)]


def test_first_filled_looks_at_no_error_behind_the_value_that_it_takes() -> None:
    fine, broken, nothing = Term(Kind.TEXT, "'x'"), Term(Kind.TEXT, "NULL", "'bad:y'"), Term(Kind.TEXT, "NULL")
    with connect() as database:
        for terms, value, error in [
            ([fine, broken], "x", None),
            ([broken, fine], "x", "bad:y"),
            ([nothing, broken], None, "bad:y"),
            ([nothing, fine, broken], "x", None),
        ]:
            term = first_filled(terms)
            found = database.execute(f"SELECT {term.value}, {term.error}").fetchone()
            assert found is not None
            assert (found[1], found[0] if error is None else value) == (error, value)


def test_a_custom_field_that_the_company_has_not_is_blank() -> None:
    assert evaluated(FieldRef("Custom.Brand"), {}, to(Kind.TEXT)) == [(None, None)]
    assert evaluated(FieldRef("Custom.Brand"), {}, to(Kind.TEXT, required=True)) == [(None, "map-blank:")]


def test_columns_without_a_map_are_blank_and_of_their_type() -> None:
    columns = tuple(TargetColumn(name=kind, kind=kind) for kind in Kind)
    compiled = compile_map(Map("m", "s", "t", ()), [], Target(name="t", columns=columns))
    result = run(compiled, inputs_of(compiled, {}, 2))
    assert [result.column(f"value{n}").to_pylist() for n in range(len(columns))] == [[None, None]] * len(columns)
    assert compiled.fallible == ()


@pytest.mark.parametrize(
    ("expression", "code"), [(FieldRef("Nmae"), "map-unknown-field"), (Constant("x"), "map-unknown-column")]
)
def test_what_there_is_not(expression: Expression, code: str) -> None:
    name = "Other" if code == "map-unknown-column" else "T"
    with pytest.raises(ConfigError) as caught:
        compile_map(
            Map("m", "s", "t", (Column(name, expression),)),
            [text("Name")],
            Target(name="t", columns=(to(Kind.TEXT),)),
        )
    assert caught.value.problem.code == code


NASTY = ["'; DROP TABLE source; --", "''", '"', "\\", "%s", "?", "$1", "{x}", "a\nb", "'||(SELECT 1)||'", "\u2019"]


@pytest.mark.parametrize("value", NASTY)
def test_a_text_stays_a_text(value: str) -> None:
    assert evaluated(Constant(value), {}, to(Kind.TEXT)) == [(value, None)]
    assert converted(Field(name=value), [value], to(Kind.TEXT)) == [(value, None)]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
@settings(max_examples=15, deadline=None)
def test_literals(value: str) -> None:
    with connect() as database:
        assert database.execute(f"SELECT {literal(value)}").fetchone() == (value,)


def test_fields_that_differ_only_in_case_are_two_fields() -> None:
    fields: dict[Field, list[Any]] = {text("Custom.Brand"): ["A"], text("Custom.BRAND"): ["B"]}
    expression = coalesce(Constant(None), FieldRef("Custom.BRAND"))
    assert evaluated(expression, fields, to(Kind.TEXT)) == [("B", None)]


def test_the_sql_grows_no_faster_than_the_map() -> None:
    expression: Expression = FieldRef("A")
    lengths = []
    for _ in range(3):
        for _ in range(8):
            expression = coalesce(expression, Constant("x"))
        any_map = Map("m", "s", "t", (Column("T", expression),))
        lengths.append(len(compile_map(any_map, [text()], Target(name="t", columns=(to(Kind.TEXT),))).sql))
    assert lengths[2] - lengths[1] == lengths[1] - lengths[0]
