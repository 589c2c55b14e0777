"""What becomes of a sale: it is paid, made void, deleted; and what customers owe and items have on order after that."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from routebooks.sandbox import wire
from routebooks.sandbox.books import Books
from routebooks.sandbox.company_file import Stored
from routebooks.sandbox.prices import base_count
from routebooks.sandbox.shapes import LINES, Fields
from routebooks.sandbox.status import Refusal
from routebooks.sandbox.totals import inner_lines

#: How the memo of a void sale begins.
VOID = "VOID:"

_NOUGHT = Decimal(0)
_EMPTIED = ("Subtotal", "SalesTaxTotal", "AppliedAmount", "BalanceRemaining", "TotalAmount", "CreditRemaining")
_BELOW = ("DiscountLineRet", "SalesTaxLineRet", "ShippingLineRet")
_ON_A_LINE = {"Quantity": "0", "Amount": "0.00", "TotalAmount": "0.00", "TaxAmount": "0.00"}


def pay(books: Books, invoice: Stored, amount: Decimal) -> str:
    """A payment received today for one invoice; its TxnID. Raises Refusal 3210 for more than is left, or for nothing.

    Invoice and customer are modified by it.
    """
    left = wire.number(invoice.fields.get("BalanceRemaining"))
    if invoice.kind != "Invoice" or not _NOUGHT < amount <= left:
        raise Refusal(3210, f'The amount "{wire.amount(amount)}" cannot be paid on {invoice.kind} "{invoice.label}".')
    payment = books.next_id("Txn", books.now())
    today = books.today()
    link = {"TxnID": payment, "TxnType": "ReceivePayment", "TxnDate": today, "LinkType": "AMTTYPE", "Amount": -amount}
    after: Fields = {
        "AppliedAmount": wire.number(invoice.fields.get("AppliedAmount")) - amount,
        "BalanceRemaining": left - amount,
        "IsPaid": left == amount,
        "LinkedTxn": [*invoice.fields.get("LinkedTxn", ()), link],
    }
    books.change(invoice, after)
    _owe(books, invoice.fields["CustomerRef"]["ListID"], -amount)
    return payment


def void(books: Books, sale: Stored) -> Stored:
    """Nothing is left of a sale but itself: amounts and quantities are nought, the memo begins with `VOID:`.

    What was paid on it stays the customer's, as credit. By memory: a void invoice counts as paid. Raises Refusal 3210
    for a sales order, which QuickBooks cannot make void, and for one that is void.
    """
    memo = sale.fields.get("Memo", "")
    if sale.kind == "SalesOrder" or memo.startswith(VOID):
        raise Refusal(3210, f'The {sale.kind} "{sale.label}" cannot be made void.')
    after: Fields = {name: _NOUGHT for name in _EMPTIED if name in sale.fields}
    after |= {
        name: {**sale.fields[name], "Amount": _NOUGHT} for name in _BELOW if "Amount" in sale.fields.get(name, {})
    }
    after |= {"Memo": f"{VOID} {memo}".rstrip(), "LinkedTxn": None, LINES: _emptied(sale.fields.get(LINES, []))}
    if sale.kind == "Invoice":
        after["IsPaid"] = True
    made = books.change(sale, after)
    follow(books, sale, made)
    return made


def _emptied(value: Any) -> Any:
    if isinstance(value, list):
        return [_emptied(one) for one in value]
    if isinstance(value, dict):
        return {name: _ON_A_LINE.get(name, _emptied(one)) for name, one in value.items()}
    return value


def delete(books: Books, stored: Stored) -> None:
    """Takes a sale or an object of a list out of the file, which remembers that it was there.

    By memory, Refusal 3160: an object of a list that something refers to cannot be deleted.
    """
    user = next(books.users_of(stored), None)
    if user:
        message = f'An attempt was made to delete a {stored.kind} with name "{stored.label}", which is in use'
        raise Refusal(3160, f'{message} by {user.kind} "{user.label}".')
    books.file.delete(stored, books.now())
    follow(books, stored, None)
    books.retotal(stored)


def follow(books: Books, before: Stored | None, after: Stored | None) -> None:
    """Brings the customer's balance, and what items have on order, from one state of a sale to the next."""
    owed: dict[str, Decimal] = {}
    ordered: dict[str, Decimal] = {}
    for sale, sign in ((before, -1), (after, 1)):
        if sale and "CustomerRef" in sale.fields:
            customer = sale.fields["CustomerRef"]["ListID"]
            owed[customer] = owed.get(customer, _NOUGHT) + sign * _charge(sale)
            for item_id, count in _on_order(books, sale):
                ordered[item_id] = ordered.get(item_id, _NOUGHT) + sign * count
    for customer, amount in owed.items():
        _owe(books, customer, amount)
    for item_id, count in ordered.items():
        item = books.file.get("Item", item_id)
        if item and count and item.kind.startswith("ItemInventory"):
            on_order = wire.number(item.fields.get("QuantityOnSalesOrder")) + count
            books.change(item, {"QuantityOnSalesOrder": on_order}, touch=False)


def _charge(sale: Stored) -> Decimal:
    """What a sale adds to its customer's balance, whatever was paid on it since."""
    if sale.kind == "CreditMemo":
        return -wire.number(sale.fields.get("TotalAmount"))
    # AppliedAmount is below nought.
    return wire.number(sale.fields.get("BalanceRemaining")) - wire.number(sale.fields.get("AppliedAmount"))


def _owe(books: Books, customer_id: str, amount: Decimal) -> None:
    customer = books.file.get("Entity", customer_id)
    if customer and amount:
        books.change(customer, {"Balance": wire.number(customer.fields.get("Balance")) + amount})


def _on_order(books: Books, sale: Stored) -> Iterator[tuple[str, Decimal]]:
    """The items of a sales order, each with how many base units of it are ordered."""
    for entry in sale.fields.get(LINES, ()) if sale.kind == "SalesOrder" else ():
        for fields in entry.values():
            for line in inner_lines(fields):
                if "ItemRef" in line and "Quantity" in line:
                    yield line["ItemRef"]["ListID"], base_count(books, line)
