"""What a written line costs: Rate or Amount, whichever keeps the cents, and how that differs from QuickBooks' price."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from routebooks.connectors.quickbooks_desktop.exact import cents, decimal_of, price_text
from routebooks.connectors.quickbooks_desktop.order_parts import OTHER_PRICES, Asked, Part
from routebooks.connectors.quickbooks_desktop.order_settings import QUICKBOOKS, Policies
from routebooks.connectors.quickbooks_desktop.order_units import ItemUnit
from routebooks.errors import Problem, RecordError


def price_of(given: Asked, parts: Sequence[Part], into: ItemUnit, quantity: Fraction) -> dict[str, Decimal]:
    """Rate where it has five digits and comes to the same cents, else Amount; nothing where QuickBooks prices it."""
    if all(part.price is None for part in parts):
        return {}
    if any(part.price is None for part in parts):
        raise RecordError(
            f"{given.where}it has a price for its cases or for its bottles, and not for both.",
            hint="Let the map fill CasePrice and BottlePrice, or set order_units to two_lines.",
            code="price-unclear",
        )
    product = sum((part.quantity * (part.price or 0) for part in parts), Fraction(0))
    money = sum((part.cents or Decimal(0) for part in parts), Decimal(0))
    if quantity:
        rate = decimal_of(product / quantity, 5)
    elif money:
        raise given.unclear("its cases and bottles come to nothing, and their prices do not", "price-unclear")
    else:
        rate = decimal_of((parts[0].price or Fraction(0)) * into.ratio / parts[0].unit.ratio, 5)
    return {"Rate": rate} if rate is not None and cents(product) == money else {"Amount": money}


def own_amount(given: Asked, parts: Sequence[Part], lines: int) -> Decimal | None:
    """The order's own total of the line; None where it has none, or prices that come to it.

    Raises RecordError when the two do not agree, or when the total would have to be split over two lines.
    """
    if lines > 1 and given.filled("TaxAmount"):
        raise given.unclear("its TaxAmount cannot be split over two lines", "amount-unclear")
    if "Amount" not in given.numbers:
        return None
    amount = cents(given.numbers["Amount"])
    worth = [part.cents for part in parts]
    if any(worth) or None not in worth:
        total = sum((each for each in worth if each is not None), Decimal(0))
        if None in worth or total != amount:
            raise given.unclear(f"its Amount is {amount}, and its prices come to {total}", "amount-unclear")
        return None
    if lines > 1:
        raise given.unclear("its Amount cannot be split over two lines without prices", "amount-unclear")
    return amount


def money_of(given: Asked, parts: Sequence[Part], amount: Decimal | None) -> Decimal:
    """What the line comes to; for what QuickBooks prices, by the item's price, as far as that is known."""
    if amount is not None:
        return amount
    listed = given.listed or Fraction(0)
    worth = (cents(part.quantity * part.unit.ratio * listed) if part.cents is None else part.cents for part in parts)
    return sum(worth, Decimal(0))


def price_notes(given: Asked, parts: Sequence[Part], amount: Decimal | None, policies: Policies) -> list[Problem]:
    """Where the order's prices differ from QuickBooks', are missing, or could not be compared."""
    otherwise = amount is not None or given.filled(*OTHER_PRICES)
    if policies.price == QUICKBOOKS or otherwise or not given.filled("ItemRef.ListID", "ItemRef.FullName"):
        return []
    notes: list[Problem] = []
    for part in parts:
        listed = None if given.listed is None else given.listed * part.unit.ratio
        if part.price is None:
            notes.append(_missing(given, part))
        elif given.item is None:
            notes.append(_not_compared(given))
        elif listed is not None and _differs(part.price, listed, policies.tolerance):
            notes.append(_difference(given, part.unit, part.price, listed))
    return notes


def _differs(price: Fraction, listed: Fraction, tolerance: Decimal) -> bool:
    # A part of a case's price has more digits than a price list: either form is the same price.
    return all(abs(price - each) > Fraction(tolerance) for each in (listed, Fraction(cents(listed))))


def _difference(given: Asked, unit: ItemUnit, price: Fraction, listed: Fraction) -> Problem:
    each = f" ({unit.name})" if unit.name else ""
    return Problem(
        "price-differs",
        f"{given.where}the order's price of {given.units.item}{each} is {price_text(price)}, that of QuickBooks is "
        f"{price_text(listed)}. The order's was written.",
        "If that is wrong, correct the sales order or the item in QuickBooks; price_tolerance says what is reported.",
    )


def _missing(given: Asked, part: Part) -> Problem:
    each = f" ({part.unit.name})" if part.unit.name else ""
    return Problem(
        "price-missing",
        f"{given.where}the order has no price of {given.units.item}{each}, so QuickBooks prices it.",
        "If a price was agreed on, correct the sales order in QuickBooks.",
    )


def _not_compared(given: Asked) -> Problem:
    return Problem(
        "item-not-read",
        f"{given.where}its item has not been read from QuickBooks, so its price was not compared.",
        "Run the items flow.",
    )
