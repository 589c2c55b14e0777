"""Why a view sets a transaction aside, in the words of the list of rejected records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from routebooks.errors import Problem
from routebooks.records import Rejected

Row = Mapping[str, Any]

_AGAIN = "It may have been made while the lists were read: the next run knows it. If this stays, run all flows again."


def set_aside(key: str | None, problems: Sequence[Problem], row: Row) -> Rejected:
    """A transaction that cannot go, with all that is wrong with it."""
    message = " ".join(dict.fromkeys(problem.message for problem in problems))
    values = {name: _json(value) for name, value in row.items() if value is not None}
    return Rejected(key or "", replace(problems[0], message=message), values)


def customer_unknown(what: str, row: Row) -> Problem:
    """The customer of a transaction is not in the list of customers."""
    customer = row["CustomerRef.FullName"] or row["CustomerRef.ListID"] or "nobody"
    return Problem(
        "customer-unknown",
        f"{what.capitalize()} {row['RefNumber'] or row['TxnID']} is of {customer}, who is not among the customers.",
        _AGAIN,
    )


def item_unknown(row: Row) -> Problem:
    """The item of a line is not in the list of items."""
    item = row["Line.ItemRef.FullName"] or row["Line.ItemRef.ListID"]
    return Problem("item-unknown", f"{_line(row)} has the item {item}, which is not among the items.", _AGAIN)


def unit_unknown(row: Row) -> Problem:
    """Nobody can tell whether a quantity is cases or bottles."""
    quantity, unit = format(row["Line.Quantity"].normalize(), "f"), row["Line.UnitOfMeasure"]
    item = row["Line.ItemRef.FullName"] or row["Line.ItemRef.ListID"]
    if unit:
        return Problem(
            "unit-unknown",
            f"{_line(row)} has {quantity} {unit} of {item}: nothing says how many cases or bottles a {unit} is.",
            f"Add {unit} to the words of the connection's setting case_units or bottle_units; or give the item's unit "
            "of measure set in QuickBooks a base unit that is one of those words.",
        )
    return Problem(
        "unit-unknown",
        f"{_line(row)} has {quantity} of {item} without a unit of measure: nothing says whether these are cases or "
        "bottles.",
        "Say in the connection's setting plain_unit what QuickBooks counts such items in; or, if the item has a unit "
        "of measure set, add the name of its base unit to case_units or bottle_units.",
    )


def amount_without_item(row: Row) -> Problem:
    """A line has an amount, and no item that it is for."""
    return Problem(
        "line-without-item",
        f"{_line(row)} has an amount of {row['Line.Amount']} and no item.",
        "Give the line an item in QuickBooks.",
    )


def amount_unknown(row: Row) -> Problem:
    """A discount is told as a percentage only."""
    return Problem(
        "amount-unknown",
        f"{_line(row)} takes off {format(row['Line.RatePercent'].normalize(), 'f')} % without saying how much that is.",
        "Enter the discount in QuickBooks as a line with a discount item.",
    )


#: How a person calls the kinds of transaction.
NAMES = {"IN": "invoice", "CM": "credit memo", "SR": "sales receipt"}


def _line(row: Row) -> str:
    return f"Line {row['LineNumber']} of {NAMES[row['Kind']]} {row['RefNumber'] or row['TxnID']}"


def _json(value: Any) -> Any:
    match value:
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case _:
            return value
