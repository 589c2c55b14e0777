"""What is said of a map before any record is at hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from routebooks.mapping.check import check_map
from routebooks.mapping.expression import Constant, FieldRef
from routebooks.mapping.model import Column, Map, Only, load_map
from routebooks.records import Field, Kind, Layout, Target, TargetColumn

FIELDS = (
    Field(name="Name"),
    Field(name="IsActive", kind=Kind.BOOLEAN),
    Field(name="TotalBalance", kind=Kind.DECIMAL, scale=2),
)
TARGET = Target(
    name="customer",
    columns=(
        TargetColumn(name="ID", key=True, max_length=5),
        TargetColumn(name="Trade Name", required=True),
        TargetColumn(name="Pointer", kind=Kind.INTEGER),
        TargetColumn(name="Balance", kind=Kind.DECIMAL, scale=2),
        TargetColumn(name="Since", kind=Kind.DATE),
    ),
)
GOOD = """\
name: customers
source: customers
target: customer
columns:
  ID: =[Company.CustId]
  Trade Name: =COALESCE([Custom.DBA], [Name])
  Pointer: "1"
"""


def found(text: str, target: Target = TARGET) -> list[tuple[str, str, str]]:
    problems = check_map(load_map(text), FIELDS, target, {"Company.CustId"})
    return [(problem.code, problem.message, problem.hint) for problem in problems]


def test_a_good_map() -> None:
    assert found(GOOD) == []


@pytest.mark.parametrize(
    ("line", "code", "message", "hint"),
    [
        ("Balance: =[TotlBalance]", "unknown-field", "Line 8, Balance: there is no field TotlBalance", "TotalBalance?"),
        ("Balance: =[totalbalance]", "unknown-field", "no field totalbalance", "Did you mean TotalBalance?"),
        ("Balance: =[Company.CustID]", "unknown-field", "no field Company.CustID", "Did you mean Company.CustId?"),
        ("Balance: =COALESCE([Custom.X], [Zzz])", "unknown-field", "no field Zzz", ""),
        (
            "Balanc: =[TotalBalance]",
            "unknown-column",
            "Line 8, Balanc: the target has no such",
            "Did you mean Balance?",
        ),
        ("Balance: =[IsActive]", "wrong-kind", "Balance takes decimal values, but the map gives boolean values", ""),
        ("Since: 2026", "wrong-kind", "Since takes date values, but the map gives integer values", ""),
        ("Since: soon", "not-a-date", "Since: “soon” is not a date", "2026-11-24"),
        ("Balance: lots", "not-a-number", "Balance: “lots” is not a number", "digits with a point"),
        ('Balance: "12345678901234567"', "number-too-large", "12345678901234567 has too many digits", ""),
    ],
)
def test_a_wrong_line(line: str, code: str, message: str, hint: str) -> None:
    ((found_code, found_message, found_hint),) = found(f"{GOOD}  {line}\n")
    assert found_code == f"map-{code}"
    assert message in found_message
    assert hint in found_hint


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('"1"', '"x"', "map-not-a-whole-number"),
        ('"1"', "1.5", "map-not-a-whole-number"),
        ('"1"', "true", "map-wrong-kind"),
        ("=[Company.CustId]", "ABCDEF", "map-text-too-long"),
        ("=[Company.CustId]", "", "map-required-column"),
        ("=[Company.CustId]", '" "', "map-required-column"),
        ("  ID: =[Company.CustId]\n", "", "map-required-column"),
        ("  Trade Name: =COALESCE([Custom.DBA], [Name])\n", "", "map-required-column"),
        ("target: customer", "target: item", "map-wrong-target"),
    ],
)
def test_one_thing_wrong(old: str, new: str, code: str) -> None:
    assert old in GOOD
    assert [problem[0] for problem in found(GOOD.replace(old, new))] == [code]


def test_constants_that_fit() -> None:
    assert found(GOOD + "  Balance: 1.005\n  Since: 2026-11-24\n") == []
    assert found(GOOD + '  Balance:\n  Since: =COALESCE([Custom.Since], "")\n') == []
    assert found(GOOD.replace('"1"', "1").replace("=[Company.CustId]", "7")) == []


def test_a_layout_cuts_what_is_too_long() -> None:
    layout = Layout(name=TARGET.name, file="customer.fil", columns=TARGET.columns)
    assert found(GOOD.replace("=[Company.CustId]", "ABCDEF"), layout) == []


def test_a_filter_on_a_field_that_there_is_not() -> None:
    any_map = replace(load_map(GOOD), only=(Only("Nam", ("x",)), Only("Custom.Any", ("y",)), Only("Name", (None,))))
    (problem,) = check_map(any_map, FIELDS, TARGET, {"Company.CustId"})
    assert problem.code == "map-unknown-field"
    assert problem.message == "The filter on Nam: there is no field Nam"
    assert problem.hint == "Did you mean Name?"


def test_all_problems_are_told_at_once_in_the_order_of_the_lines() -> None:
    problems = found(GOOD.replace("[Name]", "[Nam]").replace('"1"', '"x"') + "  Colour: red\n")
    assert [code for code, _, _ in problems] == [
        "map-unknown-field",
        "map-unknown-column",
        "map-not-a-whole-number",
    ]


def test_a_map_made_by_code_has_no_lines_to_name() -> None:
    any_map = Map(
        "m",
        "s",
        "customer",
        (Column("ID", FieldRef("X")), Column("Trade Name", Constant("n"), 3), Column("", Constant(Decimal(1)))),
    )
    messages = [problem.message for problem in check_map(any_map, FIELDS, TARGET, ())]
    assert messages == ["ID: there is no field X", ": the target has no such column"]
