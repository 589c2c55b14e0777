"""What a quantity of QuickBooks is in cases and bottles: by the words for them, and by the sets of units of measure.

1. A unit whose name or abbreviation is a word for a case (or bottle) is one; so is one whose name begins with such a
   word and goes on without a word for the other: "Case of 12".
2. Any other unit of a set is so many base units as its ratio says, and the base unit has to be a case or a bottle.
   Of bottles as many as the item says a case holds, it is a case.
3. A quantity without a unit is in the base unit of the item's set; without a set, in what the connection says.
4. What is then neither is unknown. Nothing is guessed.

How many bottles a case holds is told by the set that has both, else by the item.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import pyarrow as pa

from routebooks.connectors.quickbooks_desktop.order_settings import folded

CASE, BOTTLE = "case", "bottle"
_DIGITS = Decimal("0.00001")
_UNIT = ("Name", "Abbreviation", "ConversionRatio")


@dataclass(frozen=True)
class Words:
    """What a company calls a case and a bottle (small letters), and what it counts items in that have no units."""

    case: frozenset[str]
    bottle: frozenset[str]
    plain: str = ""

    def meaning(self, *names: str | None) -> str:
        """CASE or BOTTLE, or nothing, of a unit by its names."""
        known = [folded(name) for name in names if name]
        for name in known:
            if name in self.case or name in self.bottle:
                return CASE if name in self.case else BOTTLE
        for name in known:
            first, *others = re.findall(r"\w+", name) or [""]
            if first in self.case and not self.bottle.intersection(others):
                return CASE
            if first in self.bottle and not self.case.intersection(others):
                return BOTTLE
        return ""


@dataclass(frozen=True)
class Unit:
    """A unit of a set: how many base units it is, and what it means."""

    ratio: Decimal
    meaning: str


@dataclass(frozen=True)
class UnitSet:
    """A set of units of measure, by their names and abbreviations (small letters)."""

    base: Unit
    units: Mapping[str, Unit]

    def ratio(self, meaning: str) -> Decimal | None:
        """How many base units a case (or bottle) is; None when the set has none, or several that differ."""
        ratios = {unit.ratio for unit in self.units.values() if unit.meaning == meaning}
        return ratios.pop() if len(ratios) == 1 else None


@dataclass(frozen=True)
class Measure:
    """What one of a unit is: so many cases and so many bottles, and the bottles in a case where that is known."""

    cases: Decimal
    bottles: Decimal
    per_case: int | None


def unit_sets(table: pa.Table, words: Words) -> dict[str, UnitSet]:
    """The sets by ListID, from the stream units_of_measure."""
    columns = ("ListID", "BaseUnit.Name", "BaseUnit.Abbreviation", *(f"Line.{name}" for name in _UNIT))
    bases: dict[str, Unit] = {}
    units: dict[str, dict[str, Unit]] = {}
    for list_id, base, base_short, name, short, ratio in zip(
        *(table[each].to_pylist() for each in columns), strict=True
    ):
        bases.setdefault(list_id, Unit(Decimal(1), words.meaning(base, base_short)))
        known = units.setdefault(list_id, {})
        if ratio is not None and ratio > 0:
            for each in filter(None, (name, short)):
                known.setdefault(folded(each), Unit(ratio, words.meaning(name, short)))
    return {list_id: UnitSet(bases[list_id], known) for list_id, known in units.items()}


def measure(unit: str, units: UnitSet | None, words: Words, per_case: int | None) -> Measure | None:
    """What one of a unit is; None when nobody can tell. `unit` is empty for a quantity without one.

    `per_case` is what the item says, for where the set does not tell.
    """
    inside = None if units is None else units.units.get(folded(unit)) if unit else units.base
    if inside is None:
        count = Decimal(1)
        meaning = words.meaning(unit) if unit else words.plain if units is None else ""
    elif inside.meaning:
        count, meaning = Decimal(1), inside.meaning
    elif units and units.base.meaning == BOTTLE and inside.ratio == per_case:
        count, meaning = Decimal(1), CASE
    else:
        count, meaning = inside.ratio, units.base.meaning if units else ""
    if not meaning:
        return None
    cases, bottles = (count, Decimal(0)) if meaning == CASE else (Decimal(0), count)
    return Measure(cases, bottles, (_per_case(inside, units) if units else None) or per_case)


def _per_case(unit: Unit | None, units: UnitSet) -> int | None:
    """The bottles in a case by the set. Where the case is the base unit, a bottle is a rounded part of it: 0.08333."""
    bottle = units.ratio(BOTTLE)
    case = unit.ratio if unit and unit.meaning == CASE else units.ratio(CASE)
    if bottle is None or case is None:
        return None
    count = int((case / bottle).to_integral_value(ROUND_HALF_UP))
    return count if count and (case / count).quantize(_DIGITS, ROUND_HALF_UP) == bottle else None
