"""Whether a customer may order: on hold, inactive, or over the credit limit.

A job has no limit of its own unless one is set: then the limit and the balance are those of the nearest customer above
it that has one. QuickBooks' TotalBalance counts invoices; sales orders that are still open are not in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from routebooks.connectors.base import LookUp
from routebooks.connectors.quickbooks_desktop.order_settings import Policies, folded
from routebooks.connectors.quickbooks_desktop.order_units import custom
from routebooks.errors import Problem, RecordError

#: Jobs stand five deep at most; a longer chain is broken data.
_DEEPEST = 10
_READ = "Run the customers flow"
_CODES = {"over_limit": "customer-over-limit", "credit_hold": "customer-on-hold"}


@dataclass(frozen=True)
class Credit:
    """What a posted order has to say of the customer's credit: in its memo, and to a person."""

    memo: tuple[str, ...] = ()
    notes: tuple[Problem, ...] = ()


def credit_of(header: Mapping[str, Any], money: Decimal, policies: Policies, look_up: LookUp) -> Credit:
    """What the policies say of an order over `money` dollars. Raises RecordError for one that has to be held.

    A customer who has not been read is held where a hold is asked for, else noted.
    """
    chain = list(_chain(str(header.get("CustomerRef.ListID") or ""), look_up))
    if not chain:
        return _unread(policies)
    found = [said for said in (_on_hold(chain, policies), _over_limit(chain, money, policies)) if said]
    return Credit(tuple(memo for memo, _ in found), tuple(problem for _, problem in found))


def _chain(list_id: str, look_up: LookUp) -> Iterator[Mapping[str, Any]]:
    """The customer, and the customers above it."""
    for _ in range(_DEEPEST):
        customer = look_up("customers", list_id) if list_id else None
        if customer is None:
            return
        yield customer
        list_id = str(customer.get("ParentRef.ListID") or "")


def _unread(policies: Policies) -> Credit:
    holds = policies.over_limit == "hold" or (policies.credit_hold == "hold" and policies.hold_field)
    message = "The customer has not been read from QuickBooks, so its credit could not be looked at."
    if holds:
        raise RecordError(message, hint=f"{_READ}; the order goes by itself then.", code="customer-not-read")
    if policies.over_limit == policies.credit_hold == "post":
        return Credit()
    return Credit(notes=(Problem("customer-not-read", message, f"{_READ}."),))


def _on_hold(chain: list[Mapping[str, Any]], policies: Policies) -> tuple[str, Problem] | None:
    for customer in chain if policies.credit_hold != "post" else ():
        if reason := _mark(customer, policies):
            message = f"The customer {_name(customer)} is on hold: {reason}."
            return _judged("credit_hold", policies.credit_hold, message, "Take the hold off", f"On hold: {reason}.")
    return None


def _mark(customer: Mapping[str, Any], policies: Policies) -> str:
    if customer.get("IsActive") is False:
        return "inactive in QuickBooks"
    marked = str(custom(customer, policies.hold_field) or "").strip()
    wanted = folded(policies.hold_value)
    return "marked in QuickBooks" if marked and wanted in ("", folded(marked)) else ""


def _over_limit(chain: list[Mapping[str, Any]], money: Decimal, policies: Policies) -> tuple[str, Problem] | None:
    customer = next((each for each in chain if each.get("CreditLimit") is not None), None)
    if customer is None or policies.over_limit == "post":
        return None
    limit: Decimal = customer["CreditLimit"]
    owed: Decimal = customer.get("TotalBalance") or Decimal(0)
    if owed + money <= limit:
        return None
    sums = f"owes {owed:,.2f}, this order {money:,.2f}, limit {limit:,.2f}"
    message = f"The customer {_name(customer)} is over the credit limit: {sums}."
    return _judged("over_limit", policies.over_limit, message, "Raise the limit", f"Over credit limit: {sums}.")


def _judged(setting: str, policy: str, message: str, cure: str, memo: str) -> tuple[str, Problem]:
    """The memo's line and the note; a hold is raised."""
    if policy == "hold":
        raise RecordError(
            message,
            hint=f"{cure} in QuickBooks and run the customers flow; the order goes by itself then. What is held, the "
            f"setting {setting} says.",
            code=_CODES[setting],
        )
    return memo, Problem(
        _CODES[setting], message, "The order was written with a note in its memo. Look before it ships."
    )


def _name(customer: Mapping[str, Any]) -> str:
    return str(customer.get("FullName") or customer.get("ListID"))
