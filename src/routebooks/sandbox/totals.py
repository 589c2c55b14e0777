"""What a sale comes to, and when it is to be paid."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from routebooks.sandbox import wire
from routebooks.sandbox.books import Books
from routebooks.sandbox.lines import Line, within
from routebooks.sandbox.shapes import Fields
from routebooks.sandbox.status import Refusal

_NOUGHT = Decimal(0)
_HUNDRED = Decimal(100)


def due(books: Books, header: Fields) -> str:
    """The day that a sale is to be paid on, by its terms: days from its date, or a day of the month."""
    day = date.fromisoformat(header["TxnDate"])
    ref = header.get("TermsRef")
    terms = books.file.get("Terms", ref["ListID"]) if ref else None
    if terms is None or terms.kind == "StandardTerms":
        days = terms.fields.get("StdDueDays", "0") if terms else "0"
        return (day + timedelta(days=int(days))).isoformat()
    # Issued so close to the day that it is due the month after, as the terms' own words in QuickBooks say.
    on, close = int(terms.fields.get("DayOfMonthDue", "1")), int(terms.fields.get("DueNextMonthDays", "0"))
    while _on_day(day, on) < date.fromisoformat(header["TxnDate"]) + timedelta(days=close):
        day = _on_day(day, 1) + timedelta(days=32)
    return _on_day(day, on).isoformat()


def _on_day(month: date, day: int) -> date:
    return month.replace(day=min(day, calendar.monthrange(month.year, month.month)[1]))


def money_of(books: Books, kind: str, header: Fields, lines: Sequence[Line], applied: Decimal = _NOUGHT) -> Fields:
    """What a sale comes to. By memory: no sale but an order may come to less than nothing, or than was paid on it."""
    subtotal = within(sum((line.amount for line in lines if not line.subtotal), _NOUGHT), "Subtotal")
    percent, tax = _tax(books, header, lines, subtotal)
    discount = _below(header, "DiscountLineRet", subtotal)
    total = within(subtotal + tax - discount + _below(header, "ShippingLineRet", subtotal), "TotalAmount")
    if kind != "SalesOrder" and total < applied:
        raise Refusal(3210, f'The amount "{total}" of the {kind} is less than nothing, or than was paid on it.')
    money: Fields = {"Subtotal": subtotal, "SalesTaxPercentage": percent, "SalesTaxTotal": tax}
    if kind == "Invoice":
        left = total - applied
        return money | {"AppliedAmount": _NOUGHT - applied, "BalanceRemaining": left, "IsPaid": left == 0}
    return money | {"TotalAmount": total} | ({"CreditRemaining": total} if kind == "CreditMemo" else {})


def _tax(books: Books, header: Fields, lines: Sequence[Line], subtotal: Decimal) -> tuple[Decimal, Decimal]:
    """Percentage and amount: by a tax line below the others, else by the tax item, on lines whose code is taxable."""
    if header.get("SalesTaxLineRet"):
        return wire.number(header["SalesTaxLineRet"].get("RatePercent")), _below(header, "SalesTaxLineRet", subtotal)
    ref = header.get("ItemSalesTaxRef")
    item = books.file.get("Item", ref["ListID"]) if ref else None
    percent = wire.number(item.fields.get("TaxRate")) if item else _NOUGHT
    if not percent:
        return _NOUGHT, _NOUGHT
    taxable = sum((amount for line in lines for amount in _taxable(books, line)), _NOUGHT)
    return percent, within(taxable * percent / _HUNDRED, "SalesTaxTotal")


def _taxable(books: Books, line: Line) -> Iterator[Decimal]:
    for one in inner_lines(line.fields) if not line.subtotal else ():
        code = books.file.get("SalesTaxCode", one["SalesTaxCodeRef"]["ListID"]) if "SalesTaxCodeRef" in one else None
        if code and code.fields.get("IsTaxable") == "true":
            yield wire.number(str(one.get("Amount") or "0"))


def inner_lines(fields: Fields) -> list[Fields]:
    """The lines inside a group line; for another line itself."""
    inner = [lines for name, lines in fields.items() if name.endswith("LineRet")]
    return list(inner[0]) if inner else [fields] if "ItemGroupRef" not in fields else []


def _below(header: Fields, name: str, subtotal: Decimal) -> Decimal:
    """What a discount, a tax or a shipping line below the others comes to."""
    line = header.get(name) or {}
    if "RatePercent" in line:
        return within(subtotal * wire.number(line["RatePercent"]) / _HUNDRED, name)
    return wire.number(line.get("Amount"))
