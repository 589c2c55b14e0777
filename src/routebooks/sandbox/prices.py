"""What an item is sold as: its text, its price, its units of measure, its price at a price level."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from routebooks.sandbox import wire
from routebooks.sandbox.books import Books
from routebooks.sandbox.company_file import Stored
from routebooks.sandbox.shapes import Fields
from routebooks.sandbox.status import Refusal

_HUNDRED = Decimal(100)
_ONE = Decimal(1)


@dataclass(frozen=True)
class Unit:
    """A unit of measure; `ratio` is how many of its set's base units it holds."""

    name: str
    ratio: Decimal


def unit_of(books: Books, item: Stored | None, wanted: str, where: str) -> Unit | None:
    """The unit that a line means: the one it names, by name or abbreviation, else the one its item is sold in.

    None where the item counts without units. Raises Refusal 3140 when the item has no such unit.
    """
    units = _units_of(books, item)
    if wanted:
        for name, unit in units.items():
            if wanted.casefold() == name.casefold():
                return unit
        raise Refusal(
            3140,
            f'There is an invalid reference to QuickBooks Unit Of Measure "{wanted}" in the {where}.  QuickBooks error'
            " message: Invalid argument.  The specified record does not exist in the list.",
        )
    return units.get("") or next(iter(units.values()), None)


def _units_of(books: Books, item: Stored | None) -> dict[str, Unit]:
    """An item's units by name and by abbreviation; the one that it is sold in stands under "" as well."""
    ref = item.fields.get("UnitOfMeasureSetRef") if item else None
    found = books.file.get("UnitOfMeasureSet", ref["ListID"]) if ref else None
    if found is None:
        return {}
    fields, units = found.fields, dict[str, Unit]()
    for one in (fields.get("BaseUnit"), *fields.get("RelatedUnit", ())):
        if one:
            unit = Unit(one["Name"], wire.number(one.get("ConversionRatio", "1")))
            units |= {one["Abbreviation"]: unit, one["Name"]: unit}
    for default in fields.get("DefaultUnit", ()):
        if default["UnitUsedFor"] == "Sales" and default["Unit"] in units:
            units[""] = units[default["Unit"]]
    return units


def base_count(books: Books, line: Fields) -> Decimal:
    """How many base units the quantity of a stored line is."""
    item = books.file.get("Item", line["ItemRef"]["ListID"]) if "ItemRef" in line else None
    unit = _units_of(books, item).get(line.get("UnitOfMeasure", ""))
    return wire.number(line.get("Quantity")) * (unit.ratio if unit else _ONE)


def percent_of(item: Stored | None, wanted: Fields) -> Decimal | None:
    """The percentage of the line above that a line comes to, where it is one."""
    if "RatePercent" in wanted:
        return wire.number(wanted["RatePercent"])
    if item is None or "Rate" in wanted or "Amount" in wanted:
        return None
    if "DiscountRatePercent" in item.fields:
        return -wire.number(item.fields["DiscountRatePercent"])
    percent = _sales(item).get("PricePercent")
    return None if percent is None else wire.number(percent)


def price_of(item: Stored, unit: Unit | None, level: Stored | None) -> Decimal:
    """What one of a unit costs. An item's own price is that of its base unit (Intuit's help on units of measure)."""
    if "DiscountRate" in item.fields:
        return -wire.number(item.fields["DiscountRate"])
    sales = _sales(item)
    price = _at_level(level, item, wire.number(sales.get("SalesPrice", sales.get("Price"))))
    return wire.five_places(price * unit.ratio) if unit else price


def _at_level(level: Stored | None, item: Stored, price: Decimal) -> Decimal:
    """A price at a price level: so many percent more (or less, below nought), or the level's own price."""
    if level is None:
        return price
    percent = level.fields.get("PriceLevelFixedPercentage")
    for one in _prices_of(level, item):
        if "CustomPrice" in one:
            return wire.number(one["CustomPrice"])
        percent = one["CustomPricePercent"]
    return price if percent is None else wire.five_places(price * (_HUNDRED + wire.number(percent)) / _HUNDRED)


def _prices_of(level: Stored, item: Stored) -> Iterator[Fields]:
    yield from (one for one in level.fields.get("PriceLevelPerItemRet", ()) if one["ItemRef"]["ListID"] == item.id)


def description_of(item: Stored) -> str | None:
    """The text that an item puts on a line."""
    sales = _sales(item)
    found = sales.get("SalesDesc", sales.get("Desc", sales.get("ItemDesc")))
    return None if found is None else str(found)


def _sales(item: Stored | None) -> Fields:
    """The part of an item that tells what it is sold as: inside it for services, the item itself for stock."""
    fields: Fields = item.fields if item else {}
    for name in ("SalesOrPurchase", "SalesAndPurchase"):
        if name in fields:
            inner: Fields = fields[name]
            return inner
    return fields
