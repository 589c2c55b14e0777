"""Orders as the reps of the demo company would have sent them: a dozen plain ones, three bad, one long number."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from routebooks.sandbox.company import SandboxCompany
from routebooks.sandbox.shapes import Fields

UNKNOWN_ACCOUNT = "99999"
UNKNOWN_ITEM = "88888"
#: longer than the 11 characters that QuickBooks takes for a number
LONG_NUMBER = "PA-20020244-99"

_GOOD_ORDERS = 12
_NOTES = ("", "Leave at the back door", "Before noon; ask for the bar manager", "Café open from 7 \N{HOT BEVERAGE}")


@dataclass(frozen=True)
class OrderLineSeed:
    """One line: cases of an item at a price a case in dollars."""

    item_key: str
    quantity: Decimal
    price: Decimal


@dataclass(frozen=True)
class OrderSeed:
    """One order. `customer_key` is an account number, `item_key` of a line an item's name, `rep` a rep's initials."""

    order_no: str
    customer_key: str
    order_date: date
    ship_date: date
    po_number: str
    rep: str
    note: str
    lines: tuple[OrderLineSeed, ...]


def orders_for(company: SandboxCompany) -> list[OrderSeed]:
    """A dozen orders of today for the accounts of a seeded company, and four of another kind.

    Three cannot be taken: for an unknown account, an unknown item, an inactive item. The last has a number that is too
    long for QuickBooks: it can be taken, under a number of QuickBooks' own.
    """
    accounts = _good_accounts(company)
    stock = [item for item in company.objects("ItemInventory") if item["IsActive"] == "true"]
    # Every eleventh account: the orders come from all reps.
    orders = [_order(at, accounts[at * 11 % len(accounts)], stock, company.today()) for at in range(_GOOD_ORDERS + 4)]
    inactive = next(item for item in company.objects("ItemInventory") if item["IsActive"] == "false")
    first, second, third, fourth = (
        replace(order, order_no=f"PA-2002{at}", po_number="") for at, order in enumerate(orders[_GOOD_ORDERS:], start=1)
    )
    return [
        *orders[:_GOOD_ORDERS],
        replace(first, customer_key=UNKNOWN_ACCOUNT),
        replace(second, lines=(*second.lines, replace(second.lines[0], item_key=UNKNOWN_ITEM))),
        replace(third, lines=(replace(third.lines[0], item_key=inactive["Name"]), *third.lines[1:])),
        replace(fourth, order_no=LONG_NUMBER, note=f"The number {LONG_NUMBER} is too long for QuickBooks"),
    ]


def _good_accounts(company: SandboxCompany) -> list[Fields]:
    """Active accounts whose number is theirs alone, less the head offices of chains."""
    customers = company.customers()
    owners = Counter(customer.get("AccountNumber") for customer in customers)
    heads = {customer["ParentRef"]["ListID"] for customer in customers if "ParentRef" in customer}
    return [
        customer
        for customer in customers
        if customer["IsActive"] == "true"
        and customer["ListID"] not in heads
        and "AccountNumber" in customer
        and owners[customer["AccountNumber"]] == 1
    ]


def _order(at: int, account: Fields, stock: list[Fields], today: date) -> OrderSeed:
    return OrderSeed(
        order_no=f"PA-{10240 + at}",
        customer_key=account["AccountNumber"],
        order_date=today,
        ship_date=today + timedelta(days=1 + at % 3),
        po_number=f"PO{7000 + at * 11}" if at % 2 else "",
        rep=account["SalesRepRef"]["FullName"],
        note=_NOTES[at % len(_NOTES)],
        lines=tuple(_line(stock[(at * 13 + line * 29) % len(stock)], at + line) for line in range(1 + at % 5)),
    )


def _line(item: Fields, at: int) -> OrderLineSeed:
    return OrderLineSeed(item["Name"], Decimal(1 + at % 6), Decimal(item["SalesPrice"]))
