"""Expressions: exact numbers, what is blank, and the formula that says the same."""

from __future__ import annotations

from decimal import Decimal

import pytest

from routebooks.errors import ConfigError
from routebooks.mapping.expression import (
    Call,
    Constant,
    Expression,
    FieldRef,
    exact_number,
    field_names,
    format_formula,
    is_blank,
)
from routebooks.mapping.model import load_map
from routebooks.mapping.parse import parse_formula


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("-12", -12),
        ("0000000000000000000000007", 7),
        ("123456789012345678", 123456789012345678),
        ("1.50", Decimal("1.50")),
        ("-0.5", Decimal("-0.5")),
        ("12345678901234567.8", Decimal("12345678901234567.8")),
        ("0.000000000000000001", Decimal("0.000000000000000001")),
        ("0.123456789012345678", Decimal("0.123456789012345678")),
    ],
)
def test_exact_numbers(text: str, number: int | Decimal) -> None:
    found = exact_number(text)
    assert (str(found), type(found)) == (str(number), type(number))


@pytest.mark.parametrize(
    "text",
    [
        "1234567890123456789",
        "-12345678901234567.89",
        "0.0000000000000000001",
        "0.0000000000000000000",
        "1.0000000000000000000",
        "0." + "0" * 60 + "1",
    ],
)
def test_a_number_of_more_digits_than_a_column_holds_is_refused_where_it_stands(text: str) -> None:
    with pytest.raises(ValueError, match="more than 18 digits"):
        exact_number(text)
    with pytest.raises(ConfigError) as caught:
        parse_formula(f"={text}")
    assert caught.value.problem.code == "map-formula"
    with pytest.raises(ConfigError) as caught:
        load_map(f"name: a\nsource: b\ntarget: c\ncolumns:\n  A: {text}\n")
    assert "is not a number of at most 18 digits" in caught.value.problem.message


@pytest.mark.parametrize(
    ("expression", "blank"),
    [
        (Constant(None), True),
        (Constant(""), True),
        (Constant(" \t\u00a0"), True),
        (Constant(0), False),
        (Constant(False), False),
        (Constant("x"), False),
        (FieldRef(" "), False),
    ],
)
def test_what_is_blank_for_every_record(expression: Expression, blank: bool) -> None:
    assert is_blank(expression) is blank


def test_the_fields_that_an_expression_reads_in_their_order() -> None:
    inner = Call("COALESCE", (FieldRef("B"), Constant("C"), FieldRef("A")))
    assert list(field_names(Call("COALESCE", (FieldRef("A"), inner)))) == ["A", "B", "A"]
    assert list(field_names(Constant("[A]"))) == []


@pytest.mark.parametrize(
    ("expression", "formula"),
    [
        (FieldRef("a]b"), "=[a]]b]"),
        (Constant('say "x"'), '="say ""x"""'),
        (Constant(Decimal("1.50")), "=1.50"),
        (Constant(Decimal("0.0000001")), "=0.0000001"),
        (Constant(-7), "=-7"),
        (Constant(True), "=TRUE"),
        (Call("COALESCE", (FieldRef("A"), Constant(False))), "=COALESCE([A], FALSE)"),
    ],
)
def test_the_formula_of_an_expression_gives_it_back(expression: Expression, formula: str) -> None:
    assert format_formula(expression) == formula
    assert parse_formula(formula) == expression


def test_nothing_is_written_as_a_blank_text() -> None:
    assert format_formula(Constant(None)) == '=""'
