"""What an order line asks for, in its own words: so many of which unit, at which price.

A line counts by Quantity and Unit, or by Cases and Bottles, of which it may have both. Rate is the price for one of
Unit; CasePrice and BottlePrice are those of a case and of a bottle. A line that contradicts itself is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from routebooks.connectors.base import LookUp
from routebooks.connectors.quickbooks_desktop.exact import cents
from routebooks.connectors.quickbooks_desktop.order_settings import Policies
from routebooks.connectors.quickbooks_desktop.order_units import ItemUnit, ItemUnits, units_of
from routebooks.connectors.quickbooks_desktop.units import BOTTLE, CASE
from routebooks.errors import RecordError

#: What a line is counted by.
COUNTS = ("Quantity", "Cases", "Bottles")
#: Ways to price a line other than by its own price.
OTHER_PRICES = ("RatePercent", "PriceLevelRef.ListID", "PriceLevelRef.FullName")
_OWN_PRICES = {CASE: "CasePrice", BOTTLE: "BottlePrice"}
_ITEM = ("ItemRef.ListID", "ItemRef.FullName", "ItemGroupRef.ListID", "ItemGroupRef.FullName")
_NAMES_A_UNIT = ("Unit", "UnitOfMeasure", "Cases", "Bottles")
_FIX = "Correct the order at its source or the map; it goes by itself with the next run."

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """So many of one unit, at a price for each; None: QuickBooks prices it."""

    quantity: Fraction
    unit: ItemUnit
    price: Fraction | None

    @property
    def cents(self) -> Decimal | None:
        """What it comes to, as QuickBooks rounds it."""
        return None if self.price is None else cents(self.quantity * self.price)


@dataclass(frozen=True)
class Asked:
    """An order line as it came: filled values, exact numbers, its item, and what stands before a message."""

    line: Line
    numbers: Mapping[str, Fraction]
    item: Line | None
    units: ItemUnits
    where: str

    def filled(self, *columns: str) -> bool:
        """Whether any of the columns is."""
        return any(column in self.line for column in columns)

    def unclear(self, what: str, code: str) -> RecordError:
        """The error of a line that can be read in two ways."""
        return RecordError(f"{self.where}{what}.", hint=_FIX, code=code)

    @property
    def listed(self) -> Fraction | None:
        """QuickBooks' price for one of the base unit (memory); None where it has none, or nobody knows."""
        price = self.item.get("Price") if self.item else None
        return None if price is None else Fraction(price)


def asked(line: Line, numbers: Mapping[str, Fraction], where: str, policies: Policies, look_up: LookUp) -> Asked:
    """A counted line with its item. Raises RecordError when it names a unit and its item has not been read."""
    item = item_of(line, look_up)
    if item is None and any(column in line for column in _NAMES_A_UNIT):
        name = _item_name(line)
        what = f"the item {name} has not been read from QuickBooks" if name else "it has no item"
        raise RecordError(
            f"{where}it names a unit of measure, and {what}.",
            hint=f"What a unit is, its item tells. {'Run the items flow; the order goes then.' if name else _FIX}",
            code="item-not-read",
        )
    return Asked(line, numbers, item, units_of(item, policies, look_up, where), where)


def item_of(line: Line, look_up: LookUp) -> Line | None:
    """The item of a line; None when the line has none, or it has not been read."""
    name = _item_name(line)
    return look_up("items", name) if name else None


def _item_name(line: Line) -> str:
    return str(next((line[column] for column in _ITEM if line.get(column)), ""))


def parts_of(given: Asked) -> list[Part]:
    """What is ordered, each part in its own unit. Raises RecordError when the unit or the price is not clear."""
    numbers, word = given.numbers, _word(given)
    counted = {CASE: numbers.get("Cases"), BOTTLE: numbers.get("Bottles")}
    if "Quantity" in numbers:
        if any(counted.values()):
            raise given.unclear("it has a Quantity, and Cases or Bottles as well", "quantity-unclear")
        return [_part(given, numbers["Quantity"], given.units.find(word, given.where), Fraction(1))]
    # Nought of the one says nothing beside some of the other; nought of both is a line of nought.
    wanted = [(meaning, count) for meaning, count in counted.items() if count]
    wanted = wanted or [(meaning, count) for meaning, count in counted.items() if count is not None][:1]
    if len(wanted) > 1 and not word and "Rate" in numbers:
        raise given.unclear("its Rate could be the price of a case or that of a bottle", "price-unclear")
    parts: list[Part] = []
    for meaning, count in wanted:
        unit = given.units.find_meaning(meaning, given.where)
        share = unit.ratio / given.units.find(word, given.where).ratio if word else Fraction(1)
        parts.append(_part(given, count, unit, share))
    return parts


def _word(given: Asked) -> str:
    words = [str(given.line[column]).strip() for column in ("Unit", "UnitOfMeasure") if column in given.line]
    if len(set(words)) > 1:
        raise given.unclear(f"its unit is {' and '.join(words)}", "unit-unclear")
    return words[0] if words else ""


def _part(given: Asked, count: Fraction, unit: ItemUnit, share: Fraction) -> Part:
    """A part with its price: its own, or the order's Rate, of which a unit of another size takes its share."""
    general = given.numbers["Rate"] * share if "Rate" in given.numbers else None
    own = given.numbers.get(_OWN_PRICES.get(unit.meaning, ""))
    if general is not None and own is not None and general != own:
        raise given.unclear(f"it has two prices for one {unit.name}", "price-unclear")
    price = general if own is None else own
    if price is not None and given.filled(*OTHER_PRICES):
        raise given.unclear("it has a price, and a percentage or a price level as well", "price-unclear")
    return Part(count, unit, price)
