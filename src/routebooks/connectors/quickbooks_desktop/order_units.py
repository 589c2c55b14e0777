"""The units that an order line can be counted in: those that QuickBooks knows for its item, and what follows from them.

An order says "cases", "bottles", or a unit by its name in QuickBooks. What it means is read off the item: its set of
units of measure, the number of bottles in a case (a custom field), or, for an item without a set, what the connection
says that QuickBooks counts such items in. What none of them tells is not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from routebooks.connectors.base import LookUp
from routebooks.connectors.quickbooks_desktop.order_settings import Policies, folded
from routebooks.connectors.quickbooks_desktop.units import BOTTLE, CASE, Words
from routebooks.errors import RecordError

_AGAIN = "The order goes by itself with the next run."


@dataclass(frozen=True)
class ItemUnit:
    """One unit of an item."""

    name: str
    #: how many of the item's base unit it holds
    ratio: Fraction
    #: what a line calls it; "" where it goes without saying, because the item has no other; None: QuickBooks has none
    written: str | None
    #: CASE, BOTTLE or nothing
    meaning: str = ""
    names: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ItemUnits:
    """The units of an item, what messages call it, and the words for cases and bottles."""

    item: str
    base: ItemUnit
    units: tuple[ItemUnit, ...]
    words: Words

    def find(self, word: str, where: str) -> ItemUnit:
        """The unit that an order means by a word; without one, the only unit. Raises RecordError `unit-unknown`."""
        if not word:
            writable = [unit for unit in self.units if unit.written is not None]
            if len(writable) == 1:
                return writable[0]
            raise RecordError(
                f"{where}the order does not say of what it wants so many of {self.item}; QuickBooks keeps it by "
                f"{self._kept()}.",
                hint=f"Let the map fill Unit, or Cases and Bottles. {_AGAIN}",
                code="unit-unknown",
            )
        found = [unit for unit in self.units if folded(word) in unit.names]
        if not found:
            # Only the plain words: a "Case of 6" is not any case.
            case, bottle = folded(word) in self.words.case, folded(word) in self.words.bottle
            found = self._meant(CASE if case else BOTTLE if bottle else "")
        return self._only(found, word, where)

    def find_meaning(self, meaning: str, where: str) -> ItemUnit:
        """The unit that is a case (or a bottle). Raises RecordError `unit-unknown`."""
        return self._only(self._meant(meaning), f"{meaning}s", where)

    def _meant(self, meaning: str) -> list[ItemUnit]:
        return [unit for unit in self.units if meaning and unit.meaning == meaning]

    def _only(self, found: list[ItemUnit], word: str, where: str) -> ItemUnit:
        if len(found) == 1:
            return found[0]
        kept = self._kept()
        if found:
            reason = f"which could be {' or '.join(unit.name for unit in found)}"
        else:
            reason = f"and QuickBooks keeps it by {kept}" if kept else "which has no units of measure in QuickBooks"
        raise RecordError(
            f"{where}the order says “{word}” of {self.item}, {reason}.",
            hint=_cure(found, kept),
            code="unit-unknown",
            detail=word,
        )

    def _kept(self) -> str:
        return ", ".join(unit.name for unit in self.units if unit.name and unit.written is not None)


def _cure(found: list[ItemUnit], kept: str) -> str:
    if found:
        return f"Let the order say which of them, by its name in QuickBooks. {_AGAIN}"
    if kept:
        return (
            "Correct the order, give the item's set this unit in QuickBooks, or add the word to the setting case_units "
            f"or bottle_units if it means one of these. For bottles in a case, fill units_per_case_field. {_AGAIN}"
        )
    return (
        "Give the item a unit of measure set in QuickBooks, or say in the setting plain_unit what QuickBooks counts "
        f"such items in. {_AGAIN}"
    )


def units_of(item: Mapping[str, Any] | None, policies: Policies, look_up: LookUp, where: str) -> ItemUnits:
    """The units of an item; of one that has not been read (None), a single one that nobody can name.

    Raises RecordError when the item's set has not been read.
    """
    words = Words(policies.case_words, policies.bottle_words)
    if item is None:
        return _only_one(ItemUnit("", Fraction(1), ""), "its item", words)
    name = str(item.get("FullName") or item.get("ListID") or "the item")
    set_name = item.get("UnitOfMeasureSetRef.FullName")
    if not set_name:
        plain = "" if policies.plain_unit == "unknown" else policies.plain_unit
        units = _only_one(ItemUnit(plain, Fraction(1), "", plain, frozenset({plain} - {""})), name, words)
    else:
        units = _of_set(str(set_name), name, words, look_up, where)
    return _with_other(units, bottles_per_case(item, policies))


def bottles_per_case(item: Mapping[str, Any], policies: Policies) -> int | None:
    """The number of bottles in a case, as the item's custom field says; None when it says none."""
    text = str(custom(item, policies.units_per_case_field) or "").strip()
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,4}", text) else None


