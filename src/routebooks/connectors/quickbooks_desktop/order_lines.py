"""One order line as one or more lines of a sales order.

Money is exact: a price is written as Rate where it has five digits or fewer in the unit that is written, else the line
carries its Amount. Quantities are never rounded. Both hold for every setting of order_units, so that the same order
comes to the same dollars and the same bottles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from routebooks.connectors.base import LookUp
from routebooks.connectors.quickbooks_desktop.elements import checked
from routebooks.connectors.quickbooks_desktop.exact import cents, decimal_of, quantity_text
from routebooks.connectors.quickbooks_desktop.order_elements import LINE, SETTLED
from routebooks.connectors.quickbooks_desktop.order_parts import COUNTS, Asked, Part, asked, parts_of
from routebooks.connectors.quickbooks_desktop.order_prices import money_of, own_amount, price_notes, price_of
from routebooks.connectors.quickbooks_desktop.order_settings import QUICKBOOKS, Policies
from routebooks.connectors.quickbooks_desktop.order_units import ItemUnit, ItemUnits
from routebooks.errors import Problem, RecordError

_PRICES = ("Rate", "CasePrice", "BottlePrice", "Amount")
_NUMBERS = {
    element.column: element
    for element in (*LINE, *SETTLED)
    if element.column in (*COUNTS, *_PRICES, "TaxAmount", "Deposit")
}
_OWN_WORDS = {element.column for element in SETTLED}
#: What a counted line gets anew.
_WRITTEN = {"Quantity", "UnitOfMeasure", "Rate", "Amount"} | _OWN_WORDS


@dataclass(frozen=True)
class SettledLine:
    """The lines to write, the dollars they come to as far as is known, the deposit, what a person should know."""

    lines: tuple[dict[str, Any], ...]
    money: Decimal
    deposit: Decimal
    notes: tuple[Problem, ...] = ()


def settle_line(line: Mapping[str, Any], where: str, policies: Policies, look_up: LookUp) -> SettledLine:
    """An order line by the policies. Raises RecordError for one whose unit or price is not clear."""
    line = {column: value for column, value in line.items() if value is not None and value != ""}
    counted = any(column in line for column in COUNTS)
    if policies.price == QUICKBOOKS and counted:
        line = {column: value for column, value in line.items() if column not in _PRICES}
    numbers = {
        column: Fraction(text)
        for column, element in _NUMBERS.items()
        if (text := checked(element, line.get(column), where))
    }
    deposit = cents(numbers.get("Deposit", Fraction(0)))
    if not counted:
        # A charge, a discount, a subtotal or a text: what it costs is its own matter.
        rest = {column: value for column, value in line.items() if column not in _OWN_WORDS}
        return SettledLine((rest,), cents(numbers.get("Amount", numbers.get("Rate", Fraction(0)))), deposit)
    given = asked(line, numbers, where, policies, look_up)
    parts = parts_of(given)
    groups = [[part] for part in parts] if policies.units == "two_lines" else [parts]
    amount = own_amount(given, parts, len(groups))
    lines = tuple(_written(given, group, _into(group, given.units, policies), amount) for group in groups)
    notes = tuple(price_notes(given, parts, amount, policies))
    return SettledLine(lines, money_of(given, parts, amount), deposit, notes)


def _into(group: Sequence[Part], units: ItemUnits, policies: Policies) -> ItemUnit:
    """The unit that a line is written in: the smallest of its own that QuickBooks has, or the item's base unit."""
    own = [part.unit for part in group if part.unit.written is not None]
    return units.base if policies.units == "base" or not own else min(own, key=lambda unit: unit.ratio)


def _written(given: Asked, group: Sequence[Part], into: ItemUnit, amount: Decimal | None) -> dict[str, Any]:
    exact = sum((part.quantity * part.unit.ratio for part in group), Fraction(0)) / into.ratio
    quantity = decimal_of(exact, 5)
    if quantity is None:
        raise _not_exact(given, group, into)
    line = {column: value for column, value in given.line.items() if column not in _WRITTEN}
    line["Quantity"] = quantity
    if into.written:
        line["UnitOfMeasure"] = into.written
    return line | (price_of(given, group, into, exact) if amount is None else {"Amount": amount})


def _not_exact(given: Asked, group: Sequence[Part], into: ItemUnit) -> RecordError:
    ordered = " and ".join(f"{quantity_text(part.quantity)} {part.unit.name}" for part in group)
    return RecordError(
        f"{given.where}{ordered} of {given.units.item} would have to be rounded to be written in {into.name}.",
        hint="Set order_units to unit or two_lines, give the item a unit of measure set in QuickBooks, or let the "
        "order take whole ones.",
        code="unit-not-exact",
    )
