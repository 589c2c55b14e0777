"""Exact numbers: fractions as decimals without loss, dollars to the cent, and how a number is shown."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction


def cents(value: Fraction) -> Decimal:
    """Dollars to the cent, half away from zero, as QuickBooks rounds an amount."""
    whole = int(abs(value) * 100 + Fraction(1, 2))
    return Decimal(whole if value >= 0 else -whole).scaleb(-2)


def decimal_of(value: Fraction, digits: int) -> Decimal | None:
    """The number with so many digits after the point; None where it does not fit without loss."""
    whole = value * 10**digits
    return Decimal(whole.numerator).scaleb(-digits) if whole.denominator == 1 else None


def quantity_text(value: Fraction) -> str:
    """A quantity for a person: no noughts at its end."""
    number = decimal_of(value, 5)
    return str(value) if number is None else f"{number.normalize():f}"


def price_text(value: Fraction) -> str:
    """A price for a person: cents, and more digits only where it has them."""
    number = decimal_of(value, 5)
    if number is None or number == cents(value):
        return f"{cents(value):,.2f}"
    return f"{number.normalize():,f}"
