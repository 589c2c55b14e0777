"""What happens in a company between two nights: an invoice changed, one paid, one void, one deleted, one credited."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from routebooks.sandbox.company import SandboxCompany
from routebooks.sandbox.shapes import Fields


@dataclass(frozen=True, kw_only=True)
class SecondNight:
    """The TxnIDs of the invoices that something happened to, and that of the credit memo."""

    changed: str
    paid: str
    voided: str
    deleted: str
    credited: str
    credit_memo: str


def second_night(company: SandboxCompany) -> SecondNight:
    """Changes a company, by its first five open invoices that have a priced line and nothing paid on them.

    The first gets one more of its first priced item; the second is paid in full; the third is made void; the fourth is
    deleted; for one of the fifth's first priced item a credit memo is written. Raises ValueError for fewer invoices.
    """
    untouched = [one for one in company.invoices() if one["IsPaid"] == "false" and one["AppliedAmount"] == "0.00"]
    usable = [one for one in untouched if _priced(one)]
    if len(usable) < 5:
        raise ValueError("the company has too few open invoices")
    changed, paid, voided, deleted, credited = usable[:5]
    with company.transaction():
        _one_more(company, changed)
        company.pay(paid["TxnID"])
        company.void(voided["TxnID"])
        company.delete(deleted["TxnID"])
        sold = _priced(credited)[0]
        line = {name: sold[name] for name in ("ItemRef", "UnitOfMeasure", "Rate") if name in sold} | {"Quantity": 1}
        credit_memo = company.add_credit_memo(credited["CustomerRef"]["ListID"], [line], memo="Returned")
    return SecondNight(
        changed=changed["TxnID"],
        paid=paid["TxnID"],
        voided=voided["TxnID"],
        deleted=deleted["TxnID"],
        credited=credited["TxnID"],
        credit_memo=credit_memo,
    )


def _priced(invoice: Fields) -> list[Fields]:
    """The lines of an invoice that have an item, a quantity and a rate."""
    return [line for line in invoice["lines"] if {"ItemRef", "Quantity", "Rate"} <= line.keys()]


def _one_more(company: SandboxCompany, invoice: Fields) -> None:
    first = _priced(invoice)[0]
    lines = [
        {"TxnLineID": line["TxnLineID"]} | ({"Quantity": Decimal(line["Quantity"]) + 1} if line is first else {})
        for line in invoice["lines"]
    ]
    company.update_transaction(invoice["TxnID"], lines=lines)
