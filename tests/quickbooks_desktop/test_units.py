"""What a unit is, by words and by sets: small cases worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest

from routebooks.connectors.quickbooks_desktop.streams import STREAMS
from routebooks.connectors.quickbooks_desktop.units import Measure, UnitSet, Words, measure, unit_sets

WORDS = Words(frozenset({"case", "cs"}), frozenset({"bottle", "btl"}), "bottle")


def unit_set(base: str, *units: tuple[str, str, str], short: str | None = None) -> UnitSet:
    rows = [
        {
            "ListID": "u",
            "BaseUnit.Name": base,
            "BaseUnit.Abbreviation": short,
            "LineNumber": number,
            "Line.Name": name,
            "Line.Abbreviation": abbreviation,
            "Line.ConversionRatio": Decimal(ratio),
        }
        for number, (name, abbreviation, ratio) in enumerate(units, 1)
    ]
    schema = pa.schema([(field.name, field.arrow) for field in STREAMS["units_of_measure"].fields])
    return unit_sets(pa.Table.from_pylist(rows, schema=schema), WORDS)["u"]


BOTTLES = unit_set(
    "Bottle",
    ("Bottle", "btl", "1"),
    ("Case of 10", "cs10", "10"),
    ("six-pack", "6p", "6"),
    ("Half case", "hc", "5"),
    ("crate", "cr", "20"),
)
CASES = unit_set("Case", ("Case", "cs", "1"), ("Bottle", "btl", "0.08333"), ("pallet", "pl", "60"))
CANS = unit_set("can", ("can", "cn", "1"), ("case", "cs", "24"), ("tray", "tr", "24"))
SHORT = unit_set("B", ("B", "btl", "1"), short="btl")


@pytest.mark.parametrize(
    ("unit", "units", "item", "cases", "bottles", "per_case"),
    [
        # by the word, without a set
        ("CASE ", None, 12, "1", "0", 12),
        ("btl", None, None, "0", "1", None),
        ("", None, 12, "0", "1", 12),
        # by the set: its own names, the first word of a name, its ratio to the base unit
        ("bottle", BOTTLES, None, "0", "1", 10),
        ("case of 10", BOTTLES, None, "1", "0", 10),
        ("cs10", BOTTLES, 12, "1", "0", 10),
        ("6P", BOTTLES, None, "0", "6", 10),
        ("half case", BOTTLES, None, "0", "5", 10),
        ("crate", BOTTLES, 20, "1", "0", 10),
        ("", BOTTLES, None, "0", "1", 10),
        ("case", BOTTLES, None, "1", "0", 10),
        # where the case is the base unit, the bottle is a rounded part of it
        ("bottle", CASES, None, "0", "1", 12),
        ("pallet", CASES, 6, "60", "0", 12),
        ("", CASES, None, "1", "0", 12),
        # a base unit that is neither: only words tell
        ("case", CANS, 24, "1", "0", 24),
        ("B", SHORT, None, "0", "1", None),
    ],
)
def test_what_a_unit_is(
    unit: str, units: UnitSet | None, item: int | None, cases: str, bottles: str, per_case: int | None
) -> None:
    assert measure(unit, units, WORDS, item) == Measure(Decimal(cases), Decimal(bottles), per_case)


@pytest.mark.parametrize(
    ("unit", "units"),
    [("keg", None), ("tray", CANS), ("can", CANS), ("", CANS), ("keg", BOTTLES), ("bottle case", None)],
)
def test_what_nobody_can_tell(unit: str, units: UnitSet | None) -> None:
    assert measure(unit, units, WORDS, 12) is None


def test_a_quantity_without_unit_and_set_is_unknown_until_somebody_says() -> None:
    assert measure("", None, Words(WORDS.case, WORDS.bottle), 12) is None
