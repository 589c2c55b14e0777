"""What the demo company has sold: invoices open, overdue, paid and void, credit memos, sales receipts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from routebooks.sandbox.company import SandboxCompany
from routebooks.sandbox.desk import LineGiven
from routebooks.sandbox.shapes import Fields

#: Invoices over the accounts, less those that are worth a look for a reason of their own.
_INVOICES = 52
_STEP = 37
_LONGEST_AGO = 75
#: Of the usual invoices, open ones of whose goods a case came back.
_CREDITED = (2, 7, 9)
_CASES_OVER_LIMIT = 12
_PART = Decimal(20)


def add_sales(company: SandboxCompany, over_limit: Sequence[str]) -> None:
    """Sells to the accounts of a company that has everything but sales; days are counted back from its own.

    Balances follow from it: those of the accounts named are over their limit of 2,000 dollars.
    """
    accounts = [
        one for one in company.customers() if one["IsActive"] == "true" and "ParentRef" not in one and _category(one)
    ]
    stock = [item for item in company.objects("ItemInventory") if item["IsActive"] == "true"]
    stores = [one for one in company.customers() if "ParentRef" in one]
    usual = [one for one in (*accounts, *stores) if one.get("AccountNumber") not in over_limit]
    for at in range(_INVOICES):
        _usual_invoice(company, usual[at * _STEP % len(usual)], stock, at)
    for account in (one for one in accounts if one.get("AccountNumber") in over_limit):
        case = next(item for item in stock if Decimal(item["SalesPrice"]) > Decimal(2000) / _CASES_OVER_LIMIT)
        _invoice(company, account, [_line(case, _CASES_OVER_LIMIT)], days_ago=50)
    _telling_invoices(company, usual, stock)
    for at in _CREDITED:
        returned = [_line(stock[at * 17], 1), {"Desc": "Broken on arrival"}]
        day = company.today() - timedelta(days=at)
        company.add_credit_memo(usual[at * _STEP % len(usual)]["ListID"], returned, date=day)
    for at, method in enumerate(("Check", "Cash")):
        sold = [_line(stock[at * 43 + 5], 1 + at)]
        paid: dict[str, Any] = {"PaymentMethodRef": method, "DepositToAccountRef": "Undeposited Funds"}
        company.add_sales_receipt(usual[at * 11]["ListID"], sold, memo="Over the counter", **paid)


def _category(customer: Fields) -> bool:
    return any(ext["DataExtName"] == "Category" for ext in customer.get("DataExtRet", ()))


def _line(item: Fields, cases: int) -> LineGiven:
    return {"ItemRef": item["Name"], "Quantity": cases}


def _invoice(
    company: SandboxCompany, account: Fields, lines: Sequence[LineGiven], *, days_ago: int, **more: Any
) -> str:
    day = company.today() - timedelta(days=days_ago)
    return company.add_invoice(account["ListID"], lines, date=day, **more)


def _usual_invoice(company: SandboxCompany, account: Fields, stock: list[Fields], at: int) -> None:
    """Up to three lines; of five invoices two are paid, and of twelve one in part."""
    lines = [_line(stock[(at * 17 + step * 59) % len(stock)], 1 + (at + step) % 3) for step in range(1 + at % 3)]
    made = _invoice(
        company,
        account,
        lines,
        days_ago=at * 11 % _LONGEST_AGO,
        po_number=f"PO{4000 + at * 7}" if at % 3 == 1 else None,
        memo="Thank you" if at % 10 == 0 else None,
    )
    if at % 5 < 2:
        company.pay(made)
    elif at % 12 == 4:
        company.pay(made, _PART)


def _telling_invoices(company: SandboxCompany, usual: list[Fields], stock: list[Fields]) -> None:
    """One of each that a reader of invoices may stumble over."""
    bottles = [item for item in stock if "UnitOfMeasureSetRef" in item]
    words: list[LineGiven] = [_line(stock[3], 2), {"Desc": "Price as agreed on the telephone"}]
    _invoice(company, usual[2], words, days_ago=4)
    summed: list[LineGiven] = [
        _line(stock[8], 1),
        _line(stock[9], 1),
        {"ItemRef": "SUBTOTAL"},
        {"ItemRef": "VOLUME-5"},
    ]
    _invoice(company, usual[13], summed, days_ago=8)
    sampler: list[LineGiven] = [
        {"ItemRef": "DELIVERY"},
        {"ItemGroupRef": "SAMPLER", "Quantity": 2},
        {"ItemRef": "KEG-DEPOSIT"},
    ]
    _invoice(company, usual[24], sampler, days_ago=12)
    broken = [_line(bottles[0], 1), {**_line(bottles[0], 5), "UnitOfMeasure": "Bottle"}]
    _invoice(company, usual[35], broken, days_ago=20, terms="10th of the month")
    company.void(_invoice(company, usual[46], [_line(stock[12], 3)], days_ago=15, memo="Sent to the wrong house"))
    _invoice(company, usual[57], [_line(stock[20], 1), {"ItemRef": "FUEL"}], days_ago=40, ref_number="")
