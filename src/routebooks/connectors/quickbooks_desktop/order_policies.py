"""An order as the connection's policies want it written: units, prices, deposits, number, credit. Pure.

What the map fills goes before what a setting says. An order that would need a guess is held with its cure.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from routebooks.connectors.base import LookUp, Prepared
from routebooks.connectors.quickbooks_desktop.order_credit import credit_of
from routebooks.connectors.quickbooks_desktop.order_lines import settle_line
from routebooks.connectors.quickbooks_desktop.order_parts import item_of
from routebooks.connectors.quickbooks_desktop.order_settings import MAX_NUMBER, QUICKBOOKS, Policies, reference
from routebooks.errors import Problem, RecordError
from routebooks.records import Document

#: Memo takes 4095 characters, and the order key may stand before it.
_LONGEST_MEMO = 4000


def prepare(document: Document, policies: Policies, look_up: LookUp) -> Prepared:
    """The document as it is to be written, and what a person should know. Raises RecordError for one that has to wait.

    `look_up` gives records of the last snapshots: customers and items by id or name, units_of_measure by name with the
    units under `lines` (LineKind, Name, Abbreviation, ConversionRatio). What it does not give has not been read: a unit
    then waits, a price is not compared, and credit waits where a hold is asked for.
    """
    lines, money, notes = _lines(document, policies, look_up)
    header = dict(document.header) | _number(document, policies) | _references(document, policies)
    credit = credit_of(header, money, policies, look_up)
    if credit.memo:
        header |= _memo(header, credit.memo)
    return Prepared(Document(document.key, header, tuple(lines)), (*notes, *credit.notes))


def _lines(
    document: Document, policies: Policies, look_up: LookUp
) -> tuple[list[dict[str, Any]], Decimal, list[Problem]]:
    """The lines to write, the dollars they come to, the notes."""
    lines: list[dict[str, Any]] = []
    notes: list[Problem] = []
    deposits: list[dict[str, Any]] = []
    money = left_out = Decimal(0)
    split = False
    for number, line in enumerate(document.lines, start=1):
        where = f"Line {number}: "
        if not _of_the_line_above(line, look_up):
            lines += deposits
            deposits = []
        elif split:
            raise RecordError(
                f"{where}it is a percentage of the line above, which becomes two lines.",
                hint="Set order_units to unit or base, or let the order say the discount in dollars.",
                code="discount-unclear",
            )
        settled = settle_line(line, where, policies, look_up)
        split = len(settled.lines) > 1
        lines += settled.lines
        notes += settled.notes
        money += settled.money
        if settled.deposit and policies.deposit_item:
            deposits.append({**reference("ItemRef", policies.deposit_item), "Amount": settled.deposit})
            money += settled.deposit
        else:
            left_out += settled.deposit
    if left_out:
        notes.append(_left_out(left_out))
    return lines + deposits, money, notes


def _of_the_line_above(line: Mapping[str, Any], look_up: LookUp) -> bool:
    """Whether a line is a percentage of the one above it, so that nothing may come between the two."""
    if line.get("RatePercent") is not None:
        return True
    item = item_of(line, look_up)
    fixed = line.get("Rate") is not None or line.get("Amount") is not None
    percents = ("DiscountRatePercent", "PricePercent")
    return item is not None and not fixed and any(item.get(name) is not None for name in percents)


def _left_out(deposits: Decimal) -> Problem:
    return Problem(
        "deposit-left-out",
        f"Its deposits of {deposits:,.2f} were not written.",
        "Set deposit_item to the item that carries deposits in QuickBooks, if they belong in sales orders.",
    )


def _number(document: Document, policies: Policies) -> dict[str, str]:
    """The order's own number, where it is not left to QuickBooks."""
    own = document.header.get("RefNumber")
    if policies.number == QUICKBOOKS:
        return {}
    number = f"{policies.number_prefix if policies.number == 'prefix' else ''}{own or document.key}"
    if len(number) > MAX_NUMBER:
        raise RecordError(
            f"The number {number} has {len(number)} characters, and a sales order's takes {MAX_NUMBER}.",
            hint="Set order_number to quickbooks, or let the map fill RefNumber with fewer (RIGHT). The order is found "
            "by its key all the same.",
            code="order-number-too-long",
            detail=number,
        )
    return {"RefNumber": number}


def _references(document: Document, policies: Policies) -> dict[str, str]:
    """What the settings fill where the map fills neither the id nor the name."""
    filled: dict[str, str] = {}
    for path, name in policies.references.items():
        if not any(document.header.get(f"{path}.{part}") for part in ("ListID", "FullName")):
            filled |= reference(path, name)
    return filled


def _memo(header: Mapping[str, Any], lines: tuple[str, ...]) -> dict[str, str]:
    """The memo with lines more; one that is full already stays as it is."""
    own = str(header.get("Memo") or "").rstrip()
    memo = "\n".join([own, *lines] if own else lines)
    return {"Memo": memo} if len(memo) <= _LONGEST_MEMO else {}