def custom(record: Mapping[str, Any], name: str) -> Any:
    """The value of a custom field, named with or without `Custom.` before it, in small letters or large."""
    wanted = f"custom.{folded(name).removeprefix('custom.')}"
    return next((value for field, value in record.items() if folded(field) == wanted), None) if name else None


def _only_one(unit: ItemUnit, item: str, words: Words) -> ItemUnits:
    return ItemUnits(item, unit, (unit,), words)


def _of_set(set_name: str, item: str, words: Words, look_up: LookUp, where: str) -> ItemUnits:
    found = look_up("units_of_measure", set_name)
    units: list[ItemUnit] = []
    base: ItemUnit | None = None
    for each in found["lines"] if found else ():
        is_base = each["LineKind"] == "base"
        ratio = Fraction(1) if is_base else _ratio(each.get("ConversionRatio"))
        names = [str(each[key]) for key in ("Name", "Abbreviation") if each.get(key)]
        if ratio is None or not names:
            continue
        known = frozenset(folded(name) for name in names)
        units.append(ItemUnit(names[0], ratio, names[0], words.meaning(*names), known))
        if is_base:
            base = units[-1]
    if base is None:
        raise RecordError(
            f"{where}the units of measure of {item} ({set_name}) have not been read from QuickBooks.",
            hint=f"Run a flow that reads them (`routebooks flow run`: invoices). {_AGAIN}",
            code="units-not-read",
            detail=set_name,
        )
    return ItemUnits(item, base, tuple(units), words)


def _ratio(given: Decimal | None) -> Fraction | None:
    """How many base units; below one QuickBooks keeps five digits of it, and 0.08333 stands for a twelfth."""
    if given is None or given <= 0:
        return None
    if given < 1:
        parts = int((1 / given).to_integral_value(ROUND_HALF_UP))
        if (Decimal(1) / parts).quantize(Decimal("0.00001"), ROUND_HALF_UP) == given:
            return Fraction(1, parts)
    return Fraction(given)


def _with_other(units: ItemUnits, per_case: int | None) -> ItemUnits:
    """The units and, where they have a case and no bottle or the other way round, the other by the bottles in a case.

    It is the unit of that size in the set; where the set has none, it is written in the base unit.
    """
    cases = [unit for unit in units.units if unit.meaning == CASE]
    bottles = [unit for unit in units.units if unit.meaning == BOTTLE]
    if per_case is None or bool(cases) == bool(bottles) or len(cases + bottles) > 1:
        return units
    meaning = BOTTLE if cases else CASE
    ratio = cases[0].ratio / per_case if cases else bottles[0].ratio * per_case
    alike = [unit for unit in units.units if unit.ratio == ratio and not unit.meaning]
    if len(alike) != 1:
        return replace(units, units=(*units.units, ItemUnit(meaning, ratio, None, meaning)))
    others = tuple(unit for unit in units.units if unit is not alike[0])
    return replace(units, units=(*others, replace(alike[0], meaning=meaning)))
